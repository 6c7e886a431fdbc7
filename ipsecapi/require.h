// SPDX-License-Identifier: MIT
// connect(2) as ipsec_connect() does it between its requirement and its latch. Failures as at the C border.
#pragma once

#include <sys/socket.h>

namespace gssipsec::api {

// Of a socket that IPsec is required of. While IKE negotiates, a socket that waits does so as long as connect(2) would.
[[nodiscard]] int connect_required(int fd, const sockaddr* to, socklen_t length);

}  // namespace gssipsec::api
