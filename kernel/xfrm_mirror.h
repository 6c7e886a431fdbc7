// SPDX-License-Identifier: MIT
// A copy of the kernel's databases, indexed, that events keep in step. Not thread-safe: its owner locks.
#pragma once

#include <functional>

#include "channel/sad_index.h"
#include "channel/spd_index.h"
#include "kernel/xfrm.h"

namespace gssipsec::kernel {

struct Tables {
  channel::SpdIndex spd;
  channel::SadIndex sad;
};

// What an event did, as far as others must know.
struct Effect {
  bool fits = true;                              // false: the copy cannot be kept in step; dump again
  std::vector<channel::Policy> removed, added;   // an update is both
  bool defaults = false;                         // default policies changed
  std::vector<std::uint32_t> reqids;             // of SAs that came, changed or went
  bool all_sas = false;                          // any SA may be gone
  std::optional<channel::SaId> arrived;          // this name means an SA that nobody can have seen
  bool replaced = false;                         // and another one before
};

// An SA that comes gets `arrival`.
[[nodiscard]] Effect apply(const Event& event, Tables& tables, const channel::Arrival& arrival);

// The same policy, whatever is known of its place among equals.
[[nodiscard]] bool same_but_order(channel::Policy a, const channel::Policy& b);

// Makes `have` what `wanted` is. Policies that stay keep what is known of their order.
[[nodiscard]] Effect bring_to(channel::SpdIndex& have, const channel::SpdIndex& wanted);

using ArrivalOf = std::function<channel::Arrival(const channel::Sa&)>;
[[nodiscard]] Tables tables_of(Databases databases, const ArrivalOf& arrival_of);

// How the copy differs from a fresh dump. What no dump or no event tells is left out: which SAs are dying, larval SAs, the
// order of policies.
struct Drift {
  std::size_t sas = 0, policies = 0;   // of the dump, that were compared
  std::size_t count = 0;               // of what differs
  std::vector<std::string> examples;   // the first of these
};
[[nodiscard]] Drift drift_of(const Tables& copy, const Databases& truth);

}  // namespace gssipsec::kernel
