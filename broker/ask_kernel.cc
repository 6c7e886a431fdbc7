// SPDX-License-Identifier: MIT
#include "broker/ask_kernel.h"

#include <limits>

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;

base::Status small_enough(kernel::NetlinkPort& port) {
  const auto counts = kernel::read_counts(port);
  if (!counts) return counts.error();
  if (counts->sas <= kMostAsked && counts->policies <= kMostAsked - counts->sas) return {};
  return fail(Code::UNKNOWN, "more SAs and policies than are read for one question");
}

// Policies that are the same before and after were so while the SAs were read.
base::Result<kernel::Databases> read_at_once(kernel::NetlinkPort& port) {
  if (const base::Status small = small_enough(port); !small.ok()) return small.error();
  auto databases = kernel::dump(port);
  if (!databases) return databases;
  const auto after = kernel::dump_spd(port);
  if (!after) return after.error();
  if (*after != databases->spd) return fail(Code::NETLINK_LOST, "policies changed while SAs were read");
  return databases;
}

// What a source said counts for the SA that it can have seen: one that the mirror knows. Of others it said nothing yet.
channel::Arrival arrival_of(const kernel::Tables& known, const channel::Sa& sa) {
  const channel::SadIndex::Held* held = known.sad.find(sa.id, sa.mark);
  if (held && held->sa.added == sa.added) return held->arrival;
  return {std::numeric_limits<std::uint64_t>::max(), now()};
}

}  // namespace

std::optional<View> ask_kernel(const Board& board, Bench& bench, const channel::Flow& flow) {
  const Outline outline = board.outline();
  const auto port = bench.xfrm();
  if (!port) return std::nullopt;
  auto databases = read_at_once(**port);
  if (!databases) {
    bench.drop_xfrm();
    return std::nullopt;
  }
  kernel::Tables tables;
  board.read([&](const kernel::Tables& known) {
    tables = kernel::tables_of(*std::move(databases), [&known](const channel::Sa& sa) { return arrival_of(known, sa); });
  });
  View view = view_of(outline, tables, flow);
  view.fresh = view.asked = true;
  return view;
}

}  // namespace gssipsec::broker
