// SPDX-License-Identifier: MIT
// What the broker reads from, and sets on, a socket that a client passed. Every call may block as long as the client
// likes (he can hold the socket's lock): only workers call these. Never says "protected" itself.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "channel/flow.h"
#include "channel/policy.h"
#include "kernel/policy_owner.h"

namespace gssipsec::kernel {

struct SocketFacts {
  channel::Flow flow;
  std::uint64_t cookie = 0;        // SO_COOKIE
  std::uint32_t owner_uid = 0;     // of the socket's inode (its creator; chown cannot change it)
  std::uint32_t input_ifindex = 0; // SO_BINDTODEVICE, or a link-local peer's; 0 none
  bool listening = false;          // takes packets from anybody: a listener, or an unconnected UDP socket; no remote end
  bool v6only = false;             // read only then
};

// First only what cannot block (fstat, SO_DOMAIN, SO_TYPE, SO_PROTOCOL, SO_NETNS_COOKIE, SO_COOKIE), then the
// addresses. `own_netns` from own_netns_cookie(). Errors: NOT_A_SOCKET, UNSUPPORTED_SOCKET (unix, MPTCP, SMC, raw,
// SCTP one-to-many), OTHER_NAMESPACE, NOT_CONNECTED.
[[nodiscard]] base::Result<SocketFacts> read_socket(int fd, std::uint64_t own_netns);
// One that has no peer and asked for none yet: no packet of it can be on its way. ALREADY_CONNECTED.
[[nodiscard]] base::Result<SocketFacts> read_new_socket(int fd, std::uint64_t own_netns);
[[nodiscard]] base::Result<std::uint64_t> own_netns_cookie();

// Sets the per-socket policies for both directions: all-wildcard selector of the family really on the wire (IPV4 through
// IPV6_XFRM_POLICY for v4-mapped peers), require `out` and `in`. NOT_LATCHABLE with errno's text when refused; templates
// that would let clear text pass (none, optional, reqid 0) are refused before the socket is touched. When the second
// direction is refused the first is undone, which leaves the socket without any policy; with `replaces` it is not: a mixture
// of the old and the new policies protects, none does not.
[[nodiscard]] base::Status set_latch(int fd, const channel::Flow& flow, const std::vector<channel::Template>& out,
                                     const std::vector<channel::Template>& in, const PolicyOwner& owner, bool replaces);
// Removes both.
[[nodiscard]] base::Status clear_latch(int fd, const channel::Flow& flow);

// The route's output interface, and whether local and remote are both addresses of this host, loopback, VRF
// (rtnetlink RTM_GETROUTE with mark; link type). For the caller to put into flow.output_ifindex and flow.if_id.
struct RouteFacts {
  bool same_host = false, vrf = false;
  bool exempt_out = false, exempt_in = false;  // disable_xfrm, disable_policy
  std::uint32_t output_ifindex = 0;
  std::uint32_t if_id = 0;  // of the xfrm interface it leaves by
  channel::Address source;  // that the kernel would take; read only where the flow has none
};

// sock_diag: cookies of all TCP (or `protocol`) sockets of this namespace in any state, v4 and v6, and whether there is a
// listener for more connections to a flow's local end; SOCK_DESTROY by cookie (UNAVAILABLE where the kernel lacks it).
struct DiagSocket {
  std::uint64_t cookie = 0;
  channel::Address local, remote;  // unmapped
  std::uint16_t local_port = 0, remote_port = 0;
  std::uint32_t uid = 0;
  bool listening = false;
};
[[nodiscard]] base::Result<std::vector<DiagSocket>> list_sockets(std::uint16_t protocol);
[[nodiscard]] base::Result<bool> has_listener(const channel::Flow& flow);
// The cookies of the sockets that a datagram of open_closings_port() tells of. NETLINK_MESSAGE, NETLINK_LOST. Pure.
[[nodiscard]] base::Result<std::vector<std::uint64_t>> decode_closings(base::View datagram);
[[nodiscard]] base::Status destroy_socket(const channel::Flow& flow, std::uint64_t cookie);
// Whether this kernel has SOCK_DESTROY for the protocol.
[[nodiscard]] bool destroys_sockets(std::uint16_t protocol);

}  // namespace gssipsec::kernel
