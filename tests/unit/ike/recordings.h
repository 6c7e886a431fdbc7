// SPDX-License-Identifier: MIT
// What strongSwan 5.9.8 really sent: two hosts, one connection for each way to prove a peer (cert, certdn, certwild, psk,
// pskany, raw, addr, eap, rounds, ah, v6), seen from both. `after` is the client after tcert was rekeyed, the IKE_SA of
// psk was rekeyed and addr was closed, as `client-events` tells.
#pragma once

#include <string>
#include <vector>

#include "ike/vici_codec.h"
#include "ike/vici_report.h"

namespace gssipsec::ike::test {

[[nodiscard]] base::Bytes recording(const std::string& name);  // "client-list-sas"
[[nodiscard]] std::vector<ViciPacket> packets_of(const base::Bytes& stream);

[[nodiscard]] ViciConnections recorded_connections(const std::string& host);
[[nodiscard]] std::vector<ViciIkeSa> recorded_sas(const std::string& name);
// The join of both.
[[nodiscard]] Peers recorded_peers(const std::string& host);

// The only SA of a connection towards an address.
[[nodiscard]] channel::PeerInfo peer_towards(const Peers& peers, const std::string& destination, std::uint8_t protocol = channel::kProtoEsp);

// Short ways to write messages.
[[nodiscard]] ViciSection section(std::string name, std::vector<std::pair<std::string, std::string>> values,
                                  std::vector<ViciSection> inner = {});
[[nodiscard]] ViciSection message(std::vector<ViciSection> inner);
[[nodiscard]] ViciSection connection(const std::string& name, std::vector<ViciSection> rounds);
[[nodiscard]] ViciSection remote_round(const std::string& kind, const std::string& id);
// One IKE_SA between 192.0.2.1 and 192.0.2.2 with one CHILD_SA, SPIs c1 in and c2 out.
[[nodiscard]] ViciSection ike_sa(const std::string& name, const std::string& unique_id, const std::string& remote_id,
                                 const std::string& state = "ESTABLISHED", const std::string& child_state = "INSTALLED");

}  // namespace gssipsec::ike::test
