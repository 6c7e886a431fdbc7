// SPDX-License-Identifier: MIT
// What to do with a datagram that recvmsg() gave. Private to kernel/. Pure.
#pragma once

#include <linux/netlink.h>
#include <sys/socket.h>

namespace gssipsec::kernel {

enum class Arrival { deliver, foreign, lost, nothing };

// Anybody with CAP_NET_ADMIN over the namespace can write to our port: only number 0 is the kernel. A datagram that did
// not fit has lost messages.
[[nodiscard]] constexpr Arrival judge(const sockaddr_nl& sender, socklen_t sender_length, int flags) noexcept {
  if (sender_length < sizeof(sockaddr_nl) || sender.nl_family != AF_NETLINK || sender.nl_pid != 0) return Arrival::foreign;
  return flags & MSG_TRUNC ? Arrival::lost : Arrival::deliver;
}

}  // namespace gssipsec::kernel
