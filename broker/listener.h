// SPDX-License-Identifier: MIT
// The broker's own unix socket: handed over by the service manager, or made here. Threads: start-up only.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace gssipsec::broker {

// The socket of sd_listen_fds(3), which must be a listening SOCK_SEQPACKET unix socket; none: an invalid descriptor.
[[nodiscard]] base::Result<base::UniqueFd> inherited_listener();

// Listens on `path`, mode 0666. The parent is made (0755) when missing. A dead broker's socket is replaced in one
// step; a live one's, or anything that is no socket, is left alone: SYSTEM.
[[nodiscard]] base::Result<base::UniqueFd> make_listener(const std::string& path);

}  // namespace gssipsec::broker
