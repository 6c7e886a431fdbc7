// SPDX-License-Identifier: MIT
#include "tests/differential/wire_format.h"

#include <arpa/inet.h>
#include <linux/udp.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cstring>

namespace gssipsec::differential {
namespace {

using channel::Family;

std::uint16_t af(Family family) { return family == Family::ipv4 ? AF_INET : family == Family::ipv6 ? AF_INET6 : AF_UNSPEC; }

xfrm_address_t raw(const channel::Address& address) {
  xfrm_address_t out{};
  std::memcpy(&out, address.octets.data(), address.size());
  return out;
}

xfrm_selector raw(const channel::Selector& in, std::uint32_t ifindex) {
  xfrm_selector out{};
  out.family = af(in.family);
  out.saddr = raw(in.source.address);
  out.daddr = raw(in.destination.address);
  out.prefixlen_s = in.source.length;
  out.prefixlen_d = in.destination.length;
  out.sport = htons(in.source_port);
  out.sport_mask = htons(in.source_port_mask);
  out.dport = htons(in.destination_port);
  out.dport_mask = htons(in.destination_port_mask);
  out.proto = in.protocol;
  out.ifindex = static_cast<int>(ifindex);
  out.user = in.user;
  return out;
}

std::uint8_t raw(channel::Mode mode) {
  return mode == channel::Mode::tunnel ? XFRM_MODE_TUNNEL : mode == channel::Mode::beet ? XFRM_MODE_BEET : XFRM_MODE_TRANSPORT;
}

void forever(xfrm_lifetime_cfg& life) {
  life.soft_byte_limit = life.hard_byte_limit = life.soft_packet_limit = life.hard_packet_limit = XFRM_INF;
}

xfrm_user_tmpl raw(const channel::Template& in) {
  xfrm_user_tmpl out{};
  out.family = af(in.family);
  out.id = {raw(in.destination), htonl(in.spi), in.protocol};
  out.saddr = raw(in.source);
  out.reqid = in.reqid;
  out.mode = raw(in.mode);
  out.optional = in.optional;
  out.aalgos = in.auth_algorithms;
  out.ealgos = in.encryption_algorithms;
  out.calgos = in.compression_algorithms;
  return out;
}

template <typename T>
base::Bytes octets(const T& value) {
  const auto* first = reinterpret_cast<const std::byte*>(&value);
  return {first, first + sizeof value};
}

void add_type(Request& request, bool sub) {
  xfrm_userpolicy_type type{};
  type.type = sub ? XFRM_POLICY_TYPE_SUB : XFRM_POLICY_TYPE_MAIN;
  request.attribute(XFRMA_POLICY_TYPE, type);
}

void add_mark(Request& request, const channel::Mark& mark, std::uint32_t if_id) {
  if (mark.mask != 0 || mark.value != 0) request.attribute(XFRMA_MARK, xfrm_mark{mark.value, mark.mask});
  if (if_id != 0) request.attribute(XFRMA_IF_ID, if_id);
}

// Each SA has keys of its own, and the peer makes the same.
base::Bytes key_of(const channel::Sa& sa, std::uint32_t bits, std::byte which) {
  base::Bytes key(bits / 8);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(sa.id.spi * 31 + sa.id.protocol + i * 7) ^ which;
  return key;
}

void add_algorithm(Request& request, std::uint16_t type, const channel::Sa& sa, const channel::Algorithm& algorithm, bool with_icv) {
  if (algorithm.name.empty()) return;
  base::Bytes value(64);
  std::memcpy(value.data(), algorithm.name.data(), algorithm.name.size());
  const auto append = [&value](const base::Bytes& more) { value.insert(value.end(), more.begin(), more.end()); };
  append(octets(algorithm.key_bits));
  if (with_icv) append(octets(algorithm.icv_bits));
  append(key_of(sa, algorithm.key_bits, static_cast<std::byte>(type)));
  request.attribute(type, base::View(value));
}

void add_algorithms(Request& request, const channel::Sa& sa) {
  add_algorithm(request, XFRMA_ALG_AEAD, sa, sa.aead, true);
  add_algorithm(request, XFRMA_ALG_CRYPT, sa, sa.encryption, false);
  add_algorithm(request, XFRMA_ALG_AUTH_TRUNC, sa, sa.authentication, true);
  add_algorithm(request, XFRMA_ALG_COMP, sa, sa.compression, false);
}

struct EsnState {
  std::uint32_t bitmap_words, oseq, seq, oseq_hi, seq_hi, window, bitmap[4];
};

void add_numbers(Request& request, const PutSa& put) {
  const std::uint32_t sent = put.last_number ? 0xffffffff : 0;
  if (put.sa.esn) return void(request.attribute(XFRMA_REPLAY_ESN_VAL, EsnState{4, sent, 0, sent, 0, put.sa.replay_window, {}}));
  if (sent != 0) request.attribute(XFRMA_REPLAY_VAL, xfrm_replay_state{sent, 0, 0});
}

void add_age(Request& request, const PutSa& put) {
  if (put.age == 0) return;
  xfrm_lifetime_cur life{};
  life.add_time = static_cast<std::uint64_t>(::time(nullptr)) - put.age;
  request.attribute(XFRMA_LTIME_VAL, life);
}

xfrm_usersa_info info_of(const channel::Sa& sa) {
  xfrm_usersa_info info{};
  info.sel = raw(sa.selector, 0);
  info.id = {raw(sa.id.destination), htonl(sa.id.spi), sa.id.protocol};
  info.saddr = raw(sa.source);
  forever(info.lft);
  info.reqid = sa.reqid;
  info.family = af(sa.id.destination.family);
  info.mode = raw(sa.mode);
  return info;
}

}  // namespace

Request policy_request(const PutPolicy& put, const Ifindexes& devices) {
  const channel::Policy& policy = put.policy;
  xfrm_userpolicy_info info{};
  info.sel = raw(policy.selector, devices[policy.selector.ifindex]);
  forever(info.lft);
  info.priority = policy.priority;
  info.dir = static_cast<std::uint8_t>(policy.direction);
  info.action = policy.action == channel::Action::block ? XFRM_POLICY_BLOCK : XFRM_POLICY_ALLOW;
  info.flags = policy.flags;
  Request request(put.update ? XFRM_MSG_UPDPOLICY : XFRM_MSG_NEWPOLICY, NLM_F_ACK);
  request.fixed(info);
  base::Bytes templates;
  for (const channel::Template& entry : policy.templates) {
    const base::Bytes more = octets(raw(entry));
    templates.insert(templates.end(), more.begin(), more.end());
  }
  if (!templates.empty()) request.attribute(XFRMA_TMPL, base::View(templates));
  add_type(request, policy.sub_policy);
  add_mark(request, policy.mark, policy.if_id);
  return request;
}

Request drop_request(const channel::Policy& policy, const Ifindexes& devices) {
  xfrm_userpolicy_id id{};
  id.sel = raw(policy.selector, devices[policy.selector.ifindex]);
  id.dir = static_cast<std::uint8_t>(policy.direction);
  Request request(XFRM_MSG_DELPOLICY, NLM_F_ACK);
  request.fixed(id);
  add_type(request, policy.sub_policy);
  add_mark(request, policy.mark, policy.if_id);
  return request;
}

Request sa_request(const PutSa& put) {
  const channel::Sa& sa = put.sa;
  xfrm_usersa_info info = info_of(sa);
  if (put.soft_packets != 0) info.lft.soft_packet_limit = put.soft_packets;
  if (put.hard_packets != 0) info.lft.hard_packet_limit = put.hard_packets;
  info.replay_window = static_cast<std::uint8_t>(sa.esn ? 0 : sa.replay_window);
  if (sa.esn) info.flags |= XFRM_STATE_ESN;
  if (sa.selector.family == Family::none) info.flags |= XFRM_STATE_AF_UNSPEC;
  Request request(XFRM_MSG_NEWSA, NLM_F_ACK);
  request.fixed(info);
  add_algorithms(request, sa);
  add_numbers(request, put);
  add_age(request, put);
  add_mark(request, sa.mark, sa.if_id);
  if (put.gives.mask != 0) request.attribute(XFRMA_SET_MARK, put.gives.value).attribute(XFRMA_SET_MARK_MASK, put.gives.mask);
  if (sa.encapsulated)
    request.attribute(XFRMA_ENCAP, xfrm_encap_tmpl{UDP_ENCAP_ESPINUDP, htons(sa.encap_source_port), htons(sa.encap_destination_port), {}});
  return request;
}

Request alloc_request(const channel::Sa& sa) {
  xfrm_userspi_info wanted{};
  wanted.info = info_of(sa);
  wanted.min = wanted.max = sa.id.spi;
  Request request(XFRM_MSG_ALLOCSPI, NLM_F_ACK);
  request.fixed(wanted);
  add_mark(request, sa.mark, sa.if_id);
  return request;
}

Request drop_request(const channel::Sa& sa) {
  xfrm_usersa_id id{};
  id.daddr = raw(sa.id.destination);
  id.spi = htonl(sa.id.spi);
  id.family = af(sa.id.destination.family);
  id.proto = sa.id.protocol;
  Request request(XFRM_MSG_DELSA, NLM_F_ACK);
  request.fixed(id);
  add_mark(request, sa.mark, 0);
  return request;
}

Request defaults_request(const PutDefaults& put) {
  const auto word = [](channel::Action action) -> std::uint8_t { return action == channel::Action::block ? XFRM_USERPOLICY_BLOCK : XFRM_USERPOLICY_ACCEPT; };
  Request request(XFRM_MSG_SETDEFAULT, NLM_F_ACK);
  request.fixed(xfrm_userpolicy_default{word(put.in), XFRM_USERPOLICY_ACCEPT, word(put.out)});
  return request;
}

Request flush_sas(std::uint8_t protocol) {
  Request request(XFRM_MSG_FLUSHSA, NLM_F_ACK);
  request.fixed(xfrm_usersa_flush{protocol});
  return request;
}

Request flush_policies(bool sub) {
  Request request(XFRM_MSG_FLUSHPOLICY, NLM_F_ACK);
  add_type(request, sub);
  return request;
}

}  // namespace gssipsec::differential
