// SPDX-License-Identifier: MIT
// What becomes of one packet on one path through the SPD: passed in clear, blocked, or carried by SAs. Pure.
#pragma once

#include "channel/join.h"

namespace gssipsec::channel {

struct Judged {
  OneWay way;
  Mode mode = Mode::transport;  // tunnel if any template is; else BEET if any is
  bool ends_at_peer = true;     // every template that protects does
  bool marked = false;          // a policy or an SA carries an if_id or a mark
};
[[nodiscard]] Judged judge(const Sad& sad, const Path& path, const Packet& packet, Action fallback);

// "10.1.0.1 > 10.1.0.2 protocol 6", for people.
[[nodiscard]] std::string described(const Packet& packet);

}  // namespace gssipsec::channel
