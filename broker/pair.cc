// SPDX-License-Identifier: MIT
#include "broker/pair.h"

#include <algorithm>

namespace gssipsec::broker {
namespace {

constexpr std::uint64_t kSettled = 5;  // seconds

// After a rekey each host keeps old SAs for as long as it likes, so the smallest tag over all of them would name one that
// the peer has no more. Those that the IKE daemon is about to delete are for packets on their way.
std::vector<channel::Sa> staying(const View& view, const std::vector<channel::Sa>& carriers) {
  std::vector<channel::Sa> out;
  for (const channel::Sa& sa : carriers) {
    const auto peer = view.peer_of(sa.id, now());
    if (!peer || !peer->leaving) out.push_back(sa);
  }
  return out.empty() ? carriers : out;
}

// Its predecessor may be gone by now: some daemons delete it at once. By the clock that nobody sets, or there would be no end to it.
bool just_followed(const channel::Sa& sa, const Arrivals& arrivals) {
  const auto arrival = arrivals.find(sa.id);
  return arrival != arrivals.end() && arrival->second.follows && arrival->second.when + std::chrono::seconds(kSettled) > now();
}

bool just_changed(const std::vector<channel::Sa>& carriers, const Arrivals& arrivals, std::uint64_t realtime) {
  return std::ranges::any_of(carriers, [&](const channel::Sa& sa) {
    return (carriers.size() > 1 && sa.added + kSettled > realtime) || just_followed(sa, arrivals);
  });
}

}  // namespace

base::Result<Pair> choose_pair(Core& core, Bench& bench, const Case& seen, channel::Role role) {
  const auto out = core.exporters.choose(bench, staying(seen.view, seen.assessment.verdict.out.carriers));
  if (!out) return out.error();
  const auto in = core.exporters.choose(bench, staying(seen.view, seen.assessment.verdict.in.carriers));
  if (!in) return in.error();
  const bool initiator = role == channel::Role::initiator;
  auto exporter = core.exporters.of(bench, initiator ? *out : *in, initiator ? *in : *out, now());
  if (!exporter) return exporter.error();
  return Pair{*out, *in, std::move(*exporter)};
}

bool in_a_rekey(const channel::Verdict& verdict, const Arrivals& arrivals, std::uint64_t realtime) {
  return just_changed(verdict.out.carriers, arrivals, realtime) || just_changed(verdict.in.carriers, arrivals, realtime);
}

}  // namespace gssipsec::broker
