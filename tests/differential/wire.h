// SPDX-License-Identifier: MIT
// What is seen on the cable, at B's end: both devices, both directions. A packet is taken apart as far as it is legible.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/unique_fd.h"
#include "channel/flow.h"

namespace gssipsec::differential {

struct Seen {
  bool to_b = false;              // else sent by B
  bool clear = false;             // the transport header of the flow's protocol can be read outside ESP and AH
  bool of_flow = false;           // and it has the flow's ports
  bool fragment = false;          // with a fragment header, the first or the only one
  std::uint8_t protection = 0;    // 50, 51 or 108: the first that was met; 0 none
  std::uint32_t spi = 0;
  std::uint16_t ethertype = 0;
  std::uint32_t ifindex = 0;
  base::Bytes octets;             // from the network header on
};

[[nodiscard]] std::string format(const Seen& seen);

class Wire {
 public:
  Wire();  // in B's namespace
  // What passed since the last call, without neighbour discovery and its kin. `flow` is A's.
  [[nodiscard]] std::vector<Seen> read(const channel::Flow& flow);
  // Sends what B had sent before once more.
  void repeat(const Seen& seen);

 private:
  base::UniqueFd fd_;
};

}  // namespace gssipsec::differential
