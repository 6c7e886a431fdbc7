// SPDX-License-Identifier: MIT
#include "channel/resolver.h"

#include <algorithm>

#include "channel/judge.h"
#include "channel/lookup.h"

namespace gssipsec::channel {
namespace {

using base::Code;
using base::fail;

constexpr std::size_t kMaxPaths = 64;
constexpr std::uint16_t kSctp = 132;

Action fallback_of(const Spd& spd, Direction direction) { return direction == Direction::in ? spd.default_in : spd.default_out; }

// Nothing in clear comes this way.
bool is_closed(const OneWay& way) { return way.is_protected || way.why_not.code == Code::BLOCKED || way.why_not.code == Code::NO_SA; }

void add_carriers(const OneWay& from, OneWay& to) {
  for (const Sa& sa : from.carriers)
    if (std::ranges::none_of(to.carriers, [&sa](const Sa& other) { return other.id == sa.id; })) to.carriers.push_back(sa);
  to.quality = weakest(to.quality, from.quality);
}

// An inbound packet has the mark that netfilter gave it and the if_id of the interface it came by, not the socket's: the
// socket takes packets of every mark, and those that came beside the xfrm interface.
std::vector<Packet> strangers(const Packet& packet) {
  Packet other = packet;
  other.any_mark = true;
  std::vector<Packet> out{other};
  other.if_id = 0;
  if (packet.if_id != 0) out.push_back(other);
  return out;
}

void admit(const Judged& theirs, Judged& ours) {
  if (!is_closed(theirs.way)) {
    const bool weak = theirs.way.why_not.code == Code::WEAK;
    ours.way.is_protected = false;
    ours.way.why_not = fail(weak ? Code::WEAK : Code::UNKNOWN, "packets with another mark, or from beside the xfrm interface, take another policy: " +
                                                                  base::describe(theirs.way.why_not) + "; put a block policy beneath");
    return;
  }
  if (!theirs.way.is_protected) return;
  add_carriers(theirs.way, ours.way);
  ours.ends_at_peer = ours.ends_at_peer && theirs.ends_at_peer;
  ours.marked = ours.marked || theirs.marked;
}

void admit_strangers(const Spd& spd, const Sad& sad, const Packet& packet, Judged& ours) {
  std::size_t count = 0;
  for (const Packet& other : strangers(packet))
    for (const Path& path : lookup(spd, other)) {
      if (!ours.way.is_protected) return;
      if (++count <= kMaxPaths) {
        admit(judge(sad, path, other, spd.default_in), ours);
        continue;
      }
      ours.way.is_protected = false;
      ours.way.why_not = fail(Code::UNKNOWN, "too many policies with marks apply to " + described(packet));
    }
}

bool concerns_strangers(const Spd& spd, const Packet& packet) {
  return packet.if_id != 0 || std::ranges::any_of(spd.policies, [](const Policy& one) { return one.direction == Direction::in && one.mark.mask != 0; });
}

// disable_xfrm leaves the default to what leaves (xfrm_lookup), disable_policy lets everything in (__xfrm_check_dev_nopolicy).
Judged exempted(const Spd& spd, Direction direction) {
  Judged out;
  const bool blocks = direction == Direction::out && spd.default_out == Action::block;
  out.way.why_not = fail(blocks ? Code::BLOCKED : Code::BYPASS, blocks ? "disable_xfrm is set on the device and the default is block"
                                                                       : direction == Direction::out ? "disable_xfrm is set on the device" : "disable_policy is set on the device");
  return out;
}

// SCTP (Linux 6.1) asks for a route from its own choice of addresses before it asks from the socket's, and what comes of a refused look-up is
// not a refused packet: seen to leave in clear. So was what a tunnel should have carried that has no route. By IPv6 even a look-up that succeeds
// may be for another address. None has the mark.
const char* doubt_of_sctp(const Spd& spd, const Packet& packet, const Path& path, const OneWay& way) {
  if (packet.protocol != kSctp || packet.direction != Direction::out) return nullptr;
  if (packet.source.family == Family::ipv6) return "SCTP over IPv6 looks for policies from another address than it sends from";
  if (is_closed(way) && !way.is_protected) return "SCTP may send in clear what a policy refuses";
  const auto routed_anew = [](const Template& one) { return one.mode != Mode::transport; };
  if (std::ranges::any_of(path.policies, [&](const Policy* one) { return std::ranges::any_of(one->templates, routed_anew); }))
    return "SCTP sends in clear what a tunnel without a route should carry";
  const bool by_mark = std::ranges::any_of(spd.policies, [](const Policy& one) { return one.direction == Direction::out && one.mark.mask != 0; });
  return packet.mark != 0 && by_mark ? "SCTP looks for policies without the socket's mark" : nullptr;
}

Judged one_way(const Spd& spd, const Sad& sad, const Packet& packet, bool exempt) {
  if (exempt) return exempted(spd, packet.direction);
  const Path path = lookup(spd, packet).front();
  Judged out = judge(sad, path, packet, fallback_of(spd, packet.direction));
  if (const char* doubt = doubt_of_sctp(spd, packet, path, out.way)) {
    out.way.is_protected = false;
    out.way.why_not = fail(Code::UNKNOWN, doubt);
  }
  if (packet.direction == Direction::in && out.way.is_protected && concerns_strangers(spd, packet)) admit_strangers(spd, sad, packet, out);
  return out;
}

// A policy that is missing on one side only is its own finding; other reasons speak for themselves.
base::Error both_ways(const OneWay& out, const OneWay& in) {
  if (out.is_protected && in.is_protected) return {Code::ok, ""};
  const bool one = out.is_protected != in.is_protected;
  const base::Error& inner = out.is_protected || (!one && out.why_not.code == Code::NO_POLICY) ? in.why_not : out.why_not;
  const bool missing = inner.code == Code::NO_POLICY || inner.code == Code::BYPASS || inner.code == Code::OPTIONAL_POLICY;
  if (one && missing) return fail(Code::ONE_DIRECTION, std::string(out.is_protected ? "inbound: " : "outbound: ") + base::describe(inner));
  return inner;
}

bool is_on_the_wire(const Flow& flow) {
  return flow.local.family != Family::none && flow.local.family == flow.remote.family && !flow.local.is_v4_mapped() && !flow.remote.is_v4_mapped() &&
         flow.protocol != 0 && flow.protocol <= 255;
}

base::Error exempt(const Surroundings& around, const Flow& flow) {
  if (!is_on_the_wire(flow)) return fail(Code::UNKNOWN, "no single flow on the wire: " + format(flow));
  if (around.same_host || flow.local.is_loopback() || flow.remote.is_loopback() || flow.local == flow.remote) return fail(Code::LOOPBACK, format(flow));
  if (!around.mirror_fresh) return fail(Code::UNKNOWN, "the kernel's databases are being read again");
  if (around.too_many) return fail(Code::UNKNOWN, "more policies or SAs could apply than are looked at");
  return {Code::ok, ""};
}

base::Error not_latchable(const Judged& judged, const Flow& flow, Direction direction) {
  if (judged.marked) return fail(Code::NOT_LATCHABLE, "a policy or an SA carries an if_id or a mark");
  const auto templates = latch_templates(judged.way, flow, direction, false);
  return templates.ok() ? base::Error{Code::ok, ""} : templates.error();
}

base::Error not_latchable(const Judged& out, const Judged& in, const Flow& flow, const Surroundings& around) {
  // sctp_v4_get_dst() and sctp_v6_get_dst() (Linux 6.1) route without the socket: outbound its policy is never looked at.
  if (flow.protocol == kSctp) return fail(Code::NOT_LATCHABLE, "the kernel does not heed the policies of SCTP sockets");
  if (around.vrf) return fail(Code::NOT_LATCHABLE, "the route goes through a VRF");
  if (flow.if_id != 0) return fail(Code::NOT_LATCHABLE, "the route goes through an xfrm interface");
  base::Error error = not_latchable(out, flow, Direction::out);
  return error.code != Code::ok ? error : not_latchable(in, flow, Direction::in);
}

// Both hosts must find the same mode, so neither direction comes first.
Mode mode_of(const Judged& out, const Judged& in) {
  for (const Mode mode : {Mode::other, Mode::tunnel, Mode::beet})
    if (out.mode == mode || in.mode == mode) return mode;
  return Mode::transport;
}

}  // namespace

Verdict resolve(const Flow& flow, const Spd& spd, const Sad& sad, const Surroundings& around) {
  Verdict verdict;
  verdict.why_not = exempt(around, flow);
  if (verdict.why_not.code != Code::ok) {
    verdict.out.why_not = verdict.in.why_not = verdict.why_not_latchable = verdict.why_not;
    return verdict;
  }
  Judged out = one_way(spd, sad, packet_of(flow, Direction::out), around.exempt_out);
  Judged in = one_way(spd, sad, packet_of(flow, Direction::in), around.exempt_in);
  verdict.why_not = verdict.why_not_latchable = both_ways(out.way, in.way);
  verdict.is_protected = verdict.why_not.code == Code::ok;
  if (verdict.is_protected) {
    verdict.mode = mode_of(out, in);
    verdict.quality = weakest(out.way.quality, in.way.quality);
    // strongSwan's outbound SAs show no window: replay is the receiver's business.
    verdict.quality.replay_protection = in.way.quality.replay_protection;
    verdict.end_to_end = out.ends_at_peer && in.ends_at_peer;
    verdict.why_not_latchable = not_latchable(out, in, flow, around);
    verdict.latchable = verdict.why_not_latchable.code == Code::ok;
  }
  verdict.out = std::move(out.way);
  verdict.in = std::move(in.way);
  return verdict;
}

}  // namespace gssipsec::channel
