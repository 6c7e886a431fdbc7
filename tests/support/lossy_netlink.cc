// SPDX-License-Identifier: MIT
// Faults between the kernel and the broker's netlink sockets: LD_PRELOAD for the real ipsec-gssd in the lab. The broker has no
// hook for this; recvmsg(2) and setsockopt(2) stand between it and the kernel anyway.
//   LOSSY_NETLINK=FILE     one order a line, "KIND COUNT"; an order that was carried out COUNT times is gone from the file
//     of monitors: lose (ENOBUFS in its place), swallow (as if it never came), truncate (MSG_TRUNC), cut (ends inside a message),
//     overrun (NLMSG_OVERRUN in its place); of dumps: interrupt (NLM_F_DUMP_INTR), dump-lose, dump-truncate
//   LOSSY_NETLINK_ROOM=N   XFRM sockets get a receive buffer of N octets, whatever they ask for
#include <dlfcn.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cstring>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

namespace {

using Receive = ssize_t (*)(int, msghdr*, int);
using Option = int (*)(int, int, int, const void*, socklen_t);

template <typename Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

bool is_xfrm(int fd) {
  int domain = 0, protocol = 0;
  socklen_t size = sizeof domain;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_NETLINK) return false;
  size = sizeof protocol;
  return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol == NETLINK_XFRM;
}

bool is_monitor(int fd) {
  unsigned groups[2] = {};
  socklen_t size = sizeof groups;
  return getsockopt(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, groups, &size) == 0 && groups[0] != 0;
}

struct Order {
  std::string kind;
  unsigned count = 0;
};

bool of_dumps(const std::string& kind) { return kind == "interrupt" || kind.starts_with("dump-"); }

std::vector<Order> read_orders(const char* path) {
  std::vector<Order> orders;
  std::ifstream in(path);
  for (Order order; in >> order.kind >> order.count;) orders.push_back(order);
  return orders;
}

// Takes one of the first fitting order; "" when there is none.
std::string next_order(const char* path, bool dump) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::vector<Order> orders = read_orders(path);
  std::string kind, rest;
  for (Order& order : orders) {
    if (kind.empty() && of_dumps(order.kind) == dump) kind = order.kind, --order.count;
    if (order.count > 0) rest += order.kind + " " + std::to_string(order.count) + "\n";
  }
  if (!kind.empty()) std::ofstream(path, std::ios::trunc) << rest;
  return kind;
}

// What became of a datagram of `length` octets; nothing: it never came.
struct Fate {
  ssize_t result = 0;
  bool came = true;
};

Fate carry_out(const std::string& kind, msghdr* message, ssize_t length) {
  auto* header = static_cast<nlmsghdr*>(message->msg_iov[0].iov_base);
  if (kind == "swallow") return {0, false};
  if (kind == "lose" || kind == "dump-lose") return errno = ENOBUFS, Fate{-1};
  if (kind == "cut") return {length - 8};
  if (kind == "overrun") header->nlmsg_type = NLMSG_OVERRUN;
  if (kind == "interrupt") header->nlmsg_flags |= NLM_F_DUMP_INTR;
  if (kind == "truncate" || kind == "dump-truncate") message->msg_flags |= MSG_TRUNC;
  return {length};
}

Fate meet(const char* path, int fd, msghdr* message, ssize_t length) {
  const bool dump = static_cast<const nlmsghdr*>(message->msg_iov[0].iov_base)->nlmsg_flags & NLM_F_MULTI, monitor = is_monitor(fd);
  if (!dump && !monitor) return {length};  // of a single question
  return carry_out(next_order(path, !monitor), message, length);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) ssize_t recvmsg(int fd, msghdr* message, int flags) {
  static const auto receive = real<Receive>("recvmsg");
  static const char* const path = getenv("LOSSY_NETLINK");
  while (true) {
    const ssize_t length = receive(fd, message, flags);
    if (!path || length < static_cast<ssize_t>(sizeof(nlmsghdr)) || !is_xfrm(fd)) return length;
    const Fate fate = meet(path, fd, message, length);
    if (fate.came) return fate.result;
  }
}

extern "C" __attribute__((visibility("default"))) int setsockopt(int fd, int level, int name, const void* value, socklen_t size) {
  static const auto set = real<Option>("setsockopt");
  static const char* const room = getenv("LOSSY_NETLINK_ROOM");
  if (!room || level != SOL_SOCKET || name != SO_RCVBUFFORCE || !is_xfrm(fd)) return set(fd, level, name, value, size);
  const int octets = atoi(room);
  return set(fd, level, name, &octets, sizeof octets);
}
