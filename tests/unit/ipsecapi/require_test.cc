// SPDX-License-Identifier: MIT
// Protection before there is a connection: what the broker is asked, and that nothing is connected where it refuses.
#include <fcntl.h>

#include <atomic>
#include <cstring>
#include <span>
#include <tuple>

#include "client/sockets.h"
#include "tests/unit/ipsecapi/reports.h"

namespace gssipsec::api {
namespace {

using base::Code;
using protocol::Strength;
using protocol::RequireRequest;
using protocol::Verb;

class ApiRequireTest : public ApiFixture {
  CPPUNIT_TEST_SUITE(ApiRequireTest);
  CPPUNIT_TEST(the_broker_is_asked_for_what_is_wanted);
  CPPUNIT_TEST(a_mapped_address_is_that_on_the_wire);
  CPPUNIT_TEST(what_the_broker_refuses_is_told);
  CPPUNIT_TEST(connecting_requires_connects_and_latches);
  CPPUNIT_TEST(a_required_connection_is_protected_since_it_began);
  CPPUNIT_TEST(datagrams_may_have_waited);
  CPPUNIT_TEST(what_is_refused_is_not_connected);
  CPPUNIT_TEST(a_wrong_peer_gets_no_latch);
  CPPUNIT_TEST(a_connection_that_is_refused_is_told_with_its_errno);
  CPPUNIT_TEST(a_level_is_judged_by_the_broker_afterwards);
  CPPUNIT_TEST(levels_are_values_of_two_attributes);
  CPPUNIT_TEST(btns_can_be_forbidden);
  CPPUNIT_TEST(wrong_addresses_are_refused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    ApiFixture::setUp();
    fd_ = kernel::testing::make_socket(AF_INET, SOCK_STREAM);
    wanted_.reset(ipsec_create_pToken());
    refusal_ = judged_ = Code::ok;
    proven_ = true;
    socklen_t size = sizeof where_;
    CPPUNIT_ASSERT_EQUAL(0, getsockname(pair.listener.get(), reinterpret_cast<sockaddr*>(&where_), &size));
  }
  void tearDown() override {
    fd_.reset();
    wanted_.reset();
    ApiFixture::tearDown();
  }

  void the_broker_is_asked_for_what_is_wanted() {
    CPPUNIT_ASSERT_EQUAL(0, require());
    const RequireRequest nothing{address(), ntohs(where_.sin_port), Strength::any, false, false, false, 0};
    CPPUNIT_ASSERT(asked_ == nothing);
    asked_ = {};
    CPPUNIT_ASSERT_EQUAL(0, ipsec_cbinding(fd_.get(), reinterpret_cast<sockaddr*>(&where_), sizeof where_));
    CPPUNIT_ASSERT(asked_ == nothing);
    want(IPSEC_API_ATTR_privacyProtected, IPSEC_API_ATTR_LEVEL_LOW), want(IPSEC_API_ATTR_integrityProtected, IPSEC_API_ATTR_LEVEL_HIGH);
    want(IPSEC_API_ATTR_replayProtected, IPSEC_API_ATTR_ENABLE), want(IPSEC_API_ATTR_btns, IPSEC_API_ATTR_DISABLE);
    want(IPSEC_API_ATTR_keyBits, 256);
    CPPUNIT_ASSERT_EQUAL(0, require());
    const RequireRequest all{address(), ntohs(where_.sin_port), Strength::high, true, true, true, 256};
    CPPUNIT_ASSERT(asked_ == all);
  }

  void a_mapped_address_is_that_on_the_wire() {
    sockaddr_in6 mapped{};
    mapped.sin6_family = AF_INET6, mapped.sin6_port = where_.sin_port;
    mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
    memcpy(mapped.sin6_addr.s6_addr + 12, &where_.sin_addr, 4);
    CPPUNIT_ASSERT_EQUAL(0, ipsec_require(fd_.get(), reinterpret_cast<sockaddr*>(&mapped), sizeof mapped, nullptr));
    CPPUNIT_ASSERT(asked_.peer == address());
  }

