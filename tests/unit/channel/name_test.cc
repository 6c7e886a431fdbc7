// SPDX-License-Identifier: MIT
#include "channel/name.h"

#include "tests/unit/channel/samples.h"

namespace gssipsec::channel::testing {
namespace {

Name host(const char* typed) {
  Name name;
  name.kind = Name::Kind::host;
  name.identity = *parse_identity(typed);
  return name;
}

Name user(const char* typed, std::string_view who) {
  Name name = host(typed);
  name.kind = Name::Kind::user;
  name.user = std::string(who);
  return name;
}

Name service(const char* text) { return *parse_service(text); }

void name_refused(std::string_view text) { CPPUNIT_ASSERT_EQUAL_MESSAGE(std::string(text), Code::BAD_NAME, code_of(parse_name(text))); }

Code judged(const Name& wanted, const Name& actual, const std::vector<std::string>& services = {}) { return code_of(satisfies(wanted, actual, services)); }

const char* const kServer = "fqdn:server.example.org";

}  // namespace

class NameTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NameTest);
  CPPUNIT_TEST(names_have_these_texts);
  CPPUNIT_TEST(no_initiator_name_ever_holds_an_at_sign);
  CPPUNIT_TEST(separators_inside_identities_and_users_are_escaped);
  CPPUNIT_TEST(every_octet_survives_the_escape);
  CPPUNIT_TEST(what_format_writes_is_read_back);
  CPPUNIT_TEST(there_is_one_spelling_of_each_name);
  CPPUNIT_TEST(texts_that_are_no_names_are_refused);
  CPPUNIT_TEST(typed_identities_are_names_of_hosts);
  CPPUNIT_TEST(the_longest_name_is_read_back);
  CPPUNIT_TEST(services_are_read_with_and_without_host);
  CPPUNIT_TEST(services_have_one_spelling_of_their_host);
  CPPUNIT_TEST(texts_that_are_no_services_are_refused);
  CPPUNIT_TEST(kerberos_principals_are_no_names);
  CPPUNIT_TEST(a_wanted_host_is_compared_with_its_type);
  CPPUNIT_TEST(a_wanted_host_is_satisfied_by_a_user_of_that_host);
  CPPUNIT_TEST(a_wanted_user_needs_host_and_user);
  CPPUNIT_TEST(a_wanted_service_needs_the_host_and_the_grant);
  CPPUNIT_TEST(a_service_without_host_needs_the_grant_only);
  CPPUNIT_TEST(a_service_is_not_granted_by_the_name_of_a_user);
  CPPUNIT_TEST(a_key_id_that_reads_like_the_host_is_another_peer);
  CPPUNIT_TEST(an_anonymous_peer_satisfies_nothing_but_anonymous);
  CPPUNIT_TEST(a_name_without_identity_satisfies_nothing);
  CPPUNIT_TEST(anonymous_equals_nothing);
  CPPUNIT_TEST(names_differ_by_type_host_user_and_kind);
  CPPUNIT_TEST(an_error_says_what_was_wanted_and_found);
  CPPUNIT_TEST_SUITE_END();

 public:
  void names_have_these_texts() {
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:server.example.org"), format(host(kServer)));
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:server.example.org/alice"), format(user(kServer, "alice")));
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:ipv6:2001%3Adb8%3A%3A1/alice"), format(user("ipv6:2001:db8::1", "alice")));
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:dn:C%3DCH%2C%20CN%3Da"), format(host("dn:C=CH, CN=a")));
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:key:sha256:") + std::string(64, 'a'), format(host(("key:sha256:" + std::string(64, 'a')).c_str())));
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:anonymous"), format(Name{}));
    CPPUNIT_ASSERT_EQUAL(std::string("ldap@server.example.org"), format(service("ldap@server.example.org")));
    CPPUNIT_ASSERT_EQUAL(std::string("ldap"), format(service("ldap")));
  }
  void no_initiator_name_ever_holds_an_at_sign() {
    for (const char* identity : {"rfc822:postgres@db.example.org", "key-id:postgres@db", "dn:E=postgres@db", kServer})
      for (const char* who : {"", "root@db", "@", "ldap"}) {
        const std::string text = *who ? format(user(identity, who)) : format(host(identity));
        CPPUNIT_ASSERT_MESSAGE(text, text.find('@') == std::string::npos);
      }
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:rfc822:postgres%40db.example.org"), format(host("rfc822:postgres@db.example.org")));
  }
  void separators_inside_identities_and_users_are_escaped() {
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:key-id:server%2Falice"), format(host("key-id:server/alice")));
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:server.example.org/a%2Fb%3Ac%25"), format(user(kServer, "a/b:c%")));
    CPPUNIT_ASSERT(format(host("key-id:server/alice")) != format(user("key-id:server", "alice")));
  }
  void every_octet_survives_the_escape() {
    for (int octet = 0; octet < 256; ++octet) {
      const Name name = user(kServer, std::string(1, static_cast<char>(octet)));
      const auto back = parse_name(format(name));
      CPPUNIT_ASSERT(back.ok() && *back == name);
      for (const char c : format(name)) CPPUNIT_ASSERT(c > ' ' && c < 0x7f && c != '@');
    }
  }
  void what_format_writes_is_read_back() {
    for (const char* identity : {kServer, "ipv4:10.1.0.2", "ipv6:2001:db8::1", "rfc822:a@b.org", "dn:C=CH, O=a/b", "key-id:x y", "hit:2001:20::1"}) {
      CPPUNIT_ASSERT(*parse_name(format(host(identity))) == host(identity));
      CPPUNIT_ASSERT(*parse_name(format(user(identity, "alice"))) == user(identity, "alice"));
    }
    CPPUNIT_ASSERT(*parse_name("ipsec:anonymous") == Name{});
  }
  void there_is_one_spelling_of_each_name() {
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:server.example.org"), format(*parse_name("ipsec:fqdn:SERVER.example.org")));
    for (const char* text : {"ipsec:fqdn:server%2Eexample.org", "ipsec:fqdn:a.org/%61lice", "ipsec:fqdn:a.org/a%2fb", "ipsec:ipv6:2001:db8::1", "ipsec:fqdn:a.org/a b",
                             "ipsec:rfc822:a@b.org"})
      name_refused(text);
  }
  void texts_that_are_no_names_are_refused() {
    for (const char* text : {"", "ipsec:", "ipsec:fqdn", "ipsec:fqdn:", "ipsec:fqdn:/alice", "ipsec:fqdn:a.org/", "ipsec:fqdn:a.org/alice/x", "ipsec:fqdn:a.org/%", "ipsec:fqdn:a.org/%4",
                             "ipsec:fqdn:a.org/%GG", "ipsec:dns:a.org", "IPSEC:fqdn:a.org", "ipsec:Anonymous", "ipsec:anonymous/x", "ipsec:none:x", " ipsec:fqdn:a.org"})
      name_refused(text);
    name_refused(std::string_view("ipsec:fqdn:a.org/a\0b", 20));
    name_refused("ipsec:fqdn:a.org/" + std::string(5000, 'a'));
  }
  void typed_identities_are_names_of_hosts() {
    CPPUNIT_ASSERT(*parse_name("fqdn:SERVER.example.org") == host(kServer));
    CPPUNIT_ASSERT(*parse_name("dn:C=CH, CN=a") == host("dn:C=CH, CN=a"));
    name_refused("server.example.org");
  }
  void the_longest_name_is_read_back() {
    const Name name = user(("key-id:" + std::string(255, '@')).c_str(), std::string(255, '/'));
    const auto back = parse_name(format(name));
    CPPUNIT_ASSERT(back.ok() && *back == name);
  }
  void services_are_read_with_and_without_host() {
    CPPUNIT_ASSERT(service("ldap@server.example.org").service == "ldap" && service("ldap@server.example.org").host == "server.example.org");
    CPPUNIT_ASSERT(service("ldap").host.empty() && service("ldap").kind == Name::Kind::service);
  }
  void services_have_one_spelling_of_their_host() {
    CPPUNIT_ASSERT(service("ldap@SERVER.example.org.") == service("ldap@server.example.org"));
    CPPUNIT_ASSERT(service("ldap@2001:DB8:0::1") == service("ldap@2001:db8::1"));
    CPPUNIT_ASSERT(service("LDAP@a.org") != service("ldap@a.org"));
  }
  void texts_that_are_no_services_are_refused() {
    for (const char* text : {"", "@", "ldap@", "@server.example.org", "ld ap@a.org", "ldap@a.org@b.org", "ldap/a.org", "ldap@a/b", "ldap@a b", "l%64ap", "ldap@a\n"})
      CPPUNIT_ASSERT_EQUAL_MESSAGE(text, Code::BAD_NAME, code_of(parse_service(text)));
    CPPUNIT_ASSERT(!parse_service(std::string(65, 'a')).ok() && !parse_service("a@" + std::string(254, 'b')).ok());
  }
  void kerberos_principals_are_no_names() {
    for (const char* text : {"alice@EXAMPLE.ORG", "host/server.example.org@EXAMPLE.ORG", "host/server.example.org"}) name_refused(text);
  }
  void a_wanted_host_is_compared_with_its_type() {
    CPPUNIT_ASSERT_EQUAL(Code::ok, judged(host(kServer), host(kServer)));
    CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(host(kServer), host("fqdn:other.example.org")));
    CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(host(kServer), host("key-id:server.example.org")));
    CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(host(kServer), host("ipv4:10.1.0.2")));
  }
  void a_wanted_host_is_satisfied_by_a_user_of_that_host() { CPPUNIT_ASSERT_EQUAL(Code::ok, judged(host(kServer), user(kServer, "alice"))); }
  void a_wanted_user_needs_host_and_user() {
    CPPUNIT_ASSERT_EQUAL(Code::ok, judged(user(kServer, "alice"), user(kServer, "alice")));
    CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(user(kServer, "alice"), user(kServer, "bob")));
    CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(user(kServer, "alice"), user("fqdn:other.org", "alice")));
    CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(user(kServer, "alice"), host(kServer)));
  }
  void a_wanted_service_needs_the_host_and_the_grant() {
    const Name wanted = service("ldap@server.example.org");
    CPPUNIT_ASSERT_EQUAL(Code::ok, judged(wanted, host(kServer), {"host", "ldap"}));
    CPPUNIT_ASSERT_EQUAL(Code::SERVICE_DENIED, judged(wanted, host(kServer), {"host"}));
    CPPUNIT_ASSERT_EQUAL(Code::SERVICE_DENIED, judged(wanted, host(kServer)));
    CPPUNIT_ASSERT_EQUAL(Code::SERVICE_DENIED, judged(wanted, host(kServer), {"LDAP", "ldap2", ""}));
    CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(wanted, host("fqdn:evil.example.org"), {"ldap"}));
    CPPUNIT_ASSERT_EQUAL(Code::ok, judged(service("ldap@10.1.0.2"), host("ipv4:10.1.0.2"), {"ldap"}));
    CPPUNIT_ASSERT_EQUAL(Code::ok, judged(wanted, user(kServer, "ldap"), {"ldap"}));
  }
  void a_service_without_host_needs_the_grant_only() {
    CPPUNIT_ASSERT_EQUAL(Code::ok, judged(service("ldap"), host("fqdn:any.example.org"), {"ldap"}));
    CPPUNIT_ASSERT_EQUAL(Code::SERVICE_DENIED, judged(service("ldap"), host(kServer), {"host"}));
  }
  void a_service_is_not_granted_by_the_name_of_a_user() {
    CPPUNIT_ASSERT_EQUAL(Code::SERVICE_DENIED, judged(service("ldap@server.example.org"), user(kServer, "ldap")));
  }
  void a_key_id_that_reads_like_the_host_is_another_peer() {
    for (const char* identity : {"key-id:server.example.org", "rfc822:ldap@server.example.org", "dn:CN=server.example.org"})
      CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(service("ldap@server.example.org"), host(identity), {"ldap"}));
  }
  void an_anonymous_peer_satisfies_nothing_but_anonymous() {
    CPPUNIT_ASSERT_EQUAL(Code::ok, judged(Name{}, Name{}));
    CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(Name{}, host(kServer)));
    for (const Name& wanted : {host(kServer), user(kServer, "alice"), service("ldap"), service("ldap@server.example.org")})
      CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(wanted, Name{}, {"ldap"}));
    Name masked = user(kServer, "alice");  // an anonymous name tells nothing, whatever it holds
    masked.kind = Name::Kind::anonymous;
    CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(host(kServer), masked));
    CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(service("ldap@server.example.org"), masked, {"ldap"}));
  }
  void a_name_without_identity_satisfies_nothing() {
    Name nobody;
    nobody.kind = Name::Kind::host;
    CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(nobody, nobody));
    CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(service("ldap"), nobody, {"ldap"}));
    nobody.kind = Name::Kind::user;
    CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(nobody, nobody));
    CPPUNIT_ASSERT_EQUAL(Code::WRONG_PEER, judged(service("ldap"), service("ldap"), {"ldap"}));
  }
  void anonymous_equals_nothing() {
    CPPUNIT_ASSERT(!same(Name{}, Name{}));
    CPPUNIT_ASSERT(!same(Name{}, host(kServer)) && !same(host(kServer), Name{}));
  }
  void names_differ_by_type_host_user_and_kind() {
    CPPUNIT_ASSERT(same(user(kServer, "alice"), user(kServer, "alice")));
    CPPUNIT_ASSERT(!same(user(kServer, "alice"), user(kServer, "Alice")));
    CPPUNIT_ASSERT(!same(user(kServer, "alice"), host(kServer)));
    CPPUNIT_ASSERT(!same(host(kServer), host("key-id:server.example.org")));
    CPPUNIT_ASSERT(!same(service("ldap@a.org"), service("ldap")) && same(service("ldap@a.org"), service("ldap@A.org")));
  }
  void an_error_says_what_was_wanted_and_found() {
    const std::string text = satisfies(host(kServer), user("fqdn:evil.org", "root"), {}).error().detail;
    CPPUNIT_ASSERT(text.find("ipsec:fqdn:server.example.org") != std::string::npos && text.find("ipsec:fqdn:evil.org/root") != std::string::npos);
    CPPUNIT_ASSERT(satisfies(host(kServer), Name{}, {}).error().detail.find("anonymous") != std::string::npos);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(NameTest);

}  // namespace gssipsec::channel::testing
