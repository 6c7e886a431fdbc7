// SPDX-License-Identifier: MIT
#include "kernel/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include "kernel/transaction.h"

namespace gssipsec::kernel {

namespace {

using base::Code;
using base::Status;
using channel::Family;

base::Result<Link> read_link(NetlinkPort& port, std::uint32_t ifindex) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(ifindex);
  Request request(RTM_GETLINK, 0);
  request.fixed(header);
  base::Result<Link> link = wire::broken("no link in the answer");
  const auto outcome = transact(port, request, [&link](const wire::Message& message) -> Status {
    link = decode_link(message.payload);
    return link.ok() ? Status() : Status(link.error());
  });
  if (!outcome) return outcome.error();
  if (outcome->error != 0) return base::system_error(Code::NETLINK, "look-up of a link", outcome->error);
  return link;
}

// "0\n" is no; anything else is yes.
base::Result<bool> is_on(int file) {
  char first = 0;
  if (::pread(file, &first, 1, 0) != 1) return base::system_error(Code::SYSTEM, "a device's switch for IPsec", errno);
  return first != '0';
}

}  // namespace

// IPv6 has disable_policy only. `all` counts although most kernels do not look at it. What the family has and is not there
// counts as on: nobody knows what became of the device.
base::Result<Switches> Switches::open(Family family, const std::string& device) {
  const std::string conf = family == Family::ipv4 ? "/proc/sys/net/ipv4/conf/" : "/proc/sys/net/ipv6/conf/";
  Switches out;
  for (const std::string& name : {std::string("all"), device}) {
    for (const std::string option : {"/disable_policy", "/disable_xfrm"}) {
      const std::string path = conf + name + option;
      base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!file && errno != ENOENT) return base::system_error(Code::SYSTEM, path.c_str(), errno);
      if (file)
        out.files_.push_back(std::move(file));
      else if (family == Family::ipv4 || option == "/disable_policy")
        out.absent_ = true;
    }
  }
  return out;
}

base::Result<bool> Switches::exempt() const {
  if (absent_) return true;
  for (const base::UniqueFd& file : files_) {
    auto on = is_on(file.get());
    if (!on || *on) return on;
  }
  return false;
}

// Whatever came, or was lost, or may lie behind what others sent: all is asked anew.
Status Devices::hear() {
  for (;;) {
    const auto datagram = news_->receive();
    if (!datagram && datagram.error().code != Code::NETLINK_LOST) return datagram.error();
    if (datagram.ok() && datagram->empty() && news_->foreign() == foreign_) return {};
    foreign_ = news_->foreign();
    known_.clear();
  }
}

base::Result<Device> Devices::look_once(NetlinkPort& requests, std::uint32_t ifindex, Family family) {
  auto known = known_.find(ifindex);
  if (known == known_.end()) {
    auto link = read_link(requests, ifindex);
    if (!link) return link.error();
    if (known_.size() >= kMost) known_.clear();
    known = known_.emplace(ifindex, Known{*std::move(link), {}}).first;
  }
  auto switches = known->second.switches.find(family);
  if (switches == known->second.switches.end()) {
    auto opened = Switches::open(family, known->second.link.name);
    if (!opened) return opened.error();
    switches = known->second.switches.emplace(family, *std::move(opened)).first;
  }
  const auto exempt = switches->second.exempt();
  const Device device{known->second.link, exempt.ok() && *exempt};
  if (!exempt || !switches->second.complete()) known_.erase(known);
  if (!exempt) return exempt.error();
  return device;
}

base::Result<Device> Devices::look(NetlinkPort& requests, std::uint32_t ifindex, Family family) {
  if (Status heard = hear(); !heard) return heard.error();
  auto device = look_once(requests, ifindex, family);
  // A file of a former device: those of the present one are opened now.
  if (!device && device.error().code == Code::SYSTEM) device = look_once(requests, ifindex, family);
  return device;
}

}  // namespace gssipsec::kernel
