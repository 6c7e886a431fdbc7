// SPDX-License-Identifier: MIT
// Pieces of the generator: policies near a flow, SAs near a template. Each choice that matters leaves its name in
// `features`, so that what a run met can be counted.
#pragma once

#include "tests/differential/random.h"
#include "tests/differential/scene.h"

namespace gssipsec::differential {

// What a packet of the flow looks like in one direction.
struct Aim {
  channel::Direction direction = channel::Direction::out;
  channel::Address source, destination;
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint8_t protocol = 0;
  std::uint32_t mark = 0;
};
[[nodiscard]] Aim aim_of(const channel::Flow& flow, channel::Direction direction);

class Generator {
 public:
  Generator(Random& random, const channel::Flow& flow, std::set<std::string>& features) : random_(random), flow_(flow), features_(features) {}

  [[nodiscard]] channel::Policy policy(channel::Direction direction);
  // The policy of the other direction that belongs to `policy`.
  [[nodiscard]] channel::Policy reversed(const channel::Policy& policy) const;
  // SAs that may or may not fit the template.
  [[nodiscard]] std::vector<PutSa> sas(const channel::Template& entry, const channel::Policy& policy);
  [[nodiscard]] PutSa stray();

 private:
  bool feature(std::uint32_t percent, const char* name);
  [[nodiscard]] channel::Selector selector(const Aim& aim);
  [[nodiscard]] channel::Prefix prefix(const channel::Address& address);
  void ports(const Aim& aim, channel::Selector& selector);
  [[nodiscard]] std::vector<channel::Template> templates(const Aim& aim);
  [[nodiscard]] channel::Template entry(const Aim& aim, channel::Address& source, channel::Address& destination);
  [[nodiscard]] PutSa fitting(const channel::Template& entry, const channel::Policy& policy, const Aim& aim);
  void disturb(PutSa& put, const Aim& aim);
  void live(PutSa& put);
  void name_inner(channel::Sa& sa, const Aim& aim);
  [[nodiscard]] channel::Address other(const channel::Address& address);

  Random& random_;
  const channel::Flow& flow_;
  std::set<std::string>& features_;
  // Linux 6.1 puts the SAs of a sub and a main policy behind one another without a look at the families that they change, and
  // then writes IPv6's headers into an IPv4 packet: a case has the one or the other.
  const bool families_cross_ = random_.chance(50);
  std::uint32_t next_spi_ = 0x1000;
};

}  // namespace gssipsec::differential
