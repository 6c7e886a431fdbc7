// SPDX-License-Identifier: MIT
// Everything the broker does to the machine it runs on, behind one interface, so that tests and native benchmarks can
// stand in for a kernel. The real one forwards to kernel/ and the C library. Threads: all functions from any thread;
// those that take a client's descriptor may block as long as that client likes and are called by workers only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernel/netlink_port.h"
#include "kernel/socket.h"
#include "kernel/xfrm.h"

namespace gssipsec::broker {

class Host {
 public:
  virtual ~Host() = default;

  // A client's descriptor: workers only.
  [[nodiscard]] virtual base::Result<kernel::SocketFacts> read_socket(int fd) = 0;
  [[nodiscard]] virtual base::Result<kernel::SocketFacts> read_new_socket(int fd) = 0;
  [[nodiscard]] virtual base::Status set_latch(int fd, const channel::Flow& flow, const std::vector<channel::Template>& out,
                                               const std::vector<channel::Template>& in, const kernel::PolicyOwner& owner, bool replaces) = 0;
  [[nodiscard]] virtual base::Status clear_latch(int fd, const channel::Flow& flow) = 0;

  // The namespace.
  [[nodiscard]] virtual base::Result<kernel::RouteFacts> read_route(const channel::Flow& flow) = 0;
  [[nodiscard]] virtual base::Result<std::vector<kernel::DiagSocket>> list_sockets(std::uint16_t protocol) = 0;
  [[nodiscard]] virtual base::Result<std::vector<kernel::PolicyOwner>> list_policy_owners() = 0;
  [[nodiscard]] virtual base::Result<bool> has_listener(const channel::Flow& flow) = 0;
  [[nodiscard]] virtual base::Status destroy_socket(const channel::Flow& flow, std::uint64_t cookie) = 0;
  [[nodiscard]] virtual bool destroys_sockets(std::uint16_t protocol) = 0;
  [[nodiscard]] virtual base::Result<std::unique_ptr<kernel::NetlinkPort>> open_request_port() = 0;
  [[nodiscard]] virtual base::Result<std::unique_ptr<kernel::NetlinkPort>> open_monitor_port() = 0;
  [[nodiscard]] virtual base::Result<std::unique_ptr<kernel::NetlinkPort>> open_closings_port() = 0;

  // Users. Blocking (NSS); nothing for a user without a name.
  [[nodiscard]] virtual std::optional<std::string> user_name(std::uint32_t uid) = 0;
};

// SYSTEM when the broker's own namespace cannot be named.
[[nodiscard]] base::Result<std::unique_ptr<Host>> open_host();

}  // namespace gssipsec::broker
