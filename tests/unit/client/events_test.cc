// SPDX-License-Identifier: MIT
#include "client/events.h"

#include <cppunit/extensions/HelperMacros.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>

#include "client/broker.h"
#include "tests/support/child.h"
#include "tests/support/fake_broker.h"

namespace gssipsec::client {
namespace {

using base::Code;
using protocol::EventType;
using protocol::Verb;
using tests::FakeBroker;
using tests::FakeRequest;

base::Bytes event_datagram(EventType type) {
  protocol::Event event;
  event.type = type;
  event.subscription = 1;
  return encode(protocol::Header{protocol::kVersion, Verb::event, 2, Code::ok}, encode(event));
}

bool readable(int fd, int ms) {
  pollfd one{fd, POLLIN, 0};
  return poll(&one, 1, ms) == 1;
}

class EventsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EventsTest);
  CPPUNIT_TEST(events_come_when_they_come);
  CPPUNIT_TEST(events_before_the_answer_are_kept_in_order);
  CPPUNIT_TEST(events_without_end_are_no_answer);
  CPPUNIT_TEST(the_end_of_the_broker_is_told_after_what_was_said);
  CPPUNIT_TEST(what_is_no_event_ends_the_stream);
  CPPUNIT_TEST(a_forked_child_hears_nothing);
  CPPUNIT_TEST(its_connection_serves_nobody_else);
  CPPUNIT_TEST(figures_and_explanations_arrive);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    FakeBroker::Options options;
    options.handler = [this](FakeBroker& broker, FakeRequest& request) {
      socket_ = request.socket;
      for (int i = 0; i < early_; ++i) FakeBroker::send(request.socket, event_datagram(i == 0 ? EventType::expiring : EventType::rekeyed));
      broker.obey(request);
    };
    broker_ = std::make_unique<FakeBroker>(options);
  }
  void tearDown() override { broker_.reset(); }

  void events_come_when_they_come() {
    EventStream stream = opened();
    CPPUNIT_ASSERT(!*stream.next());
    CPPUNIT_ASSERT(!readable(stream.fd(), 0));
    FakeBroker::send(socket_, event_datagram(EventType::latch_broken));
    CPPUNIT_ASSERT(readable(stream.fd(), 1000));
    CPPUNIT_ASSERT((*stream.next())->type == EventType::latch_broken);
    CPPUNIT_ASSERT(!*stream.next());
    CPPUNIT_ASSERT(stream.unsubscribe(1).ok());
  }

  void events_before_the_answer_are_kept_in_order() {
    early_ = 2;
    EventStream stream = opened();
    CPPUNIT_ASSERT((*stream.next())->type == EventType::expiring);
    CPPUNIT_ASSERT((*stream.next())->type == EventType::rekeyed);
    CPPUNIT_ASSERT(!*stream.next());
  }

  void events_without_end_are_no_answer() {
    early_ = 1100;
    auto stream = EventStream::open();
    CPPUNIT_ASSERT(stream.ok());
    CPPUNIT_ASSERT(stream->subscribe(STDIN_FILENO, protocol::kAllEvents).error().code == Code::BAD_MESSAGE);
    broker_->hang_up_all();
  }

  void the_end_of_the_broker_is_told_after_what_was_said() {
    EventStream stream = opened();
    FakeBroker::send(socket_, event_datagram(EventType::rekeyed));
    broker_->hang_up_all();
    CPPUNIT_ASSERT((*stream.next())->type == EventType::rekeyed);
    CPPUNIT_ASSERT(stream.next().error().code == Code::NO_BROKER);
    CPPUNIT_ASSERT(stream.next().error().code == Code::NO_BROKER);
    CPPUNIT_ASSERT_EQUAL(-1, stream.fd());
  }

  void what_is_no_event_ends_the_stream() {
    const base::Bytes answer = encode(protocol::Header{protocol::kVersion, Verb::query, 9, Code::ok}, {});
    base::Bytes cut = event_datagram(EventType::rekeyed);
    cut.pop_back();
    for (const base::Bytes& datagram : {answer, cut, base::Bytes(3)}) {
      EventStream stream = opened();
      FakeBroker::send(socket_, datagram);
      CPPUNIT_ASSERT(readable(stream.fd(), 1000));
      CPPUNIT_ASSERT(stream.next().error().code == Code::BAD_MESSAGE);
      CPPUNIT_ASSERT(stream.next().error().code == Code::NO_BROKER);
    }
  }

  void a_forked_child_hears_nothing() {
    EventStream stream = opened();
    FakeBroker::send(socket_, event_datagram(EventType::rekeyed));
    tests::in_child([&stream] { CPPUNIT_ASSERT(stream.next().error().code == Code::CREDENTIALS_CHANGED); });
    CPPUNIT_ASSERT((*stream.next())->type == EventType::rekeyed);
  }

  void its_connection_serves_nobody_else() {
    const EventStream stream = opened();
    CPPUNIT_ASSERT(Broker::localname("ipsec:fqdn:b/bob").ok());
    CPPUNIT_ASSERT_EQUAL(2, broker_->connections());
  }

  void figures_and_explanations_arrive() {
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec_gssd_clients 1\n"), *Broker::metrics());
    CPPUNIT_ASSERT(Broker::explain(STDIN_FILENO, {})->is_protected);
    CPPUNIT_ASSERT(Broker::explain(-1, {protocol::Found::named, channel::Flow{}}).ok());
    CPPUNIT_ASSERT(Broker::explain(-1, {}).error().code == Code::NOT_A_SOCKET);
  }

 private:
  EventStream opened() {
    auto stream = EventStream::open();
    CPPUNIT_ASSERT(stream.ok());
    CPPUNIT_ASSERT_EQUAL(1U, stream->subscribe(STDIN_FILENO, protocol::kAllEvents)->subscription);
    return *std::move(stream);
  }

  std::unique_ptr<FakeBroker> broker_;
  std::atomic<int> socket_ = -1, early_ = 0;
};

CPPUNIT_TEST_SUITE_REGISTRATION(EventsTest);

}  // namespace
}  // namespace gssipsec::client
