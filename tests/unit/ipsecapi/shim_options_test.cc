// SPDX-License-Identifier: MIT
// Options of SOL_SHIM: what is read out, and that nothing else is made up.
#include <fcntl.h>

#include <cstring>

#include "tests/unit/ipsecapi/shim_fixture.h"

namespace gssipsec::api {
namespace {

using base::Code;
using protocol::Locators;
using protocol::Verb;

class ShimOptionsTest : public ShimFixture {
  CPPUNIT_TEST_SUITE(ShimOptionsTest);
  CPPUNIT_TEST(locators_are_read_out);
  CPPUNIT_TEST(ports_say_that_esp_is_in_udp);
  CPPUNIT_TEST(what_is_in_clear_has_no_context);
  CPPUNIT_TEST(other_failures_are_told_as_they_are);
  CPPUNIT_TEST(a_latch_is_an_association);
  CPPUNIT_TEST(security_is_that_of_the_query);
  CPPUNIT_TEST(nothing_is_behind_the_others);
  CPPUNIT_TEST(nothing_can_be_set);
  CPPUNIT_TEST(what_has_no_room_is_not_given);
  CPPUNIT_TEST(other_levels_are_the_systems);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    ShimFixture::setUp();
    pairs_ = {{*channel::parse_address("10.1.0.1"), *channel::parse_address("10.1.0.2"), 0, 0},
              {*channel::parse_address("2001:db8::1"), *channel::parse_address("2001:db8::2"), 0, 0}};
    refused_ = Code::ok;
  }

  void locators_are_read_out() {
    shim_locator found[3] = {};
    for (const auto& [name, first, second] : {std::tuple(SHIM_LOCLIST_LOCAL, "::ffff:10.1.0.1", "2001:db8::1"), std::tuple(SHIM_LOCLIST_PEER, "::ffff:10.1.0.2", "2001:db8::2")}) {
      socklen_t length = sizeof found;
      CPPUNIT_ASSERT_EQUAL(0, shim_getsockopt(fd(), SOL_SHIM, name, found, &length));
      CPPUNIT_ASSERT_EQUAL(socklen_t{2 * sizeof(shim_locator)}, length);
      CPPUNIT_ASSERT(is_at(found[0], first) && is_at(found[1], second));
      CPPUNIT_ASSERT(found[0].lc_family == AF_INET && found[1].lc_family == AF_INET6 && found[0].lc_proto == IPPROTO_ESP && found[0].lc_port == 0);
    }
    for (const auto& [name, first] : {std::pair(SHIM_LOC_LOCAL_PREF, "::ffff:10.1.0.1"), std::pair(SHIM_LOC_PEER_PREF, "::ffff:10.1.0.2")}) {
      socklen_t length = sizeof found;
      CPPUNIT_ASSERT_EQUAL(0, shim_getsockopt(fd(), SOL_SHIM, name, found, &length));
      CPPUNIT_ASSERT(length == sizeof(shim_locator) && is_at(found[0], first));
    }
    CPPUNIT_ASSERT(value_of(SO_SHIM_AF_FAMILY) == AF_INET && value_of(SO_SHIM_NAT_TRAVERSAL) == 0);
  }

  void ports_say_that_esp_is_in_udp() {
    pairs_ = {{*channel::parse_address("2001:db8::1"), *channel::parse_address("2001:db8::2"), 4500, 1024}};
    shim_locator found{};
    socklen_t length = sizeof found;
    CPPUNIT_ASSERT_EQUAL(0, shim_getsockopt(fd(), SOL_SHIM, SHIM_LOC_PEER_PREF, &found, &length));
    CPPUNIT_ASSERT(found.lc_proto == IPPROTO_UDP && found.lc_port == htons(1024));
    CPPUNIT_ASSERT(value_of(SO_SHIM_AF_FAMILY) == AF_INET6 && value_of(SO_SHIM_NAT_TRAVERSAL) == 1);
  }

  void what_is_in_clear_has_no_context() {
    for (const Code code : {Code::NO_POLICY, Code::NO_SA, Code::OPTIONAL_POLICY}) refused_ = code, expect(SHIM_LOCLIST_PEER, ENOSHIMCONTEXT, static_cast<ipsec_err>(code));
    refused_ = Code::ok;
    pairs_.clear();
    expect(SHIM_LOC_PEER_PREF, ENOSHIMCONTEXT, IPSEC_E_NO_SA);
  }

  void other_failures_are_told_as_they_are() {
    refused_ = Code::UNKNOWN;
    expect(SO_SHIM_AF_FAMILY, EAGAIN, IPSEC_E_UNKNOWN);
    const base::UniqueFd unconnected = kernel::testing::make_socket(AF_INET, SOCK_STREAM), other = kernel::testing::make_socket(AF_UNIX, SOCK_STREAM);
    int value = 0;
    socklen_t length = sizeof value;
    for (const int name : {int{SHIM_ASSOCIATED}, int{SHIM_SECURITY}}) {
      expect_failure(shim_getsockopt(unconnected.get(), SOL_SHIM, name, &value, &length), ENOTCONN, IPSEC_E_NOT_CONNECTED);
      expect_failure(shim_getsockopt(other.get(), SOL_SHIM, name, &value, &length), ENOTSOCK, IPSEC_E_NOT_A_SOCKET);
      expect_failure(shim_getsockopt(-1, SOL_SHIM, name, &value, &length), ENOTSOCK, IPSEC_E_NOT_A_SOCKET);
    }
    broker.reset();
    expect(SHIM_ASSOCIATED, ECONNREFUSED, IPSEC_E_NO_BROKER), expect(SHIM_SECURITY, ECONNREFUSED, IPSEC_E_NO_BROKER), expect(SHIM_LOC_PEER_PREF, ECONNREFUSED, IPSEC_E_NO_BROKER);
  }

