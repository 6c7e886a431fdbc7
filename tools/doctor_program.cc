// SPDX-License-Identifier: MIT
// A running program, as far as the caller may look into it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "client/program.h"
#include "tools/doctor.h"
#include "tools/files.h"
#include "tools/process.h"

namespace gssipsec::tools {
namespace {

using base::Code;

std::string link_of(const std::string& path) {
  std::array<char, 256> text{};
  const ssize_t length = readlink(path.c_str(), text.data(), text.size());
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : std::string();
}

// Of the environment that it was started with.
base::Result<std::string> variable(const std::string& process, const std::string& name) {
  const auto text = read_of_process(process + "/environ");
  if (!text) return text.error();
  const std::string all = '\0' + *text, start = '\0' + name + "=";
  const std::size_t at = all.find(start);
  return at == std::string::npos ? std::string() : std::string(all.c_str() + at + start.size());
}

void examine_libraries(const std::string& process, Findings& findings) {
  const auto maps = read_of_process(process + "/maps");
  if (!maps) return findings.push_back({"program-gssapi", Grade::warning, "a program that uses MIT's libgssapi_krb5", "it cannot be told: " + maps.error().detail, {}});
  const bool glue = maps->find("/libgssapi_krb5.so") != std::string::npos, plugin = maps->find("/mech_ipsec.so") != std::string::npos;
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

// Asks no server of a file system, which may be the process's own.
bool leads_to_the_same(const std::string& one, const char* other) noexcept {
  struct statx facts[2] = {};
  for (const auto& [path, found] : {std::pair(one.c_str(), &facts[0]), std::pair(other, &facts[1])})
    if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO, found) != 0) return false;
  return facts[0].stx_ino == facts[1].stx_ino && facts[0].stx_dev_major == facts[1].stx_dev_major && facts[0].stx_dev_minor == facts[1].stx_dev_minor;
}

// Findings of the files that the program reads, where they can be looked at.
Interposers examine_files(int pid, const base::Result<std::string>& config, Findings& findings) {
  if (const std::string why = why_not_its_files(pid, config); !why.empty()) {
    findings.push_back({"program-files", Grade::warning, "a program whose /etc/gss is this one, or whose GSS_MECH_CONFIG is", why, "run ipsec-gss doctor where it runs, in its environment"});
    return {};
  }
  examine_plugin({}, *config, findings);
  return find_interposers({}, *config);
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

std::string why_not_its_files(int pid, const base::Result<std::string>& config) {
  const std::string process = "/proc/" + std::to_string(pid);
  if (!leads_to_the_same(process + "/ns/mnt", "/proc/self/ns/mnt")) return "it is in another mount namespace";
  if (!leads_to_the_same(process + "/root", "/proc/self/root")) return "it has another root folder (chroot)";
  if (!config) return "GSS_MECH_CONFIG cannot be told: " + config.error().detail;
  return config->empty() || config->front() == '/' ? "" : "GSS_MECH_CONFIG is " + *config + ", below whatever folder it is in when it looks";
}

base::Status examine_program(int pid, Findings& findings) {
  const auto subjects = status_of_process(pid);
  if (!subjects.ok()) return subjects.error();
  const std::string process = "/proc/" + std::to_string(pid);
  const Interposers interposers = examine_files(pid, variable(process, "GSS_MECH_CONFIG"), findings);
  examine_namespace(process, findings);
  examine_libraries(process, findings);
  examine_sockets(*subjects, findings);
  examine_kerberos(pid, client::program_path(pid), interposers, findings);
  return {};
}

}  // namespace gssipsec::tools
