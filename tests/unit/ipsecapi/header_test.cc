// SPDX-License-Identifier: MIT
// The C++ header: what is moved from, or null, is never taken for "nobody in particular".
#include <ipsec/ipsecapi.hpp>

#include <type_traits>

#include "tests/unit/ipsecapi/reports.h"

namespace gssipsec::api {
namespace {

static_assert(!std::is_constructible_v<ipsec::Identity, std::nullptr_t> && !std::is_constructible_v<ipsec::Protection, std::nullptr_t>);
static_assert(!std::is_copy_constructible_v<ipsec::Identity> && !std::is_copy_constructible_v<ipsec::Protection> &&
              !std::is_copy_constructible_v<ipsec::Latch> && !std::is_copy_constructible_v<ipsec::Subscription>);

class ApiHeaderTest : public ApiFixture {
  CPPUNIT_TEST_SUITE(ApiHeaderTest);
  CPPUNIT_TEST(a_latch_is_made_with_who_and_what_is_wanted);
  CPPUNIT_TEST(what_was_moved_from_is_refused);
  CPPUNIT_TEST(null_is_no_identity);
  CPPUNIT_TEST(failures_have_reasons);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_latch_is_made_with_who_and_what_is_wanted() {
    const ipsec::Identity server("fqdn:server.example.org"), other("fqdn:other.example.org");
    const ipsec::Protection encrypted = std::move(ipsec::Protection().want(IPSEC_API_ATTR_privacyProtected, IPSEC_API_ATTR_ENABLE));
    CPPUNIT_ASSERT_EQUAL(IPSEC_LATCH_ESTABLISHED, ipsec::Latch::connection(fd(), &encrypted, &server).state());
    CPPUNIT_ASSERT_EQUAL(IPSEC_LATCH_ESTABLISHED, ipsec::Latch::connection(fd()).state());
    CPPUNIT_ASSERT_THROW(ipsec::Latch::connection(fd(), nullptr, &other), ipsec::Error);
  }

  void what_was_moved_from_is_refused() {
    ipsec::Identity peer("fqdn:server.example.org");
    ipsec::Protection least;
    const ipsec::Identity moved_peer = std::move(peer);
    const ipsec::Protection moved_least = std::move(least);
    const sockaddr_in6 to = kernel::testing::loopback(AF_INET);
    const auto* address = reinterpret_cast<const sockaddr*>(&to);
    refused([&] { (void)ipsec::Latch::connection(fd(), nullptr, &peer); });
    refused([&] { (void)ipsec::Latch::connection(fd(), &least); });
    refused([&] { (void)ipsec::Latch::connect(fd(), address, sizeof(sockaddr_in), nullptr, &peer); });
    refused([&] { (void)ipsec::Latch::connect(fd(), address, sizeof(sockaddr_in), &least); });
    refused([&] { ipsec::require(fd(), address, sizeof(sockaddr_in), &least); });
    CPPUNIT_ASSERT_EQUAL(0, broker->requests(protocol::Verb::latch) + broker->requests(protocol::Verb::require));
    CPPUNIT_ASSERT_THROW((void)peer.name(), ipsec::Error);
    CPPUNIT_ASSERT_THROW((void)(peer == moved_peer), ipsec::Error);
  }

  void null_is_no_identity() {
    refused([] { const ipsec::Identity nobody(ipsec_iToken_t{}); });
  }

  void failures_have_reasons() {
    report.is_protected = false, report.why = base::Code::NO_POLICY;
    try {
      (void)ipsec::peer(fd());
      CPPUNIT_FAIL("somebody is there");
    } catch (const ipsec::Error& error) {
      CPPUNIT_ASSERT(error.code().value() == EACCES && error.reason() == IPSEC_E_NO_POLICY);
    }
  }

 protected:
  void answer(tests::FakeBroker& self, tests::FakeRequest& request) override {
    return request.frame.header.verb == protocol::Verb::latch ? latch(self, request, true) : ApiFixture::answer(self, request);
  }

 private:
  template <typename Call>
  static void refused(Call call) {
    try {
      call();
      CPPUNIT_FAIL("it was taken for nothing");
    } catch (const std::system_error& error) {
      CPPUNIT_ASSERT_EQUAL(EINVAL, error.code().value());
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiHeaderTest);

}  // namespace
}  // namespace gssipsec::api
