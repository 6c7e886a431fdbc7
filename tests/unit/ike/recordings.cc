// SPDX-License-Identifier: MIT
#include "tests/unit/ike/recordings.h"

#include <cppunit/TestAssert.h>

#include <fstream>
#include <iterator>

#include "tests/support/source_dir.h"

namespace gssipsec::ike::test {

base::Bytes recording(const std::string& name) {
  std::ifstream file(support::source_path("tests/unit/ike/data/" + name + ".bin"), std::ios::binary);
  CPPUNIT_ASSERT_MESSAGE("no recording " + name, file.good());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const base::View view = base::view_of(text);
  return {view.begin(), view.end()};
}

std::vector<ViciPacket> packets_of(const base::Bytes& stream) {
  ViciStream cutter;
  cutter.append(stream);
  std::vector<ViciPacket> packets;
  for (;;) {
    const auto segment = cutter.next();
    CPPUNIT_ASSERT(segment.ok());
    if (!*segment) break;
    auto packet = decode_vici(**segment);
    CPPUNIT_ASSERT(packet.ok());
    packets.push_back(*std::move(packet));
  }
  CPPUNIT_ASSERT(!cutter.in_segment());
  return packets;
}

ViciConnections recorded_connections(const std::string& host) {
  ViciConnections known;
  for (const ViciPacket& packet : packets_of(recording(host + "-list-conns")))
    if (packet.name == "list-conn") add_connections(packet.message, known);
  return known;
}

std::vector<ViciIkeSa> recorded_sas(const std::string& name) {
  std::vector<ViciIkeSa> sas;
  for (const ViciPacket& packet : packets_of(recording(name)))
    if (packet.name == "list-sa")
      for (ViciIkeSa& sa : read_ike_sas(packet.message)) sas.push_back(std::move(sa));
  return sas;
}

Peers recorded_peers(const std::string& host) {
  const ViciConnections known = recorded_connections(host);
  Peers peers;
  for (const ViciIkeSa& sa : recorded_sas(host + "-list-sas")) add_peers(sa, known.at(sa.connection), sa.unique_id, peers);
  return peers;
}

channel::PeerInfo peer_towards(const Peers& peers, const std::string& destination, std::uint8_t protocol) {
  const auto address = channel::parse_address(destination);
  CPPUNIT_ASSERT(address.ok());
  const channel::PeerInfo* found = nullptr;
  for (const auto& [id, peer] : peers) {
    if (id.destination != *address || id.protocol != protocol) continue;
    CPPUNIT_ASSERT_MESSAGE("two SAs towards " + destination, !found);
    found = &peer;
  }
  CPPUNIT_ASSERT_MESSAGE("no SA towards " + destination, found);
  return *found;
}

ViciSection section(std::string name, std::vector<std::pair<std::string, std::string>> values, std::vector<ViciSection> inner) {
  return {std::move(name), std::move(values), {}, std::move(inner)};
}

ViciSection message(std::vector<ViciSection> inner) { return section("", {}, std::move(inner)); }

ViciSection connection(const std::string& name, std::vector<ViciSection> rounds) {
  rounds.insert(rounds.begin(), section("local-1", {{"class", "public key"}, {"id", "client.example.org"}}));
  return section(name, {{"version", "IKEv2"}}, std::move(rounds));
}

ViciSection remote_round(const std::string& kind, const std::string& id) {
  ViciSection round = section("remote-1", {{"class", kind}});
  if (!id.empty()) round.values.emplace_back("id", id);
  return round;
}

ViciSection ike_sa(const std::string& name, const std::string& unique_id, const std::string& remote_id, const std::string& state,
                   const std::string& child_state) {
  ViciSection child = section("t-1", {{"name", "t"}, {"state", child_state}, {"protocol", "ESP"}, {"spi-in", "000000c1"}, {"spi-out", "000000c2"}});
  return section(name,
                 {{"uniqueid", unique_id}, {"state", state}, {"local-host", "192.0.2.1"}, {"remote-host", "192.0.2.2"},
                  {"local-id", "client.example.org"}, {"remote-id", remote_id}, {"dh-group", "CURVE_25519"}},
                 {section("child-sas", {}, {std::move(child)})});
}

}  // namespace gssipsec::ike::test
