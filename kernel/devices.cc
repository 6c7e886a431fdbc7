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
  return ask_one(port, request, "look-up of a link", decode_link);
}

// "0\n" is no; anything else is yes.
base::Result<bool> is_on(int file) {
  char first = 0;
  if (::pread(file, &first, 1, 0) != 1) return base::system_error(Code::SYSTEM, "a device's switch for IPsec", errno);
  return first != '0';
}

}  // namespace

Status Switches::open(Files& files, const std::string& path) {
  base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno != ENOENT) return base::system_error(Code::SYSTEM, path.c_str(), errno);
  if (file) files.open.push_back(std::move(file));
  else files.absent = true;
  return {};
}

// IPv6 has disable_policy only. `all` counts although most kernels do not look at it.
base::Result<Switches> Switches::open(Family family, const std::string& device) {
  const bool ipv4 = family == Family::ipv4;
  const std::string conf = ipv4 ? "/proc/sys/net/ipv4/conf/" : "/proc/sys/net/ipv6/conf/";
  Switches out;
  for (const std::string& name : {std::string("all"), device}) {
    Status ok = open(out.in_, conf + name + "/disable_policy");
    if (ok && ipv4) ok = open(out.out_, conf + name + "/disable_xfrm");
    if (!ok) return ok.error();
  }
  return out;
}

// What the family has and is not there counts as on: nobody knows what became of the device.
base::Result<bool> Switches::any_on(const Files& files) {
  if (files.absent) return true;
  for (const base::UniqueFd& file : files.open) {
    auto on = is_on(file.get());
    if (!on || *on) return on;
  }
  return false;
}

base::Result<Exemption> Switches::read() const {
  const auto out = any_on(out_), in = any_on(in_);
  if (!out || !in) return (out ? in : out).error();
  return Exemption{*out, *in};
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
  const auto exempt = switches->second.read();
  const Device device{known->second.link, exempt.ok() ? *exempt : Exemption{}};
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