  void a_latch_is_an_association() {
    CPPUNIT_ASSERT_EQUAL(1, value_of(SHIM_ASSOCIATED));
    for (const auto state : {protocol::LatchState::none, protocol::LatchState::broken, protocol::LatchState::monitored})
      report.latch = state, CPPUNIT_ASSERT_EQUAL(0, value_of(SHIM_ASSOCIATED));
  }

  void security_is_that_of_the_query() {
    ipsec_security_info asked{}, found{};
    asked.size = sizeof asked;
    socklen_t length = sizeof found;
    CPPUNIT_ASSERT(shim_getsockopt(fd(), SOL_SHIM, SHIM_SECURITY, &found, &length) == 0 && ipsec_query(fd(), &asked) == 0);
    CPPUNIT_ASSERT(memcmp(&asked, &found, sizeof found) == 0 && length == sizeof found);
  }

  void nothing_is_behind_the_others() {
    for (const int name : {int{SO_SHIM_CHALLENGE_SIZE}, int{SO_SHIM_SA_LIFETIME}, int{SO_SHIM_OPPORTUNISTIC}, int{SHIM_DONTSHIM}, int{SHIM_LOC_PEER_SEND}, int{SHIM_IF_SEND}})
      expect(name, EOPNOTSUPP, IPSEC_E_UNAVAILABLE);
    for (const int name : {0, 13, 0x100, 0x113, 0x201, -1}) expect(name, ENOPROTOOPT, IPSEC_E_BAD_ARGUMENT);
  }

  void nothing_can_be_set() {
    const int one = 1;
    for (const int name : {int{SHIM_ASSOCIATED}, int{SHIM_DONTSHIM}, int{SHIM_SECURITY}, int{SO_SHIM_NAT_TRAVERSAL}})
      expect_failure(shim_setsockopt(fd(), SOL_SHIM, name, &one, sizeof one), EOPNOTSUPP, IPSEC_E_UNAVAILABLE);
    expect_failure(shim_setsockopt(fd(), SOL_SHIM, 0, &one, sizeof one), ENOPROTOOPT, IPSEC_E_BAD_ARGUMENT);
  }

  void what_has_no_room_is_not_given() {
    shim_locator found{};
    socklen_t length = sizeof found;
    expect_failure(shim_getsockopt(fd(), SOL_SHIM, SHIM_LOCLIST_PEER, &found, &length), ERANGE, IPSEC_E_BAD_ARGUMENT);
    CPPUNIT_ASSERT(length == 2 * sizeof found && found.lc_family == 0);
    expect_failure(shim_getsockopt(fd(), SOL_SHIM, SHIM_ASSOCIATED, nullptr, &length), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(shim_getsockopt(fd(), SOL_SHIM, SHIM_ASSOCIATED, &found, nullptr), EINVAL, IPSEC_E_BAD_ARGUMENT);
  }

  void other_levels_are_the_systems() {
    int value = 1;
    socklen_t length = sizeof value;
    CPPUNIT_ASSERT_EQUAL(0, shim_setsockopt(fd(), SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value));
    value = 0;
    CPPUNIT_ASSERT(shim_getsockopt(fd(), SOL_SOCKET, SO_KEEPALIVE, &value, &length) == 0 && value == 1);
    CPPUNIT_ASSERT(shim_getsockopt(fd(), SOL_SOCKET, SO_ERROR, &value, &length) == 0 && value == 0);
    CPPUNIT_ASSERT(shim_getsockopt(fd(), SOL_SOCKET, SO_DOMAIN, &value, &length) == 0 && value == AF_INET);
    CPPUNIT_ASSERT(shim_getsockopt(-1, SOL_SOCKET, SO_TYPE, &value, &length) == -1 && errno == EBADF);
    CPPUNIT_ASSERT(shim_setsockopt(-1, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value) == -1 && errno == EBADF);
  }

 protected:
  void answer(tests::FakeBroker& self, tests::FakeRequest& request) override {
    if (request.frame.header.verb != Verb::locators) return ShimFixture::answer(self, request);
    if (refused_ != Code::ok) return refuse(request, refused_);
    tests::FakeBroker::answer(request, encode(protocol::LocatorsReply{pairs_}));
  }

 private:
  static bool is_at(const shim_locator& locator, const char* address) {
    in6_addr wanted{};
    return inet_pton(AF_INET6, address, &wanted) == 1 && memcmp(&wanted, &locator.lc_addr, sizeof wanted) == 0;
  }
  int value_of(int name) const {
    int value = -1;
    socklen_t length = sizeof value;
    CPPUNIT_ASSERT_EQUAL(0, shim_getsockopt(fd(), SOL_SHIM, name, &value, &length));
    return value;
  }
  void expect(int name, int number, ipsec_err reason) const {
    char room[256];
    socklen_t length = sizeof room;
    expect_failure(shim_getsockopt(fd(), SOL_SHIM, name, room, &length), number, reason, std::to_string(name).c_str());
  }

  std::vector<Locators> pairs_;
  std::atomic<Code> refused_{Code::ok};
};

CPPUNIT_TEST_SUITE_REGISTRATION(ShimOptionsTest);

}  // namespace
}  // namespace gssipsec::api