  void what_the_broker_refuses_is_told() {
    for (const auto& [code, number, reason] : {std::tuple(Code::ALREADY_CONNECTED, EISCONN, IPSEC_E_ALREADY_CONNECTED),
                                               std::tuple(Code::OPTIONAL_POLICY, EACCES, IPSEC_E_OPTIONAL_POLICY),
                                               std::tuple(Code::NOT_OWNER, EPERM, IPSEC_E_NOT_OWNER), std::tuple(Code::WEAK, EACCES, IPSEC_E_WEAK)}) {
      refusal_ = code;
      expect_failure(require(), number, reason);
    }
    broker.reset();
    expect_failure(require(), ECONNREFUSED, IPSEC_E_NO_BROKER);
  }

  void connecting_requires_connects_and_latches() {
    const OwnIdentity server = wanted_identity("fqdn:server.example.org");
    ipsec_latch_t latch = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, connect(server.get(), &latch));
    CPPUNIT_ASSERT_EQUAL(1, broker->requests(Verb::require));
    CPPUNIT_ASSERT(is_connected());
    CPPUNIT_ASSERT_EQUAL(0, ipsec_free_latch(latch));
  }

  // By what was required, whatever the broker can show.
  void a_required_connection_is_protected_since_it_began() {
    const OwnIdentity server = wanted_identity("fqdn:server.example.org");
    ipsec_latch_t latch = nullptr;
    report.since_start = false;
    CPPUNIT_ASSERT_EQUAL(0, connect(server.get(), &latch));
    CPPUNIT_ASSERT_EQUAL(0, ipsec_free_latch(latch));
  }

  void datagrams_may_have_waited() {
    const OwnIdentity server = wanted_identity("fqdn:server.example.org");
    ipsec_latch_t latch = nullptr;
    fd_ = kernel::testing::make_socket(AF_INET, SOCK_DGRAM);
    report.since_start = false;
    expect_failure(connect(server.get(), &latch), EACCES, IPSEC_E_STARTED_IN_CLEAR);
    fd_ = kernel::testing::make_socket(AF_INET, SOCK_DGRAM);
    report.since_start = true;
    CPPUNIT_ASSERT_EQUAL(0, connect(server.get(), &latch));
    CPPUNIT_ASSERT_EQUAL(0, ipsec_free_latch(latch));
  }

  void what_is_refused_is_not_connected() {
    ipsec_latch_t latch = nullptr;
    refusal_ = Code::NO_POLICY;
    expect_failure(connect(nullptr, &latch), EACCES, IPSEC_E_NO_POLICY);
    CPPUNIT_ASSERT(!is_connected() && !latch);
  }

  void a_wrong_peer_gets_no_latch() {
    const OwnIdentity other = wanted_identity("fqdn:other.example.org");
    ipsec_latch_t latch = nullptr;
    expect_failure(connect(other.get(), &latch), EACCES, IPSEC_E_WRONG_PEER);
    CPPUNIT_ASSERT(!latch);
  }

  void a_connection_that_is_refused_is_told_with_its_errno() {
    pair.listener.reset();
    ipsec_latch_t latch = nullptr;
    expect_failure(connect(nullptr, &latch), ECONNREFUSED, IPSEC_E_SYSTEM);
    CPPUNIT_ASSERT_EQUAL(0, broker->requests(Verb::latch));
  }

  void a_level_is_judged_by_the_broker_afterwards() {
    ipsec_latch_t latch = nullptr;
    want(IPSEC_API_ATTR_privacyProtected, IPSEC_API_ATTR_LEVEL_MEDIUM);
    CPPUNIT_ASSERT_EQUAL(0, connect(nullptr, &latch));
    CPPUNIT_ASSERT_EQUAL(0, ipsec_free_latch(latch));
    CPPUNIT_ASSERT(asked_.peer.family == channel::Family::none && asked_.level == Strength::medium);
    CPPUNIT_ASSERT_EQUAL(2, broker->requests(Verb::require));
    fd_ = kernel::testing::make_socket(AF_INET, SOCK_STREAM);
    judged_ = Code::WEAK, latch = nullptr;
    expect_failure(connect(nullptr, &latch), EACCES, IPSEC_E_WEAK);
    CPPUNIT_ASSERT(!latch);
  }

