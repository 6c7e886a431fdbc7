// SPDX-License-Identifier: MIT
#include "tools/status.h"

#include <charconv>

#include "client/broker.h"
#include "tools/process.h"

namespace gssipsec::tools {
namespace {

using base::Code;

base::Error bad(std::string_view what, std::string_view found) {
  return base::fail(Code::BAD_ARGUMENT, "wanted " + std::string(what) + ", found \"" + std::string(found) + "\"");
}

std::uint16_t protocol_number(std::string_view name) noexcept {
  if (name == "tcp") return 6;
  if (name == "udp") return 17;
  return name == "sctp" ? 132 : 0;
}

struct End {
  channel::Address address;
  std::uint16_t port = 0;
};

base::Result<End> parse_end(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("ADDRESS:PORT", text);
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  End end;
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), end.port);
  if (digits.empty() || error != std::errc() || rest != digits.data() + digits.size()) return bad("a port from 0 to 65535", digits);
  auto address = channel::parse_address(host);
  if (!address.ok() || brackets != (address->family == channel::Family::ipv6)) return bad("10.0.0.1:22 or [fd00::1]:22", text);
  end.address = *address;
  return end;
}

ExitCode subject_code(const Subject& subject) noexcept {
  if (!subject.report.ok()) return tools::exit_code(subject.report.error().code);
  return subject.report->is_protected ? kProtected : kNotProtected;
}

}  // namespace

Subject status_of_descriptor(int fd) { return {fd, client::Broker::query(fd, {protocol::Found::named})}; }

Subject status_of_flow(const channel::Flow& flow) { return {-1, client::Broker::query_flow({flow})}; }

base::Result<std::vector<Subject>> status_of_process(int pid) {
  std::vector<Subject> subjects;
  const base::Status done = each_socket(pid, [&subjects](int number, int copy) {
    subjects.push_back(status_of_descriptor(copy));
    subjects.back().descriptor = number;
  });
  if (!done.ok()) return done.error();
  return subjects;
}

base::Result<channel::Flow> parse_flow(std::string_view protocol, std::string_view local, std::string_view remote) {
  channel::Flow flow;
  flow.protocol = protocol_number(protocol);
  if (flow.protocol == 0) return bad("tcp, udp or sctp", protocol);
  const auto here = parse_end(local), there = parse_end(remote);
  if (!here) return here.error();
  if (!there) return there.error();
  if (here->address.family != there->address.family) return bad("two addresses of one family", remote);
  flow.local = here->address, flow.local_port = here->port;
  flow.remote = there->address, flow.remote_port = there->port;
  flow.on_ipv6_socket = flow.local.family == channel::Family::ipv6;
  return flow;
}

ExitCode exit_code(Code code) noexcept {
  switch (code) {
    case Code::ok: return kProtected;
    case Code::NO_BROKER: case Code::BROKER_TIMEOUT: case Code::FALSE_BROKER:
    case Code::BAD_MESSAGE: case Code::PROTOCOL_VERSION: return kNoBroker;
    case Code::BAD_ARGUMENT: return kUsage;
    default: break;
  }
  // What the broker says about the socket itself, as errors.def groups it.
  const auto number = static_cast<std::uint32_t>(code);
  const bool about_socket = number < 100 || (number >= 400 && number < 500);
  return about_socket && code != Code::NOT_OWNER ? kNotProtected : kOther;
}

ExitCode exit_code(const std::vector<Subject>& subjects) noexcept {
  return worst_of(subjects, [](const Subject& subject) { return subject_code(subject); });
}

}  // namespace gssipsec::tools
