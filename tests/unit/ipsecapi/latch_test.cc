// SPDX-License-Identifier: MIT
// Latches by a broker that latches what the test wants: what is compared before a program gets one, its states, and its end.
#include <fcntl.h>

#include <atomic>

#include "client/connect.h"
#include "tests/support/child.h"
#include "tests/unit/ipsecapi/reports.h"

namespace gssipsec::api {
namespace {

using base::Code;
using protocol::LatchState;
using protocol::Verb;

class ApiLatchTest : public ApiFixture {
  CPPUNIT_TEST_SUITE(ApiLatchTest);
  CPPUNIT_TEST(a_connection_is_latched);
  CPPUNIT_TEST(what_cannot_be_enforced_is_no_latch);
  CPPUNIT_TEST(the_wanted_strength_is_compared);
  CPPUNIT_TEST(the_wanted_peer_is_compared);
  CPPUNIT_TEST(what_began_in_clear_is_not_what_is_wanted);
  CPPUNIT_TEST(another_socket_than_asked_is_refused);
  CPPUNIT_TEST(a_listener_is_latched);
  CPPUNIT_TEST(states_are_read_from_the_page);
  CPPUNIT_TEST(a_stale_latch_is_confirmed);
  CPPUNIT_TEST(a_closed_socket_is_closed);
  CPPUNIT_TEST(inquiring_fills_a_protection);
  CPPUNIT_TEST(a_latch_is_found_where_there_is_one);
  CPPUNIT_TEST(a_listeners_latch_is_found);
  CPPUNIT_TEST(releasing_removes_it_and_freeing_does_not);
  CPPUNIT_TEST(what_happens_when_it_breaks);
  CPPUNIT_TEST(a_child_reads_it);
  CPPUNIT_TEST(wrong_addresses_are_refused);
  CPPUNIT_TEST_SUITE_END();

  struct FreeLatch {
    void operator()(ipsec_latch* latch) const { CPPUNIT_ASSERT_EQUAL(0, ipsec_free_latch(latch)); }
  };
  using OwnLatch = std::unique_ptr<ipsec_latch, FreeLatch>;

 public:
  void setUp() override {
    ApiFixture::setUp();
    channel_ = {};
    channel_.integrity = channel_.confidentiality = channel_.replay_protection = channel_.peer_authenticated = true;
    channel_.key_bits = 256;
    channel_.peer_name = "ipsec:fqdn:server.example.org";
    channel_.latch = LatchState::established;
    why_ = check_ = unlatch_ = Code::ok;
    other_cookie_ = refuse_query_ = false;
  }

  void a_connection_is_latched() {
    const OwnLatch latch = latched();
    CPPUNIT_ASSERT_EQUAL(IPSEC_LATCH_ESTABLISHED, state(latch));
    CPPUNIT_ASSERT_EQUAL(1, broker->requests(Verb::latch));
  }

  void what_cannot_be_enforced_is_no_latch() {
    channel_.latch = LatchState::monitored, why_ = Code::UNSUPPORTED_SOCKET;
    expect_failure(try_latch(), EOPNOTSUPP, IPSEC_E_UNSUPPORTED_SOCKET);
    why_ = Code::ok;
    expect_failure(try_latch(), EOPNOTSUPP, IPSEC_E_NOT_LATCHABLE);
  }

  void the_wanted_strength_is_compared() {
    const OwnProtection least(ipsec_create_pToken()), found = protection_on(fd());
    const auto want = [&](std::uint32_t attribute, std::uint32_t value) {
      CPPUNIT_ASSERT_EQUAL(0, ipsec_set_token_attr(least.get(), attribute, sizeof value, &value));
    };
    for (const auto& [attribute, flag] : {std::pair(IPSEC_API_ATTR_privacyProtected, &channel_.confidentiality),
                                          std::pair(IPSEC_API_ATTR_integrityProtected, &channel_.integrity),
                                          std::pair(IPSEC_API_ATTR_replayProtected, &channel_.replay_protection)}) {
      want(attribute, IPSEC_API_ATTR_ENABLE);
      CPPUNIT_ASSERT_EQUAL(0, try_latch(least.get()));
      *flag = false;
      expect_failure(try_latch(least.get()), EACCES, IPSEC_E_WEAK);
      expect_failure(try_latch(found.get()), EACCES, IPSEC_E_WEAK);
      want(attribute, IPSEC_API_ATTR_ANY);
      CPPUNIT_ASSERT_EQUAL(0, try_latch(least.get()));
      *flag = true;
    }
    want(IPSEC_API_ATTR_keyBits, 256);
    CPPUNIT_ASSERT_EQUAL(0, try_latch(least.get()));
    channel_.key_bits = 128;
    expect_failure(try_latch(least.get()), EACCES, IPSEC_E_WEAK);
    expect_failure(try_latch(found.get()), EACCES, IPSEC_E_WEAK);
    report.is_protected = false, report.why = Code::NO_SA;
    expect_failure(try_latch(protection_on(fd()).get()), EINVAL, IPSEC_E_BAD_ARGUMENT);
  }

