// SPDX-License-Identifier: MIT
#include "tests/differential/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstring>

#include "tests/differential/host.h"

namespace gssipsec::differential {
namespace {

constexpr std::uint8_t kIpip = 4, kTcp = 6, kUdp = 17, kIpv6 = 41, kIcmpv6 = 58, kSctp = 132;
constexpr std::uint16_t kEncapsulationPort = 4500;
constexpr unsigned char kMacOfA[3][6] = {{2, 0, 0, 0, 0, 0xa0}, {2, 0, 0, 0, 0, 0xa1}, {2, 0, 0, 0, 0, 0xa2}};

// Network header after network header, until something hides the rest.
class Dissection {
 public:
  Dissection(Seen& seen, const channel::Flow& flow) : seen_(seen), flow_(flow) {}

  // False: no packet that matters here.
  bool run(base::View data) {
    base::Reader in(data);
    return seen_.ethertype == ETHERTYPE_IP ? ipv4(in) : seen_.ethertype == ETHERTYPE_IPV6 && ipv6(in);
  }

 private:
  bool ipv4(base::Reader& in) {
    const std::size_t length = (in.u8() & 15u) * 4u;
    (void)in.take(8);
    const std::uint8_t protocol = in.u8();
    (void)in.take(length - 10);
    return !in.failed() && payload(protocol, in);
  }

  bool ipv6(base::Reader& in) {
    (void)in.take(6);
    std::uint8_t next = in.u8();
    (void)in.take(33);
    while (!in.failed() && (next == 0 || next == 43 || next == 44 || next == 60)) {  // hop by hop, routing, fragment, destination options
      seen_.fragment = seen_.fragment || next == 44;
      next = in.u8();
      const std::size_t length = in.u8() * 8u + 6u;
      (void)in.take(length);
    }
    return !in.failed() && payload(next, in);
  }

  bool payload(std::uint8_t protocol, base::Reader& in) {
    if (protocol == IPPROTO_ESP) return hidden(protocol, in.u32());
    if (protocol == IPPROTO_AH) {
      (void)in.u32();
      return hidden(protocol, in.u32());
    }
    if (protocol == IPPROTO_COMP) return hidden(protocol, in.u32() & 0xffff);
    if (protocol == kIpip) return ipv4(in);
    if (protocol == kIpv6) return ipv6(in);
    if (protocol != kTcp && protocol != kUdp && protocol != kSctp) return protocol != IPPROTO_ICMP && protocol != kIcmpv6 && protocol != IPPROTO_IGMP;
    return transport(protocol, in);
  }

  bool transport(std::uint8_t protocol, base::Reader& in) {
    const std::uint16_t source = in.u16(), destination = in.u16();
    if (protocol == kUdp && destination == kEncapsulationPort && source == kEncapsulationPort) {
      (void)in.u32();
      return hidden(IPPROTO_ESP, in.u32());
    }
    seen_.clear = true;
    const bool same = seen_.to_b ? source == flow_.local_port && destination == flow_.remote_port : source == flow_.remote_port && destination == flow_.local_port;
    seen_.of_flow = same && protocol == flow_.protocol;
    return true;
  }

  bool hidden(std::uint8_t protocol, std::uint32_t spi) {
    seen_.protection = protocol;
    seen_.spi = spi;
    return true;
  }

  Seen& seen_;
  const channel::Flow& flow_;
};

}  // namespace

std::string format(const Seen& seen) {
  char text[96];
  if (seen.protection != 0) std::snprintf(text, sizeof text, "%s protocol %u spi 0x%x", seen.to_b ? "A>B" : "B>A", seen.protection, seen.spi);
  else std::snprintf(text, sizeof text, "%s %s%s", seen.to_b ? "A>B" : "B>A", seen.clear ? "CLEAR" : "other", seen.of_flow ? " of the flow" : "");
  return text;
}

Wire::Wire() : fd_(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL))) {
  if (!fd_) give_up("packet socket");
}

std::vector<Seen> Wire::read(const channel::Flow& flow) {
  std::vector<Seen> out;
  std::byte room[4096];
  while (true) {
    sockaddr_ll from{};
    socklen_t length = sizeof from;
    const ssize_t got = ::recvfrom(fd_.get(), room, sizeof room, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &length);
    if (got < 0 && errno == EAGAIN) return out;
    if (got < 0) give_up("capture");
    Seen seen;
    seen.to_b = from.sll_pkttype != PACKET_OUTGOING;
    seen.ethertype = ntohs(from.sll_protocol);
    seen.ifindex = static_cast<std::uint32_t>(from.sll_ifindex);
    const base::View data = base::View(room).first(static_cast<std::size_t>(got));
    if (from.sll_hatype != 1 || !Dissection(seen, flow).run(data)) continue;
    seen.octets.assign(data.begin(), data.end());
    out.push_back(std::move(seen));
  }
}

void Wire::repeat(const Seen& seen) {
  for (const auto& mac : kMacOfA) {
    // The device of the packet decides which of A's it goes to; the other one drops it.
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(seen.ethertype);
    to.sll_ifindex = static_cast<int>(seen.ifindex);
    to.sll_halen = 6;
    std::memcpy(to.sll_addr, mac, 6);
    if (::sendto(fd_.get(), seen.octets.data(), seen.octets.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) give_up("repeating a packet");
  }
}

}  // namespace gssipsec::differential
