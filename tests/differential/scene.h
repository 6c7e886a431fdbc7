// SPDX-License-Identifier: MIT
// One case: what is put into the kernel's databases, round after round, and the flow that is asked about and then sent.
// Pure values: a seed and a number make the same case on every machine.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "channel/resolver.h"

namespace gssipsec::differential {

// The addresses of the two hosts, and the devices between them. B's is the other end.
inline constexpr std::uint32_t kDevices = 2;  // eth0, eth1
[[nodiscard]] const std::vector<channel::Address>& addresses_of_a(channel::Family family);
[[nodiscard]] const std::vector<channel::Address>& addresses_of_b(channel::Family family);

enum class Device : std::uint8_t { none, loopback, eth0, eth1, vrf };  // vrf: at B, who has none, the cable that is in it at A

// `policy.selector.ifindex` is a Device here: real numbers are known where it is installed.
struct PutPolicy {
  channel::Policy policy;
  bool update = false;
};
// The n-th that was put, by its selector.
struct DropPolicy {
  std::size_t which = 0;
};
struct PutSa {
  channel::Sa sa;
  bool larval = false;               // by ALLOCSPI
  std::uint64_t soft_packets = 0, hard_packets = 0;  // 0: no limit
  std::uint64_t age = 0;             // seconds that it seems to be old
  bool last_number = false;          // its sequence numbers are used up
  channel::Mark gives{};             // the mark that packets have behind it
};
struct DropSa {
  std::size_t which = 0;
};
struct PutDefaults {
  channel::Action in = channel::Action::allow, out = channel::Action::allow;
};
struct FlushSas {
  std::uint8_t protocol = 0;
};
struct FlushPolicies {
  bool sub = false;
};
using Step = std::variant<PutPolicy, DropPolicy, PutSa, DropSa, PutDefaults, FlushSas, FlushPolicies>;

enum class Kind : std::uint8_t { udp_connected, udp_unconnected, tcp, sctp };

struct Round {
  std::vector<Step> steps;
  bool dump = false;  // the databases are dumped anew; else only the monitor's events are followed
};

struct Scene {
  std::uint64_t seed = 0, number = 0;
  Kind kind = Kind::udp_connected;
  bool on_ipv6 = false;   // an IPv6 socket
  Device bound = Device::none;
  bool no_xfrm = false, no_policy = false;  // disable_xfrm, disable_policy of all devices
  channel::Flow flow;     // local, remote, ports, mark, protocol
  std::vector<Round> rounds;
  std::uint64_t inbound_seed = 0;  // which SAs the peer tries
  bool compresses = false;         // long payloads
  std::set<std::string> features;
};

[[nodiscard]] Scene make_scene(std::uint64_t seed, std::uint64_t number);
[[nodiscard]] std::string format(const channel::Policy& policy);
[[nodiscard]] std::string format(const channel::Sa& sa);
[[nodiscard]] std::string format(const Step& step);

}  // namespace gssipsec::differential
