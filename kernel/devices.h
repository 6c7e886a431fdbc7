// SPDX-License-Identifier: MIT
// What the devices of the namespace mean for IPsec. Asked once, and known as long as no link changed: the kernel queues
// such news before the change is done, so whoever looks into the queue first knows no less than who asks. The switches
// under /proc/sys change without news and are read each time, from files kept open. One thread each. Private to kernel/.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "channel/address.h"
#include "kernel/link.h"
#include "kernel/netlink_port.h"

namespace gssipsec::kernel {

// What does not apply to a device's traffic: disable_xfrm is for what leaves, disable_policy for what comes.
struct Exemption {
  bool out = false, in = false;
};

// The files of one device and of `all`.
class Switches {
 public:
  [[nodiscard]] static base::Result<Switches> open(channel::Family family, const std::string& device);
  // An error when a file is of a device that is gone, or was renamed.
  [[nodiscard]] base::Result<Exemption> read() const;
  // All files are there: what is not may come.
  [[nodiscard]] bool complete() const noexcept { return !out_.absent && !in_.absent; }

 private:
  struct Files {
    std::vector<base::UniqueFd> open;
    bool absent = false;  // one that this family has is missing
  };
  [[nodiscard]] static base::Status open(Files& files, const std::string& path);
  [[nodiscard]] static base::Result<bool> any_on(const Files& files);

  Files out_, in_;
};

struct Device {
  Link link;
  Exemption exempt;
};

class Devices {
 public:
  // `news`: open_link_monitor_port().
  explicit Devices(std::unique_ptr<NetlinkPort> news) : news_(std::move(news)) {}
  // `requests`: open_route_port(). After a failure both ports are to be opened anew.
  [[nodiscard]] base::Result<Device> look(NetlinkPort& requests, std::uint32_t ifindex, channel::Family family);

 private:
  struct Known {
    Link link;
    std::map<channel::Family, Switches> switches;
  };
  [[nodiscard]] base::Status hear();
  [[nodiscard]] base::Result<Device> look_once(NetlinkPort& requests, std::uint32_t ifindex, channel::Family family);

  static constexpr std::size_t kMost = 32;
  std::unique_ptr<NetlinkPort> news_;
  std::uint64_t foreign_ = 0;
  std::map<std::uint32_t, Known> known_;
};

}  // namespace gssipsec::kernel
