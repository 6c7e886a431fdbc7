// SPDX-License-Identifier: MIT
#include <algorithm>
#include <tuple>

#include "channel/resolver.h"

namespace gssipsec::channel {
namespace {

using base::Code;
using base::fail;

// The carrier to pin to: the newest, as the kernel prefers it. Of two of one second both hosts take the same SPI.
const Sa& newest(const std::vector<Sa>& carriers) {
  return *std::ranges::max_element(carriers, [](const Sa& a, const Sa& b) {
    return std::tuple(!a.dying, a.added, ~a.id.spi) < std::tuple(!b.dying, b.added, ~b.id.spi);
  });
}

void fill_addresses(Template& entry, const Flow& flow, Direction direction) {
  const bool out = direction == Direction::out;
  if (entry.source.is_any()) entry.source = out ? flow.local : flow.remote;
  if (entry.destination.is_any()) entry.destination = out ? flow.remote : flow.local;
  entry.family = entry.destination.family;
}

// An open end of a tunnel is what its SAs say, if they agree. Transport mode has the flow's addresses.
base::Status fill_outer(Template& entry, const std::vector<Sa>& carriers) {
  if (entry.mode == Mode::transport || (!entry.source.is_any() && !entry.destination.is_any())) return {};
  for (const Sa& sa : carriers)
    if (sa.source != carriers.front().source || sa.id.destination != carriers.front().id.destination)
      return fail(Code::NOT_LATCHABLE, "the policy leaves the tunnel's ends open and its SAs have several");
  if (entry.source.is_any()) entry.source = carriers.front().source;
  if (entry.destination.is_any()) entry.destination = carriers.front().id.destination;
  return {};
}

base::Status copyable(const Template& entry) {
  if (entry.protocol != kProtoEsp && entry.protocol != kProtoAh) return fail(Code::NOT_LATCHABLE, "the policy compresses");
  if (entry.optional) return fail(Code::NOT_LATCHABLE, "an optional template would let clear text pass");
  if (entry.mode == Mode::other) return fail(Code::NOT_LATCHABLE, "a template of this mode cannot be copied");
  if (entry.reqid == 0) return fail(Code::NOT_LATCHABLE, "the policy's template has no reqid, so any SA between these hosts would do");
  return {};
}

// Whatever a policy asks for, with an SA or without; `fits` may refuse a template.
template <typename Fits>
base::Result<std::vector<Template>> asked_templates(const OneWay& way, const Flow& flow, Direction direction, Fits fits) {
  if (!way.is_protected && way.why_not.code != Code::NO_SA) return way.why_not;
  if (!way.policy || way.policy->sub_policy) return fail(Code::NOT_LATCHABLE, "no single policy covers the peer");
  if (way.policy->mark.mask != 0 || way.policy->if_id != 0) return fail(Code::NOT_LATCHABLE, "the policy carries an if_id or a mark");
  std::vector<Template> templates = way.policy->templates;
  for (Template& entry : templates) {
    if (base::Status status = copyable(entry); !status.ok()) return status.error();
    if (base::Status status = fits(entry); !status.ok()) return status.error();
    fill_addresses(entry, flow, direction);
    entry.spi = 0;
  }
  return templates;
}

}  // namespace

base::Result<std::vector<Template>> latch_templates(const OneWay& way, const Flow& flow, Direction direction, bool pin) {
  if (!way.is_protected || !way.policy || way.carriers.empty()) return fail(Code::NOT_LATCHABLE, "not protected");
  if (way.policy->sub_policy) return fail(Code::NOT_LATCHABLE, "a sub policy and a main policy apply together");
  std::vector<Template> templates = way.policy->templates;
  if (templates.size() > 1 && pin) return fail(Code::NOT_LATCHABLE, "a bundle of several templates cannot be pinned to its SAs");
  for (Template& entry : templates) {
    if (base::Status status = copyable(entry); !status.ok()) return status.error();
    if (templates.size() > 1 && entry.mode != Mode::transport && (entry.source.is_any() || entry.destination.is_any()))
      return fail(Code::NOT_LATCHABLE, "a bundle leaves the ends of a tunnel open");
    if (base::Status status = fill_outer(entry, way.carriers); !status.ok()) return status.error();
    fill_addresses(entry, flow, direction);
    // strongSwan names the present SA in its outbound policy; copied, that would stall the socket at the next rekey.
    entry.spi = pin ? newest(way.carriers).id.spi : 0;
  }
  return templates;
}

base::Result<std::vector<Template>> listener_templates(const OneWay& way, const Flow& flow, Direction direction) {
  return asked_templates(way, flow, direction, [](const Template& entry) {
    if (entry.mode == Mode::transport) return base::Status();
    return base::Status(fail(Code::NOT_LATCHABLE, "a tunnel's template admits one peer only; latch each accepted socket"));
  });
}

base::Result<std::vector<Template>> required_templates(const OneWay& way, const Flow& flow, Direction direction) {
  return asked_templates(way, flow, direction, [](const Template& entry) {
    if (entry.mode == Mode::transport || (!entry.source.is_any() && !entry.destination.is_any())) return base::Status();
    return base::Status(fail(Code::NOT_LATCHABLE, "the policy leaves the tunnel's ends open"));
  });
}

}  // namespace gssipsec::channel
