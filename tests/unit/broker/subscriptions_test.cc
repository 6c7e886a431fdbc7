// SPDX-License-Identifier: MIT
// What subscribers are told, and what a slow one loses.
#include "broker/subscriptions.h"

#include <cppunit/extensions/HelperMacros.h>

#include "broker/outbox.h"
#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using protocol::Event;
using protocol::EventType;
using protocol::LatchState;
using protocol::Scope;

constexpr std::uint64_t kConnection = 7;

class SubscriptionsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SubscriptionsTest);
  CPPUNIT_TEST(new_sas_of_the_same_peer_are_a_rekey_told_once);
  CPPUNIT_TEST(sas_at_other_addresses_migrated);
  CPPUNIT_TEST(sas_that_moved_behind_a_block_migrated);
  CPPUNIT_TEST(another_peer_is_told_and_not_as_a_rekey);
  CPPUNIT_TEST(a_peer_that_is_not_known_yet_is_waited_for);
  CPPUNIT_TEST(the_end_of_protection_says_why);
  CPPUNIT_TEST(a_broken_latch_is_told_with_its_reason_and_its_return);
  CPPUNIT_TEST(expiry_and_mapping_go_to_those_whose_sa_it_is);
  CPPUNIT_TEST(a_dead_peer_is_told_though_its_sas_are_gone);
  CPPUNIT_TEST(only_wanted_types_are_told_and_lost_always);
  CPPUNIT_TEST(spis_are_for_root);
  CPPUNIT_TEST(nothing_is_told_while_the_mirror_is_behind);
  CPPUNIT_TEST(a_user_has_so_many_and_gets_them_back);
  CPPUNIT_TEST(numbers_belong_to_their_connection);
  CPPUNIT_TEST(what_changed_before_the_first_look_is_told);
  CPPUNIT_TEST(a_slow_reader_loses_with_notice_in_its_place);
  CPPUNIT_TEST(nothing_is_sent_while_held);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    end_ = std::make_unique<End>(true);
    subscriptions_ = std::make_unique<Subscriptions>(end_->core->latches);
  }
  void tearDown() override {
    subscriptions_.reset();
    end_.reset();
  }

  void new_sas_of_the_same_peer_are_a_rekey_told_once() {
    subscribe();
    add_pair(0x300, 0x400, "10.1.0.2");
    expect({EventType::rekeyed});
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:b.example.org"), last_.front().event.peer);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{501}, last_.front().event.cookie);
    remove_sa(kSpiToB);
    remove_sa(kSpiToA);
    expect({});
  }

  void sas_at_other_addresses_migrated() {
    Picture before = now(), after = before;
    before.out.front().id.destination = address("10.9.0.2");
    const auto changes = differences(before, after);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, changes.size());
    CPPUNIT_ASSERT(changes.front().type == EventType::migrated);
    before = after;
    after.out.front().source = address("10.9.0.1");
    CPPUNIT_ASSERT(differences(before, after).front().type == EventType::migrated);
  }

  void sas_that_moved_behind_a_block_migrated() {
    Picture seen = now(), blocked = seen, after = seen;
    blocked.is_protected = false;
    blocked.out.clear();
    advance(seen, blocked);
    advance(seen, blocked);
    after.out.front().id.destination = address("10.9.0.2");
    const auto changes = differences(seen, after);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, changes.size());
    CPPUNIT_ASSERT(changes[0].type == EventType::protection && changes[1].type == EventType::migrated);
    after.out.front().id.spi ^= 1;
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, differences(seen, after).size());  // others, after a gap: no rekey
  }

  void another_peer_is_told_and_not_as_a_rekey() {
    subscribe();
    remove_sa(kSpiToB);
    remove_sa(kSpiToA);
    add_pair(0x300, 0x400, "10.1.0.2");
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:mallory.example.org"));
    expect({EventType::identity_changed});
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:mallory.example.org"), last_.front().event.peer);
  }

  void a_peer_that_is_not_known_yet_is_waited_for() {
    subscribe();
    const auto blind = [](const channel::Flow&, const channel::Surroundings&) {
      Assessment unknown;
      unknown.verdict.is_protected = true;
      unknown.may_improve = true;
      return Subscriptions::Looked{unknown, {}};
    };
    subscriptions_->touch();
    CPPUNIT_ASSERT(subscriptions_->collect(blind, true).empty());
    add_pair(0x300, 0x400, "10.1.0.2");
    end_->publish();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, subscriptions_->collect(look(), true).size());  // without another touch()
  }

  void the_end_of_protection_says_why() {
    subscribe();
    end_->databases.spd.policies.clear();
    expect({EventType::protection});
    CPPUNIT_ASSERT(last_.front().event.code == Code::NO_POLICY);
  }

  void a_broken_latch_is_told_with_its_reason_and_its_return() {
    latch();
    subscribe();
    subscribe(Scope::all, 0, kConnection + 1);
    const auto policies = end_->databases.spd.policies;
    end_->databases.spd.policies.clear();
    end_->publish();
    for (const auto& broken : end_->core->latches.reevaluate(end_->core->board, std::chrono::steady_clock::now()))
      subscriptions_->note_broken(broken);
    expect({EventType::latch_broken, EventType::latch_broken, EventType::protection});
    CPPUNIT_ASSERT(last_[1].event.code != Code::ok && last_[1].event.code != Code::INTERNAL);
    end_->databases.spd.policies = policies;
    end_->publish();
    latch();
    subscriptions_->touch_changed_latches();
    expect({EventType::protection, EventType::latch_restored, EventType::latch_restored}, false);
  }

  void expiry_and_mapping_go_to_those_whose_sa_it_is() {
    subscribe();
    subscribe(Scope::all, 0, kConnection + 1);
    const channel::SaId ours{kSpiToB, address("10.1.0.2"), channel::kProtoEsp}, others{0x999, address("10.7.0.2"), channel::kProtoEsp};
    subscriptions_->note(kernel::SaExpired{ours, false});
    expect({EventType::expiring, EventType::expiring});
    subscriptions_->note(kernel::SaExpired{ours, true});
    expect({});
    subscriptions_->note(kernel::Mapped{others});
    expect({EventType::nat_mapping});
    CPPUNIT_ASSERT_EQUAL(kConnection + 1, last_.front().connection);
    subscriptions_->note(kernel::Migrated{});
    expect({EventType::migrated});
  }

  void a_dead_peer_is_told_though_its_sas_are_gone() {
    subscribe();
    subscribe(Scope::all, 0, kConnection + 1);
    remove_sa(kSpiToB);
    remove_sa(kSpiToA);
    expect({EventType::protection});
    const auto peer = certified("fqdn:a.example.org", "fqdn:b.example.org");
    subscriptions_->note(ike::Notice{ike::Notice::Kind::peer_dead, peer.ike_sa + 1, peer.remote, "c"});
    expect({EventType::peer_dead});
    subscriptions_->note(ike::Notice{ike::Notice::Kind::peer_dead, peer.ike_sa, peer.remote, "c"});
    expect({EventType::peer_dead, EventType::peer_dead});
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:b.example.org"), last_.front().event.peer);
  }

  void only_wanted_types_are_told_and_lost_always() {
    subscribe(Scope::socket, event_bit(EventType::expiring));
    add_pair(0x300, 0x400, "10.1.0.2");
    expect({});
    subscriptions_->note(kernel::SaExpired{{0x300, address("10.1.0.2"), channel::kProtoEsp}, false});
    expect({EventType::expiring});
    subscribe();
    subscriptions_->note_lost("ENOBUFS");
    expect({EventType::lost});  // one for the connection
    CPPUNIT_ASSERT_EQUAL(0U, last_.front().event.subscription);
  }

  void spis_are_for_root() {
    subscribe();
    subscribe(Scope::socket, protocol::kAllEvents, kConnection + 1, true);
    add_pair(0x300, 0x400, "10.1.0.2");
    expect({EventType::rekeyed, EventType::rekeyed});
    CPPUNIT_ASSERT(last_[0].event.sas.empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, last_[1].event.sas.size());
  }

  void nothing_is_told_while_the_mirror_is_behind() {
    subscribe();
    end_->databases.spd.policies.clear();
    end_->fresh = false;
    end_->publish();
    subscriptions_->touch();
    CPPUNIT_ASSERT(subscriptions_->collect(look(), false).empty());
    end_->fresh = true;
    expect({EventType::protection});
  }

  void a_user_has_so_many_and_gets_them_back() {
    CPPUNIT_ASSERT_EQUAL(1U, *subscriptions_->add(of(Scope::all), 2));
    CPPUNIT_ASSERT_EQUAL(2U, *subscriptions_->add(of(Scope::all), 2));
    CPPUNIT_ASSERT(subscriptions_->add(of(Scope::all), 2).error().code == Code::LIMIT);
    CPPUNIT_ASSERT(subscriptions_->remove(kConnection, 1));
    CPPUNIT_ASSERT_EQUAL(3U, *subscriptions_->add(of(Scope::all), 2));  // numbers are not used again
    subscriptions_->drop(kConnection);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, subscriptions_->size());
    CPPUNIT_ASSERT(subscriptions_->add(of(Scope::all), 1).ok());
  }

  void numbers_belong_to_their_connection() {
    subscribe(Scope::all);
    CPPUNIT_ASSERT(!subscriptions_->remove(kConnection + 1, 1));
    CPPUNIT_ASSERT(!subscriptions_->remove(kConnection, 2));
    CPPUNIT_ASSERT(subscriptions_->remove(kConnection, 1));
    CPPUNIT_ASSERT(!subscriptions_->remove(kConnection, 1));
  }

  void what_changed_before_the_first_look_is_told() {
    subscribe();
    add_pair(0x300, 0x400, "10.1.0.2");
    end_->publish();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, subscriptions_->collect(look(), true).size());
  }

  void a_slow_reader_loses_with_notice_in_its_place() {
    Outbox outbox;
    bool full = true;
    std::vector<Event> got;
    const auto send = [&](base::View datagram) {
      if (full) return Outbox::Sent::full;
      got.push_back(*protocol::decode_event(protocol::decode_frame(datagram)->body));
      return Outbox::Sent::yes;
    };
    Event event;
    event.type = EventType::expiring;
    for (std::uint32_t i = 1; i <= 10; ++i) {
      event.subscription = i;
      CPPUNIT_ASSERT(outbox.push(5, event, 4, send));
    }
    CPPUNIT_ASSERT(outbox.waiting());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{6}, outbox.take_dropped());
    full = false;
    event.subscription = 11;
    CPPUNIT_ASSERT(outbox.push(5, event, 4, send));
    event.subscription = 12;
    CPPUNIT_ASSERT(outbox.push(5, event, 4, send));
    CPPUNIT_ASSERT_EQUAL(std::size_t{6}, got.size());
    CPPUNIT_ASSERT_EQUAL(4U, got[3].subscription);
    CPPUNIT_ASSERT(got[4].type == EventType::lost);
    CPPUNIT_ASSERT_EQUAL(7U, got[4].missing);
    CPPUNIT_ASSERT_EQUAL(12U, got[5].subscription);
    CPPUNIT_ASSERT(!outbox.waiting());
    CPPUNIT_ASSERT(!outbox.push(5, event, 4, [](base::View) { return Outbox::Sent::gone; }));
  }

  void nothing_is_sent_while_held() {
    Outbox outbox;
    int sent = 0;
    const auto send = [&](base::View) { return ++sent, Outbox::Sent::yes; };
    outbox.hold();
    CPPUNIT_ASSERT(outbox.push(5, Event{}, 4, send));
    CPPUNIT_ASSERT_EQUAL(0, sent);
    outbox.release();
    CPPUNIT_ASSERT(outbox.flush(send));
    CPPUNIT_ASSERT_EQUAL(1, sent);
  }

 private:
  [[nodiscard]] Assessment assessed() const {
    const auto& flow = end_->host->socket.flow;
    return assess(flow, {}, end_->core->board.look(flow), std::chrono::steady_clock::now());
  }
  [[nodiscard]] Subscriptions::Look look() const {
    return [this](const channel::Flow& flow, const channel::Surroundings& around) {
      const View view = end_->core->board.look(flow);
      return Subscriptions::Looked{assess(flow, around, view, std::chrono::steady_clock::now()), footing_of(view)};
    };
  }
  [[nodiscard]] Picture now() const {
    const auto latch = end_->core->latches.find(501, end_->host->socket.flow);
    return picture_of(assessed(), latch ? latch->status.state : LatchState::none);
  }
  [[nodiscard]] Subscription of(Scope scope) const {
    Subscription wanted;
    wanted.connection = kConnection;
    wanted.uid = 1000;
    wanted.types = protocol::kAllEvents;
    wanted.scope = scope;
    if (scope == Scope::all) return wanted;
    wanted.cookie = 501;
    wanted.flow = end_->host->socket.flow;
    wanted.picture = now();
    return wanted;
  }
  void subscribe(Scope scope = Scope::socket, std::uint32_t types = 0, std::uint64_t connection = kConnection, bool root = false) {
    Subscription wanted = of(scope);
    wanted.connection = connection;
    wanted.types = types ? types : protocol::kAllEvents;
    wanted.root = root;
    CPPUNIT_ASSERT(subscriptions_->add(std::move(wanted), 100).ok());
  }
  void add_pair(std::uint32_t to_peer, std::uint32_t from_peer, const char* peer) {
    end_->databases.sad.sas.push_back(esp_sa(to_peer, "10.1.0.1", peer));
    end_->databases.sad.sas.push_back(esp_sa(from_peer, peer, "10.1.0.1"));
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:b.example.org"));
  }
  void remove_sa(std::uint32_t spi) {
    std::erase_if(end_->databases.sad.sas, [spi](const channel::Sa& sa) { return sa.id.spi == spi; });
  }
  void latch() {
    LatchSetup setup;
    setup.cookie = 501;
    setup.flow = end_->host->socket.flow;
    setup.owner = 1000;
    setup.parameters = *parameters_of(assessed(), setup.flow);
    CPPUNIT_ASSERT(end_->core->latches.establish(setup, end_->page, std::chrono::steady_clock::now()).ok());
  }
  // Publishes, collects and compares the types.
  void expect(std::vector<EventType> types, bool publish = true) {
    if (publish) end_->publish();
    subscriptions_->touch();
    last_ = subscriptions_->collect(look(), true);
    std::string found;
    for (const Delivery& delivery : last_) found += std::string(event_type_name(delivery.event.type)) + " ";
    CPPUNIT_ASSERT_EQUAL_MESSAGE(found, types.size(), last_.size());
    for (std::size_t i = 0; i < types.size(); ++i) CPPUNIT_ASSERT_MESSAGE(found, last_[i].event.type == types[i]);
  }

  std::unique_ptr<End> end_;
  std::unique_ptr<Subscriptions> subscriptions_;
  std::vector<Delivery> last_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SubscriptionsTest);

}  // namespace
}  // namespace gssipsec::broker::testing
