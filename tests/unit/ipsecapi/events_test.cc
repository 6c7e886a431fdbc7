// SPDX-License-Identifier: MIT
// Events by a broker that sends what the test wants: alone, between data, in parts, lost, and after its end.
#include "ipsecapi/notification.h"

#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <poll.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "client/connect.h"
#include "tests/support/child.h"
#include "tests/unit/ipsecapi/reports.h"

namespace gssipsec::api {
namespace {

using base::Code;
using protocol::EventType;
using protocol::Verb;

class ApiEventsTest : public ApiFixture {
  CPPUNIT_TEST_SUITE(ApiEventsTest);
  CPPUNIT_TEST(an_event_wakes_a_poller_and_comes_once);
  CPPUNIT_TEST(every_event_has_its_type);
  CPPUNIT_TEST(types_are_chosen);
  CPPUNIT_TEST(loss_is_told);
  CPPUNIT_TEST(the_end_of_the_broker_is_told_once);
  CPPUNIT_TEST(data_and_events_come_by_one_call);
  CPPUNIT_TEST(a_reader_that_waits_is_woken_by_an_event);
  CPPUNIT_TEST(a_notification_comes_in_parts);
  CPPUNIT_TEST(data_goes_on_after_the_end);
  CPPUNIT_TEST(it_waits_as_recvmsg_would);
  CPPUNIT_TEST(its_patience_is_one);
  CPPUNIT_TEST(its_own_failures_have_reasons);
  CPPUNIT_TEST(looking_ahead_takes_no_event);
  CPPUNIT_TEST(another_socket_is_refused);
  CPPUNIT_TEST(a_child_hears_nothing);
  CPPUNIT_TEST(wrong_types_are_refused);
  CPPUNIT_TEST_SUITE_END();

  struct FreeSubscription {
    void operator()(ipsec_subscription* subscription) const { CPPUNIT_ASSERT_EQUAL(0, ipsec_event_free(subscription)); }
  };
  using Own = std::unique_ptr<ipsec_subscription, FreeSubscription>;
  struct Got {
    ssize_t size = -1;
    int flags = 0;
    std::string octets;
    [[nodiscard]] bool is_event() const { return flags & IPSEC_MSG_NOTIFICATION; }
    [[nodiscard]] int type() const { return reinterpret_cast<const ipsec_sn_header*>(octets.data())->sn_type; }
  };

