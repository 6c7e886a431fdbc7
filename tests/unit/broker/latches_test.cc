// SPDX-License-Identifier: MIT
// The life of a latch: congruence, breaking, mending, clearing, and the words on clients' pages.
#include "broker/latches.h"

#include <cppunit/extensions/HelperMacros.h>

#include "broker/statement.h"
#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using protocol::LatchState;
using std::chrono::milliseconds;
using std::chrono::seconds;

class LatchesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LatchesTest);
  CPPUNIT_TEST(a_rekey_under_the_same_peer_keeps_it);
  CPPUNIT_TEST(a_flushed_spd_breaks_it_and_its_return_mends_it);
  CPPUNIT_TEST(a_policy_that_lets_clear_text_pass_breaks_it);
  CPPUNIT_TEST(one_direction_without_policy_breaks_it);
  CPPUNIT_TEST(another_peer_breaks_it);
  CPPUNIT_TEST(a_peer_that_comes_back_mends_it);
  CPPUNIT_TEST(another_method_of_the_same_peer_breaks_it);
  CPPUNIT_TEST(weaker_algorithms_break_it);
  CPPUNIT_TEST(missing_sas_make_it_stale_not_broken);
  CPPUNIT_TEST(an_unknown_peer_is_stale_for_two_seconds_then_broken);
  CPPUNIT_TEST(a_block_that_passes_keeps_it);
  CPPUNIT_TEST(a_block_outbound_keeps_it_without_a_policy_inbound);
  CPPUNIT_TEST(a_block_inbound_alone_does_not);
  CPPUNIT_TEST(a_block_outbound_alone_does_not_keep_what_is_only_watched);
  CPPUNIT_TEST(the_two_seconds_begin_when_there_are_sas_again);
  CPPUNIT_TEST(another_peer_that_was_unknown_at_first_breaks_it_for_sure);
  CPPUNIT_TEST(what_was_not_confirmed_in_time_and_is_proven_later_is_told_again);
  CPPUNIT_TEST(a_block_that_stays_breaks_it);
  CPPUNIT_TEST(a_stale_mirror_changes_nothing);
  CPPUNIT_TEST(a_change_that_concerns_others_is_not_looked_at);
  CPPUNIT_TEST(what_breaks_within_a_request_is_told_by_the_next_look);
  CPPUNIT_TEST(an_ike_daemon_that_left_keeps_it);
  CPPUNIT_TEST(another_reqid_must_be_latched_again);
  CPPUNIT_TEST(without_authentication_another_ike_sa_breaks_it);
  CPPUNIT_TEST(without_authentication_only_its_own_ike_sa_mends_it);
  CPPUNIT_TEST(without_authentication_a_rekey_must_be_latched_again);
  CPPUNIT_TEST(without_authentication_and_ike_other_sas_break_it);
  CPPUNIT_TEST(without_authentication_and_ike_other_sas_of_the_same_name_break_it);
  CPPUNIT_TEST(without_authentication_missing_sas_break_it);
  CPPUNIT_TEST(another_connection_of_the_same_socket_closes_it);
  CPPUNIT_TEST(a_new_peer_on_the_socket_gets_no_latch);
  CPPUNIT_TEST(a_socket_that_is_gone_closes_it);
  CPPUNIT_TEST(what_broke_stays_broken_when_its_socket_is_closed);
  CPPUNIT_TEST(a_released_slot_is_given_anew_with_another_generation);
  CPPUNIT_TEST(a_slot_given_anew_does_not_rest_on_its_former_socket);
  CPPUNIT_TEST(another_clients_slot_cannot_be_released);
  CPPUNIT_TEST(a_full_page_is_a_limit);
  CPPUNIT_TEST(check_confirms_and_latches_again);
  CPPUNIT_TEST(check_refuses_another_socket);
  CPPUNIT_TEST(check_tells_why_it_is_broken);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    end_ = std::make_unique<End>(true);
    now_ = Clock::now();
    slot_ = *latches().establish(setup(), end_->page, now_);
    statement_ = encode(statement_of(setup().parameters, end_->host->socket.flow, end_->core->started));
  }

  void a_rekey_under_the_same_peer_keeps_it() {
    for (channel::Sa& sa : end_->databases.sad.sas) sa.id.spi += 0x10;
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:b.example.org"));
    expect(LatchState::established);
  }

  void a_flushed_spd_breaks_it_and_its_return_mends_it() {
    const auto policies = end_->databases.spd.policies;
    end_->databases.spd.policies.clear();
    const auto broken = reevaluate();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, broken.size());
    CPPUNIT_ASSERT(broken[0].proven);
    CPPUNIT_ASSERT(state() == LatchState::broken);
    CPPUNIT_ASSERT(!latches().holds(501, end_->host->socket.flow));  // the kernel closes its socket
    CPPUNIT_ASSERT(find()->status.why.code == Code::LATCH_BROKEN);
    CPPUNIT_ASSERT(reevaluate().empty());  // told once
    end_->databases.spd.policies = policies;
    expect(LatchState::established);
    CPPUNIT_ASSERT(latches().holds(501, end_->host->socket.flow));
  }

  void a_policy_that_lets_clear_text_pass_breaks_it() {
    for (channel::Policy& policy : end_->databases.spd.policies) policy.templates[0].optional = true;
    expect(LatchState::broken);
  }

  void one_direction_without_policy_breaks_it() {
    end_->databases.spd.policies.pop_back();
    expect(LatchState::broken);
  }

  void another_peer_breaks_it() {
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:evil.example.org"));
    expect(LatchState::broken);
  }

  void a_peer_that_comes_back_mends_it() {
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:evil.example.org"));
    expect(LatchState::broken);
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:b.example.org"));
    expect(LatchState::established);
  }

  void another_method_of_the_same_peer_breaks_it() {
    channel::PeerInfo peer = certified("fqdn:a.example.org", "fqdn:b.example.org");
    peer.remote_method = channel::AuthMethod::psk_group;
    end_->set_peer(peer);
    expect(LatchState::broken);
  }

  void weaker_algorithms_break_it() {
    for (channel::Sa& sa : end_->databases.sad.sas) {
      sa.aead = {};
      sa.encryption = {"ecb(cipher_null)", 0, 0};
      sa.authentication = {"hmac(sha256)", 256, 128};
    }
    expect(LatchState::broken);
  }

  void missing_sas_make_it_stale_not_broken() {
    end_->databases.sad.sas.clear();
    expect(LatchState::stale);
    now_ += seconds(60);  // the kernel holds back everything meanwhile
    expect(LatchState::stale);
  }

  void an_unknown_peer_is_stale_for_two_seconds_then_broken() {
    const auto peers = end_->snapshot.peers;
    end_->snapshot.peers.clear();
    expect(LatchState::stale);
    CPPUNIT_ASSERT(latches().any_stale());
    now_ += milliseconds(1900);
    expect(LatchState::stale);
    now_ += milliseconds(200);
    const auto broken = reevaluate();
    CPPUNIT_ASSERT(state() == LatchState::broken);
    CPPUNIT_ASSERT(!broken.at(0).proven);
    end_->snapshot.peers = peers;
    expect(LatchState::established);
    CPPUNIT_ASSERT(!latches().any_stale());
  }

  // As IKE daemons put one above while they move SAs to other addresses.
  void a_block_that_passes_keeps_it() {
    block(true);
    expect(LatchState::stale);
    CPPUNIT_ASSERT(check()->state == LatchState::stale);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
    now_ += milliseconds(1900);
    expect(LatchState::stale);
    block(false);
    expect(LatchState::established);
    CPPUNIT_ASSERT(!latches().any_stale());
  }

  // As strongSwan does while it moves a tunnel.
  void a_block_outbound_keeps_it_without_a_policy_inbound() {
    leave_only_a_block(channel::Direction::out);
    expect(LatchState::stale);
  }

  void a_block_inbound_alone_does_not() {
    leave_only_a_block(channel::Direction::in);
    expect(LatchState::broken);
  }

  void a_block_outbound_alone_does_not_keep_what_is_only_watched() {
    latches().close(501);
    LatchSetup watched = setup();
    watched.parameters.out.clear(), watched.parameters.in.clear();
    slot_ = *latches().establish(watched, end_->page, now_);
    leave_only_a_block(channel::Direction::out);
    expect(LatchState::broken);
  }

  void the_two_seconds_begin_when_there_are_sas_again() {
    const auto sas = end_->databases.sad.sas;
    end_->databases.sad.sas.clear();
    expect(LatchState::stale);
    CPPUNIT_ASSERT(!latches().any_stale());
    now_ += seconds(60);
    end_->databases.sad.sas = sas;
    end_->snapshot.peers.clear();  // the daemon is asked a moment later
    expect(LatchState::stale);
  }

  // As after every new SA: its peer is known when the daemon has been asked.
  void another_peer_that_was_unknown_at_first_breaks_it_for_sure() {
    end_->snapshot.peers.clear();
    expect(LatchState::stale);
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:evil.example.org"));
    const auto broken = reevaluate();
    CPPUNIT_ASSERT(state() == LatchState::broken);
    CPPUNIT_ASSERT(broken.at(0).proven);  // the kernel closes the socket
    CPPUNIT_ASSERT(!latches().any_stale());
  }

  // The switch to the channel rests on a socket that is closed then, however late it shows.
  void what_was_not_confirmed_in_time_and_is_proven_later_is_told_again() {
    end_->snapshot.peers.clear();
    expect(LatchState::stale);
    now_ += milliseconds(2100);
    const auto doubtful = reevaluate();
    CPPUNIT_ASSERT(state() == LatchState::broken && !doubtful.at(0).proven && !doubtful[0].told);
    CPPUNIT_ASSERT(reevaluate().empty());
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:evil.example.org"));
    const auto broken = reevaluate();
    CPPUNIT_ASSERT(state() == LatchState::broken && broken.at(0).proven && broken[0].told);
    CPPUNIT_ASSERT(reevaluate().empty());
  }

  void a_block_that_stays_breaks_it() {
    block(true);
    expect(LatchState::stale);
    now_ += milliseconds(2100);
    const auto broken = reevaluate();
    CPPUNIT_ASSERT(state() == LatchState::broken);
    CPPUNIT_ASSERT(broken.at(0).proven && broken[0].why.code == Code::LATCH_BROKEN);
    CPPUNIT_ASSERT(check()->state == LatchState::broken);
    now_ += seconds(1);
    expect(LatchState::broken);  // it does not become a new block
    block(false);
    expect(LatchState::established);
  }

  void a_change_that_concerns_others_is_not_looked_at() {
    expect(LatchState::established);
    end_->databases.spd.policies.clear();
    end_->publish();
    Changes changes;
    changes.reqids = {8};
    CPPUNIT_ASSERT(latches().reevaluate(end_->core->board, changes, now_).empty());
    CPPUNIT_ASSERT(state() == LatchState::established);
    changes.reqids = {7};
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, latches().reevaluate(end_->core->board, changes, now_).size());
    CPPUNIT_ASSERT(state() == LatchState::broken);
  }

  void what_breaks_within_a_request_is_told_by_the_next_look() {
    end_->databases.spd.policies.clear();
    end_->publish();
    latches().recheck(501, end_->core->board, now_);
    CPPUNIT_ASSERT(state() == LatchState::broken);
    const auto broken = latches().reevaluate_unsettled(end_->core->board, now_);
    CPPUNIT_ASSERT(broken.size() == 1 && broken[0].cookie == 501 && broken[0].proven);
    CPPUNIT_ASSERT(latches().reevaluate_unsettled(end_->core->board, now_).empty());
  }

  void a_stale_mirror_changes_nothing() {
    end_->databases.spd.policies.clear();
    end_->fresh = false;
    expect(LatchState::established);
  }

  void an_ike_daemon_that_left_keeps_it() {
    end_->healthy = false;
    expect(LatchState::established);
    // But what it said does not count for an SA that came since, also under an old name.
    end_->arrivals[end_->sa(kSpiToA).id] = {++end_->arrivals_seen, now_};
    expect(LatchState::stale);
    end_->answered = end_->arrivals_seen;
    expect(LatchState::established);
  }

  void another_reqid_must_be_latched_again() {
    for (channel::Sa& sa : end_->databases.sad.sas) sa.reqid = 8;
    for (channel::Policy& policy : end_->databases.spd.policies) policy.templates[0].reqid = 8;
    expect(LatchState::stale);
  }

  void without_authentication_another_ike_sa_breaks_it() {
    latch_unauthenticated();
    channel::PeerInfo peer = unauthenticated();
    peer.ike_sa = 2;
    end_->set_peer(peer);
    expect(LatchState::broken);
  }

  void without_authentication_only_its_own_ike_sa_mends_it() {
    latch_unauthenticated();
    const std::uint64_t own = unauthenticated().ike_sa;
    for (const std::uint64_t ike_sa : {own + 1, own + 2, own}) {
      channel::PeerInfo peer = unauthenticated();
      peer.ike_sa = ike_sa;
      end_->set_peer(peer);
      expect(ike_sa == own ? LatchState::established : LatchState::broken);
    }
  }

  void without_authentication_a_rekey_must_be_latched_again() {
    latch_unauthenticated();
    expect(LatchState::established);
    for (channel::Sa& sa : end_->databases.sad.sas) sa.id.spi += 0x10;
    end_->set_peer(unauthenticated());
    expect(LatchState::stale);
  }

  void without_authentication_and_ike_other_sas_break_it() {
    const channel::PeerInfo peer = manual();
    latch_under(peer);
    expect(LatchState::established);
    for (channel::Sa& sa : end_->databases.sad.sas) sa.id.spi += 0x10;
    end_->set_peer(peer);
    expect(LatchState::broken);
    CPPUNIT_ASSERT(check()->state == LatchState::broken);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
  }

  // Whoever makes the next SA may choose the number of the last one.
  void without_authentication_and_ike_other_sas_of_the_same_name_break_it() {
    latch_under(manual());
    expect(LatchState::established);
    end_->arrivals[end_->sa(kSpiToA).id] = {++end_->arrivals_seen, now_};
    end_->answered = end_->arrivals_seen;
    expect(LatchState::broken);
  }

  void without_authentication_missing_sas_break_it() {
    for (const channel::PeerInfo& peer : {manual(), unauthenticated()}) {
      latch_under(peer);
      const auto sas = end_->databases.sad.sas;
      end_->databases.sad.sas.pop_back();
      const auto broken = reevaluate();
      CPPUNIT_ASSERT(state() == LatchState::broken);
      CPPUNIT_ASSERT(broken.at(0).proven);
      end_->databases.sad.sas = sas;
      end_->publish();
      setUp();
    }
  }

  void another_connection_of_the_same_socket_closes_it() {
    LatchSetup other = setup();
    other.flow.local_port = 40001;
    const Slot second = *latches().establish(other, end_->page, now_);
    CPPUNIT_ASSERT(state() == LatchState::closed);
    CPPUNIT_ASSERT(end_->page->state(second) == LatchState::established);
    CPPUNIT_ASSERT(!find());
    expect(LatchState::closed);
  }

  void a_new_peer_on_the_socket_gets_no_latch() {
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:c.example.org"));
    end_->publish();
    CPPUNIT_ASSERT(latches().establish(setup(), end_->page, now_).error().code == Code::LATCH_BROKEN);
    expect(LatchState::broken);
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:b.example.org"));
    expect(LatchState::established);
  }

  void a_socket_that_is_gone_closes_it() {
    latches().close_gone([](std::uint16_t, std::uint64_t) { return false; }, now_ - seconds(1));
    CPPUNIT_ASSERT(state() == LatchState::established);  // made after that list
    latches().close_gone([](std::uint16_t, std::uint64_t) { return true; }, now_ + seconds(1));
    CPPUNIT_ASSERT(state() == LatchState::established);
    latches().close_gone([](std::uint16_t, std::uint64_t) { return false; }, now_ + seconds(1));
    CPPUNIT_ASSERT(state() == LatchState::closed);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, latches().size());
  }

  void what_broke_stays_broken_when_its_socket_is_closed() {
    end_->databases.spd.policies.clear();
    end_->publish();
    expect(LatchState::broken);
    latches().close(501);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, latches().size());
    CPPUNIT_ASSERT(state() == LatchState::broken);
  }

  void a_released_slot_is_given_anew_with_another_generation() {
    latches().release(end_->page, slot_);
    CPPUNIT_ASSERT(state() == LatchState::none);
    std::vector<Slot> taken;
    for (std::uint32_t i = 0; i < protocol::kPageSlots; ++i) taken.push_back(*latches().establish(setup(), end_->page, now_));
    for (const Slot& slot : taken)
      if (slot.number == slot_.number) CPPUNIT_ASSERT(slot.generation != slot_.generation);
    CPPUNIT_ASSERT(state() == LatchState::none);
    latches().release(end_->page, slot_);  // the old generation frees nothing
    CPPUNIT_ASSERT(!latches().establish(setup(), end_->page, now_));
  }

  void a_slot_given_anew_does_not_rest_on_its_former_socket() {
    CPPUNIT_ASSERT(latches().rests_on(end_->page, slot_, setup().cookie, setup().flow));
    latches().release(end_->page, slot_);
    LatchSetup other = setup();
    ++other.cookie;
    Slot anew;
    do anew = *latches().establish(other, end_->page, now_);
    while (anew.number != slot_.number);
    CPPUNIT_ASSERT(latches().rests_on(end_->page, anew, other.cookie, other.flow));
    CPPUNIT_ASSERT(!latches().rests_on(end_->page, anew, setup().cookie, setup().flow));
    latches().drop_page(end_->page);
    CPPUNIT_ASSERT(!latches().rests_on(end_->page, anew, other.cookie, other.flow));
  }

  void another_clients_slot_cannot_be_released() {
    const auto other = *Page::create();
    latches().release(other, slot_);
    CPPUNIT_ASSERT(state() == LatchState::established);
    latches().drop_page(other);
    end_->databases.spd.policies.clear();
    expect(LatchState::broken);
  }

  void a_full_page_is_a_limit() {
    base::Result<Slot> last = slot_;
    for (std::uint32_t i = 0; i < protocol::kPageSlots && last; ++i) last = latches().establish(setup(), end_->page, now_);
    CPPUNIT_ASSERT(last.error().code == Code::LIMIT);
  }

  void check_confirms_and_latches_again() {
    CPPUNIT_ASSERT(check()->state == LatchState::established);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
    another_reqid_must_be_latched_again();
    const auto again = check();
    CPPUNIT_ASSERT(again->state == LatchState::established);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
    CPPUNIT_ASSERT(end_->page->state({again->slot, again->generation}) == LatchState::established);
    CPPUNIT_ASSERT(state() == LatchState::none);  // the old slot was given back
  }

  void check_refuses_another_socket() {
    end_->host->socket.cookie = 999;
    CPPUNIT_ASSERT(check().error().code == Code::SOCKET_CHANGED);
  }

  void check_tells_why_it_is_broken() {
    end_->databases.spd.policies.clear();
    expect(LatchState::broken);
    CPPUNIT_ASSERT(check()->state == LatchState::broken);
    CPPUNIT_ASSERT(check()->why == Code::NO_POLICY);
    another_peer();
    const auto other = check();
    CPPUNIT_ASSERT(other->state == LatchState::broken);
    CPPUNIT_ASSERT(other->why == Code::LATCH_BROKEN);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
  }

 private:
  Latches& latches() { return end_->core->latches; }
  LatchState state() { return end_->page->state(slot_); }
  std::optional<LatchInfo> find() { return latches().find(501, end_->host->socket.flow); }

  LatchSetup setup() {
    const channel::Flow flow = end_->host->socket.flow;
    const auto parameters = parameters_of(assess(flow, {}, end_->core->board.look(flow), now_), flow);
    CPPUNIT_ASSERT_MESSAGE(parameters ? "" : describe(parameters.error()), parameters.ok());
    return {501, flow, {}, 1000, *parameters, true};
  }

  std::vector<Latches::Broken> reevaluate() {
    end_->publish();
    return latches().reevaluate(end_->core->board, now_);
  }

  void expect(LatchState wanted) {
    (void)reevaluate();
    CPPUNIT_ASSERT_EQUAL(std::string(protocol::latch_state_name(wanted)), std::string(protocol::latch_state_name(state())));
  }

  static channel::PeerInfo unauthenticated() {
    channel::PeerInfo peer = certified("fqdn:a.example.org", "fqdn:b.example.org");
    peer.remote_method = channel::AuthMethod::psk_group;
    return peer;
  }

  static channel::PeerInfo manual() {
    channel::PeerInfo peer = unauthenticated();
    peer.remote_method = channel::AuthMethod::manual, peer.remote_fixed = peer.negotiated = false, peer.ike_sa = 0;
    return peer;
  }

  void latch_unauthenticated() { latch_under(unauthenticated()); }

  void latch_under(const channel::PeerInfo& peer) {
    latches().close(501);
    end_->set_peer(peer);
    end_->publish();
    slot_ = *latches().establish(setup(), end_->page, now_);
  }

  void another_peer() {
    End fresh(true);
    end_->databases = fresh.databases;
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:evil.example.org"));
    end_->publish();
  }

  void leave_only_a_block(channel::Direction direction) {
    block(true);
    std::erase_if(end_->databases.spd.policies, [direction](const channel::Policy& policy) { return policy.direction != direction; });
  }

  void block(bool yes) {
    for (channel::Policy& policy : end_->databases.spd.policies) policy.action = yes ? channel::Action::block : channel::Action::allow;
  }
  base::Result<protocol::CheckReply> check() {
    const auto body = encode(protocol::CheckRequest{slot_.number, slot_.generation, 501, statement_});
    const auto answer = handle_check(*end_->core, end_->request(body));
    if (!answer) return answer.error();
    return protocol::decode_check_reply(answer->body);
  }

  std::unique_ptr<End> end_;
  Time now_;
  Slot slot_;
  base::Bytes statement_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(LatchesTest);

}  // namespace
}  // namespace gssipsec::broker::testing
