// SPDX-License-Identifier: MIT
// What protects a socket, by a broker that says what the test wants: flags, peers, protection tokens, and each way to fail.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

#include "tests/support/child.h"
#include "tests/unit/ipsecapi/reports.h"

namespace gssipsec::api {
namespace {

using base::Code;
using protocol::LatchState;

constexpr std::uint32_t kAll = IPSEC_INFO_SECURED | IPSEC_INFO_ENCRYPTED | IPSEC_INFO_PEER_AUTHENTICATED | IPSEC_INFO_LATCHED | IPSEC_INFO_ENFORCED |
                               IPSEC_INFO_E2E | IPSEC_INFO_SINCE_START | IPSEC_INFO_REPLAY;

ipsec_security_info asked(int fd) {
  ipsec_security_info info{};
  info.size = sizeof info;
  CPPUNIT_ASSERT_EQUAL(0, ipsec_query(fd, &info));
  return info;
}

int try_query(int fd) {
  ipsec_security_info info{};
  info.size = sizeof info;
  return ipsec_query(fd, &info);
}

class ApiQueryTest : public ApiFixture {
  CPPUNIT_TEST_SUITE(ApiQueryTest);
  CPPUNIT_TEST(a_protected_socket_has_all_flags);
  CPPUNIT_TEST(each_flag_says_one_thing);
  CPPUNIT_TEST(one_direction_is_nothing);
  CPPUNIT_TEST(not_protected_is_an_answer_with_a_reason);
  CPPUNIT_TEST(the_weaker_direction_counts);
  CPPUNIT_TEST(a_peer_has_a_name_when_he_is_proven);
  CPPUNIT_TEST(attributes_of_a_protection);
  CPPUNIT_TEST(protections_compare);
  CPPUNIT_TEST(templates_want_more_and_never_less);
  CPPUNIT_TEST(a_socket_that_changes_meanwhile_is_refused);
  CPPUNIT_TEST(what_the_broker_refuses_has_its_errno);
  CPPUNIT_TEST(wrong_sizes_and_attributes_are_refused);
  CPPUNIT_TEST(errors_have_texts_and_stay);
  CPPUNIT_TEST(the_header_has_every_error);
  CPPUNIT_TEST(capabilities_are_the_brokers);
  CPPUNIT_TEST(a_child_asks_for_itself);
  CPPUNIT_TEST(a_hundred_threads_ask);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_protected_socket_has_all_flags() {
    const ipsec_security_info info = asked(fd());
    CPPUNIT_ASSERT_EQUAL(kAll, info.flags);
    CPPUNIT_ASSERT_EQUAL(0u, info.why);
    CPPUNIT_ASSERT_EQUAL(256u, info.key_bits);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_MODE_TRANSPORT}, info.mode);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_LATCH_ESTABLISHED}, info.latch_state);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_authMeth_PKIX_TRUSTED}, info.auth_method);
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(sizeof info), info.size);
  }

  void each_flag_says_one_thing() {
    const std::pair<std::uint32_t, std::function<void(protocol::Report&)>> changes[] = {
        {IPSEC_INFO_ENCRYPTED, [](auto& r) { r.in.confidentiality = false; }},
        {IPSEC_INFO_ENCRYPTED, [](auto& r) { r.out.confidentiality = false; }},
        {IPSEC_INFO_PEER_AUTHENTICATED, [](auto& r) { r.peer_authenticated = false; }},
        {IPSEC_INFO_ENFORCED, [](auto& r) { r.latch = LatchState::monitored; }},
        {IPSEC_INFO_ENFORCED | IPSEC_INFO_LATCHED, [](auto& r) { r.latch = LatchState::broken; }},
        {IPSEC_INFO_ENFORCED | IPSEC_INFO_LATCHED, [](auto& r) { r.latch = LatchState::stale; }},
        {IPSEC_INFO_ENFORCED | IPSEC_INFO_LATCHED, [](auto& r) { r.latch = LatchState::none; }},
        {IPSEC_INFO_E2E, [](auto& r) { r.end_to_end = false; }},
        {IPSEC_INFO_SINCE_START, [](auto& r) { r.since_start = false; }},
        {IPSEC_INFO_REPLAY, [](auto& r) { r.in.replay_protection = false; }},
        {0, [](auto& r) { r.out.replay_protection = false; }},
    };
    for (const auto& [missing, change] : changes) {
      report = honest_report();
      change(report);
      CPPUNIT_ASSERT_EQUAL(kAll & ~missing, asked(fd()).flags);
    }
  }

  void one_direction_is_nothing() {
    for (protocol::DirectionReport* way : {&report.in, &report.out}) {
      report = honest_report();
      way->is_protected = false;
      way->why = Code::OPTIONAL_POLICY;
      const ipsec_security_info info = asked(fd());
      CPPUNIT_ASSERT_EQUAL(0u, info.flags);
      CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_E_OPTIONAL_POLICY}, info.why);
      CPPUNIT_ASSERT_EQUAL(0u, info.key_bits);
    }
  }

  void not_protected_is_an_answer_with_a_reason() {
    report.is_protected = false;
    report.why = Code::NO_POLICY;
    const ipsec_security_info info = asked(fd());
    CPPUNIT_ASSERT_EQUAL(0u, info.flags);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_E_NO_POLICY}, info.why);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_authMeth_NONE}, info.auth_method);
    report.why = Code::ok;
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_E_UNKNOWN}, asked(fd()).why);
  }

  void the_weaker_direction_counts() {
    report.in.key_bits = 128;
    CPPUNIT_ASSERT_EQUAL(128u, asked(fd()).key_bits);
    report.in.mode = "tunnel";
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_MODE_ANY}, asked(fd()).mode);
  }

  void a_peer_has_a_name_when_he_is_proven() {
    char name[IPSEC_PEER_SIZE] = "untouched";
    expect_failure(ipsec_get_peer(fd(), name, 10), ERANGE, IPSEC_E_BAD_ARGUMENT);
    report.peer_authenticated = false;
    expect_failure(ipsec_get_peer(fd(), name, sizeof name), EACCES, IPSEC_E_PEER_UNAUTHENTICATED);
    report.peer_authenticated = true;
    report.in.is_protected = false;
    report.in.why = Code::NO_SA;
    expect_failure(ipsec_get_peer(fd(), name, sizeof name), EACCES, IPSEC_E_NO_SA);
    report.in.why = Code::UNKNOWN;
    expect_failure(ipsec_get_peer(fd(), name, sizeof name), EACCES, IPSEC_E_UNKNOWN);
    CPPUNIT_ASSERT_EQUAL(std::string("untouched"), std::string(name));
    report = honest_report();
    CPPUNIT_ASSERT_EQUAL(0, ipsec_get_peer(fd(), name, sizeof name));
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:server.example.org"), std::string(name));
  }

  void attributes_of_a_protection() {
    const OwnProtection token = protection_on(fd());
    for (const auto attribute : {IPSEC_API_ATTR_privacyProtected, IPSEC_API_ATTR_integrityProtected, IPSEC_API_ATTR_replayProtected})
      CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_ENABLE}, number(token.get(), attribute));
    CPPUNIT_ASSERT_EQUAL(256u, number(token.get(), IPSEC_API_ATTR_keyBits));
    CPPUNIT_ASSERT_EQUAL(kAll, number(token.get(), IPSEC_API_ATTR_securityFlags));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_DISABLE}, number(token.get(), IPSEC_API_ATTR_tunnelMode));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_MODE_TRANSPORT}, number(token.get(), IPSEC_API_ATTR_mode));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_ENFORCE_KERNEL}, number(token.get(), IPSEC_API_ATTR_enforcement));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_LATCH_ESTABLISHED}, number(token.get(), IPSEC_API_ATTR_latchState));
    CPPUNIT_ASSERT_EQUAL(0u, number(token.get(), IPSEC_API_ATTR_why));
    CPPUNIT_ASSERT_EQUAL(std::string("c"), text(token.get(), IPSEC_API_ATTR_policyName));
    CPPUNIT_ASSERT_EQUAL(std::string("transport mode, AES_GCM_16-256, 256 bits, encrypted"), text(token.get(), IPSEC_API_ATTR_informationString));
    CPPUNIT_ASSERT(text(token.get(), IPSEC_API_ATTR_auditString).ends_with("peer fqdn:server.example.org (certificate); latch established"));
    for (const auto attribute : {IPSEC_API_ATTR_remote_iToken, IPSEC_API_ATTR_peerId})
      CPPUNIT_ASSERT_EQUAL(std::string("fqdn:server.example.org"), text(end_of(token, attribute).get(), IPSEC_API_ATTR_identity));
    for (const auto attribute : {IPSEC_API_ATTR_iToken, IPSEC_API_ATTR_localId})
      CPPUNIT_ASSERT_EQUAL(std::string("fqdn:client.example.org"), text(end_of(token, attribute).get(), IPSEC_API_ATTR_identity));
    std::uint32_t length = 0;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_get_token_attr(token.get(), IPSEC_API_ATTR_policyName, &length, nullptr));
    CPPUNIT_ASSERT_EQUAL(2u, length);
    char room[2];
    expect_failure(ipsec_get_token_attr(token.get(), IPSEC_API_ATTR_informationString, &(length = 2), room), ERANGE, IPSEC_E_BAD_ARGUMENT);
    expect_failure(ipsec_get_token_attr(token.get(), IPSEC_API_ATTR_ikeIdType, &length, room), EINVAL, IPSEC_E_BAD_ARGUMENT);
    report.is_protected = false, report.why = Code::BLOCKED, report.peer_id.clear();
    const OwnProtection none = protection_on(fd());
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_DISABLE}, number(none.get(), IPSEC_API_ATTR_privacyProtected));
    CPPUNIT_ASSERT_EQUAL(std::string(ipsec_strerror(IPSEC_E_BLOCKED)), text(none.get(), IPSEC_API_ATTR_informationString));
    expect_failure(ipsec_get_token_attr(none.get(), IPSEC_API_ATTR_peerId, &length, nullptr), ENODATA, IPSEC_E_UNAVAILABLE);
  }

  void protections_compare() {
    const OwnProtection one = protection_on(fd());
    report.ike_connection = "another", report.latch = LatchState::none;
    report.out.suite = report.in.suite = "AES_CTR-256";
    CPPUNIT_ASSERT_EQUAL(0, ipsec_cmp_pToken(one.get(), protection_on(fd()).get()));
    const std::function<void(protocol::Report&)> changes[] = {
        [](auto& r) { r.peer_id = "fqdn:other.example.org"; }, [](auto& r) { r.local_id = "fqdn:other.example.org"; },
        [](auto& r) { r.peer_authenticated = false; },         [](auto& r) { r.in.key_bits = 128; },
        [](auto& r) { r.in.mode = r.out.mode = "tunnel"; },    [](auto& r) { r.end_to_end = false; },
        [](auto& r) { r.out.confidentiality = false; },        [](auto& r) { r.in.is_protected = false; }};
    for (const auto& change : changes) {
      report = honest_report();
      change(report);
      CPPUNIT_ASSERT_EQUAL(1, ipsec_cmp_pToken(one.get(), protection_on(fd()).get()));
    }
    const OwnProtection none = protection_on(fd());
    CPPUNIT_ASSERT_EQUAL(1, ipsec_cmp_pToken(none.get(), none.get()));
    ipsec_pToken_t copy = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_dup_pToken(one.get(), &copy));
    const OwnProtection owned(copy);
    CPPUNIT_ASSERT_EQUAL(0, ipsec_cmp_pToken(one.get(), copy));
  }

  void templates_want_more_and_never_less() {
    const OwnProtection token(ipsec_create_pToken()), other(ipsec_create_pToken()), found = protection_on(fd());
    const auto set = [](const OwnProtection& to, std::uint32_t attribute, std::uint32_t value) {
      return ipsec_set_token_attr(to.get(), attribute, sizeof value, &value);
    };
    CPPUNIT_ASSERT_EQUAL(0, set(token, IPSEC_API_ATTR_privacyProtected, IPSEC_API_ATTR_ENABLE));
    CPPUNIT_ASSERT_EQUAL(0, set(token, IPSEC_API_ATTR_keyBits, 256));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_ENABLE}, number(token.get(), IPSEC_API_ATTR_privacyProtected));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_ANY}, number(token.get(), IPSEC_API_ATTR_replayProtected));
    CPPUNIT_ASSERT_EQUAL(256u, number(token.get(), IPSEC_API_ATTR_keyBits));
    CPPUNIT_ASSERT_EQUAL(1, ipsec_cmp_pToken(token.get(), other.get()));
    CPPUNIT_ASSERT_EQUAL(1, ipsec_cmp_pToken(token.get(), found.get()));
    expect_failure(set(token, IPSEC_API_ATTR_integrityProtected, IPSEC_API_ATTR_DISABLE), EPERM, IPSEC_E_NOT_ALLOWED);
    expect_failure(set(token, IPSEC_API_ATTR_keyBits, 65536), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(set(token, IPSEC_API_ATTR_mode, 1), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(ipsec_set_token_attr(token.get(), IPSEC_API_ATTR_keyBits, 2, "xx"), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(set(found, IPSEC_API_ATTR_privacyProtected, IPSEC_API_ATTR_ENABLE), EPERM, IPSEC_E_BAD_ARGUMENT);
    std::uint32_t length = 0;
    expect_failure(ipsec_get_token_attr(token.get(), IPSEC_API_ATTR_securityFlags, &length, nullptr), ENODATA, IPSEC_E_UNAVAILABLE);
    CPPUNIT_ASSERT_EQUAL(0, set(token, IPSEC_API_ATTR_privacyProtected, IPSEC_API_ATTR_ANY));
    CPPUNIT_ASSERT_EQUAL(0, set(token, IPSEC_API_ATTR_keyBits, 0));
    CPPUNIT_ASSERT_EQUAL(0, ipsec_cmp_pToken(token.get(), other.get()));
  }

  void a_socket_that_changes_meanwhile_is_refused() {
    reconnect_ = true;
    expect_failure(try_query(fd()), ESTALE, IPSEC_E_SOCKET_CHANGED);
  }

  void what_the_broker_refuses_has_its_errno() {
    const std::tuple<Code, int, ipsec_err> refusals[] = {{Code::NOT_ALLOWED, EPERM, IPSEC_E_NOT_ALLOWED}, {Code::BUSY, EAGAIN, IPSEC_E_BUSY},
        {Code::OTHER_NAMESPACE, EXDEV, IPSEC_E_OTHER_NAMESPACE}, {Code::UNSUPPORTED_SOCKET, EPROTONOSUPPORT, IPSEC_E_UNSUPPORTED_SOCKET},
        {Code::NETLINK, EPROTO, IPSEC_E_NETLINK}, {Code::NO_MEMORY, ENOMEM, IPSEC_E_NO_MEMORY}};
    for (const auto& [code, number, reason] : refusals) {
      refuse_ = code;
      expect_failure(try_query(fd()), number, reason);
    }
    broker.reset();
    expect_failure(try_query(fd()), ECONNREFUSED, IPSEC_E_NO_BROKER);
    CPPUNIT_ASSERT_EQUAL(0u, ipsec_capabilities());
  }

  void wrong_sizes_and_attributes_are_refused() {
    const OwnProtection token(ipsec_create_pToken());
    std::uint32_t length = 4;
    ipsec_security_info small{};
    small.size = sizeof small - 1;
    expect_failure(ipsec_query(fd(), &small), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(ipsec_get_token_attr(token.get(), 0, &length, nullptr), EINVAL, IPSEC_E_BAD_ARGUMENT);
    CPPUNIT_ASSERT_EQUAL(0, ipsec_free_pToken(nullptr));
  }

  void errors_have_texts_and_stay() {
    char text[512] = {}, little[8] = {};
    expect_failure(try_query(-1), ENOTSOCK, IPSEC_E_NOT_A_SOCKET);
    CPPUNIT_ASSERT_EQUAL(0, try_query(fd()));
    CPPUNIT_ASSERT_EQUAL(IPSEC_E_NOT_A_SOCKET, ipsec_get_error(text, sizeof text));
    CPPUNIT_ASSERT_EQUAL(std::string(ipsec_strerror(IPSEC_E_NOT_A_SOCKET)) + ": descriptor -1", std::string(text));
    (void)ipsec_get_error(little, sizeof little);
    CPPUNIT_ASSERT_EQUAL(std::string(text).substr(0, 7), std::string(little));
    CPPUNIT_ASSERT_EQUAL(std::string("no error"), std::string(ipsec_strerror(0)));
    CPPUNIT_ASSERT_EQUAL(std::string("unknown error"), std::string(ipsec_strerror(99999)));
    errno = 77;
    CPPUNIT_ASSERT_EQUAL(0, try_query(fd()));
    CPPUNIT_ASSERT_EQUAL(77, errno);
    std::thread([] { CPPUNIT_ASSERT_EQUAL(IPSEC_E_OK, ipsec_get_error(nullptr, 0)); }).join();
  }

  void the_header_has_every_error() {
#define GSS_IPSEC_ERROR(number, name, text) CPPUNIT_ASSERT_EQUAL((number), static_cast<int>(IPSEC_E_##name));
#include "base/errors.def"
#undef GSS_IPSEC_ERROR
  }

  void capabilities_are_the_brokers() {
    CPPUNIT_ASSERT_EQUAL(IPSEC_API_VERSION, ipsec_api_version());
    CPPUNIT_ASSERT_EQUAL(15u, ipsec_capabilities());
    for (const Code code : {Code::NOT_ALLOWED, Code::PROTOCOL_VERSION, Code::BUSY}) {
      refuse_end_ = code;
      CPPUNIT_ASSERT_EQUAL(7u, ipsec_capabilities());
    }
    refuse_end_ = Code::NO_ENDPOINT;
    CPPUNIT_ASSERT_EQUAL(15u, ipsec_capabilities());
  }

  void a_child_asks_for_itself() {
    const OwnProtection token = protection_on(fd());
    tests::in_child([&] {
      CPPUNIT_ASSERT_EQUAL(kAll, asked(fd()).flags);
      CPPUNIT_ASSERT_EQUAL(kAll, number(token.get(), IPSEC_API_ATTR_securityFlags));
    });
    CPPUNIT_ASSERT_EQUAL(2, broker->connections());
  }

  void a_hundred_threads_ask() {
    const OwnProtection shared = protection_on(fd());
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 100; ++i)
      threads.emplace_back([&] {
        const tests::AskingInTurn turn;
        char name[IPSEC_PEER_SIZE];
        ipsec_pToken_t own = nullptr;
        if (ipsec_dup_pToken(shared.get(), &own) == 0 && ipsec_get_peer(fd(), name, sizeof name) == 0 && ipsec_get_socket_pToken(fd(), own) == 0 &&
            ipsec_cmp_pToken(own, shared.get()) == 0 && ipsec_get_peer(-1, name, sizeof name) == -1 && ipsec_get_error(nullptr, 0) == IPSEC_E_NOT_A_SOCKET)
          ++right;
        ipsec_free_pToken(own);
      });
    for (std::thread& thread : threads) thread.join();
    CPPUNIT_ASSERT_EQUAL(100, right.load());
  }

 protected:
  void answer(tests::FakeBroker& self, tests::FakeRequest& request) override {
    const Code refusal = refuse_ == Code::ok && request.frame.header.verb == protocol::Verb::resolve ? refuse_end_.load() : refuse_.load();
    if (refusal != Code::ok)
      return tests::FakeBroker::send(request.socket, protocol::encode_error(request.frame.header, base::fail(refusal)));
    // Another connection in the place of the one that was asked about.
    if (reconnect_) dup3(pair.server.get(), fd(), O_CLOEXEC);
    ApiFixture::answer(self, request);
  }

 private:
  std::atomic<Code> refuse_{Code::ok}, refuse_end_{Code::ok};
  std::atomic<bool> reconnect_{false};
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiQueryTest);

}  // namespace
}  // namespace gssipsec::api
