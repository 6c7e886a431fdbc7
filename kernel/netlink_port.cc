// SPDX-License-Identifier: MIT
#include "kernel/netlink_port.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/xfrm.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <chrono>
#include <optional>

#include "kernel/netlink_receive.h"

namespace gssipsec::kernel {

namespace {

using base::Code;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kLargestDatagram = 64 * 1024;  // the kernel fills a dump's datagram up to 32 KiB
constexpr int kMonitorBuffer = 16 * 1024 * 1024;
constexpr int kRequestBuffer = 1024 * 1024;
constexpr int kForeignAtOnce = 256;  // a flood of others' datagrams must not hold a monitor's thread

struct FreeSocket {
  void operator()(nl_sock* socket) const noexcept { nl_socket_free(socket); }
};
using Socket = std::unique_ptr<nl_sock, FreeSocket>;

class RealPort final : public NetlinkPort {
 public:
  // No timeout: a monitor, which never blocks.
  RealPort(Socket socket, std::optional<int> timeout_ms) : socket_(std::move(socket)), timeout_ms_(timeout_ms) {}

  base::Status send(base::View datagram) override {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    const ssize_t sent = ::sendto(fd(), datagram.data(), datagram.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    if (sent < 0) return base::system_error(Code::NETLINK, "sendto", errno);
    return {};
  }

  base::Result<base::Bytes> receive() override {
    const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(timeout_ms_.value_or(0));
    for (int foreign = 0; timeout_ms_ || foreign < kForeignAtOnce; ++foreign) {
      base::Bytes datagram;
      auto arrival = receive_into(datagram);
      if (!arrival) return arrival.error();
      if (*arrival == Arrival::deliver) return datagram;
      if (*arrival == Arrival::lost) return base::fail(Code::NETLINK_LOST, "a datagram was longer than the buffer");
      if (*arrival == Arrival::foreign) ++foreign_;
      if (*arrival == Arrival::nothing && !timeout_ms_) break;
      if (!timeout_ms_) continue;
      // Only now: the kernel answers most questions while they are asked.
      if (base::Status ready = wait(deadline); !ready) return ready.error();
    }
    return base::Bytes{};
  }

  int fd() const noexcept override { return nl_socket_get_fd(socket_.get()); }
  std::uint64_t foreign() const noexcept override { return foreign_; }

 private:
  base::Status wait(Clock::time_point deadline) const {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      pollfd entry{fd(), POLLIN, 0};
      const int got = left > 0 ? ::poll(&entry, 1, static_cast<int>(left)) : 0;
      if (got > 0) return {};
      if (got == 0) return base::fail(Code::NETLINK, "the kernel gave no answer within " + std::to_string(*timeout_ms_) + " ms");
      if (errno != EINTR) return base::system_error(Code::NETLINK, "poll", errno);
    }
  }

  // The port's own room is kept from one datagram to the next, and what was in it is wiped: some hold keys.
  base::Result<Arrival> receive_into(base::Bytes& datagram) {
    sockaddr_nl sender{};
    iovec part{room_.data(), room_.size()};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof sender;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    ssize_t got;
    do got = ::recvmsg(fd(), &message, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) return Arrival::nothing;
    if (got < 0) return base::system_error(errno == ENOBUFS ? Code::NETLINK_LOST : Code::NETLINK, "recvmsg", errno);
    const auto filled = std::span(room_).first(static_cast<std::size_t>(got));
    datagram.assign(filled.begin(), filled.end());
    explicit_bzero(filled.data(), filled.size());
    return judge(sender, message.msg_namelen, message.msg_flags);
  }

  Socket socket_;
  std::optional<int> timeout_ms_;
  std::uint64_t foreign_ = 0;
  base::Bytes room_ = base::Bytes(kLargestDatagram);
};

// Beyond net.core.rmem_max where CAP_NET_ADMIN allows it; what is refused only makes losses likelier.
void enlarge(int fd, int octets) noexcept {
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) != 0)
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
}

base::Error refused(const char* what, int number) { return base::fail(Code::NETLINK, std::string(what) + ": " + nl_geterror(number)); }

base::Result<Socket> connect_to(int protocol, int buffer) {
  Socket socket(nl_socket_alloc());
  if (!socket) return base::fail(Code::NO_MEMORY);
  if (const int failed = nl_connect(socket.get(), protocol); failed != 0) return refused("nl_connect", failed);
  enlarge(nl_socket_get_fd(socket.get()), buffer);
  return socket;
}

base::Result<std::unique_ptr<NetlinkPort>> open_requests(int protocol, int timeout_ms) {
  auto socket = connect_to(protocol, kRequestBuffer);
  if (!socket) return socket.error();
  return std::unique_ptr<NetlinkPort>(std::make_unique<RealPort>(*std::move(socket), timeout_ms));
}

template <typename... Groups>
base::Result<std::unique_ptr<NetlinkPort>> open_news(int protocol, int buffer, Groups... groups) {
  auto socket = connect_to(protocol, buffer);
  if (!socket) return socket.error();
  if (const int failed = nl_socket_add_memberships(socket->get(), groups..., 0); failed != 0) return refused("joining multicast groups", failed);
  return std::unique_ptr<NetlinkPort>(std::make_unique<RealPort>(*std::move(socket), std::nullopt));
}

}  // namespace

base::Result<std::unique_ptr<NetlinkPort>> open_request_port(int timeout_ms) { return open_requests(NETLINK_XFRM, timeout_ms); }
base::Result<std::unique_ptr<NetlinkPort>> open_diag_port(int timeout_ms) { return open_requests(NETLINK_SOCK_DIAG, timeout_ms); }
base::Result<std::unique_ptr<NetlinkPort>> open_route_port(int timeout_ms) { return open_requests(NETLINK_ROUTE, timeout_ms); }

base::Result<std::unique_ptr<NetlinkPort>> open_link_monitor_port() { return open_news(NETLINK_ROUTE, kRequestBuffer, RTNLGRP_LINK); }

base::Result<std::unique_ptr<NetlinkPort>> open_monitor_port() {
  // Not AEVENTS: a message for every two packets. Not ACQUIRE or REPORT: any user can cause them.
  return open_news(NETLINK_XFRM, kMonitorBuffer, XFRMNLGRP_SA, XFRMNLGRP_POLICY, XFRMNLGRP_EXPIRE, XFRMNLGRP_MIGRATE, XFRMNLGRP_MAPPING);
}

base::Result<std::unique_ptr<NetlinkPort>> open_closings_port() {
  return open_news(NETLINK_SOCK_DIAG, kRequestBuffer, SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET_UDP_DESTROY, SKNLGRP_INET6_TCP_DESTROY, SKNLGRP_INET6_UDP_DESTROY);
}

}  // namespace gssipsec::kernel
