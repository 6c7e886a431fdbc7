// SPDX-License-Identifier: MIT
// A whole stream of the IKE daemon's events: connections and IKE_SAs in any order, joined. Nobody whose identity has no
// type is ever authenticated, and every SA has a name.
#include <cstdint>
#include <cstdlib>

#include "ike/vici_report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gssipsec;
  ike::ViciStream stream;
  stream.append(std::as_bytes(std::span(data, size)));
  ike::ViciConnections known;
  ike::Peers peers;
  for (auto segment = stream.next(); segment.ok() && *segment; segment = stream.next()) {
    const auto packet = ike::decode_vici(**segment);
    if (!packet) continue;
    ike::add_connections(packet->message, known);
    (void)ike::read_ike_rekey(packet->message);
    for (const ike::ViciIkeSa& sa : ike::read_ike_sas(packet->message))
      ike::add_peers(sa, known.count(sa.connection) ? known[sa.connection] : ike::ViciAuth{}, sa.unique_id, peers);
  }
  for (const auto& [id, peer] : peers)
    if (id.spi == 0 || id.destination.is_any() || (peer.remote_fixed && peer.remote.type == channel::IdType::none)) std::abort();
  return 0;
}