 public:
  void an_event_wakes_a_poller_and_comes_once() {
    const Own events = subscribed();
    ipsec_notification event{};
    CPPUNIT_ASSERT_EQUAL(0, ipsec_event_next(events.get(), &event));
    CPPUNIT_ASSERT(!readable(events, 0));
    tell(EventType::latch_broken, Code::LATCH_BROKEN);
    CPPUNIT_ASSERT(readable(events, 2000));
    CPPUNIT_ASSERT_EQUAL(1, ipsec_event_next(events.get(), &event));
    CPPUNIT_ASSERT_EQUAL(int{IPSEC_SN_LATCH_CHANGE}, int{event.sn_header.sn_type});
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(sizeof event), event.sn_header.sn_length);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_LATCH_BROKEN}, event.sn_state);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_E_LATCH_BROKEN}, event.sn_reason);
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:server.example.org"), std::string(event.sn_peer));
    CPPUNIT_ASSERT_EQUAL(std::string("as told"), std::string(event.sn_text));
    CPPUNIT_ASSERT_EQUAL(0, ipsec_event_next(events.get(), &event));
  }

  void every_event_has_its_type() {
    const std::pair<EventType, int> all[] = {{EventType::rekeyed, IPSEC_SN_REKEY}, {EventType::migrated, IPSEC_SN_LOCATOR_CHANGE},
        {EventType::nat_mapping, IPSEC_SN_NAT_MAPPING}, {EventType::expiring, IPSEC_SN_SA_SOFT_EXPIRE}, {EventType::peer_dead, IPSEC_SN_PEER_DEAD},
        {EventType::latch_restored, IPSEC_SN_LATCH_CHANGE}, {EventType::identity_changed, IPSEC_SN_IDENTITY_CHANGE}, {EventType::lost, IPSEC_SN_LOST},
        {EventType::protection, IPSEC_SN_PROTECTION_CHANGE}};
    for (const auto& [event, type] : all) CPPUNIT_ASSERT_EQUAL(type, int{notification_of(made(event, Code::ok)).sn_header.sn_type});
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_LATCH_ESTABLISHED}, notification_of(made(EventType::latch_restored, Code::ok)).sn_state);
    protocol::Event longest = made(EventType::lost, Code::ok);
    longest.peer = std::string(1024, 'p'), longest.detail = std::string(1024, 'd');
    const ipsec_notification cut = notification_of(longest);
    CPPUNIT_ASSERT_EQUAL(sizeof cut.sn_peer - 1, std::string(cut.sn_peer).size());
    CPPUNIT_ASSERT_EQUAL(sizeof cut.sn_text - 1, std::string(cut.sn_text).size());
  }

  void types_are_chosen() {
    const auto chosen = [](std::vector<ipsec_event> events) { return types_of(events.data(), events.size()); };
    CPPUNIT_ASSERT_EQUAL(protocol::kAllEvents, *chosen({{IPSEC_SN_ALL, 1}}));
    CPPUNIT_ASSERT_EQUAL(event_bit(EventType::rekeyed), *chosen({{IPSEC_SN_REKEY, 1}, {IPSEC_SN_BROKER_DOWN, 1}}));
    CPPUNIT_ASSERT_EQUAL(event_bit(EventType::latch_broken) | event_bit(EventType::latch_restored), *chosen({{IPSEC_SN_LATCH_CHANGE, 1}}));
    CPPUNIT_ASSERT_EQUAL(protocol::kAllEvents & ~event_bit(EventType::rekeyed), *chosen({{IPSEC_SN_ALL, 1}, {IPSEC_SN_REKEY, 0}}));
    for (const auto& none : {std::vector<ipsec_event>{}, {{IPSEC_SN_ALL, 0}}, {{0x8001, 1}}, {{IPSEC_SN_REKEY, 1}, {0, 1}}}) CPPUNIT_ASSERT(!chosen(none).ok());
    const ipsec_event rekeys{IPSEC_SN_REKEY, 1};
    const Own events = subscribed(&rekeys);
    CPPUNIT_ASSERT_EQUAL(event_bit(EventType::rekeyed), types_.load());
  }

  void loss_is_told() {
    const Own events = subscribed();
    protocol::Event lost = made(EventType::lost, Code::LIMIT);
    lost.missing = 7;
    send(lost);
    ipsec_notification event{};
    CPPUNIT_ASSERT(readable(events, 2000));
    CPPUNIT_ASSERT_EQUAL(1, ipsec_event_next(events.get(), &event));
    CPPUNIT_ASSERT(event.sn_header.sn_type == IPSEC_SN_LOST && event.sn_missing == 7 && event.sn_reason == IPSEC_E_LIMIT);
  }

  void the_end_of_the_broker_is_told_once() {
    const Own events = subscribed();
    tell(EventType::rekeyed, Code::ok);
    broker->hang_up_all();
    CPPUNIT_ASSERT(readable(events, 2000));
    ipsec_notification event{};
    CPPUNIT_ASSERT_EQUAL(1, ipsec_event_next(events.get(), &event));
    CPPUNIT_ASSERT_EQUAL(int{IPSEC_SN_REKEY}, int{event.sn_header.sn_type});
    CPPUNIT_ASSERT_EQUAL(1, ipsec_event_next(events.get(), &event));
    CPPUNIT_ASSERT_EQUAL(int{IPSEC_SN_BROKER_DOWN}, int{event.sn_header.sn_type});
    expect_failure(ipsec_event_next(events.get(), &event), ECONNREFUSED, IPSEC_E_NO_BROKER);
    expect_failure(ipsec_event_fd(events.get()), ECONNREFUSED, IPSEC_E_NO_BROKER);
  }

  void data_and_events_come_by_one_call() {
    const Own events = subscribed();
    say("data");
    tell(EventType::rekeyed, Code::ok);
    CPPUNIT_ASSERT(readable(events, 2000));
    const Got first = received(events);
    CPPUNIT_ASSERT(first.is_event() && (first.flags & MSG_EOR) && first.type() == IPSEC_SN_REKEY && first.size == sizeof(ipsec_notification));
    const Got second = received(events);
    CPPUNIT_ASSERT(!second.is_event() && second.octets == "data");
  }

  void a_reader_that_waits_is_woken_by_an_event() {
    const Own events = subscribed();
    std::thread later([this] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      tell(EventType::protection, Code::NO_POLICY);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      say("and data");
    });
    const Got first = received(events), second = received(events);
    later.join();
    CPPUNIT_ASSERT(first.is_event() && first.type() == IPSEC_SN_PROTECTION_CHANGE);
    CPPUNIT_ASSERT_EQUAL(std::string("and data"), second.octets);
  }

  void a_notification_comes_in_parts() {
    const Own events = subscribed();
    tell(EventType::rekeyed, Code::ok);
    CPPUNIT_ASSERT(readable(events, 2000));
    say("data");
    std::string whole;
    for (bool end = false; !end;) {
      const Got part = received(events, 0, 100);
      CPPUNIT_ASSERT(part.is_event());
      whole += part.octets;
      end = part.flags & MSG_EOR;
    }
    CPPUNIT_ASSERT_EQUAL(sizeof(ipsec_notification), whole.size());
    CPPUNIT_ASSERT_EQUAL(int{IPSEC_SN_REKEY}, int{reinterpret_cast<const ipsec_notification*>(whole.data())->sn_header.sn_type});
    CPPUNIT_ASSERT_EQUAL(std::string("data"), received(events).octets);
  }

  void data_goes_on_after_the_end() {
    const Own events = subscribed();
    broker->hang_up_all();
    CPPUNIT_ASSERT_EQUAL(int{IPSEC_SN_BROKER_DOWN}, received(events).type());
    say("still here");
    CPPUNIT_ASSERT_EQUAL(std::string("still here"), received(events).octets);
    pair.server.reset();
    CPPUNIT_ASSERT_EQUAL(ssize_t{0}, received(events).size);
  }

  void it_waits_as_recvmsg_would() {
    const Own events = subscribed();
    errno = 0;
    CPPUNIT_ASSERT(received(events, MSG_DONTWAIT).size == -1 && errno == EAGAIN);
    const timeval soon{0, 30000};
    setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    errno = 0;
    CPPUNIT_ASSERT(received(events).size == -1 && errno == EAGAIN);
    fcntl(fd(), F_SETFL, O_NONBLOCK);
    errno = 0;
    CPPUNIT_ASSERT(received(events).size == -1 && errno == EAGAIN);
  }

  // Whatever wakes it up that is neither data nor an event does not make it wait longer: here a time stamp in the error queue.
  void its_patience_is_one() {
    const Own events = subscribed();
    const timeval soon{0, 200000};
    const int stamps = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    CPPUNIT_ASSERT_EQUAL(0, setsockopt(fd(), SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof stamps));
    CPPUNIT_ASSERT_EQUAL(ssize_t{1}, ::send(fd(), ".", 1, MSG_NOSIGNAL));
    pollfd stamp{fd(), 0, 0};
    CPPUNIT_ASSERT(poll(&stamp, 1, 2000) == 1 && (stamp.revents & POLLERR));
    std::thread late([this] {
      std::this_thread::sleep_for(std::chrono::milliseconds(1500));
      say("too late");
    });
    const auto begun = std::chrono::steady_clock::now();
    const Got got = received(events);
    const auto waited = std::chrono::steady_clock::now() - begun;
    late.join();
    CPPUNIT_ASSERT_EQUAL(ssize_t{-1}, got.size);
    CPPUNIT_ASSERT(waited >= std::chrono::milliseconds(190));
  }

  void its_own_failures_have_reasons() {
    const Own events = subscribed();
    const auto fails = [&events](int number, int flags, const char* what) {
      expect_failure(ipsec_get_peer(-1, nullptr, 0), EINVAL, IPSEC_E_BAD_ARGUMENT);  // the reason of another call
      expect_failure(static_cast<int>(received(events, flags).size), number, IPSEC_E_SYSTEM, what);
    };
    fails(EAGAIN, MSG_DONTWAIT, "nothing there");
    fails(EAGAIN, MSG_DONTWAIT | MSG_PEEK, "nothing to look at");
    const timeval soon{0, 30000};
    setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    fails(EAGAIN, 0, "too late");
    const linger at_once{1, 0};
    setsockopt(pair.server.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    pair.server.reset();
    fails(ECONNRESET, 0, "reset");
  }

  void looking_ahead_takes_no_event() {
    const Own events = subscribed();
    say("data");
    tell(EventType::rekeyed, Code::ok);
    CPPUNIT_ASSERT(readable(events, 2000));
    CPPUNIT_ASSERT_EQUAL(std::string("data"), received(events, MSG_PEEK).octets);
    CPPUNIT_ASSERT(received(events).is_event());
  }

  void another_socket_is_refused() {
    const Own events = subscribed();
    ipsec_subscription_t none = nullptr;
    dup3(pair.server.get(), fd(), O_CLOEXEC);
    msghdr message{};
    expect_failure(static_cast<int>(ipsec_recvmsg(events.get(), &message, 0)), ESTALE, IPSEC_E_SOCKET_CHANGED);
    const ipsec_event all{IPSEC_SN_ALL, 1};
    other_cookie_ = true;
    expect_failure(ipsec_event_subscribe(fd(), &all, 1, &none), ESTALE, IPSEC_E_SOCKET_CHANGED);
    CPPUNIT_ASSERT(!none);
  }

  void a_child_hears_nothing() {
    const Own events = subscribed();
    tell(EventType::rekeyed, Code::ok);
    tests::in_child([&] {
      ipsec_notification event{};
      expect_failure(ipsec_event_next(events.get(), &event), EAGAIN, IPSEC_E_CREDENTIALS_CHANGED);
    });
    CPPUNIT_ASSERT(received(events).is_event());
  }

  void wrong_types_are_refused() {
    const ipsec_event all{IPSEC_SN_ALL, 1}, unknown{1, 1};
    ipsec_subscription_t made = nullptr;
    expect_failure(ipsec_event_subscribe(fd(), &all, 0, &made), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(ipsec_event_subscribe(fd(), &unknown, 1, &made), EINVAL, IPSEC_E_BAD_ARGUMENT);
    CPPUNIT_ASSERT(ipsec_event_free(nullptr) == 0 && !made);
  }

 protected:
  void answer(tests::FakeBroker& self, tests::FakeRequest& request) override {
    if (request.frame.header.verb != Verb::subscribe) return ApiFixture::answer(self, request);
    types_ = protocol::decode_subscribe_request(request.frame.body)->types;
    socket_ = request.socket;
    const std::uint64_t cookie = *client::socket_cookie(request.fd.get()) + (other_cookie_ ? 1 : 0);
    tests::FakeBroker::answer(request, encode(protocol::SubscribeReply{1, cookie, true}));
  }

 private:
  static protocol::Event made(EventType type, Code code) {
    protocol::Event event;
    event.type = type;
    event.subscription = 1;
    event.code = code;
    event.peer = "fqdn:server.example.org";
    event.detail = "as told";
    return event;
  }
  void send(const protocol::Event& event) {
    tests::FakeBroker::send(socket_, encode(protocol::Header{protocol::kOldestVersion, Verb::event, 2, Code::ok}, encode(event)));
  }
  void tell(EventType type, Code code) { send(made(type, code)); }
  void say(const std::string& text) {
    CPPUNIT_ASSERT_EQUAL(static_cast<ssize_t>(text.size()), ::send(pair.server.get(), text.data(), text.size(), MSG_NOSIGNAL));
  }
  Own subscribed(const ipsec_event* wanted = nullptr) {
    const ipsec_event all{IPSEC_SN_ALL, 1};
    ipsec_subscription_t subscription = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_event_subscribe(fd(), wanted ? wanted : &all, 1, &subscription));
    return Own(subscription);
  }
  static bool readable(const Own& events, int ms) {
    pollfd one{ipsec_event_fd(events.get()), POLLIN, 0};
    return poll(&one, 1, ms) == 1;
  }
  static Got received(const Own& events, int flags = 0, std::size_t room = 4096) {
    Got got;
    got.octets.resize(room);
    iovec parts[] = {{got.octets.data(), room / 2}, {got.octets.data() + room / 2, room - room / 2}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    got.size = ipsec_recvmsg(events.get(), &message, flags);
    got.flags = message.msg_flags;
    if (got.size >= 0) got.octets.resize(static_cast<std::size_t>(got.size));
    return got;
  }

  std::atomic<std::uint32_t> types_{0};
  std::atomic<int> socket_{-1};
  std::atomic<bool> other_cookie_{false};
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiEventsTest);

}  // namespace
}  // namespace gssipsec::api
