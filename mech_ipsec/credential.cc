// SPDX-License-Identifier: MIT
#include "mech_ipsec/credential.h"

#include <algorithm>
#include <charconv>

#include "base/trace.h"
#include "client/broker.h"
#include "client/connect.h"
#include "mech_ipsec/token.h"

namespace gssipsec::mech {
namespace {

using base::Code;
using base::fail;
using base::Result;
using base::Status;
using channel::Role;
using client::Broker;
using client::FoundSocket;

constexpr std::uint8_t kExportVersion = 1;
constexpr std::string_view kSocketKey = "ipsec-socket", kAnonymousKey = "ipsec-anonymous", kLastTokenKey = "ipsec-last-token";
enum ExportBit : std::uint8_t { kHasName = 1, kHasSocket = 2, kAnonymousAllowed = 4, kAcceptorEnds = 8 };

Status set_socket(std::string_view value, StoreOptions& options) {
  const auto fd = parse_descriptor(value);
  if (!fd) return fd.error();
  if (options.socket) return fail(Code::BAD_ARGUMENT, "ipsec-socket was given twice");
  options.socket = *fd;
  return {};
}

Status set_anonymous(std::string_view value, StoreOptions& options) {
  if (value != "allow" && value != "refuse") return fail(Code::BAD_ARGUMENT, "wanted ipsec-anonymous=allow or refuse, found " + std::string(value.substr(0, 64)));
  options.allow_anonymous = value == "allow";
  return {};
}

Status set_last_token(std::string_view value, StoreOptions& options) {
  if (value != "acceptor" && value != "initiator")
    return fail(Code::BAD_ARGUMENT, "wanted ipsec-last-token=acceptor or initiator, found " + std::string(value.substr(0, 64)));
  options.acceptor_ends = value == "acceptor";
  return {};
}

// The broker says who this process is; a credential is not handed out for somebody else.
Status is_own(const Name& wanted, const std::string& own_text) {
  const auto own = channel::parse_name(own_text);
  if (!own) return fail(Code::BAD_NAME, "wanted " + display(wanted) + ", but this host has no single name of its own");
  const bool root = own->kind == channel::Name::Kind::host;
  const bool same = wanted.is_local_user() ? (root ? "root" : own->user) == wanted.local_user : channel::same(wanted.peer, *own);
  return same ? Status() : fail(Code::BAD_NAME, "wanted " + display(wanted) + ", this process is " + own_text);
}

Status check_initiator_name(const std::optional<Name>& wanted) {
  if (!wanted || wanted->is_anonymous()) return {};
  if (wanted->is_service()) return fail(Code::BAD_NAME, "wanted " + display(*wanted) + "; no initiator has a service's name");
  const auto probe = Broker::probe({Role::initiator, {}});
  return probe.ok() ? is_own(*wanted, probe->local_name) : Status(probe.error());
}

Status is_protected(const FoundSocket& socket) {
  const auto report = Broker::query(socket.fd, {socket.found});
  if (!report) return report.error();
  if (report->is_protected) return {};
  return fail(report->why == Code::ok ? Code::UNKNOWN : report->why, report->detail);
}

// Without its frame: GS2 takes it off before it sends a token (RFC 5801 3.1), and puts it back for the acceptor.
base::View as_sent(base::View token) {
  const auto inner = unframe(token);
  return inner.ok() ? *inner : token;
}

Result<std::optional<Name>> read_name(base::Reader& in, bool present) {
  if (!present) return std::optional<Name>();
  const base::View text = in.block16(2048);
  if (in.failed()) return std::optional<Name>();
  if (text.empty()) return std::optional<Name>(Name{});
  auto name = import_exported(text);
  if (!name) return name.error();
  return std::optional<Name>(*std::move(name));
}

}  // namespace

Result<int> parse_descriptor(std::string_view text) {
  int fd = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fd);
  const bool digits = !text.empty() && text.size() <= 10 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || error != std::errc() || end != text.data() + text.size() || (text.size() > 1 && text[0] == '0'))
    return fail(Code::BAD_ARGUMENT, "wanted a descriptor in decimal, found '" + std::string(text.substr(0, 64)) + "'");
  return fd;
}

Result<StoreOptions> parse_store(std::span<const StoreEntry> entries) {
  StoreOptions options;
  for (const StoreEntry& entry : entries) {
    const Status set = entry.key == kSocketKey      ? set_socket(entry.value, options)
                       : entry.key == kAnonymousKey ? set_anonymous(entry.value, options)
                       : entry.key == kLastTokenKey ? set_last_token(entry.value, options)
                                                    : Status();
    if (!set) return set.error();
  }
  return options;
}

