// SPDX-License-Identifier: MIT
#include "ike/id_text.h"

#include <cppunit/extensions/HelperMacros.h>

#include <string>

namespace gssipsec::ike::test {
namespace {

using channel::IdType;

void is(IdType type, const std::string& text) {
  const channel::Identity found = infer_identity(text);
  CPPUNIT_ASSERT_EQUAL_MESSAGE("type of \"" + text + "\"", static_cast<int>(type), static_cast<int>(found.type));
}

}  // namespace

class IdTextTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IdTextTest);
  CPPUNIT_TEST(plain_identities_have_their_type);
  CPPUNIT_TEST(names_compare_without_case);
  CPPUNIT_TEST(wildcards_and_any_are_nobody);
  CPPUNIT_TEST(a_dn_with_a_mail_address_stays_a_dn);
  CPPUNIT_TEST(what_has_two_readings_has_no_type);
  CPPUNIT_TEST(odd_characters_and_lengths_have_no_type);
  CPPUNIT_TEST_SUITE_END();

 public:
  void plain_identities_have_their_type() {
    is(IdType::ipv4, "192.0.2.1");
    is(IdType::ipv6, "2001:db8::1");
    is(IdType::fqdn, "server.example.org");
    is(IdType::fqdn, "server");
    is(IdType::fqdn, "10.example.org");
    is(IdType::rfc822, "root@server.example.org");
    is(IdType::dn, "C=CH, O=Example Inc., CN=server.example.org");
    is(IdType::dn, "CN=server");
  }

  void names_compare_without_case() { CPPUNIT_ASSERT(infer_identity("Server.Example.ORG") == infer_identity("server.example.org")); }

  void wildcards_and_any_are_nobody() {
    for (const char* text : {"", "%any", "%any6", "%any4", "*", "*.example.org", "*@example.org", "C=CH, CN=*", "0.0.0.0", "::", "10.0.0.0/8",
                             "10.0.0.1-10.0.0.9", "0.0.0.0/0", "%server.example.org"})
      is(IdType::none, text);
  }

  void a_dn_with_a_mail_address_stays_a_dn() {
    is(IdType::dn, "C=CH, E=postgres@db.example.org, CN=x");
    is(IdType::dn, "CN=root@server.example.org");
    is(IdType::none, "C=CH, root@server.example.org");
  }

  void what_has_two_readings_has_no_type() {
    is(IdType::none, "O=Example, Inc., CN=server");
    is(IdType::none, "O=Example,CN=server");
    is(IdType::none, "CN=a=b");
    is(IdType::none, "CN=server?");
    is(IdType::none, "CN=\"x\"");
    is(IdType::none, "10.0.0.256");
    is(IdType::none, "10.0.0");
    is(IdType::none, "1234");
    is(IdType::none, "a@b@c");
    is(IdType::none, "postgres@");
    is(IdType::none, "@server.example.org");
    is(IdType::none, "de:ad:be:ef");
  }

  void odd_characters_and_lengths_have_no_type() {
    is(IdType::none, "server.example.org.");
    is(IdType::none, "server..example.org");
    is(IdType::none, "-server.example.org");
    is(IdType::none, "server_1.example.org");
    is(IdType::none, "server.example.org/postgres");
    is(IdType::none, "server example");
    is(IdType::none, " server");
    is(IdType::none, std::string("server\0.example.org", 19));
    is(IdType::none, std::string("10.0.0.1\0x", 10));
    is(IdType::none, "CN=a\nb");
    is(IdType::none, "s\xc3\xa9rver.example.org");
    is(IdType::none, std::string(64, 'a'));
    is(IdType::none, "CN=" + std::string(2000, 'a'));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(IdTextTest);

}  // namespace gssipsec::ike::test
