// SPDX-License-Identifier: MIT
#include "tests/differential/judge.h"

#include <algorithm>

namespace gssipsec::differential {
namespace {

using base::Code;
using How = Received::How;

Finding agreed() { return {}; }
Finding disagreed(std::string text, bool leak = false) { return {false, leak, std::move(text)}; }

std::vector<Seen> left_a(const Sent& sent) {
  std::vector<Seen> out;
  std::ranges::copy_if(sent.wire, std::back_inserter(out), [](const Seen& seen) { return seen.to_b; });
  return out;
}

bool is_secured(const Seen& seen) { return seen.protection == channel::kProtoEsp || seen.protection == channel::kProtoAh; }

bool named(const channel::OneWay& way, const SaName& sa) {
  return std::ranges::any_of(way.carriers, [&sa](const channel::Sa& carrier) { return carrier.id == sa.id && carrier.mark == sa.mark; });
}

// An SA's life is over, its sequence numbers are used up, or nothing leads to its other end.
bool stalled(const Statistics& statistics, std::string_view direction) {
  const std::string prefix(direction);
  return total(statistics, prefix + "StateExpired") + total(statistics, prefix + "StateSeqError") + total(statistics, prefix + "StateInvalid") +
             total(statistics, prefix + "BundleGenError") > 0;
}

// To the unspecified address, which is this host: it does not come to the cable.
bool stays_here(const channel::OneWay& way) {
  return way.policy && std::ranges::any_of(way.policy->templates, [](const channel::Template& entry) {
           return entry.mode != channel::Mode::transport && entry.destination.is_any();
         });
}

// xfrm_state_find() does not come to the SAs from any address where a larval one is from the packet's own: it waits for that.
bool waits(const Sent& sent) { return sent.larval && total(sent.statistics, "XfrmOutNoStates") > 0; }

bool only_compresses(const channel::OneWay& way) { return way.policy && !way.policy->templates.empty(); }

Finding judge_protected(const channel::OneWay& way, const Sent& sent, const std::vector<Seen>& left) {
  if (std::ranges::any_of(left, [](const Seen& seen) { return seen.clear; })) return disagreed("protected, but it left in clear", true);
  if (left.empty()) return stalled(sent.statistics, "XfrmOut") || stays_here(way) || waits(sent) ? agreed() : disagreed("protected, but nothing left");
  if (left.size() > 1) return disagreed("protected, but several packets left");
  const bool carried = std::ranges::any_of(sent.carried, [&way](const auto& entry) { return named(way, entry.first); });
  if (!carried) return disagreed("protected, but none of the SAs that are named carried it", true);
  return is_secured(left.front()) || left.front().protection == channel::kProtoComp ? agreed() : disagreed("protected, but it was neither ESP nor AH", true);
}

Finding judge_clear(const channel::OneWay& way, const Sent& sent, const std::vector<Seen>& left) {
  if (only_compresses(way)) return agreed();
  const bool one = left.size() == 1 && left.front().of_flow && sent.carried.empty();
  return one ? agreed() : disagreed("not protected, but no packet left in clear");
}

Finding judge_weak(const std::vector<Seen>& left) {
  const bool in_sa = std::ranges::all_of(left, [](const Seen& seen) { return seen.protection != 0; });
  return in_sa ? agreed() : disagreed("weakly protected, but it left in clear");
}

// Compression is skipped for what does not get smaller, and then a template that requires it is not met. AH inside ESP is
// refused by the lab's kernels, whoever made it.
bool may_be_refused(const Received& received) {
  if (stalled(received.statistics, "XfrmIn") || received.otherwise || received.marked) return true;
  // Linux 6.1 leaves the header of the only fragment where it is, and then AH does not fit.
  if (received.fragment && total(received.statistics, "XfrmInStateProtoError") > 0) return true;
  const auto is = [](std::uint8_t protocol) { return [protocol](const SaName& sa) { return sa.id.protocol == protocol; }; };
  if (std::ranges::any_of(received.by, is(channel::kProtoComp))) return true;
  const auto ah = std::ranges::find_if(received.by, is(channel::kProtoAh));
  return std::any_of(ah, received.by.end(), is(channel::kProtoEsp)) && total(received.statistics, "XfrmInStateProtoError") > 0;
}

Finding judge_delivered(const channel::OneWay& way, const Received& received) {
  if (received.how == How::clear) return disagreed("protected, but clear text was delivered", true);
  if (std::ranges::none_of(received.by, [&way](const SaName& sa) { return named(way, sa); }))
    return disagreed("protected, but what came by other SAs was delivered", true);
  return received.again && way.quality.replay_protection ? disagreed("protected against replay, but a packet was delivered twice", true) : agreed();
}

bool all_optional(const channel::OneWay& way) {
  return way.policy && std::ranges::all_of(way.policy->templates, [](const channel::Template& entry) { return entry.optional; });
}

Finding judge_passing(bool must_pass, const Received& received) {
  const bool refused = received.how == How::clear && !received.delivered;
  return must_pass && refused ? disagreed("not protected, but clear text was refused") : agreed();
}

std::string format(const Statistics& statistics) {
  std::string out;
  for (const auto& [name, count] : statistics) out += " " + name + "+" + std::to_string(count);
  return out;
}

}  // namespace

Finding judge(const channel::OneWay& way, const Sent& sent) {
  const std::vector<Seen> left = left_a(sent);
  if (way.is_protected) return judge_protected(way, sent, left);
  switch (way.why_not.code) {
    case Code::NO_POLICY:
    case Code::BYPASS: return judge_clear(way, sent, left);
    case Code::OPTIONAL_POLICY:
    case Code::UNKNOWN: return agreed();
    case Code::BLOCKED:
    case Code::NO_SA: return left.empty() ? agreed() : disagreed("nothing should have left");
    case Code::WEAK: return judge_weak(left);
    default: return disagreed(std::string("an unexpected reason: ") + base::code_name(way.why_not.code));
  }
}

Finding judge(const channel::OneWay& way, const Received& received) {
  if (way.is_protected && received.delivered) return judge_delivered(way, received);
  if (way.is_protected)
    return received.how == How::as_wanted && !may_be_refused(received) ? disagreed("protected, but what came as the policy asks was refused") : agreed();
  switch (way.why_not.code) {
    case Code::NO_POLICY: return judge_passing(true, received);
    case Code::BYPASS: return judge_passing(!only_compresses(way), received);
    case Code::OPTIONAL_POLICY: return judge_passing(all_optional(way), received);
    case Code::UNKNOWN: return agreed();
    case Code::BLOCKED:
    case Code::NO_SA: return received.delivered && !received.marked ? disagreed("nothing should have been delivered") : agreed();
    case Code::WEAK: return received.delivered && received.how == How::clear ? disagreed("clear text was delivered") : agreed();
    default: return disagreed(std::string("an unexpected reason: ") + base::code_name(way.why_not.code));
  }
}

std::string format(const Sent& sent) {
  std::string out = "errno " + std::to_string(sent.error) + "; wire:";
  for (const Seen& seen : sent.wire) out += " [" + format(seen) + "]";
  out += "; carried:";
  for (const auto& [sa, count] : sent.carried) out += " " + channel::format(sa.id) + " x" + std::to_string(count);
  return out + ";" + format(sent.statistics);
}

std::string format(const Received& received) {
  std::string out = received.how == How::clear ? "clear" : received.how == How::as_wanted ? "as wanted" : "otherwise";
  for (const SaName& sa : received.by) out += " " + channel::format(sa.id);
  return out + (received.delivered ? ": delivered" : ": not delivered") + (received.again ? ", twice;" : ";") + format(received.statistics);
}

}  // namespace gssipsec::differential
