// SPDX-License-Identifier: MIT
// The question of `ipsec-gss explain` and its answers, before they are printed. Threads: one. Failures: in each Explained.
#pragma once

#include "protocol/events.h"
#include "tools/status.h"

namespace gssipsec::tools {

struct Explained {
  int descriptor = -1;  // in the process it belongs to; -1 for a bare flow
  base::Result<protocol::ExplainReply> reply;
};

[[nodiscard]] Explained explain_descriptor(int fd);
[[nodiscard]] Explained explain_flow(const channel::Flow& flow);
[[nodiscard]] base::Result<std::vector<Explained>> explain_process(int pid);

[[nodiscard]] ExitCode exit_code(const std::vector<Explained>& answers) noexcept;

}  // namespace gssipsec::tools
