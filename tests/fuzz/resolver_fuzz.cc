// SPDX-License-Identifier: MIT
// Databases made of octets: whatever stands in them, protected means a required ESP or AH template and SAs with
// integrity in both directions, what can be latched has templates, and the indexes lead to the same verdict.
#include <algorithm>
#include <cstdlib>

#include "channel/resolver.h"
#include "channel/slice.h"

namespace {

using namespace gssipsec::channel;
using gssipsec::base::Reader;

Address address(std::uint8_t octet) {
  static constexpr const char* kAll[] = {"10.1.0.1", "10.1.0.2", "10.1.0.3", "0.0.0.0"};
  return *parse_address(kAll[octet & 3]);
}

Mode mode(std::uint8_t octet) { return (octet & 3) == 1 ? Mode::tunnel : (octet & 3) == 2 ? Mode::beet : Mode::transport; }

Selector selector(Reader& in) {
  Selector out;
  const std::uint8_t bits = in.u8();
  out.family = bits & 1 ? Family::ipv4 : bits & 2 ? Family::ipv6 : Family::none;
  out.source = {address(in.u8()), static_cast<std::uint8_t>(bits & 4 ? 32 : 0)};
  out.destination = {address(in.u8()), static_cast<std::uint8_t>(bits & 8 ? 32 : 0)};
  out.protocol = bits & 16 ? 6 : 0;
  out.ifindex = bits & 32 ? 3 : 0;
  return out;
}

std::uint8_t protocol(std::uint8_t octet) { return (octet & 3) == 1 ? kProtoAh : (octet & 3) == 2 ? kProtoComp : kProtoEsp; }

Template entry(Reader& in) {
  Template out;
  const std::uint8_t bits = in.u8();
  out.protocol = protocol(bits);
  out.mode = mode(static_cast<std::uint8_t>(bits >> 2));
  out.optional = bits & 16;
  out.reqid = bits >> 5 & 1;
  out.spi = bits >> 6 & 1;
  out.family = Family::ipv4;
  out.source = address(in.u8());
  out.destination = address(in.u8());
  return out;
}

Policy policy(Reader& in, std::uint64_t order) {
  Policy out;
  const std::uint8_t bits = in.u8(), count = in.u8();
  out.direction = static_cast<Direction>(bits & 3);
  out.action = bits & 4 ? Action::block : Action::allow;
  out.sub_policy = bits & 8;
  out.priority = bits >> 4 & 1;
  out.incomplete = (bits & 0xe0) == 0xe0;
  if (bits & 32) out.mark = {1, 1};
  out.if_id = bits >> 6 & 1;
  out.order = order;
  out.index = static_cast<std::uint32_t>(order);
  out.selector = selector(in);
  for (int i = 0; i < (count & 7); ++i) out.templates.push_back(entry(in));
  return out;
}

Sa sa(Reader& in) {
  Sa out;
  const std::uint8_t bits = in.u8(), more = in.u8();
  out.id = {bits >> 6u & 1u, address(in.u8()), protocol(bits)};
  out.source = address(in.u8());
  out.mode = mode(static_cast<std::uint8_t>(bits >> 2));
  out.reqid = bits >> 5 & 1;
  out.if_id = more & 1;
  if (more & 2) out.aead = {"rfc4106(gcm(aes))", 160, 128};
  if (more & 4) out.encryption = {"cbc(aes)", 128, 0};
  if (more & 8) out.authentication = {"hmac(sha256)", 256, 128};
  out.incomplete = more & 16;
  out.state = more & 32 ? SaState::dead : SaState::valid;
  if (more & 64) out.mark = {1, 1};
  if (more & 128) out.selector = selector(in);
  return out;
}

bool sound(const OneWay& way) {
  if (!way.is_protected) return way.why_not.code != gssipsec::base::Code::ok;
  const auto required = [](const Template& one) { return !one.optional && one.protocol != kProtoComp; };
  return way.policy && way.policy->action == Action::allow && !way.policy->incomplete && std::ranges::any_of(way.policy->templates, required) &&
         !way.carriers.empty() && way.quality.integrity && way.quality.known &&
         std::ranges::all_of(way.carriers, [](const Sa& one) { return one.state == SaState::valid; });
}

bool same(const OneWay& a, const OneWay& b) {
  return a.is_protected == b.is_protected && a.why_not.code == b.why_not.code && a.policy == b.policy && a.carriers.size() == b.carriers.size();
}

Verdict indexed(const Flow& flow, const Spd& spd, const Sad& sad) {
  SpdIndex policies;
  SadIndex sas;
  for (const Policy& one : spd.policies) policies.put(one);
  for (const Sa& one : sad.sas) sas.add(one, {});
  const Slice slice = slice_of(flow, policies, sas);
  Sad found;
  for (const SadIndex::Held* held : slice.sas) found.sas.push_back(held->sa);
  return resolve(flow, slice.spd, found, {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reader in(std::as_bytes(std::span(data, size)));
  Flow flow{6, address(0), address(1), 40000, 5000, in.u8() & 1u, in.u8() & 1u, 3, false};
  Spd spd;
  Sad sad;
  for (std::uint64_t i = 0; i < 24 && in.left() > 0; ++i) {
    if (in.u8() & 1) spd.policies.push_back(policy(in, i));
    else sad.sas.push_back(sa(in));
  }
  const Verdict verdict = resolve(flow, spd, sad, {});
  if (!sound(verdict.out) || !sound(verdict.in)) std::abort();
  if (verdict.is_protected != (verdict.out.is_protected && verdict.in.is_protected)) std::abort();
  if (verdict.latchable && (!verdict.is_protected || !latch_templates(verdict.in, flow, Direction::in, false))) std::abort();
  const Verdict sliced = indexed(flow, spd, sad);
  if (!same(sliced.out, verdict.out) || !same(sliced.in, verdict.in) || sliced.latchable != verdict.latchable) std::abort();
  return 0;
}
