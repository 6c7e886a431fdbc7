// SPDX-License-Identifier: MIT
// Values that the tests of this room share.
#pragma once

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <ostream>
#include <string>

#include "channel/assertion.h"
#include "channel/exporter.h"
#include "channel/resolver.h"

namespace gssipsec::base {
inline std::ostream& operator<<(std::ostream& out, Code code) { return out << code_name(code); }
}  // namespace gssipsec::base

namespace gssipsec::channel::testing {

using base::Code;

inline Address ip(const char* text) { return *parse_address(text); }

inline Prefix net(const char* text, int length) { return {ip(text), static_cast<std::uint8_t>(length)}; }

template <typename T>
Code code_of(const base::Result<T>& result) {
  return result.ok() ? Code::ok : result.error().code;
}
inline Code code_of(const base::Status& status) { return status.ok() ? Code::ok : status.error().code; }

inline base::Bytes counting(int first, int length) {
  base::Bytes out;
  for (int i = 0; i < length; ++i) out.push_back(static_cast<std::byte>(first + i));
  return out;
}

inline SaKeys gcm_keys(std::uint32_t spi, int first) {
  SaKeys keys;
  keys.id = {spi, ip("10.1.0.2"), kProtoEsp};
  keys.aead = {"rfc4106(gcm(aes))", 160, 128};
  keys.encryption_key = base::Secret(base::View(counting(first, 20)));
  return keys;
}

inline SaKeys cbc_keys(std::uint32_t spi, int cipher, int mac) {
  SaKeys keys;
  keys.id = {spi, ip("10.1.0.2"), kProtoEsp};
  keys.encryption = {"cbc(aes)", 256, 0};
  keys.authentication = {"hmac(sha256)", 256, 128};
  keys.encryption_key = base::Secret(base::View(counting(cipher, 32)));
  keys.authentication_key = base::Secret(base::View(counting(mac, 32)));
  return keys;
}

inline FlowLabel sample_label() {
  FlowLabel label;
  label.protocol = 6;
  label.initiator_port = 40000;
  label.acceptor_port = 5000;
  label.spi_to_acceptor = 0xc0ffee01;
  label.spi_to_initiator = 0xdeadbeef;
  return label;
}

// A world in which everything is well: hosts 10.1.0.1 (ours) and 10.1.0.2, one policy and one SA each way.
struct World {
  Flow flow;
  Spd spd;
  Sad sad;
  Surroundings around;

  World();
  Policy& out() { return spd.policies[0]; }
  Policy& in() { return spd.policies[1]; }
  Sa& sa_out() { return sad.sas[0]; }
  Sa& sa_in() { return sad.sas[1]; }
  Template& template_out() { return out().templates[0]; }
  Template& template_in() { return in().templates[0]; }
  [[nodiscard]] Verdict resolve() const { return channel::resolve(flow, spd, sad, around); }
  // A policy for everything of this family, behind all others.
  Policy& add(Direction direction, Action action, std::uint32_t priority);
  void make_tunnel(const char* ours, const char* theirs);
};

inline Sa esp(std::uint32_t spi, const char* from, const char* to) {
  Sa sa;
  sa.id = {spi, ip(to), kProtoEsp};
  sa.source = ip(from);
  sa.reqid = 7;
  sa.aead = {"rfc4106(gcm(aes))", 160, 128};
  sa.replay_window = 32;
  sa.added = 1000;
  return sa;
}

inline Policy require(Direction direction, const char* from, const char* to) {
  Policy policy;
  policy.index = direction == Direction::out ? 9 : 8;
  policy.direction = direction;
  policy.selector.family = ip(from).family;
  policy.selector.source = net(from, static_cast<int>(ip(from).size() * 8));
  policy.selector.destination = net(to, static_cast<int>(ip(to).size() * 8));
  policy.priority = 100;
  policy.order = direction == Direction::out ? 1 : 2;
  Template entry;
  entry.family = ip(from).family;
  entry.reqid = 7;
  policy.templates = {entry};
  return policy;
}

inline World::World() {
  flow.protocol = 6;
  flow.local = ip("10.1.0.1");
  flow.remote = ip("10.1.0.2");
  flow.local_port = 40000;
  flow.remote_port = 5000;
  flow.output_ifindex = 3;
  spd.policies = {require(Direction::out, "10.1.0.1", "10.1.0.2"), require(Direction::in, "10.1.0.2", "10.1.0.1")};
  sad.sas = {esp(0x1001, "10.1.0.1", "10.1.0.2"), esp(0x2002, "10.1.0.2", "10.1.0.1")};
}

inline Policy& World::add(Direction direction, Action action, std::uint32_t priority) {
  Policy policy;
  policy.index = 100 + static_cast<std::uint32_t>(spd.policies.size()) * 8;
  policy.direction = direction;
  policy.selector.family = flow.local.family;
  policy.priority = priority;
  policy.action = action;
  policy.order = 100 + spd.policies.size();
  spd.policies.reserve(32);  // references stay good
  return spd.policies.emplace_back(policy);
}

inline void World::make_tunnel(const char* ours, const char* theirs) {
  template_out().mode = template_in().mode = sa_out().mode = sa_in().mode = Mode::tunnel;
  template_out().source = template_in().destination = sa_out().source = sa_in().id.destination = ip(ours);
  template_out().destination = template_in().source = sa_out().id.destination = sa_in().source = ip(theirs);
}

// The verdict says exactly this, and nothing that only protection allows.
inline void expect(Code code, const World& world) {
  const Verdict verdict = world.resolve();
  CPPUNIT_ASSERT_EQUAL_MESSAGE(verdict.why_not.detail, code, verdict.why_not.code);
  CPPUNIT_ASSERT_EQUAL(code == Code::ok, verdict.is_protected);
  if (code == Code::ok) return;
  CPPUNIT_ASSERT(!verdict.latchable && !verdict.end_to_end && verdict.why_not_latchable.code != Code::ok);
}

}  // namespace gssipsec::channel::testing