Result<FoundSocket> default_socket(Role role, base::View token) { return client::find_socket(role == Role::acceptor, as_sent(token)); }

Result<Credential> Credential::acquire(Usage usage, const std::optional<Name>& wanted, const StoreOptions& options) {
  Credential credential(usage, wanted, options.allow_anonymous, options.acceptor_ends);
  if (options.socket)
    if (const Status named = credential.name_socket(*options.socket); !named) return named.error();
  Status usable = credential.may(Role::initiator) ? credential.try_initiator() : Status();
  if (usable.ok() && credential.may(Role::acceptor)) usable = credential.try_acceptor();
  if (base::tracing()) base::trace("credential", usable.ok() ? "acquired" : "none: " + base::describe(usable.error()));
  if (!usable) return usable.error();
  return credential;
}

bool Credential::may(Role role) const noexcept {
  return usage_ == Usage::both || usage_ == (role == Role::initiator ? Usage::initiate : Usage::accept);
}

// Cheap, and before the program believes that it has credentials: a program without this mechanism's socket must behave
// as if the mechanism were not installed.
Status Credential::try_initiator() const {
  if (!named_)
    if (const Status started = client::broker_was_started(); !started) return started;
  const auto found = socket(Role::initiator);
  if (!found) return found.error();
  if (const Status named = check_initiator_name(wanted_); !named) return named;
  return is_protected(*found);
}

// Servers acquire before anybody has connected.
Status Credential::try_acceptor() const {
  if (wanted_ && !wanted_->is_service() && usage_ == Usage::accept && !wanted_->is_anonymous()) {
    const auto probe = Broker::probe({Role::acceptor, {}});
    if (!probe) return probe.error();
    if (const Status own = is_own(*wanted_, probe->local_name); !own) return own;
  }
  const auto probe = Broker::probe({Role::acceptor, service()});
  if (!probe) return probe.error();
  return probe->has_policies ? Status() : fail(Code::NO_POLICY, "this namespace has no IPsec policy at all");
}

std::string Credential::service() const { return wanted_ && wanted_->is_service() ? wanted_->peer.service : std::string(); }

Name Credential::name() const {
  if (wanted_) return *wanted_;
  const auto probe = Broker::probe({usage_ == Usage::accept ? Role::acceptor : Role::initiator, {}});
  if (!probe) return {};
  auto own = channel::parse_name(probe->local_name);
  return own.ok() ? Name{*std::move(own), {}} : Name{};
}

Result<FoundSocket> Credential::socket(Role role, base::View token) const {
  if (!named_) return default_socket(role, token);
  if (const Status same = client::same_socket(*named_); !same) return same.error();
  return *named_;
}

Status Credential::name_socket(int fd) {
  auto found = client::named_socket(fd);
  if (!found) return found.error();
  named_ = *found;
  return {};
}

base::Bytes Credential::encode() const {
  base::Writer out;
  const int bits = (wanted_ ? kHasName : 0) | (named_ ? kHasSocket : 0) | (allow_anonymous_ ? kAnonymousAllowed : 0) | (acceptor_ends_ ? kAcceptorEnds : 0);
  out.u8(kExportVersion).u8(static_cast<std::uint8_t>(usage_)).u8(static_cast<std::uint8_t>(bits));
  if (wanted_) {
    const auto name = export_name(*wanted_);
    out.block16(name.ok() ? base::View(*name) : base::View());
  }
  if (named_) out.u32(static_cast<std::uint32_t>(named_->fd)).u64(named_->cookie);
  return std::move(out).take();
}

Result<Credential> Credential::decode(base::View octets) {
  base::Reader in(octets);
  const std::uint8_t version = in.u8(), usage = in.u8(), bits = in.u8();
  if (version != kExportVersion || usage > 2 || bits > 15) in.mark_failed();
  auto name = read_name(in, bits & kHasName);
  if (!name) return name.error();
  Credential credential(static_cast<Usage>(usage), *std::move(name), bits & kAnonymousAllowed, bits & kAcceptorEnds);
  if (bits & kHasSocket) {
    const std::uint32_t fd = in.u32();
    credential.named_ = FoundSocket{static_cast<int>(fd & 0x7fffffff), in.u64(), protocol::Found::named};
    if (fd > 0x7fffffff) in.mark_failed();
  }
  if (!in.done()) return fail(Code::BAD_TOKEN, "exported credential of " + std::to_string(octets.size()) + " octets");
  return credential;
}

}  // namespace gssipsec::mech
