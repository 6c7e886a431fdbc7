// SPDX-License-Identifier: MIT
// The question of `ipsec-gss status` and its answers, before they are printed. Changes nothing on any socket.
// Threads: one. Failures: in each Subject, so that one unreadable socket does not hide the others.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "channel/flow.h"
#include "protocol/messages.h"

namespace gssipsec::tools {

// Documented in ipsec-gss(1); scripts depend on them.
enum ExitCode : int { kProtected = 0, kNotProtected = 1, kUsage = 2, kNoBroker = 3, kOther = 4 };

// One socket or flow that was asked about.
struct Subject {
  int descriptor = -1;  // in the process it belongs to; -1 for a bare flow
  base::Result<protocol::Report> report;
};

[[nodiscard]] Subject status_of_descriptor(int fd);
[[nodiscard]] Subject status_of_flow(const channel::Flow& flow);
// Every connected internet socket of a process, duplicated as the caller may (pidfd_getfd). NOT_ALLOWED, BAD_ARGUMENT.
[[nodiscard]] base::Result<std::vector<Subject>> status_of_process(int pid);

// "tcp", "10.0.0.1:22", "[fd00::1]:4000". BAD_ARGUMENT.
[[nodiscard]] base::Result<channel::Flow> parse_flow(std::string_view protocol, std::string_view local, std::string_view remote);

// Protected only when there is something and all of it is protected.
[[nodiscard]] ExitCode exit_code(const std::vector<Subject>& subjects) noexcept;
[[nodiscard]] ExitCode exit_code(base::Code code) noexcept;

// Of no answers: not protected.
template <typename Answers, typename CodeOf>
[[nodiscard]] ExitCode worst_of(const Answers& answers, CodeOf code_of) noexcept {
  ExitCode worst = answers.empty() ? kNotProtected : kProtected;
  for (const auto& answer : answers) worst = std::max(worst, code_of(answer));
  return worst;
}

}  // namespace gssipsec::tools
