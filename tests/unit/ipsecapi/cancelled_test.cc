// SPDX-License-Identifier: MIT
// pthread_cancel() of a thread inside the library waits until the call returns.
#include <pthread.h>

#include "tests/support/cancelled_thread.h"
#include "tests/unit/ipsecapi/shim_fixture.h"

namespace gssipsec::api {
namespace {

using base::UniqueFd;
using tests::CancelledThread;
using tests::FakeBroker;

class ApiCancelledTest : public ShimFixture {
  CPPUNIT_TEST_SUITE(ApiCancelledTest);
  CPPUNIT_TEST(who_accepts_returns_first);
  CPPUNIT_TEST(who_connects_returns_first);
  CPPUNIT_TEST(who_waits_for_events_returns_first);
  CPPUNIT_TEST(who_was_cancelled_before_returns_first);
  CPPUNIT_TEST_SUITE_END();

 public:
  void who_accepts_returns_first() {
    const UniqueFd listener(shim_socket(PF_SHIM, SOCK_STREAM, 0));
    CPPUNIT_ASSERT_EQUAL(0, ::listen(listener.get(), 5));
    UniqueFd accepted, client = kernel::testing::make_socket(AF_INET, SOCK_STREAM);
    CancelledThread caller([&] { accepted = UniqueFd(shim_accept(listener.get(), nullptr, nullptr)); });
    cancel_while_it_waits(caller);
    CPPUNIT_ASSERT(kernel::testing::connect_to(client.get(), at(listener.get())));
    caller.expect_end();
    CPPUNIT_ASSERT(accepted);
  }

  // To a listener whose queue is full.
  void who_connects_returns_first() {
    const UniqueFd full = kernel::testing::make_socket(AF_INET, SOCK_STREAM), first = kernel::testing::make_socket(AF_INET, SOCK_STREAM);
    CPPUNIT_ASSERT_EQUAL(0, ::listen(full.get(), 0));
    CPPUNIT_ASSERT(kernel::testing::connect_to(first.get(), at(full.get())));
    const UniqueFd fd(shim_socket(PF_SHIM, SOCK_STREAM, 0));
    const sockaddr_ed peer = keep({false, true, {}, {loopback()}}, ntohs(at(full.get()).sin6_port));
    int result = -1;
    CancelledThread caller([&] { result = shim_connect(fd.get(), plain(peer), sizeof peer); });
    cancel_while_it_waits(caller);
    const UniqueFd room(::accept(full.get(), nullptr, nullptr));
    caller.expect_end();
    CPPUNIT_ASSERT_EQUAL(0, result);
  }

  void who_waits_for_events_returns_first() {
    const ipsec_event all{IPSEC_SN_ALL, 1};
    ipsec_subscription_t subscription = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_event_subscribe(fd(), &all, 1, &subscription));
    char octet = 0;
    iovec part{&octet, 1};
    msghdr message{};
    message.msg_iov = &part, message.msg_iovlen = 1;
    ssize_t size = -1;
    CancelledThread caller([&] { size = ipsec_recvmsg(subscription, &message, 0); });
    cancel_while_it_waits(caller);
    CPPUNIT_ASSERT_EQUAL(ssize_t{1}, ::send(pair.server.get(), "d", 1, 0));
    caller.expect_end();
    CPPUNIT_ASSERT_EQUAL(ssize_t{1}, size);
    CPPUNIT_ASSERT_EQUAL(0, ipsec_event_free(subscription));
  }

  void who_was_cancelled_before_returns_first() {
    ipsec_latch_t latch = nullptr;
    ipsec_subscription_t subscription = nullptr;
    const ipsec_event all{IPSEC_SN_ALL, 1};
    bool good = false;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_event_subscribe(fd(), &all, 1, &subscription));
    CancelledThread caller([&] {
      pthread_cancel(pthread_self());
      ipsec_security_info info{};
      info.size = sizeof info;
      addrinfo hints{}, *list = nullptr;
      hints.ai_flags = AI_ED;
      good = ipsec_query(fd(), &info) == 0 && ipsec_create_connection_latch(fd(), nullptr, nullptr, &latch) == 0 && ipsec_free_latch(latch) == 0 &&
             shim_getaddrinfo("127.0.0.1", "7000", &hints, &list) == 0 && ipsec_event_free(subscription) == 0;
      shim_freeaddrinfo(list);
    });
    caller.expect_end();
    CPPUNIT_ASSERT(good);
  }

 protected:
  void answer(FakeBroker& self, tests::FakeRequest& request) override {
    if (request.frame.header.verb != protocol::Verb::subscribe) return ShimFixture::answer(self, request);
    FakeBroker::answer(request, encode(protocol::SubscribeReply{1, *client::socket_cookie(request.fd.get()), true}));
  }

 private:
  // Loopback, and where that socket listens.
  static sockaddr_in6 at(int listener) {
    sockaddr_in6 where = kernel::testing::loopback(AF_INET);
    where.sin6_port = kernel::testing::name_of(listener).sin6_port;
    return where;
  }
  static void cancel_while_it_waits(const CancelledThread& caller) {
    CPPUNIT_ASSERT(!FakeBroker::soon([&] { return caller.has_returned(); }));
    caller.cancel();
    CPPUNIT_ASSERT(!FakeBroker::soon([&] { return caller.has_returned(); }));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiCancelledTest);

}  // namespace
}  // namespace gssipsec::api
