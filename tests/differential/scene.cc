// SPDX-License-Identifier: MIT
#include "tests/differential/scene.h"

#include <algorithm>

#include "tests/differential/generator.h"

namespace gssipsec::differential {
namespace {

using channel::Address;
using channel::Direction;
using channel::Family;
using channel::Policy;

std::vector<Address> all(std::initializer_list<const char*> texts) {
  std::vector<Address> out;
  for (const char* text : texts) out.push_back(*channel::parse_address(text));
  return out;
}

constexpr std::uint16_t kFirstPort = 1100;

class Author {
 public:
  Author(std::uint64_t seed, std::uint64_t number) : random_(seed, number) {
    scene_.seed = seed;
    scene_.number = number;
  }

  Scene write() {
    socket();
    Round first;
    first.dump = random_.chance(30);
    defaults(first);
    databases(first);
    shuffle(first);
    scene_.rounds.push_back(std::move(first));
    const std::uint32_t more = random_.below(100);
    for (std::uint32_t i = 0; i < (more < 60 ? 0u : more < 90 ? 1u : 2u); ++i) scene_.rounds.push_back(change());
    scene_.inbound_seed = random_.next();
    return std::move(scene_);
  }

 private:
  void feature(const std::string& name) { scene_.features.insert(name); }

  void socket() {
    channel::Flow& flow = scene_.flow;
    const Family family = random_.chance(50) ? Family::ipv4 : Family::ipv6;
    flow.local = random_.of(addresses_of_a(family));
    flow.remote = random_.of(addresses_of_b(family));
    flow.local_port = port();
    flow.remote_port = port();
    const std::uint32_t kind = random_.below(100);
    scene_.kind = kind < 50 ? Kind::udp_connected : kind < 63 ? Kind::udp_unconnected : kind < 90 ? Kind::tcp : Kind::sctp;
    flow.protocol = scene_.kind == Kind::tcp ? 6 : scene_.kind == Kind::sctp ? 132 : 17;
    if (random_.chance(15)) flow.mark = random_.of({1u, 2u, 5u}), feature("socket-mark");
    scene_.on_ipv6 = family == Family::ipv6 || random_.chance(20);
    if (scene_.on_ipv6 && family == Family::ipv4) feature("v4-mapped");
    if (random_.chance(6)) scene_.bound = random_.of({Device::eth0, Device::eth1}), feature("bound-to-device");
    else if (scene_.kind != Kind::sctp && random_.chance(8)) scene_.bound = Device::vrf, feature("vrf");  // SCTP of Linux 6.1 knows none
    if (random_.chance(2)) scene_.no_xfrm = true, feature("disable_xfrm");
    if (random_.chance(2)) scene_.no_policy = true, feature("disable_policy");
    feature(family == Family::ipv4 ? "ipv4" : "ipv6");
    static constexpr const char* kKinds[] = {"udp-connected", "udp-unconnected", "tcp", "sctp"};
    feature(kKinds[static_cast<std::size_t>(scene_.kind)]);
    flow.on_ipv6_socket = scene_.on_ipv6;
  }

  std::uint16_t port() { return static_cast<std::uint16_t>(kFirstPort + random_.below(60000)); }

  void defaults(Round& round) {
    PutDefaults put;
    if (random_.chance(8)) put.out = channel::Action::block, feature("default-block");
    if (random_.chance(8)) put.in = channel::Action::block, feature("default-block");
    if (put.out != channel::Action::allow || put.in != channel::Action::allow) round.steps.push_back(put);
  }

  void add_policy(Round& round, Policy policy) {
    for (const channel::Template& entry : policy.templates)
      for (PutSa& put : generator_.sas(entry, policy)) round.steps.push_back(std::move(put));
    for (const channel::Template& entry : policy.templates)
      if (entry.protocol == channel::kProtoComp) scene_.compresses = true;
    round.steps.push_back(PutPolicy{std::move(policy)});
  }

