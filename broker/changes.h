// SPDX-License-Identifier: MIT
// What changed in the mirror since it was last published, and what a verdict rests on: together they tell whose verdict may be
// another one now. Too many is possible, too few is not. Pure.
#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "broker/board.h"

namespace gssipsec::broker {

struct Changes {
  bool everything = false;                    // the databases were read anew, or a default changed
  bool all_sas = false;                       // SAs were flushed
  std::unordered_set<std::uint32_t> reqids;   // of SAs that came, changed or went
  std::vector<channel::Policy> policies;      // that came or went; an update is both

  [[nodiscard]] bool empty() const noexcept { return !everything && !all_sas && reqids.empty() && policies.empty(); }
  void add(kernel::Effect effect);
};

// The SAs that a flow's policies ask for. Other policies make another footing, so it is to be taken anew with each verdict.
struct Footing {
  std::vector<std::uint32_t> reqids;  // sorted
  bool any_sa = false;                // a template without a reqid takes every SA that comes
};
[[nodiscard]] Footing footing_of(const View& view);

[[nodiscard]] bool may_concern(const Changes& changes, const channel::Flow& flow, const Footing& footing);

}  // namespace gssipsec::broker
