// SPDX-License-Identifier: MIT
// The sockets of another process, as far as the caller may have them: the kernel's own rule for debuggers decides
// (pidfd_getfd), the broker is told nothing about the process. Threads: one.
#pragma once

#include <functional>

#include "base/result.h"
#include "base/unique_fd.h"

namespace gssipsec::tools {

// Becomes readable when the process ends. BAD_ARGUMENT when there is none.
[[nodiscard]] base::Result<base::UniqueFd> open_process(int pid);

// Visits each connected internet socket once: its number there, and a copy that is closed right after (a copy that stays
// would keep the process's FIN from being sent). NOT_ALLOWED, BAD_ARGUMENT.
[[nodiscard]] base::Status each_socket(int pid, const std::function<void(int number, int copy)>& visit);

}  // namespace gssipsec::tools
