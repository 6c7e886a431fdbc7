// SPDX-License-Identifier: MIT
// Routes, for who asks often: opening ports and files costs more than the questions. One thread each.
#pragma once

#include <memory>

#include "kernel/devices.h"
#include "kernel/socket.h"

namespace gssipsec::kernel {

class Routes {
 public:
  [[nodiscard]] static base::Result<std::unique_ptr<Routes>> open(int timeout_ms);
  // By which device the flow leaves, and what that device means for IPsec. NETLINK, NETLINK_MESSAGE, NETLINK_LOST, SYSTEM;
  // after a failure it is to be opened anew.
  [[nodiscard]] base::Result<RouteFacts> read(const channel::Flow& flow);

 private:
  Routes(std::unique_ptr<NetlinkPort> requests, std::unique_ptr<NetlinkPort> news) : requests_(std::move(requests)), devices_(std::move(news)) {}

  std::unique_ptr<NetlinkPort> requests_;
  Devices devices_;
};

}  // namespace gssipsec::kernel
