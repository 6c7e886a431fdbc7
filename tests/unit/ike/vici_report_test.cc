// SPDX-License-Identifier: MIT
#include "ike/vici_report.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/unit/ike/recordings.h"

namespace gssipsec::ike::test {
namespace {

using channel::AuthMethod;
using channel::IdType;
using channel::PeerInfo;

channel::SaId sa_id(std::uint32_t spi, const char* destination, std::uint8_t protocol = channel::kProtoEsp) {
  return {spi, *channel::parse_address(destination), protocol};
}

void method_is(AuthMethod wanted, const PeerInfo& peer) {
  CPPUNIT_ASSERT_EQUAL(std::string(channel::auth_method_name(wanted)), std::string(channel::auth_method_name(peer.remote_method)));
}

ViciAuth auth_of(std::vector<ViciSection> rounds) {
  ViciConnections known;
  add_connections(message({connection("c", std::move(rounds))}), known);
  return known.at("c");
}

// The peer of the SA towards 192.0.2.2 when its IKE_SA names `remote_id`.
PeerInfo peer_of(const ViciAuth& auth, const std::string& remote_id) {
  Peers peers;
  for (const ViciIkeSa& sa : read_ike_sas(message({ike_sa("c", "7", remote_id)}))) add_peers(sa, auth, 7, peers);
  return peers.at(sa_id(0xc2, "192.0.2.2"));
}

constexpr const char* kServer = "server.example.org";

}  // namespace

class ViciReportTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ViciReportTest);
  CPPUNIT_TEST(recorded_certificates_with_a_fixed_identity_name_one_peer);
  CPPUNIT_TEST(recorded_pre_shared_keys_are_a_groups);
  CPPUNIT_TEST(recorded_wildcard_and_absent_identities_are_not_fixed);
  CPPUNIT_TEST(recorded_raw_keys_and_eap_are_told_apart);
  CPPUNIT_TEST(recorded_several_rounds_prove_nothing);
  CPPUNIT_TEST(recorded_ah_and_ipv6_tunnel_are_joined);
  CPPUNIT_TEST(each_sa_is_joined_by_its_receivers_address);
  CPPUNIT_TEST(both_hosts_name_the_same_sas_by_opposite_names);
  CPPUNIT_TEST(another_identity_than_the_fixed_one_is_not_fixed);
  CPPUNIT_TEST(identities_are_equal_only_with_their_type);
  CPPUNIT_TEST(methods_follow_the_class_and_unknown_ones_prove_nothing);
  CPPUNIT_TEST(a_certificate_beside_raw_keys_makes_certificates);
  CPPUNIT_TEST(two_connections_of_one_name_prove_nothing);
  CPPUNIT_TEST(only_sas_in_the_kernel_of_proven_ike_sas_count);
  CPPUNIT_TEST(a_replaced_child_is_leaving);
  CPPUNIT_TEST(addresses_that_we_gave_to_the_peer_are_the_peers);
  CPPUNIT_TEST(broken_fields_leave_the_sa_out);
  CPPUNIT_TEST(an_sa_told_twice_differently_is_nobodys);
  CPPUNIT_TEST(an_sa_that_moved_to_the_rekeyed_ike_sa_belongs_to_the_newer);
  CPPUNIT_TEST(the_weaker_key_exchange_is_said);
  CPPUNIT_TEST(dh_groups_have_their_numbers);
  CPPUNIT_TEST(a_rekey_event_names_both_ike_sas);
  CPPUNIT_TEST_SUITE_END();

 public:
  void recorded_certificates_with_a_fixed_identity_name_one_peer() {
    const PeerInfo peer = peer_towards(recorded_peers("client"), "10.1.0.2");
    method_is(AuthMethod::certificate, peer);
    CPPUNIT_ASSERT(peer.remote == (channel::Identity{IdType::fqdn, kServer}));
    CPPUNIT_ASSERT(peer.local == (channel::Identity{IdType::fqdn, "client.example.org"}));
    CPPUNIT_ASSERT(peer.remote_fixed && peer.negotiated && peer.authenticated());
    CPPUNIT_ASSERT_EQUAL(std::string("cert"), peer.connection);
    CPPUNIT_ASSERT_EQUAL(std::string("tcert"), peer.child);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{19}, peer.dh_group);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, peer.ike_sa);
    const PeerInfo dn = peer_towards(recorded_peers("client"), "10.1.0.12");
    CPPUNIT_ASSERT(dn.remote == (channel::Identity{IdType::dn, "C=CH, O=Example, CN=server.example.org"}));
    CPPUNIT_ASSERT(dn.authenticated());
  }

  void recorded_pre_shared_keys_are_a_groups() {
    for (const char* address : {"10.1.0.32", "10.1.0.62"}) {
      const PeerInfo peer = peer_towards(recorded_peers("client"), address);
      method_is(AuthMethod::psk_group, peer);
      CPPUNIT_ASSERT(peer.remote_fixed);
      CPPUNIT_ASSERT(!peer.authenticated());
    }
  }

  void recorded_wildcard_and_absent_identities_are_not_fixed() {
    const PeerInfo wild = peer_towards(recorded_peers("client"), "10.1.0.22");
    method_is(AuthMethod::certificate, wild);
    CPPUNIT_ASSERT(wild.remote == (channel::Identity{IdType::fqdn, kServer}));
    CPPUNIT_ASSERT(!wild.remote_fixed && !wild.authenticated());
    const PeerInfo any = peer_towards(recorded_peers("client"), "10.1.0.42");
    CPPUNIT_ASSERT(any.remote == (channel::Identity{IdType::rfc822, "root@server.example.org"}));
    CPPUNIT_ASSERT(!any.remote_fixed && !any.authenticated());
  }

  void recorded_raw_keys_and_eap_are_told_apart() {
    method_is(AuthMethod::raw_key, peer_towards(recorded_peers("client"), "10.1.0.52"));
    CPPUNIT_ASSERT(peer_towards(recorded_peers("client"), "10.1.0.52").remote_fixed);
    const PeerInfo eap = peer_towards(recorded_peers("server"), "10.1.0.71");
    method_is(AuthMethod::eap, eap);
    CPPUNIT_ASSERT(!eap.authenticated());
  }

  void recorded_several_rounds_prove_nothing() {
    const PeerInfo peer = peer_towards(recorded_peers("client"), "10.1.0.82");
    method_is(AuthMethod::unknown, peer);
    CPPUNIT_ASSERT(!peer.remote_fixed);
  }

  void recorded_ah_and_ipv6_tunnel_are_joined() {
    const Peers peers = recorded_peers("client");
    CPPUNIT_ASSERT(peer_towards(peers, "10.1.0.92", channel::kProtoAh).authenticated());
    const PeerInfo v6 = peer_towards(peers, "fd00::2");
    CPPUNIT_ASSERT(v6.authenticated());
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{31}, v6.dh_group);
    CPPUNIT_ASSERT_EQUAL(std::size_t{22}, peers.size());
  }

  void each_sa_is_joined_by_its_receivers_address() {
    const Peers peers = recorded_peers("client");
    CPPUNIT_ASSERT_EQUAL(std::string("cert"), peers.at(sa_id(0xcad8162d, "10.1.0.1")).connection);  // spi-in
    CPPUNIT_ASSERT_EQUAL(std::string("cert"), peers.at(sa_id(0xced52d71, "10.1.0.2")).connection);  // spi-out
    CPPUNIT_ASSERT(!peers.count(sa_id(0xcad8162d, "10.1.0.2")));
    CPPUNIT_ASSERT(!peers.count(sa_id(0xced52d71, "10.1.0.1")));
  }

  void both_hosts_name_the_same_sas_by_opposite_names() {
    const Peers client = recorded_peers("client"), server = recorded_peers("server");
    CPPUNIT_ASSERT_EQUAL(client.size(), server.size());
    for (const auto& [id, peer] : client) {
      CPPUNIT_ASSERT(server.count(id));
      CPPUNIT_ASSERT(server.at(id).remote == peer.local && server.at(id).local == peer.remote);
    }
  }

  void another_identity_than_the_fixed_one_is_not_fixed() {
    const ViciAuth auth = auth_of({remote_round("public key", kServer)});
    CPPUNIT_ASSERT(peer_of(auth, kServer).authenticated());
    CPPUNIT_ASSERT(!peer_of(auth, "other.example.org").remote_fixed);
    for (const char* open : {"%any", "*.example.org", "", "C=CH, CN=*"})
      CPPUNIT_ASSERT(!peer_of(auth_of({remote_round("public key", open)}), kServer).remote_fixed);
    // Neither is what cannot be named, although the texts are equal.
    for (const char* odd : {"%any", "*.example.org", "de:ad:be:ef", "O=A, B"})
      CPPUNIT_ASSERT(!peer_of(auth_of({remote_round("public key", odd)}), odd).remote_fixed);
  }

  void identities_are_equal_only_with_their_type() {
    const PeerInfo peer = peer_of(auth_of({remote_round("public key", "CN=server.example.org")}), kServer);
    CPPUNIT_ASSERT(!peer.remote_fixed);
  }

  void methods_follow_the_class_and_unknown_ones_prove_nothing() {
    const std::pair<const char*, AuthMethod> classes[] = {
        {"public key", AuthMethod::certificate}, {"pre-shared key", AuthMethod::psk_group}, {"EAP", AuthMethod::eap}, {"EAP_TLS", AuthMethod::eap},
        {"NULL", AuthMethod::null_auth},         {"none", AuthMethod::null_auth},           {"XAuth", AuthMethod::unknown}, {"any", AuthMethod::unknown},
        {"", AuthMethod::unknown},               {"public keys", AuthMethod::unknown}};
    for (const auto& [name, method] : classes) {
      const PeerInfo peer = peer_of(auth_of({remote_round(name, kServer)}), kServer);
      method_is(method, peer);
      CPPUNIT_ASSERT_EQUAL(method == AuthMethod::certificate, peer.authenticated());
    }
  }

  void a_certificate_beside_raw_keys_makes_certificates() {
    ViciSection round = remote_round("public key", kServer);
    round.lists = {{"certs", {kServer, "C=CH, CN=server.example.org"}}};
    method_is(AuthMethod::certificate, peer_of(auth_of({round}), kServer));
    round.lists = {{"certs", {kServer}}, {"cacerts", {"CN=CA"}}};
    method_is(AuthMethod::certificate, peer_of(auth_of({round}), kServer));
    round.lists = {{"certs", {kServer}}, {"cacerts", {}}};
    method_is(AuthMethod::raw_key, peer_of(auth_of({round}), kServer));
  }

  void two_connections_of_one_name_prove_nothing() {
    ViciConnections known;
    const ViciSection one = connection("c", {remote_round("public key", kServer)});
    add_connections(message({one}), known);
    CPPUNIT_ASSERT(peer_of(known.at("c"), kServer).authenticated());
    add_connections(message({one}), known);
    CPPUNIT_ASSERT(!peer_of(known.at("c"), kServer).remote_fixed);
    method_is(AuthMethod::unknown, peer_of(known.at("c"), kServer));
  }

  void only_sas_in_the_kernel_of_proven_ike_sas_count() {
    const auto children = [](const char* state, const char* child_state) {
      const auto sas = read_ike_sas(message({ike_sa("c", "7", kServer, state, child_state)}));
      return sas.empty() ? 0 : sas[0].children.size();
    };
    for (const char* state : {"ESTABLISHED", "REKEYING", "REKEYED", "DELETING"}) CPPUNIT_ASSERT_EQUAL(std::size_t{1}, children(state, "INSTALLED"));
    for (const char* state : {"CREATED", "CONNECTING", "PASSIVE", "DESTROYING", ""}) CPPUNIT_ASSERT_EQUAL(std::size_t{0}, children(state, "INSTALLED"));
    for (const char* state : {"UPDATING", "REKEYING", "REKEYED", "DELETING", "DELETED"}) CPPUNIT_ASSERT_EQUAL(std::size_t{1}, children("ESTABLISHED", state));
    for (const char* state : {"CREATED", "ROUTED", "INSTALLING", "RETRYING", "DESTROYING", ""})
      CPPUNIT_ASSERT_EQUAL(std::size_t{0}, children("ESTABLISHED", state));
  }

  void a_replaced_child_is_leaving() {
    for (const auto& [state, leaving] : {std::pair{"INSTALLED", false}, {"REKEYING", false}, {"REKEYED", true}, {"DELETING", true}, {"DELETED", true}}) {
      const auto sas = read_ike_sas(message({ike_sa("c", "7", kServer, "ESTABLISHED", state)}));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(state, leaving, sas.at(0).children.at(0).leaving);
    }
  }

  void addresses_that_we_gave_to_the_peer_are_the_peers() {
    ViciSection given = ike_sa("c", "7", kServer);
    given.lists.push_back({"remote-vips", {"10.9.0.1", "no address", "fd00:9::1"}});
    given.lists.push_back({"local-vips", {"10.9.0.77"}});
    Peers peers;
    for (const ViciIkeSa& sa : read_ike_sas(message({given}))) add_peers(sa, {}, 7, peers);
    for (const auto& [spi, end] : {std::pair(0xc1U, "192.0.2.1"), std::pair(0xc2U, "192.0.2.2")})
      CPPUNIT_ASSERT(peers.at(sa_id(spi, end)).given == (std::vector{*channel::parse_address("10.9.0.1"), *channel::parse_address("fd00:9::1")}));
    CPPUNIT_ASSERT(peer_of({}, kServer).given.empty());
  }

  void broken_fields_leave_the_sa_out() {
    const auto joined = [](const char* key, const char* value, bool of_child) {
      ViciSection sa = ike_sa("c", "7", kServer);
      ViciSection& place = of_child ? sa.sections[0].sections[0] : sa;
      for (auto& [name, content] : place.values)
        if (name == key) content = value;
      Peers peers;
      for (const ViciIkeSa& one : read_ike_sas(message({sa}))) add_peers(one, {}, 7, peers);
      return peers.size();
    };
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, joined("uniqueid", "7", false));
    for (const char* id : {"", "x", "7x", "-1", "4294967296"}) CPPUNIT_ASSERT_EQUAL(std::size_t{0}, joined("uniqueid", id, false));
    for (const char* host : {"", "%any", "0.0.0.0", "host.example.org", "fe80::1%eth0"})
      for (const char* key : {"local-host", "remote-host"}) CPPUNIT_ASSERT_EQUAL(std::size_t{0}, joined(key, host, false));
    for (const char* spi : {"", "0", "00000000", "c1 ", "0xc1", "1c1c1c1c1", "-1"})
      for (const char* key : {"spi-in", "spi-out"}) CPPUNIT_ASSERT_EQUAL(std::size_t{0}, joined(key, spi, true));
    for (const char* protocol : {"", "IPCOMP", "esp"}) CPPUNIT_ASSERT_EQUAL(std::size_t{0}, joined("protocol", protocol, true));
  }

  void an_sa_told_twice_differently_is_nobodys() {
    const ViciAuth auth = auth_of({remote_round("public key", kServer)});
    Peers peers;
    const auto tell = [&](const char* remote_id) {
      for (const ViciIkeSa& sa : read_ike_sas(message({ike_sa("c", "7", remote_id)}))) add_peers(sa, auth, 7, peers);
    };
    for (const char* id : {kServer, "other.example.org", kServer}) tell(id);
    const PeerInfo& peer = peers.at(sa_id(0xc2, "192.0.2.2"));
    CPPUNIT_ASSERT(peer.remote.type == IdType::none && !peer.remote_fixed);
    CPPUNIT_ASSERT_EQUAL(std::string("vici"), peer.source);
  }

  void an_sa_that_moved_to_the_rekeyed_ike_sa_belongs_to_the_newer() {
    const ViciAuth auth = auth_of({remote_round("public key", kServer)});
    Peers peers;
    for (const char* id : {"8", "7"})
      for (const ViciIkeSa& sa : read_ike_sas(message({ike_sa("c", id, kServer)}))) add_peers(sa, auth, sa.unique_id, peers);
    const PeerInfo& peer = peers.at(sa_id(0xc2, "192.0.2.2"));
    CPPUNIT_ASSERT(peer.authenticated());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{8}, peer.ike_sa);
  }

  void the_weaker_key_exchange_is_said() {
    const auto group = [](const char* ike, const char* child) {
      ViciSection sa = ike_sa("c", "7", kServer);
      sa.values.back() = {"dh-group", ike};
      if (*child) sa.sections[0].sections[0].values.emplace_back("dh-group", child);
      return read_ike_sas(message({sa})).at(0).children.at(0).dh_group;
    };
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{19}, group("ECP_256", ""));
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{31}, group("ECP_256", "CURVE_25519"));
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{2}, group("MODP_1024", "CURVE_25519"));
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{2}, group("CURVE_25519", "MODP_1024"));
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{0}, group("", "CURVE_25519"));
  }

  void dh_groups_have_their_numbers() {
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{14}, dh_group_of("MODP_2048"));
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{24}, dh_group_of("MODP_2048_256"));
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{21}, dh_group_of("ECP_521"));
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{32}, dh_group_of("CURVE_448"));
    for (const char* name : {"", "MODP_NULL", "MODP_CUSTOM", "modp_2048", "NTRU_128"}) CPPUNIT_ASSERT_EQUAL(std::uint16_t{0}, dh_group_of(name));
  }

  void a_rekey_event_names_both_ike_sas() {
    std::size_t rekeys = 0;
    for (const ViciPacket& packet : packets_of(recording("client-events"))) {
      const ViciRekey rekey = read_ike_rekey(packet.message);
      if (packet.name != "ike-rekey") {
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, rekey.successor);
        continue;
      }
      ++rekeys;
      CPPUNIT_ASSERT_EQUAL(std::uint64_t{4}, rekey.predecessor);
      CPPUNIT_ASSERT_EQUAL(std::uint64_t{12}, rekey.successor);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rekeys);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ViciReportTest);

}  // namespace gssipsec::ike::test
