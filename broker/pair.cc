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
    const auto peer = view.peer_of(sa.id);
    if (!peer || !peer->leaving) out.push_back(sa);
  }
  return out.empty() ? carriers : out;
}

bool just_changed(const std::vector<channel::Sa>& carriers, std::uint64_t now) noexcept {
  if (carriers.size() < 2) return false;
  return std::ranges::any_of(carriers, [now](const channel::Sa& sa) { return sa.added + kSettled > now; });
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

bool in_a_rekey(const channel::Verdict& verdict, std::uint64_t now) noexcept {
  return just_changed(verdict.out.carriers, now) || just_changed(verdict.in.carriers, now);
}

}  // namespace gssipsec::broker