  void the_wanted_peer_is_compared() {
    const OwnIdentity server = wanted_identity("fqdn:server.example.org"), other = wanted_identity("fqdn:other.example.org");
    CPPUNIT_ASSERT_EQUAL(0, try_latch(nullptr, server.get()));
    expect_failure(try_latch(nullptr, other.get()), EACCES, IPSEC_E_WRONG_PEER);
    channel_.peer_authenticated = false;
    expect_failure(try_latch(nullptr, server.get()), EACCES, IPSEC_E_WRONG_PEER);
    channel_.peer_authenticated = true, channel_.peer_name.clear();
    expect_failure(try_latch(nullptr, server.get()), EACCES, IPSEC_E_WRONG_PEER);
    CPPUNIT_ASSERT_EQUAL(0, try_latch());
  }

  // Its first octets may wait to be read: they are nobody's. Who wants nothing has not asked.
  void what_began_in_clear_is_not_what_is_wanted() {
    const OwnIdentity server = wanted_identity("fqdn:server.example.org"), other = wanted_identity("fqdn:other.example.org");
    const OwnProtection least(ipsec_create_pToken()), found = protection_on(fd());
    report.since_start = false;
    for (const auto& [wanted, peer] : {std::pair(least.get(), ipsec_iToken_t{}), std::pair(found.get(), ipsec_iToken_t{}),
                                       std::pair(ipsec_pToken_t{}, server.get()), std::pair(least.get(), server.get())})
      expect_failure(try_latch(wanted, peer), EACCES, IPSEC_E_STARTED_IN_CLEAR);
    expect_failure(try_latch(nullptr, other.get()), EACCES, IPSEC_E_WRONG_PEER);
    CPPUNIT_ASSERT_EQUAL(0, broker->requests(Verb::unlatch));  // never looser than it was
    CPPUNIT_ASSERT_EQUAL(0, try_latch());
    ipsec_latch_t latch = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_find_latch(fd(), &latch));
    CPPUNIT_ASSERT_EQUAL(0, ipsec_free_latch(latch));
    refuse_query_ = true;  // it cannot be shown
    expect_failure(try_latch(nullptr, server.get()), EPERM, IPSEC_E_NOT_ALLOWED);
    report.since_start = true, refuse_query_ = false;
    CPPUNIT_ASSERT_EQUAL(0, try_latch(least.get(), server.get()));
  }

  void another_socket_than_asked_is_refused() {
    other_cookie_ = true;
    expect_failure(try_latch(), ESTALE, IPSEC_E_SOCKET_CHANGED);
    expect_failure(try_listener(), ESTALE, IPSEC_E_SOCKET_CHANGED);
  }

  void a_listener_is_latched() {
    expect_failure(try_listener(), EOPNOTSUPP, IPSEC_E_NOT_LATCHABLE);  // the broker latched something else
    channel_.latch = LatchState::listener;
    OwnLatch latch;
    CPPUNIT_ASSERT_EQUAL(0, try_listener(&latch));
    CPPUNIT_ASSERT_EQUAL(IPSEC_LATCH_LISTENER, state(latch));
    CPPUNIT_ASSERT_EQUAL(std::string("127.0.0.1"), channel::format(peer_));
  }

  void states_are_read_from_the_page() {
    const OwnLatch latch = latched();
    const int asked = broker->requests(Verb::check);
    for (const auto& [there, said] : {std::pair(LatchState::broken, IPSEC_LATCH_BROKEN), std::pair(LatchState::closed, IPSEC_LATCH_CLOSED)}) {
      broker->page().slots[slot_] = protocol::slot_word(7, there);
      CPPUNIT_ASSERT_EQUAL(said, state(latch));
    }
    CPPUNIT_ASSERT_EQUAL(asked, broker->requests(Verb::check));
  }

