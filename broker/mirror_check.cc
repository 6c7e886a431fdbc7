// SPDX-License-Identifier: MIT
// MIRROR: compares the board with a dump of its own. The two are not taken at the same moment: what differs counts only when
// the mirror has had the time to hear of it and did not.
#include <algorithm>

#include "broker/handlers.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;

constexpr auto kAskAgain = std::chrono::milliseconds(50), kOnItsWay = std::chrono::milliseconds(150);

Answer answer_of(const kernel::Drift& drift) {
  protocol::MirrorReply reply{drift.count == 0, static_cast<std::uint32_t>(drift.sas), static_cast<std::uint32_t>(drift.policies), {}};
  for (const std::string& line : drift.examples) reply.differences += line + "\n";
  if (drift.count > drift.examples.size()) reply.differences += "and " + std::to_string(drift.count - drift.examples.size()) + " more\n";
  return Answer{encode(reply)};
}

base::Result<kernel::Drift> compare(Core& core, Bench& bench) {
  const auto port = bench.xfrm();
  if (!port) return port.error();
  const auto truth = kernel::dump(**port);
  if (!truth) {
    bench.drop_xfrm();
    return truth.error();
  }
  kernel::Drift drift;
  core.board.read([&](const kernel::Tables& tables) { drift = kernel::drift_of(tables, *truth); });
  return drift;
}

}  // namespace

base::Result<Answer> handle_mirror(Core& core, Bench& bench, const Request& request) {
  if (!request.body.empty()) return fail(Code::BAD_MESSAGE, "MIRROR has no body");
  if (!request.caller.privileged) return fail(Code::NOT_ALLOWED, "wanted root for a look at all SAs and policies");
  base::Error why = fail(Code::UNKNOWN, "the broker's copy is behind the kernel and is being read anew");
  while (now() < request.deadline) {
    const Outline before = core.board.outline();
    if (!before.fresh) {
      core.board.wait_newer(before.version, std::min(request.deadline, now() + kAskAgain));
      continue;
    }
    const auto drift = compare(core, bench);
    if (!drift && drift.error().code != Code::NETLINK_LOST) return drift.error();
    if (drift && drift->count == 0) return answer_of(*drift);
    core.board.wait_newer(before.version, std::min(request.deadline, now() + kOnItsWay));
    if (drift && core.board.outline().version == before.version) return answer_of(*drift);
    why = fail(Code::UNKNOWN, "the databases change all the time; ask again");
  }
  return why;
}

}  // namespace gssipsec::broker