  void levels_are_values_of_two_attributes() {
    for (const std::uint32_t attribute : {IPSEC_API_ATTR_privacyProtected, IPSEC_API_ATTR_integrityProtected}) {
      for (const std::uint32_t level : {IPSEC_API_ATTR_LEVEL_LOW, IPSEC_API_ATTR_LEVEL_MEDIUM, IPSEC_API_ATTR_LEVEL_HIGH}) {
        want(attribute, level);
        CPPUNIT_ASSERT_EQUAL(level, number(wanted_.get(), attribute));
      }
      for (const std::uint32_t bad : {0x0fu, 0x11u, 0x40u}) expect_failure(set(attribute, bad), EINVAL, IPSEC_E_BAD_ARGUMENT);
      expect_failure(set(attribute, IPSEC_API_ATTR_DISABLE), EPERM, IPSEC_E_NOT_ALLOWED);
      CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_LEVEL_HIGH}, number(wanted_.get(), attribute));
      want(attribute, IPSEC_API_ATTR_ANY);
      CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_ANY}, number(wanted_.get(), attribute));
    }
    CPPUNIT_ASSERT_EQUAL(0, require());
    CPPUNIT_ASSERT(asked_.level == Strength::any && !asked_.privacy);
  }

  void btns_can_be_forbidden() {
    ipsec_latch_t latch = nullptr;
    proven_ = false;
    CPPUNIT_ASSERT_EQUAL(0, connect(nullptr, &latch));
    CPPUNIT_ASSERT_EQUAL(0, ipsec_free_latch(latch));
    fd_ = kernel::testing::make_socket(AF_INET, SOCK_STREAM);
    expect_failure(set(IPSEC_API_ATTR_btns, IPSEC_API_ATTR_ENABLE), EINVAL, IPSEC_E_BAD_ARGUMENT);
    want(IPSEC_API_ATTR_btns, IPSEC_API_ATTR_DISABLE);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_DISABLE}, number(wanted_.get(), IPSEC_API_ATTR_btns));
    expect_failure(connect(nullptr, &latch), EACCES, IPSEC_E_PEER_UNAUTHENTICATED);
  }

  void wrong_addresses_are_refused() {
    const auto* to = reinterpret_cast<const sockaddr*>(&where_);
    for (const socklen_t size : {1, 8}) expect_failure(ipsec_require(fd_.get(), to, size, nullptr), EINVAL, IPSEC_E_BAD_ARGUMENT);
    CPPUNIT_ASSERT_EQUAL(0, broker->requests(Verb::require));
  }

 protected:
  void answer(tests::FakeBroker& self, tests::FakeRequest& request) override {
    if (request.frame.header.verb == Verb::latch) return latch(self, request, proven_);
    if (request.frame.header.verb != Verb::require) return ApiFixture::answer(self, request);
    asked_ = *protocol::decode_require_request(request.frame.body);
    const Code code = asked_.peer.family == channel::Family::none ? judged_ : refusal_;
    if (code == Code::ok) return self.obey(request);
    tests::FakeBroker::send(request.socket, encode_error(request.frame.header, base::fail(code)));
  }

 private:
  int require() { return ipsec_require(fd_.get(), reinterpret_cast<const sockaddr*>(&where_), sizeof where_, wanted_.get()); }
  int connect(ipsec_iToken_t peer, ipsec_latch_t* latch) {
    return ipsec_connect(fd_.get(), reinterpret_cast<const sockaddr*>(&where_), sizeof where_, wanted_.get(), peer, latch);
  }
  int set(std::uint32_t attribute, std::uint32_t value) { return ipsec_set_token_attr(wanted_.get(), attribute, sizeof value, &value); }
  void want(std::uint32_t attribute, std::uint32_t value) { CPPUNIT_ASSERT_EQUAL(0, set(attribute, value)); }
  [[nodiscard]] channel::Address address() const { return channel::address_from(channel::Family::ipv4, std::as_bytes(std::span(&where_.sin_addr, 1))); }
  [[nodiscard]] bool is_connected() const { return client::endpoints_of(fd_.get()).ok(); }

  base::UniqueFd fd_;
  OwnProtection wanted_;
  sockaddr_in where_{};
  RequireRequest asked_;
  std::atomic<Code> refusal_{Code::ok}, judged_{Code::ok};
  std::atomic<bool> proven_{true};
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiRequireTest);

}  // namespace
}  // namespace gssipsec::api
