// SPDX-License-Identifier: MIT
// The peer of a socket of PF_SHIM. Failures as at the C border.
#pragma once

#include "ipsecapi/shim_end.h"
#include "ipsecapi/shim_sockets.h"

namespace gssipsec::api {

// An endpoint descriptor of the peer of a connection that is under IPsec; EACCES of another.
[[nodiscard]] int peer_end(const protocol::Report& report, EndName& out);
// Of a socket that connects: is he there, and who he must be? 0: yes, and latched. EALREADY: not yet. Otherwise nothing more goes over it.
[[nodiscard]] int settle(int fd, Known& known);
// The same before anything is told of a connection; what does not connect is let through. ENOTCONN: not yet, or it failed, which is SO_ERROR's to
// tell.
[[nodiscard]] int settle_first(int fd, Known& known);
// WRONG_PEER: IKE made the connection as another identity of this host than the socket is bound to.
[[nodiscard]] base::Status met_as_bound(const ShimSocket& socket, const protocol::Report& report);
// Sends nothing more, and takes nothing, also where another process holds the socket. errno stays.
void shut(int fd) noexcept;
[[nodiscard]] int domain_of(int fd) noexcept;

}  // namespace gssipsec::api
