// SPDX-License-Identifier: MIT
#include "broker/picture.h"

#include <algorithm>

namespace gssipsec::broker {
namespace {

using protocol::EventType;
using protocol::LatchState;

std::vector<Carrier> carriers_of(const channel::OneWay& way) {
  std::vector<Carrier> found;
  for (const channel::Sa& sa : way.carriers) found.push_back({sa.id, sa.source});
  std::sort(found.begin(), found.end());
  return found;
}

bool has(const std::vector<Carrier>& carriers, const channel::SaId& id) noexcept {
  return std::any_of(carriers.begin(), carriers.end(), [&id](const Carrier& carrier) { return carrier.id == id; });
}

// The same SA at other addresses: peers keep the SPIs when they move.
bool moved(const Carrier& now, const std::vector<Carrier>& before) {
  return std::any_of(before.begin(), before.end(), [&now](const Carrier& then) {
    return then.id.spi == now.id.spi && then.id.protocol == now.id.protocol && then != now;
  });
}

void compare_carriers(const Picture& before, const Picture& after, std::vector<Change>& changes) {
  const std::vector<Carrier>& then = before.is_protected ? before.out : before.former;
  std::vector<channel::SaId> moves, fresh;
  for (const Carrier& carrier : after.out) {
    if (std::binary_search(then.begin(), then.end(), carrier)) continue;
    (moved(carrier, then) ? moves : fresh).push_back(carrier.id);
  }
  if (!moves.empty()) changes.push_back({.type = EventType::migrated, .sas = std::move(moves)});
  if (before.is_protected && !fresh.empty()) changes.push_back({.type = EventType::rekeyed, .sas = std::move(fresh)});
}

}  // namespace

Picture picture_of(const Assessment& assessment, LatchState latch) {
  Picture picture;
  picture.is_protected = assessment.verdict.is_protected;
  if (!picture.is_protected) picture.why = assessment.verdict.why_not;
  picture.out = carriers_of(assessment.verdict.out);
  picture.in = carriers_of(assessment.verdict.in);
  picture.peer = assessment.peer;
  picture.latch = latch;
  return picture;
}

bool carries(const Picture& picture, const channel::SaId& id) noexcept { return has(picture.out, id) || has(picture.in, id); }

std::vector<Change> differences(const Picture& before, const Picture& after) {
  std::vector<Change> changes;
  const bool other_peer = before.peer && after.peer && !same_end(*before.peer, *after.peer);
  if (other_peer) changes.push_back({.type = EventType::identity_changed});
  if (before.latch != LatchState::broken && after.latch == LatchState::broken)
    changes.push_back({.type = EventType::latch_broken, .why = base::fail(base::Code::LATCH_BROKEN)});
  if (before.is_protected != after.is_protected) changes.push_back({.type = EventType::protection, .why = after.why});
  if (after.is_protected && !other_peer) compare_carriers(before, after, changes);
  if (before.latch == LatchState::broken && after.latch == LatchState::established) changes.push_back({.type = EventType::latch_restored});
  return changes;
}

void advance(Picture& picture, Picture after) {
  if (!after.peer) after.peer = std::move(picture.peer);
  if (!after.is_protected) after.former = picture.is_protected ? std::move(picture.out) : std::move(picture.former);
  picture = std::move(after);
}

}  // namespace gssipsec::broker
