// SPDX-License-Identifier: MIT
#include "channel/identity.h"

#include "tests/unit/channel/samples.h"

namespace gssipsec::channel::testing {
namespace {

std::string canonical(const char* typed) {
  const auto identity = parse_identity(typed);
  CPPUNIT_ASSERT_MESSAGE(typed, identity.ok());
  CPPUNIT_ASSERT(*parse_identity(format(*identity)) == *identity);
  return format(*identity);
}

void refused(std::string_view typed) { CPPUNIT_ASSERT_EQUAL_MESSAGE(std::string(typed), Code::BAD_NAME, code_of(parse_identity(typed))); }

PeerInfo certified() {
  PeerInfo peer;
  peer.remote = *parse_identity("fqdn:server.example.org");
  peer.remote_method = AuthMethod::certificate;
  peer.remote_fixed = peer.negotiated = true;
  return peer;
}

}  // namespace

class IdentityTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IdentityTest);
  CPPUNIT_TEST(host_names_are_lower_case_without_final_dot);
  CPPUNIT_TEST(what_is_no_host_name_is_refused);
  CPPUNIT_TEST(addresses_have_one_text);
  CPPUNIT_TEST(an_address_of_the_other_family_is_refused);
  CPPUNIT_TEST(a_mailbox_needs_a_local_part_and_a_host);
  CPPUNIT_TEST(a_distinguished_name_is_free_text_without_control_characters);
  CPPUNIT_TEST(a_distinguished_name_that_holds_a_mailbox_stays_a_distinguished_name);
  CPPUNIT_TEST(key_ids_are_printable);
  CPPUNIT_TEST(hashes_of_keys_are_64_hexadecimal_digits);
  CPPUNIT_TEST(types_are_spelt_exactly);
  CPPUNIT_TEST(identities_longer_than_255_octets_are_refused);
  CPPUNIT_TEST(the_type_is_part_of_an_identity);
  CPPUNIT_TEST(a_host_is_matched_without_regard_to_case_or_final_dot);
  CPPUNIT_TEST(an_address_is_matched_by_value);
  CPPUNIT_TEST(nothing_but_names_and_addresses_matches_a_host);
  CPPUNIT_TEST(a_wildcard_matches_no_host);
  CPPUNIT_TEST(a_certificate_with_a_fixed_identity_authenticates);
  CPPUNIT_TEST(a_group_key_or_nothing_authenticates_nobody);
  CPPUNIT_TEST(an_identity_that_is_not_fixed_authenticates_nobody);
  CPPUNIT_TEST(manual_sas_are_vouched_for_by_the_administrator_only);
  CPPUNIT_TEST(every_method_has_a_text);
  CPPUNIT_TEST_SUITE_END();

 public:
  void host_names_are_lower_case_without_final_dot() {
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:server.example.org"), canonical("fqdn:SERVER.Example.org."));
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:a-1._tcp"), canonical("fqdn:a-1._tcp"));
  }
  void what_is_no_host_name_is_refused() {
    for (const char* text : {"fqdn:", "fqdn:.", "fqdn:a..b", "fqdn:a.org..", "fqdn:-a.org", "fqdn:a-.org", "fqdn:a b.org", "fqdn:a@b.org", "fqdn:a/b", "fqdn:*.org",
                             "fqdn:10.1.0.2", "fqdn:a.1", "fqdn:\xc3\xa4.org", "fqdn:a\n.org"})
      refused(text);
    refused(std::string("fqdn:") + std::string(64, 'a') + ".org");
    refused("fqdn:" + long_host(254));
    CPPUNIT_ASSERT(parse_identity("fqdn:" + long_host(253)).ok());
  }
  void addresses_have_one_text() {
    CPPUNIT_ASSERT_EQUAL(std::string("ipv4:10.1.0.2"), canonical("ipv4:10.1.0.2"));
    CPPUNIT_ASSERT_EQUAL(std::string("ipv6:2001:db8::1"), canonical("ipv6:2001:0DB8:0::0:1"));
    CPPUNIT_ASSERT_EQUAL(std::string("hit:2001:20::1"), canonical("hit:2001:0020::1"));
  }
  void an_address_of_the_other_family_is_refused() {
    refused("ipv4:2001:db8::1");
    refused("ipv6:10.1.0.2");
    refused("hit:10.1.0.2");
  }
  void a_mailbox_needs_a_local_part_and_a_host() {
    CPPUNIT_ASSERT_EQUAL(std::string("rfc822:Alice@example.org"), canonical("rfc822:Alice@Example.ORG"));
    for (const char* text : {"rfc822:alice", "rfc822:@example.org", "rfc822:alice@", "rfc822:a@b@c.org", "rfc822:a b@c.org", "rfc822:a\x01@c.org", "rfc822:a@10.1.0.2"}) refused(text);
  }
  void a_distinguished_name_is_free_text_without_control_characters() {
    CPPUNIT_ASSERT_EQUAL(std::string("dn:C=CH, O=Example, CN=Server"), canonical("dn:C=CH, O=Example, CN=Server"));
    for (const char* text : {"dn:", "dn:server", "dn:CN=a\nb", "dn:CN=a\x7f"}) refused(text);
    refused(std::string_view("dn:CN=a\0b", 9));
  }
  void a_distinguished_name_that_holds_a_mailbox_stays_a_distinguished_name() {
    const auto identity = parse_identity("dn:C=CH, E=postgres@db.example.org");
    CPPUNIT_ASSERT(identity.ok() && identity->type == IdType::dn && !matches_host(*identity, "db.example.org"));
  }
  void key_ids_are_printable() {
    CPPUNIT_ASSERT_EQUAL(std::string("key-id:printer 4"), canonical("key-id:printer 4"));
    refused("key-id:");
    refused("key-id:a\tb");
  }
  void hashes_of_keys_are_64_hexadecimal_digits() {
    CPPUNIT_ASSERT_EQUAL("key:sha256:" + std::string(64, 'a'), canonical(("key:sha256:" + std::string(64, 'A')).c_str()));
    refused("key:sha256:" + std::string(63, 'a'));
    refused("key:sha256:" + std::string(63, 'a') + "g");
    refused("key:sha256:");
  }
  void types_are_spelt_exactly() {
    for (const char* text : {"", "server.example.org", "FQDN:a.org", "fqdn", "dns:a.org", ":a.org", "none:", " fqdn:a.org"}) refused(text);
    CPPUNIT_ASSERT_EQUAL(std::string("none"), std::string(id_type_name(IdType::none)));
    CPPUNIT_ASSERT_EQUAL(std::string(), format(Identity{}));
    CPPUNIT_ASSERT(!make_identity(IdType::none, "a.org").ok());
  }
  void identities_longer_than_255_octets_are_refused() {
    CPPUNIT_ASSERT(make_identity(IdType::key_id, std::string(255, 'k')).ok());
    CPPUNIT_ASSERT(!make_identity(IdType::key_id, std::string(256, 'k')).ok());
    const auto error = make_identity(IdType::key_id, std::string(100000, 'k')).error();
    CPPUNIT_ASSERT(error.detail.size() < 400);
  }
  void the_type_is_part_of_an_identity() {
    CPPUNIT_ASSERT(*make_identity(IdType::key_id, "server.example.org") != *make_identity(IdType::fqdn, "server.example.org"));
    CPPUNIT_ASSERT(*make_identity(IdType::hit, "2001:20::1") != *make_identity(IdType::ipv6, "2001:20::1"));
  }
  void a_host_is_matched_without_regard_to_case_or_final_dot() {
    const Identity server = *parse_identity("fqdn:server.example.org");
    for (const char* host : {"server.example.org", "SERVER.example.ORG", "server.example.org."}) CPPUNIT_ASSERT(matches_host(server, host));
    for (const char* host : {"", "server", "example.org", "server.example.org.evil.org", "xserver.example.org", "server.example.org/x"}) CPPUNIT_ASSERT(!matches_host(server, host));
  }
  void an_address_is_matched_by_value() {
    CPPUNIT_ASSERT(matches_host(*parse_identity("ipv4:10.1.0.2"), "10.1.0.2"));
    CPPUNIT_ASSERT(matches_host(*parse_identity("ipv6:2001:db8::1"), "2001:DB8:0:0:0:0:0:1"));
    CPPUNIT_ASSERT(!matches_host(*parse_identity("ipv4:10.1.0.2"), "10.1.0.20"));
    CPPUNIT_ASSERT(!matches_host(*parse_identity("ipv4:10.1.0.2"), "::ffff:10.1.0.2"));
  }
  void nothing_but_names_and_addresses_matches_a_host() {
    for (const IdType type : {IdType::key_id, IdType::rfc822, IdType::dn, IdType::hit, IdType::key_sha256, IdType::none})
      for (const char* host : {"server.example.org", "2001:20::1", ""}) CPPUNIT_ASSERT(!matches_host(Identity{type, host}, host));
    CPPUNIT_ASSERT(!matches_host(*parse_identity("rfc822:root@server.example.org"), "server.example.org"));
  }
  void a_wildcard_matches_no_host() {
    CPPUNIT_ASSERT(!matches_host(Identity{IdType::fqdn, "%any"}, "%any"));
    CPPUNIT_ASSERT(!matches_host(Identity{IdType::fqdn, "*.example.org"}, "*.example.org"));
  }
  void a_certificate_with_a_fixed_identity_authenticates() {
    PeerInfo peer = certified();
    CPPUNIT_ASSERT(peer.authenticated());
    for (const AuthMethod method : {AuthMethod::raw_key, AuthMethod::psk_pair}) {
      peer.remote_method = method;
      CPPUNIT_ASSERT(peer.authenticated());
    }
    peer.negotiated = false;
    CPPUNIT_ASSERT(!peer.authenticated());
  }
  void a_group_key_or_nothing_authenticates_nobody() {
    for (const AuthMethod method : {AuthMethod::unknown, AuthMethod::null_auth, AuthMethod::psk_group, AuthMethod::eap, AuthMethod::manual}) {
      PeerInfo peer = certified();
      peer.remote_method = method;
      peer.local_method = AuthMethod::certificate;  // ours proves nothing about the peer
      CPPUNIT_ASSERT(!peer.authenticated());
    }
  }
  void an_identity_that_is_not_fixed_authenticates_nobody() {
    PeerInfo peer = certified();
    peer.remote_fixed = false;
    CPPUNIT_ASSERT(!peer.authenticated());
    peer = certified();
    peer.remote = {};
    CPPUNIT_ASSERT(!peer.authenticated());
  }
  void manual_sas_are_vouched_for_by_the_administrator_only() {
    PeerInfo peer = certified();
    peer.remote_method = AuthMethod::manual;
    CPPUNIT_ASSERT(!peer.authenticated());
    peer.negotiated = false;
    CPPUNIT_ASSERT(peer.authenticated());
  }
  void every_method_has_a_text() {
    for (int i = 0; i < 9; ++i) CPPUNIT_ASSERT(!std::string(auth_method_name(static_cast<AuthMethod>(i))).empty());
    CPPUNIT_ASSERT_EQUAL(std::string("unknown"), std::string(auth_method_name(static_cast<AuthMethod>(200))));
  }

 private:
  static std::string long_host(std::size_t length) {
    std::string host;
    while (host.size() + 64 < length) host += std::string(63, 'a') + ".";
    return host + std::string(length - host.size(), 'b');
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(IdentityTest);

}  // namespace gssipsec::channel::testing
