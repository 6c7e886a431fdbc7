// SPDX-License-Identifier: MIT
#include "tests/unit/channel/samples.h"

namespace gssipsec::channel::testing {

class AddressTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AddressTest);
  CPPUNIT_TEST(addresses_are_read_and_written_in_one_form);
  CPPUNIT_TEST(what_is_no_address_is_refused);
  CPPUNIT_TEST(a_text_with_a_nul_is_refused);
  CPPUNIT_TEST(any_is_any_family_of_zeros);
  CPPUNIT_TEST(loopback_is_seen_in_every_form);
  CPPUNIT_TEST(a_mapped_address_is_unmapped);
  CPPUNIT_TEST(octets_that_are_too_few_make_no_address);
  CPPUNIT_TEST(a_prefix_compares_exactly_its_bits);
  CPPUNIT_TEST(a_prefix_of_no_bits_contains_both_families);
  CPPUNIT_TEST(a_prefix_never_contains_another_family);
  CPPUNIT_TEST(a_prefix_longer_than_the_address_contains_nothing);
  CPPUNIT_TEST_SUITE_END();

 public:
  void addresses_are_read_and_written_in_one_form() {
    CPPUNIT_ASSERT_EQUAL(std::string("10.1.0.2"), format(ip("10.1.0.2")));
    CPPUNIT_ASSERT_EQUAL(std::string("2001:db8::1"), format(ip("2001:0DB8:0:0::1")));
    CPPUNIT_ASSERT_EQUAL(std::string("any"), format(Address{}));
    CPPUNIT_ASSERT_EQUAL(std::string("10.0.0.0/8"), format(net("10.0.0.0", 8)));
  }
  void what_is_no_address_is_refused() {
    for (const char* text : {"", "10.1.0", "10.1.0.256", "10.1.0.2 ", " ::1", "::1%lo", "[::1]", "10.1.0.2/32", "localhost", "1"})
      CPPUNIT_ASSERT_EQUAL(Code::BAD_NAME, code_of(parse_address(text)));
  }
  void a_text_with_a_nul_is_refused() {
    CPPUNIT_ASSERT_EQUAL(Code::BAD_NAME, code_of(parse_address(std::string_view("10.1.0.2\0evil", 13))));
  }
  void any_is_any_family_of_zeros() {
    CPPUNIT_ASSERT(Address{}.is_any() && ip("0.0.0.0").is_any() && ip("::").is_any());
    CPPUNIT_ASSERT(!ip("0.0.0.1").is_any() && !ip("::1").is_any());
  }
  void loopback_is_seen_in_every_form() {
    for (const char* text : {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"}) CPPUNIT_ASSERT_MESSAGE(text, ip(text).is_loopback());
    for (const char* text : {"128.0.0.1", "::2", "1::1", "::", "::ffff:10.0.0.1"}) CPPUNIT_ASSERT_MESSAGE(text, !ip(text).is_loopback());
    CPPUNIT_ASSERT(!Address{}.is_loopback());
  }
  void a_mapped_address_is_unmapped() {
    CPPUNIT_ASSERT(ip("::ffff:10.1.0.2").is_v4_mapped());
    CPPUNIT_ASSERT(ip("::ffff:10.1.0.2").unmapped() == ip("10.1.0.2"));
    CPPUNIT_ASSERT(!ip("::fffe:10.1.0.2").is_v4_mapped() && !ip("10.1.0.2").is_v4_mapped());
    CPPUNIT_ASSERT(ip("2001:db8::1").unmapped() == ip("2001:db8::1"));
  }
  void octets_that_are_too_few_make_no_address() {
    const base::Bytes four = counting(1, 4);
    CPPUNIT_ASSERT(address_from(Family::ipv4, four) == ip("1.2.3.4"));
    CPPUNIT_ASSERT(address_from(Family::ipv6, four) == Address{});
    CPPUNIT_ASSERT(address_from(Family::ipv4, base::View(four).first(3)) == Address{});
  }
  void a_prefix_compares_exactly_its_bits() {
    CPPUNIT_ASSERT(net("10.1.2.128", 25).contains(ip("10.1.2.255")) && !net("10.1.2.128", 25).contains(ip("10.1.2.127")));
    CPPUNIT_ASSERT(net("10.1.2.3", 32).contains(ip("10.1.2.3")) && !net("10.1.2.3", 32).contains(ip("10.1.2.2")));
    CPPUNIT_ASSERT(net("128.0.0.0", 1).contains(ip("255.0.0.0")) && !net("128.0.0.0", 1).contains(ip("127.0.0.0")));
    CPPUNIT_ASSERT(net("10.1.2.3", 8).contains(ip("10.9.9.9")));
    CPPUNIT_ASSERT(net("2001:db8::", 127).contains(ip("2001:db8::1")) && !net("2001:db8::", 127).contains(ip("2001:db8::2")));
    CPPUNIT_ASSERT(net("2001:db8::", 128).contains(ip("2001:db8::")));
  }
  void a_prefix_of_no_bits_contains_both_families() {
    CPPUNIT_ASSERT(Prefix{}.contains(ip("10.0.0.1")) && Prefix{}.contains(ip("::1")) && net("10.0.0.0", 0).contains(ip("::1")));
  }
  void a_prefix_never_contains_another_family() {
    CPPUNIT_ASSERT(!net("32.1.13.184", 32).contains(ip("2001:db8::")));
    CPPUNIT_ASSERT(!net("::", 1).contains(ip("0.0.0.0")));
  }
  void a_prefix_longer_than_the_address_contains_nothing() { CPPUNIT_ASSERT(!net("10.0.0.1", 33).contains(ip("10.0.0.1"))); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(AddressTest);

}  // namespace gssipsec::channel::testing
