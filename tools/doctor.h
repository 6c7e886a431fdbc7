// SPDX-License-Identifier: MIT
// `ipsec-gss doctor`: looks at everything between an application and its protected connection, and says of each what was
// wanted, what was found and what to do. Changes nothing. What it looks at as files lies under `root` ("" but in tests).
// Threads: one. Nothing fails: what cannot be looked at is a finding.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "tools/status.h"

namespace gssipsec::tools {

enum class Grade { ok, warning, problem };
[[nodiscard]] const char* grade_name(Grade grade) noexcept;

struct Finding {
  std::string check;  // its name, stable for programs
  Grade grade = Grade::ok;
  std::string wanted, found;
  std::string advice;  // what to do; "" when nothing is
};
using Findings = std::vector<Finding>;

// Where MIT krb5 looks for mechanisms, and what it finds there. `config`: GSS_MECH_CONFIG of the program, "" not set.
void examine_plugin(const std::string& root, const std::string& config, Findings& findings);
// Whether the same plugin stands before Kerberos or SPNEGO for such a program; another's line in front of ours may have taken it.
// `unseen`: of a program whose files are not those that are looked at from here.
enum class Interposer { absent, there, behind_another, unseen };
struct Interposers {
  Interposer kerberos = Interposer::unseen, spnego = Interposer::unseen;
};
[[nodiscard]] Interposers find_interposers(const std::string& root, const std::string& config);
// ESP, XFRM, exempt devices.
void examine_kernel(const std::string& root, Findings& findings);
// Whether the broker answers, and what it says of the kernel, the policies and the IKE daemon.
void examine_broker(Findings& findings);
// From the broker's figures; pure.
void examine_figures(const std::string& text, Findings& findings);
// A running program: does it use GSS-API, does it have the plugin, can contexts rest on its sockets?
[[nodiscard]] base::Status examine_program(int pid, Findings& findings);
// Why what its GSS_MECH_CONFIG names, or /etc/gss where it is not set, is not what the same path names here; "" where it is.
[[nodiscard]] std::string why_not_its_files(int pid, const base::Result<std::string>& config);
// One socket of it; pure.
[[nodiscard]] Finding judge_socket(const Subject& subject);

// Its Kerberos contexts: what the administrator's line says, and what became of the last one on each socket; and its negotiations.
void examine_kerberos(int pid, const std::string& program, Interposers interposers, Findings& findings);
[[nodiscard]] Finding judge_program(const std::string& program, const protocol::BoundReply& line, Interposer interposer);
[[nodiscard]] Finding judge_negotiation(const std::string& program, const protocol::BoundReply& line, Interposer interposer);
[[nodiscard]] Finding judge_bound(int descriptor, const base::Result<protocol::BoundReply>& reply);

// kProtected without problems, else kNotProtected. Warnings are no problems.
[[nodiscard]] ExitCode exit_code(const Findings& findings) noexcept;

}  // namespace gssipsec::tools
