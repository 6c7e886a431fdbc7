// SPDX-License-Identifier: MIT
// A running program, as far as the caller may look into it.
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include "tools/doctor.h"
#include "tools/process.h"

namespace gssipsec::tools {
namespace {

using base::Code;

std::string whole(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string link_of(const std::string& path) {
  std::array<char, 256> text{};
  const ssize_t length = readlink(path.c_str(), text.data(), text.size());
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : std::string();
}

// Of the environment that it was started with.
std::string variable(const std::string& process, const std::string& name) {
  const std::string all = '\0' + whole(process + "/environ"), start = '\0' + name + "=";
  const std::size_t at = all.find(start);
  return at == std::string::npos ? std::string() : std::string(all.c_str() + at + start.size());
}

void examine_libraries(const std::string& process, Findings& findings) {
  const std::string maps = whole(process + "/maps");
  const bool glue = maps.find("/libgssapi_krb5.so") != std::string::npos, plugin = maps.find("/mech_ipsec.so") != std::string::npos;
  findings.push_back({"program-gssapi", glue ? Grade::ok : Grade::warning, "a program that uses MIT's libgssapi_krb5", glue ? "it does" : "it has not loaded it",
                      glue ? "" : "programs that load it later, or are linked to another GSS-API library, look like this"});
  if (!glue) return;
  findings.push_back({"program-plugin", plugin ? Grade::ok : Grade::warning, "the plugin loaded into it", plugin ? "it is" : "it is not",
                      plugin ? "" : "it is loaded with the first call that looks at mechanisms; a program that began before mech.conf was installed must be restarted"});
}

void examine_namespace(const std::string& process, Findings& findings) {
  const bool same = link_of(process + "/ns/net") == link_of("/proc/self/ns/net");
  findings.push_back({"program-namespace", same ? Grade::ok : Grade::warning, "a program in this network namespace", same ? "it is" : "it is in another one",
                      same ? "" : "it needs a broker of its own: ipsec-gssd@.service"});
}

void examine_sockets(const std::vector<Subject>& subjects, Findings& findings) {
  for (const Subject& subject : subjects) findings.push_back(judge_socket(subject));
  const std::string wanted = "exactly one connected socket, or a program that names it", count = std::to_string(subjects.size());
  if (subjects.size() == 1) findings.push_back({"program-sockets", Grade::ok, wanted, "one", {}});
  else findings.push_back({"program-sockets", Grade::warning, wanted, count, subjects.empty() ? "look again while it is connected" : "contexts find theirs only where the program names it (ipsec-socket, see mech_ipsec(7)) or runs under ipsec-gss run"});
}

// Why no full context can rest on it; nothing when one can.
std::optional<base::Error> obstacle(const protocol::Report& report) {
  if (!report.is_protected) return base::fail(report.why == Code::ok ? Code::UNKNOWN : report.why, report.detail);
  if (report.latch == protocol::LatchState::broken) return base::fail(Code::LATCH_BROKEN);
  if (!report.latchable) return base::fail(Code::NOT_LATCHABLE, report.why_not_latchable);
  if (!report.since_start) return base::fail(Code::STARTED_IN_CLEAR);
  return std::nullopt;
}

}  // namespace

Finding judge_socket(const Subject& subject) {
  Finding finding{"socket-" + std::to_string(subject.descriptor), Grade::problem, "a connection that contexts can rest on", {}, {}};
  if (!subject.report.ok()) {
    finding.found = describe(subject.report.error());
    return finding;
  }
  const protocol::Report& report = *subject.report;
  finding.found = format(report.flow) + ": ";
  if (const auto why = obstacle(report)) {
    finding.found += base::code_text(why->code);
    finding.advice = why->detail.empty() ? "" : why->detail + "; ipsec-gss explain tells the steps";
  } else if (!report.peer_authenticated) {
    finding.grade = Grade::warning;
    finding.found += base::code_text(Code::PEER_UNAUTHENTICATED);
    finding.advice = "certificates, or a [[psk]] or exclusive [[static]] line where it is true; else only anonymous contexts";
  } else {
    finding.grade = Grade::ok;
    finding.found += "protected, the peer is " + report.peer_id + ", latch: " + protocol::latch_state_name(report.latch);
  }
  return finding;
}

base::Status examine_program(int pid, Findings& findings) {
  const auto subjects = status_of_process(pid);
  if (!subjects.ok()) return subjects.error();
  const std::string process = "/proc/" + std::to_string(pid);
  const std::string config = variable(process, "GSS_MECH_CONFIG");
  examine_plugin({}, config, findings);
  examine_namespace(process, findings);
  examine_libraries(process, findings);
  examine_sockets(*subjects, findings);
  examine_kerberos(pid, link_of(process + "/exe"), find_interposer({}, config), findings);
  return {};
}

}  // namespace gssipsec::tools
