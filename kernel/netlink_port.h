// SPDX-License-Identifier: MIT
// The one seam between the XFRM code and the kernel: a netlink socket of whole datagrams. The real one is libnl's;
// a recorded one feeds the same code above it in benchmarks and fault tests. Not thread-safe: one thread each.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace gssipsec::kernel {

class NetlinkPort {
 public:
  virtual ~NetlinkPort() = default;
  [[nodiscard]] virtual base::Status send(base::View datagram) = 0;
  // One datagram that the kernel itself sent (nl_pid 0; others are dropped and counted). Empty: would block (only on
  // monitor ports). NETLINK_LOST for ENOBUFS or a truncated datagram.
  [[nodiscard]] virtual base::Result<base::Bytes> receive() = 0;
  [[nodiscard]] virtual int fd() const noexcept = 0;  // to poll
  // Datagrams dropped because another process sent them.
  [[nodiscard]] virtual std::uint64_t foreign() const noexcept { return 0; }
};

inline constexpr int kTimeoutMs = 2000;  // of the requests that this room makes by itself

// A port for requests (blocking with a deadline of `timeout_ms` a receive) or for the monitor (non-blocking, joined to
// the multicast groups SA, POLICY, EXPIRE, MIGRATE, MAPPING; never AEVENTS, ACQUIRE, REPORT).
[[nodiscard]] base::Result<std::unique_ptr<NetlinkPort>> open_request_port(int timeout_ms);
[[nodiscard]] base::Result<std::unique_ptr<NetlinkPort>> open_monitor_port();
// sock_diag (NETLINK_SOCK_DIAG) requests.
[[nodiscard]] base::Result<std::unique_ptr<NetlinkPort>> open_diag_port(int timeout_ms);
// sock_diag's news of sockets that closed (TCP and UDP of both families; the kernel tells of no SCTP socket): non-blocking.
[[nodiscard]] base::Result<std::unique_ptr<NetlinkPort>> open_closings_port();
// rtnetlink (NETLINK_ROUTE) requests.
[[nodiscard]] base::Result<std::unique_ptr<NetlinkPort>> open_route_port(int timeout_ms);
// Hears of every link of the namespace that comes, changes or goes (RTNLGRP_LINK); non-blocking.
[[nodiscard]] base::Result<std::unique_ptr<NetlinkPort>> open_link_monitor_port();

}  // namespace gssipsec::kernel
