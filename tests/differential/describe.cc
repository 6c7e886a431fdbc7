// SPDX-License-Identifier: MIT
// Steps of a case for people, in the words of ip-xfrm(8).
#include "tests/differential/scene.h"

namespace gssipsec::differential {
namespace {

using std::to_string;

std::string hex(std::uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%x", value);
  return text;
}

std::string format(const channel::Mark& mark) { return mark.mask != 0 ? " mark " + hex(mark.value) + "/" + hex(mark.mask) : ""; }

std::string port(const char* name, std::uint16_t value, std::uint16_t mask) {
  return mask != 0 ? std::string(" ") + name + " " + to_string(value) + "/" + hex(mask) : "";
}

std::string format(const channel::Selector& selector) {
  if (selector.family == channel::Family::none) return "any";
  return channel::format(selector.source) + " > " + channel::format(selector.destination) + port("sport", selector.source_port, selector.source_port_mask) +
         port("dport", selector.destination_port, selector.destination_port_mask) + (selector.protocol != 0 ? " proto " + to_string(selector.protocol) : "") +
         (selector.ifindex != 0 ? " dev " + to_string(selector.ifindex) : "") + (selector.user != 0 ? " user " + to_string(selector.user) : "");
}

std::string format(const channel::Template& entry) {
  return " tmpl " + channel::format(entry.source) + " > " + channel::format(entry.destination) + " proto " + to_string(entry.protocol) + " " +
         channel::mode_name(entry.mode) + " reqid " + to_string(entry.reqid) + (entry.spi != 0 ? " spi " + hex(entry.spi) : "") +
         (entry.optional ? " optional" : "") + (entry.auth_algorithms != 0xffffffff ? " aalgos " + hex(entry.auth_algorithms) : "");
}

std::string format(const channel::Algorithm& algorithm) {
  return algorithm.name.empty() ? "" : " " + algorithm.name + "-" + to_string(algorithm.key_bits) + "/" + to_string(algorithm.icv_bits);
}

const char* word(channel::Action action) { return action == channel::Action::block ? "block" : "allow"; }

std::string format(const PutSa& put) {
  return differential::format(put.sa) + (put.larval ? " larval" : "") + (put.soft_packets != 0 ? " soft " + to_string(put.soft_packets) : "") +
         (put.hard_packets != 0 ? " hard " + to_string(put.hard_packets) : "") + (put.age != 0 ? " age " + to_string(put.age) : "") +
         (put.last_number ? " numbers used up" : "") +
         (put.gives.mask != 0 ? " set-mark " + hex(put.gives.value) + "/" + hex(put.gives.mask) : "");
}

}  // namespace

std::string format(const channel::Policy& policy) {
  static constexpr const char* kDirections[] = {"in", "out", "fwd"};
  std::string out = std::string(kDirections[static_cast<int>(policy.direction)]) + (policy.sub_policy ? " sub " : " ") + word(policy.action) + " priority " +
                    to_string(policy.priority) + " " + format(policy.selector) + format(policy.mark) +
                    (policy.if_id != 0 ? " if_id " + to_string(policy.if_id) : "") + (policy.flags != 0 ? " flags " + to_string(policy.flags) : "");
  for (const channel::Template& entry : policy.templates) out += format(entry);
  return out;
}

std::string format(const channel::Sa& sa) {
  return channel::format(sa.id) + " from " + channel::format(sa.source) + " " + channel::mode_name(sa.mode) + " reqid " + to_string(sa.reqid) + " sel " +
         format(sa.selector) + format(sa.mark) + (sa.if_id != 0 ? " if_id " + to_string(sa.if_id) : "") + format(sa.aead) + format(sa.encryption) +
         format(sa.authentication) + format(sa.compression) + " window " + to_string(sa.replay_window) + (sa.esn ? " esn" : "") + (sa.encapsulated ? " encap" : "");
}

std::string format(const Step& step) {
  if (const auto* policy = std::get_if<PutPolicy>(&step)) return (policy->update ? "update " : "policy ") + format(policy->policy);
  if (const auto* sa = std::get_if<PutSa>(&step)) return "sa " + format(*sa);
  if (const auto* drop = std::get_if<DropPolicy>(&step)) return "drop policy " + to_string(drop->which);
  if (const auto* drop = std::get_if<DropSa>(&step)) return "drop sa " + to_string(drop->which);
  if (const auto* put = std::get_if<PutDefaults>(&step)) return std::string("defaults in ") + word(put->in) + " out " + word(put->out);
  if (const auto* flush = std::get_if<FlushSas>(&step)) return "flush sas " + to_string(flush->protocol);
  return std::string("flush policies ") + (std::get<FlushPolicies>(step).sub ? "sub" : "main");
}

}  // namespace gssipsec::differential