  void a_stale_latch_is_confirmed() {
    const OwnLatch latch = latched();
    tests::FakeBroker::beat(broker->page(), 3600);
    check_ = Code::LATCH_BROKEN;
    CPPUNIT_ASSERT_EQUAL(IPSEC_LATCH_BROKEN, state(latch));
    check_ = Code::UNKNOWN;
    CPPUNIT_ASSERT_EQUAL(IPSEC_LATCH_STALE, state(latch));
    check_ = Code::ok;
    tests::FakeBroker::beat(broker->page());
    CPPUNIT_ASSERT_EQUAL(IPSEC_LATCH_ESTABLISHED, state(latch));
  }

  void a_closed_socket_is_closed() {
    const OwnLatch latch = latched(), other = latched();
    dup3(pair.server.get(), fd(), O_CLOEXEC);  // its number is another connection's
    CPPUNIT_ASSERT_EQUAL(IPSEC_LATCH_CLOSED, state(latch));
    ipsec_latch_state said = IPSEC_LATCH_NONE;
    const OwnProtection token(ipsec_create_pToken());
    expect_failure(ipsec_inquire_latch(latch.get(), &said, token.get()), ESTALE, IPSEC_E_SOCKET_CHANGED);
    pair.client.reset();
    CPPUNIT_ASSERT_EQUAL(IPSEC_LATCH_CLOSED, state(other));
    ipsec_latch_t gone = latched_again();
    pair.server.reset();
    CPPUNIT_ASSERT_EQUAL(0, ipsec_release_latch(gone));
    CPPUNIT_ASSERT_EQUAL(0, broker->requests(Verb::unlatch));
  }

  void inquiring_fills_a_protection() {
    const OwnLatch latch = latched();
    const OwnProtection token(ipsec_create_pToken());
    ipsec_latch_state said = IPSEC_LATCH_NONE;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_inquire_latch(latch.get(), &said, token.get()));
    CPPUNIT_ASSERT_EQUAL(256u, number(token.get(), IPSEC_API_ATTR_keyBits));
  }