  // A policy out, mostly with its twin in, or either alone.
  void rule(Round& round) {
    const bool out_first = random_.chance(75);
    const Policy policy = generator_.policy(out_first ? Direction::out : Direction::in);
    if (random_.chance(75)) add_policy(round, generator_.reversed(policy));
    add_policy(round, policy);
  }

  void databases(Round& round) {
    const std::uint32_t how = random_.below(100);
    const std::uint32_t rules = how < 4 ? 0 : how < 50 ? 1 : how < 75 ? 2 : how < 90 ? 3 : 4;
    for (std::uint32_t i = 0; i < rules; ++i) rule(round);
    if (random_.chance(20)) round.steps.push_back(generator_.stray());
    if (random_.chance(8)) {
      Policy policy = generator_.policy(Direction::in);
      policy.direction = Direction::forward;
      round.steps.push_back(PutPolicy{std::move(policy)});
      feature("forward");
    }
    if (rules > 1) feature("several-policies");
  }

  void shuffle(Round& round) {
    for (std::size_t i = round.steps.size(); i > 1; --i) std::swap(round.steps[i - 1], round.steps[random_.below(static_cast<std::uint32_t>(i))]);
  }

  template <typename T>
  std::vector<T> done() const {
    std::vector<T> out;
    for (const Round& round : scene_.rounds)
      for (const Step& step : round.steps)
        if (const T* one = std::get_if<T>(&step)) out.push_back(*one);
    return out;
  }

  Step change_policy(const std::vector<PutPolicy>& policies) {
    PutPolicy put = random_.of(policies);
    put.update = true;
    const std::uint32_t how = random_.below(3);
    if (how == 0) put.policy.priority = random_.of({50u, 100u, 200u, 300u});
    if (how == 1) put.policy.action = put.policy.action == channel::Action::allow ? channel::Action::block : channel::Action::allow;
    if (how == 2) put.policy.templates = generator_.policy(put.policy.direction).templates;
    feature("update-policy");
    return put;
  }

  Round change() {
    Round round;
    round.dump = random_.chance(15);
    const auto policies = done<PutPolicy>();
    const auto sas = done<PutSa>();
    for (std::uint32_t i = 0, count = 1 + random_.below(2); i < count; ++i) {
      const std::uint32_t how = random_.below(100);
      if (how < 20 && !policies.empty()) round.steps.push_back(change_policy(policies));
      else if (how < 40 && !policies.empty()) round.steps.push_back(DropPolicy{random_.below(static_cast<std::uint32_t>(policies.size()))}), feature("drop-policy");
      else if (how < 60 && !sas.empty()) round.steps.push_back(DropSa{random_.below(static_cast<std::uint32_t>(sas.size()))}), feature("drop-sa");
      else if (how < 70) rule(round), feature("later-rule");
      else if (how < 78) round.steps.push_back(FlushSas{random_.of<std::uint8_t>({0, 50, 51})}), feature("flush-sas");
      else if (how < 84) round.steps.push_back(FlushPolicies{random_.chance(50)}), feature("flush-policies");
      else if (how < 90) defaults(round);
    }
    return round;
  }

  Random random_;
  Scene scene_;
  Generator generator_{random_, scene_.flow, scene_.features};
};

}  // namespace

const std::vector<Address>& addresses_of_a(Family family) {
  static const std::vector<Address> v4 = all({"10.1.0.1", "10.1.0.3", "10.2.0.1"}), v6 = all({"fd00:1::1", "fd00:1::3", "fd00:2::1"});
  return family == Family::ipv4 ? v4 : v6;
}

const std::vector<Address>& addresses_of_b(Family family) {
  static const std::vector<Address> v4 = all({"10.1.0.2", "10.1.0.4", "10.2.0.2"}), v6 = all({"fd00:1::2", "fd00:1::4", "fd00:2::2"});
  return family == Family::ipv4 ? v4 : v6;
}

Scene make_scene(std::uint64_t seed, std::uint64_t number) { return Author(seed, number).write(); }

}  // namespace gssipsec::differential
