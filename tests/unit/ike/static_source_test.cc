// SPDX-License-Identifier: MIT
#include "ike/static_source.h"

#include <cppunit/extensions/HelperMacros.h>

namespace gssipsec::ike::test {
namespace {

channel::Sa sa(const char* source, const char* destination, std::uint32_t spi, std::uint32_t reqid) {
  channel::Sa out;
  out.id = {spi, *channel::parse_address(destination), channel::kProtoEsp};
  out.source = *channel::parse_address(source);
  out.reqid = reqid;
  return out;
}

StaticEnds rule(const char* remote_name, std::optional<std::uint32_t> reqid, bool exclusive) {
  return {{channel::IdType::fqdn, "a.example.org"}, {channel::IdType::fqdn, remote_name}, *channel::parse_address("192.0.2.1"),
          *channel::parse_address("192.0.2.2"), reqid, exclusive};
}

}  // namespace

class StaticSourceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(StaticSourceTest);
  CPPUNIT_TEST(both_directions_of_the_pair_are_named);
  CPPUNIT_TEST(other_addresses_are_not_named);
  CPPUNIT_TEST(a_rule_with_reqid_names_only_that_reqid);
  CPPUNIT_TEST(only_an_exclusive_rule_fixes_the_peer);
  CPPUNIT_TEST(manual_sas_are_never_negotiated);
  CPPUNIT_TEST(a_rule_with_the_reqid_goes_before_one_without);
  CPPUNIT_TEST(contradicting_rules_name_nobody);
  CPPUNIT_TEST(refresh_reads_the_callers_mirror);
  CPPUNIT_TEST_SUITE_END();

  const channel::Sa there_ = sa("192.0.2.1", "192.0.2.2", 0x100, 5), back_ = sa("192.0.2.2", "192.0.2.1", 0x200, 5);
  const channel::Sad sad_{{there_, back_}};

 public:
  void both_directions_of_the_pair_are_named() {
    const Peers peers = peers_of({rule("b.example.org", {}, true)}, sad_);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, peers.size());
    for (const auto& [id, peer] : peers) {
      CPPUNIT_ASSERT_EQUAL(std::string("b.example.org"), peer.remote.value);
      CPPUNIT_ASSERT_EQUAL(std::string("a.example.org"), peer.local.value);
    }
  }

  void other_addresses_are_not_named() {
    const channel::Sad other{{sa("192.0.2.1", "192.0.2.3", 1, 5), sa("192.0.2.3", "192.0.2.2", 2, 5), sa("192.0.2.1", "192.0.2.1", 3, 5)}};
    CPPUNIT_ASSERT(peers_of({rule("b.example.org", {}, true)}, other).empty());
  }

  void a_rule_with_reqid_names_only_that_reqid() {
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, peers_of({rule("b.example.org", 5, true)}, sad_).size());
    CPPUNIT_ASSERT(peers_of({rule("b.example.org", 6, true)}, sad_).empty());
    CPPUNIT_ASSERT(peers_of({rule("b.example.org", 0, true)}, sad_).empty());
  }

  void only_an_exclusive_rule_fixes_the_peer() {
    CPPUNIT_ASSERT(peers_of({rule("b.example.org", {}, true)}, sad_).at(there_.id).authenticated());
    CPPUNIT_ASSERT(!peers_of({rule("b.example.org", {}, false)}, sad_).at(there_.id).authenticated());
  }

  void manual_sas_are_never_negotiated() {
    const channel::PeerInfo peer = peers_of({rule("b.example.org", {}, true)}, sad_).at(there_.id);
    CPPUNIT_ASSERT(peer.remote_method == channel::AuthMethod::manual && !peer.negotiated);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, peer.ike_sa);
    CPPUNIT_ASSERT_EQUAL(std::string("static"), peer.source);
  }

  void a_rule_with_the_reqid_goes_before_one_without() {
    for (const auto& rules : {std::vector{rule("any.example.org", {}, false), rule("five.example.org", 5, false)},
                              std::vector{rule("five.example.org", 5, false), rule("any.example.org", {}, false)}})
      CPPUNIT_ASSERT_EQUAL(std::string("five.example.org"), peers_of(rules, sad_).at(there_.id).remote.value);
  }

  void contradicting_rules_name_nobody() {
    CPPUNIT_ASSERT(peers_of({rule("b.example.org", 5, true), rule("c.example.org", 5, true)}, sad_).empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, peers_of({rule("b.example.org", 5, true), rule("b.example.org", 5, true)}, sad_).size());
  }

  void refresh_reads_the_callers_mirror() {
    StaticSource source({rule("b.example.org", {}, true)}, [this] { return std::make_shared<const channel::Sad>(sad_); });
    const auto snapshot = source.refresh();
    CPPUNIT_ASSERT(snapshot.ok() && snapshot->peers.size() == 2);
    CPPUNIT_ASSERT_EQUAL(-1, source.event_fd());
    CPPUNIT_ASSERT(StaticSource({rule("b.example.org", {}, true)}).refresh()->peers.empty());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(StaticSourceTest);

}  // namespace gssipsec::ike::test