  void a_latch_is_found_where_there_is_one() {
    ipsec_latch_t latch = nullptr;
    report.latch = LatchState::none;
    expect_failure(ipsec_find_latch(fd(), &latch), ENOENT, IPSEC_E_NO_LATCH);
    CPPUNIT_ASSERT_EQUAL(0, broker->requests(Verb::latch));
    report.latch = LatchState::established;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_find_latch(fd(), &latch));
    CPPUNIT_ASSERT_EQUAL(IPSEC_LATCH_ESTABLISHED, state(OwnLatch(latch)));
  }

  void a_listeners_latch_is_found() {
    ipsec_latch_t latch = nullptr;
    channel_.latch = LatchState::listener;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_find_latch(pair.listener.get(), &latch));
    CPPUNIT_ASSERT(peer_.family == channel::Family::none);
    const OwnLatch found(latch);
    CPPUNIT_ASSERT_EQUAL(IPSEC_LATCH_LISTENER, state(found));
    const OwnProtection token(ipsec_create_pToken());
    ipsec_latch_state said = IPSEC_LATCH_NONE;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_inquire_latch(found.get(), &said, token.get()));
    CPPUNIT_ASSERT(surveyed.sight == protocol::Sight::listener);
  }

  void releasing_removes_it_and_freeing_does_not() {
    latched().reset();
    CPPUNIT_ASSERT_EQUAL(0, broker->requests(Verb::unlatch));
    ipsec_latch_t latch = latched().release();
    unlatch_ = Code::LATCH_IN_USE;
    expect_failure(ipsec_release_latch(latch), EBUSY, IPSEC_E_LATCH_IN_USE);
    unlatch_ = Code::LATCH_OF_OTHER;
    expect_failure(ipsec_release_latch(latch), EPERM, IPSEC_E_LATCH_OF_OTHER);
    unlatch_ = Code::ok;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_release_latch(latch));
    CPPUNIT_ASSERT_EQUAL(3, broker->requests(Verb::unlatch));
  }

  void what_happens_when_it_breaks() {
    const OwnLatch drops = latched();
    channel_.breaks_shut = true;
    const OwnLatch closes = latched();
    channel_.peer_authenticated = false;  // pinned: it stalls
    const OwnLatch stalls = latched();
    for (const OwnLatch* latch : {&drops, &closes, &stalls}) {
      CPPUNIT_ASSERT_EQUAL(0, ipsec_set_break_policy(latch->get(), IPSEC_ON_BREAK_DROP));
      expect_failure(ipsec_set_break_policy(latch->get(), IPSEC_ON_BREAK_NOTIFY), EOPNOTSUPP, IPSEC_E_UNAVAILABLE);
      expect_failure(ipsec_set_break_policy(latch->get(), static_cast<ipsec_break_policy>(3)), EINVAL, IPSEC_E_BAD_ARGUMENT);
    }
    CPPUNIT_ASSERT_EQUAL(0, ipsec_set_break_policy(closes.get(), IPSEC_ON_BREAK_RESET));
    for (const OwnLatch* latch : {&drops, &stalls})
      expect_failure(ipsec_set_break_policy(latch->get(), IPSEC_ON_BREAK_RESET), EOPNOTSUPP, IPSEC_E_UNAVAILABLE);
  }

  void a_child_reads_it() {
    const OwnLatch latch = latched();
    tests::in_child([&] { CPPUNIT_ASSERT_EQUAL(IPSEC_LATCH_ESTABLISHED, state(latch)); });
    CPPUNIT_ASSERT_EQUAL(IPSEC_LATCH_ESTABLISHED, state(latch));
  }

  void wrong_addresses_are_refused() {
    ipsec_latch_t latch = nullptr;
    const sockaddr_in6 peer = kernel::testing::loopback(AF_INET);
    sockaddr local{};
    local.sa_family = AF_UNIX;
    for (const auto& [address, size] : {std::pair(reinterpret_cast<const sockaddr*>(&peer), 15), std::pair<const sockaddr*, int>(&local, sizeof local)})
      expect_failure(ipsec_create_listener_latch(pair.listener.get(), address, static_cast<socklen_t>(size), &latch), EINVAL, IPSEC_E_BAD_ARGUMENT);
    CPPUNIT_ASSERT(ipsec_free_latch(nullptr) == 0 && !latch);
  }

 protected:
  void answer(tests::FakeBroker& self, tests::FakeRequest& request) override {
    const auto refused = [&request](Code code) { tests::FakeBroker::send(request.socket, encode_error(request.frame.header, base::fail(code))); };
    switch (request.frame.header.verb) {
      case Verb::latch: return latch(self, request);
      case Verb::unlatch: return unlatch_ == Code::ok ? self.obey(request) : refused(unlatch_);
      case Verb::query: return refuse_query_ ? refused(Code::NOT_ALLOWED) : ApiFixture::answer(self, request);
      case Verb::check: return check_ == Code::ok ? self.obey(request) : refused(check_);
      default: return ApiFixture::answer(self, request);
    }
  }

 private:
  void latch(tests::FakeBroker& self, tests::FakeRequest& request) {
    const protocol::ChannelInfo made = self.new_channel(request);
    protocol::LatchReply reply{channel_, why_, {}};
    reply.channel.slot = slot_ = made.slot, reply.channel.generation = made.generation;
    reply.channel.cookie = *client::socket_cookie(request.fd.get()) + (other_cookie_ ? 1 : 0);
    self.page_of(request).slots[made.slot] = protocol::slot_word(made.generation, channel_.latch);
    peer_ = protocol::decode_latch_request(request.frame.body)->peer;
    tests::FakeBroker::answer(request, encode(reply));
  }

  int try_latch(ipsec_pToken_t wanted = nullptr, ipsec_iToken_t peer = nullptr) {
    ipsec_latch_t latch = nullptr;
    const int result = ipsec_create_connection_latch(fd(), wanted, peer, &latch);
    const int number = errno;
    OwnLatch(latch).reset();
    return errno = number, result;
  }
  int try_listener(OwnLatch* to = nullptr) {
    const sockaddr_in6 peer = kernel::testing::loopback(AF_INET);
    ipsec_latch_t latch = nullptr;
    const int result = ipsec_create_listener_latch(pair.listener.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof(sockaddr_in), &latch);
    if (to) to->reset(latch);
    return result;
  }
  OwnLatch latched() {
    ipsec_latch_t latch = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_create_connection_latch(fd(), nullptr, nullptr, &latch));
    return OwnLatch(latch);
  }
  ipsec_latch_t latched_again() {
    ipsec_latch_t latch = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_create_connection_latch(pair.server.get(), nullptr, nullptr, &latch));
    return latch;
  }
  static ipsec_latch_state state(const OwnLatch& latch) {
    ipsec_latch_state said = IPSEC_LATCH_NONE;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_inquire_latch(latch.get(), &said, nullptr));
    return said;
  }

  protocol::ChannelInfo channel_;
  std::atomic<Code> why_{Code::ok}, check_{Code::ok}, unlatch_{Code::ok};
  std::atomic<bool> other_cookie_{false}, refuse_query_{false};
  std::atomic<std::uint32_t> slot_{0};
  channel::Address peer_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiLatchTest);

}  // namespace
}  // namespace gssipsec::api
