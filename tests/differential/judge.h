// SPDX-License-Identifier: MIT
// When verdict and kernel agree. Written down here and in docs/differential.md, and nowhere else.
//
// Outbound, one packet (a datagram or a SYN):
//   protected         one packet left; it was ESP or AH, or compressed around them; an SA that the verdict names has carried
//                     it; nothing of the flow was legible. Or nothing left because that SA's own limits were reached, or
//                     because it ends at the unspecified address, which is this host, or because it is from any address and a larval
//                     one is from the packet's own: a connection that stalls is not in clear.
//   NO_POLICY, BYPASS one packet left in clear, no SA carried anything. A policy that only compresses may also stall.
//   OPTIONAL_POLICY   anything: that is what the reason says.
//   BLOCKED, NO_SA    nothing left.
//   WEAK              what left was ESP or AH.
//   UNKNOWN           only for the reasons of unknowns.h.
// Inbound, packets that the peer sends in clear, by the SAs that the policy asks for, or by any others:
//   protected         what was delivered was carried by an SA that the verdict names, and what was carried as the policy asks
//                     was delivered, unless an SA's own limits forbade it, the socket is bound to another device than the
//                     outer addresses lead to, or has a mark, which packets do not. Once more it is delivered only where the verdict
//                     does not claim protection against replay.
//   NO_POLICY, BYPASS clear text was delivered.
//   OPTIONAL_POLICY   clear text was delivered, where every template is optional.
//   BLOCKED, NO_SA    nothing was delivered.
//   WEAK              clear text was not delivered.
//   UNKNOWN           as above.
#pragma once

#include <optional>

#include "tests/differential/host.h"
#include "tests/differential/wire.h"

namespace gssipsec::differential {

struct Sent {
  int error = 0;  // errno of the call
  std::vector<Seen> wire;
  Counts carried;  // by A's SAs
  bool larval = false;  // there are such SAs
  Statistics statistics;
};

struct Received {
  enum class How : std::uint8_t { clear, as_wanted, otherwise } how = How::clear;
  std::vector<SaName> by;  // the SAs it was sent with, innermost first
  bool delivered = false;
  bool otherwise = false;  // it came by another device than the socket's, or without its mark
  bool marked = false;     // one of these SAs gives it a mark: only "protected" speaks of that
  bool fragment = false;   // it came with a fragment header: Linux 6.1 gives one to IPv6 packets around IPv4 ones
  bool again = false;      // delivered once more when it was repeated
  Statistics statistics;
};

struct Finding {
  bool agrees = true;
  bool leak = false;  // "protected", and it was not
  std::string text;
};

[[nodiscard]] Finding judge(const channel::OneWay& way, const Sent& sent);
[[nodiscard]] Finding judge(const channel::OneWay& way, const Received& received);

[[nodiscard]] std::string format(const Sent& sent);
[[nodiscard]] std::string format(const Received& received);

}  // namespace gssipsec::differential
