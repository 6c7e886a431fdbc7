// SPDX-License-Identifier: MIT
// LATCH and UNLATCH: who may, on what; what is watched only; that a latch is strengthened and never replaced.
#include <cppunit/extensions/HelperMacros.h>

#include <thread>

#include "broker/latches.h"
#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using protocol::LatchReply;
using protocol::LatchState;
using std::chrono::milliseconds;

class LatchVerbsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LatchVerbsTest);
  CPPUNIT_TEST(a_connection_is_latched_without_a_context);
  CPPUNIT_TEST(a_latch_that_breaks_shut_is_pinned_or_the_kernel_closes);
  CPPUNIT_TEST(a_clear_connection_is_not_latched);
  CPPUNIT_TEST(what_cannot_be_latched_is_watched_and_left_alone);
  CPPUNIT_TEST(sctp_is_watched_only);
  CPPUNIT_TEST(what_is_watched_breaks_too);
  CPPUNIT_TEST(an_enforced_latch_is_not_replaced_by_watching);
  CPPUNIT_TEST(a_listener_is_latched_to_what_its_peers_policy_asks_for);
  CPPUNIT_TEST(a_listener_needs_no_sa_yet);
  CPPUNIT_TEST(a_listener_without_policy_is_not_latched);
  CPPUNIT_TEST(a_listener_of_all_addresses_takes_that_of_the_route);
  CPPUNIT_TEST(a_shared_listener_is_roots);
  CPPUNIT_TEST(a_listener_of_both_families_is_refused);
  CPPUNIT_TEST(an_sctp_listener_is_refused);
  CPPUNIT_TEST(a_listener_behind_a_vrf_or_a_mark_is_refused);
  CPPUNIT_TEST(a_peer_of_another_family_is_a_bad_argument);
  CPPUNIT_TEST(unconnected_datagrams_are_roots);
  CPPUNIT_TEST(a_listener_is_stale_and_not_broken_when_policies_change);
  CPPUNIT_TEST(a_listeners_latch_is_found_by_its_maker);
  CPPUNIT_TEST(another_user_does_not_move_a_listeners_latch);
  CPPUNIT_TEST(root_sees_all_page_by_page);
  CPPUNIT_TEST(nobody_else_sees_them);
  CPPUNIT_TEST(its_setter_removes_it);
  CPPUNIT_TEST(a_broken_one_that_is_removed_is_closed);
  CPPUNIT_TEST(another_user_does_not_remove_it);
  CPPUNIT_TEST(a_context_holds_it);
  CPPUNIT_TEST(an_unknown_latch_is_not_removed);
  CPPUNIT_TEST(another_socket_is_not_released);
  CPPUNIT_TEST(a_context_with_another_peer_does_not_replace_it);
  CPPUNIT_TEST(a_latch_made_anew_proves_nothing_about_before);
  CPPUNIT_TEST(requests_about_one_socket_take_turns);
  CPPUNIT_TEST(control_packets_are_protected_by_a_rule_beneath);
  CPPUNIT_TEST(control_packets_have_no_mark);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { end_ = std::make_unique<End>(true); }

  void a_connection_is_latched_without_a_context() {
    const LatchReply reply = *latch();
    CPPUNIT_ASSERT(reply.channel.latch == LatchState::established && reply.why == Code::ok);
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:b.example.org"), reply.channel.peer_name);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
    CPPUNIT_ASSERT(state(reply) == LatchState::established);
    CPPUNIT_ASSERT(latch()->channel.latch == LatchState::established);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
    CPPUNIT_ASSERT(latch({address("10.1.0.2")}).error().code == Code::BAD_ARGUMENT);
  }

  void a_latch_that_breaks_shut_is_pinned_or_the_kernel_closes() {
    CPPUNIT_ASSERT(!latch()->channel.breaks_shut);
    end_->host->destroys = true;
    CPPUNIT_ASSERT(latch()->channel.breaks_shut);
    setUp();
    end_->host->route.vrf = end_->host->destroys = true;
    CPPUNIT_ASSERT(!latch()->channel.breaks_shut);
    setUp();
    channel::PeerInfo group = certified("fqdn:a.example.org", "fqdn:b.example.org");
    group.remote_method = channel::AuthMethod::psk_group;
    end_->set_peer(group);
    end_->publish();
    CPPUNIT_ASSERT(latch()->channel.breaks_shut);
  }

  void a_clear_connection_is_not_latched() {
    end_->databases.spd.policies.clear();
    end_->publish();
    CPPUNIT_ASSERT(latch().error().code == Code::NO_POLICY);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
  }

  void what_cannot_be_latched_is_watched_and_left_alone() {
    end_->host->route.vrf = true;
    const LatchReply reply = *latch();
    CPPUNIT_ASSERT(reply.channel.latch == LatchState::monitored && reply.why == Code::NOT_LATCHABLE);
    CPPUNIT_ASSERT(state(reply) == LatchState::monitored);
    reevaluate();
    CPPUNIT_ASSERT(state(reply) == LatchState::monitored);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
  }

  void sctp_is_watched_only() {
    end_->host->socket.flow.protocol = 132;
    const LatchReply reply = *latch();
    CPPUNIT_ASSERT(reply.channel.latch == LatchState::monitored);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
  }

  void what_is_watched_breaks_too() {
    end_->host->route.vrf = true;
    const LatchReply reply = *latch();
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:evil.example.org"));
    reevaluate();
    CPPUNIT_ASSERT(state(reply) == LatchState::broken);
  }

  void an_enforced_latch_is_not_replaced_by_watching() {
    CPPUNIT_ASSERT(latch().ok());
    end_->sa(kSpiToB).mark = {0, 1};
    reevaluate();
    CPPUNIT_ASSERT(latch().error().code == Code::LATCH_BROKEN);
  }

  void a_listener_is_latched_to_what_its_peers_policy_asks_for() {
    listen();
    const LatchReply reply = *latch({address("10.1.0.2")});
    CPPUNIT_ASSERT(reply.channel.latch == LatchState::listener);
    CPPUNIT_ASSERT(state(reply) == LatchState::listener);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
    const auto known = end_->core->latches.find(501, end_->host->socket.flow);
    CPPUNIT_ASSERT(known->parameters.out.at(0).reqid == 7 && known->parameters.out[0].spi == 0 && !known->parameters.out[0].optional);
    reevaluate();
    CPPUNIT_ASSERT(state(reply) == LatchState::listener);
  }

  void a_listener_needs_no_sa_yet() {
    listen();
    end_->databases.sad.sas.clear();
    end_->publish();
    CPPUNIT_ASSERT(latch({address("10.1.0.2")})->channel.latch == LatchState::listener);
  }

  void a_listener_without_policy_is_not_latched() {
    listen();
    end_->databases.spd.policies.pop_back();
    end_->publish();
    CPPUNIT_ASSERT(!latch({address("10.1.0.2")}).ok());
    for (channel::Policy& policy : end_->databases.spd.policies) policy.templates[0].optional = true;
    end_->publish();
    CPPUNIT_ASSERT(!latch({address("10.1.0.2")}).ok());
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
  }

  void a_listener_of_all_addresses_takes_that_of_the_route() {
    listen();
    end_->host->socket.flow.local = address("0.0.0.0");
    CPPUNIT_ASSERT(!latch({address("10.1.0.2")}).ok());
    end_->host->route.source = address("10.1.0.1");
    CPPUNIT_ASSERT(latch({address("10.1.0.2")})->channel.latch == LatchState::listener);
  }

  void a_shared_listener_is_roots() {
    listen();
    end_->host->socket.owner_uid = 26;
    CPPUNIT_ASSERT(latch({address("10.1.0.2")}).error().code == Code::NOT_OWNER);
    become(0);
    CPPUNIT_ASSERT(latch({address("10.1.0.2")}).ok());
  }

  void a_listener_of_both_families_is_refused() {
    listen();
    end_->host->socket.flow.on_ipv6_socket = true;
    CPPUNIT_ASSERT(latch({address("10.1.0.2")}).error().code == Code::NOT_LATCHABLE);
    end_->host->socket.v6only = true;
    CPPUNIT_ASSERT(latch({address("10.1.0.2")}).ok());
  }

  void an_sctp_listener_is_refused() {
    listen();
    end_->host->socket.flow.protocol = 132;
    CPPUNIT_ASSERT(latch({address("10.1.0.2")}).error().code == Code::NOT_LATCHABLE);
  }

  void a_listener_behind_a_vrf_or_a_mark_is_refused() {
    listen();
    end_->host->route.vrf = true;
    CPPUNIT_ASSERT(latch({address("10.1.0.2")}).error().code == Code::NOT_LATCHABLE);
    end_->host->route.vrf = false;
    end_->databases.sad.sas.clear();
    for (channel::Policy& policy : end_->databases.spd.policies) policy.mark = {0, 1};
    end_->publish();
    CPPUNIT_ASSERT(latch({address("10.1.0.2")}).error().code == Code::NOT_LATCHABLE);
  }

  void a_peer_of_another_family_is_a_bad_argument() {
    listen();
    CPPUNIT_ASSERT(latch({address("fd00::2")}).error().code == Code::BAD_ARGUMENT);
  }

  void unconnected_datagrams_are_roots() {
    listen();
    end_->host->socket.flow.protocol = 17;
    CPPUNIT_ASSERT(latch({address("10.1.0.2")}).error().code == Code::NOT_ALLOWED);
    become(0);
    CPPUNIT_ASSERT(latch({address("10.1.0.2")})->channel.latch == LatchState::listener);
  }

  void a_listener_is_stale_and_not_broken_when_policies_change() {
    listen();
    const LatchReply reply = *latch({address("10.1.0.2")});
    const auto policies = end_->databases.spd.policies;
    end_->databases.spd.policies.clear();
    CPPUNIT_ASSERT(reevaluate().empty());
    CPPUNIT_ASSERT(state(reply) == LatchState::stale);
    end_->databases.spd.policies = policies;
    for (channel::Policy& policy : end_->databases.spd.policies) policy.templates[0].reqid = 8;
    reevaluate();
    CPPUNIT_ASSERT(state(reply) == LatchState::stale);
    CPPUNIT_ASSERT(latch({address("10.1.0.2")})->channel.latch == LatchState::listener);
    CPPUNIT_ASSERT_EQUAL(2, end_->host->latches_set);
    CPPUNIT_ASSERT(state(reply) == LatchState::listener);
  }

  void a_listeners_latch_is_found_by_its_maker() {
    listen();
    CPPUNIT_ASSERT(latch().error().code == Code::NO_LATCH);
    CPPUNIT_ASSERT(latch({address("10.1.0.2")}).ok());
    CPPUNIT_ASSERT(latch()->channel.latch == LatchState::listener);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
    end_->host->socket.owner_uid = 26;
    CPPUNIT_ASSERT(latch().error().code == Code::NOT_OWNER);
  }

  void another_user_does_not_move_a_listeners_latch() {
    listen();
    become(0);
    CPPUNIT_ASSERT(latch({address("10.1.0.2")}).ok());
    become(1000);
    CPPUNIT_ASSERT(latch({address("10.1.0.2")}).ok());  // to the same
    for (channel::Policy& policy : end_->databases.spd.policies) policy.templates[0].reqid = 8;
    reevaluate();
    CPPUNIT_ASSERT(latch({address("10.1.0.2")}).error().code == Code::LATCH_OF_OTHER);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
  }

  void root_sees_all_page_by_page() {
    end_->caller.privileged = true;
    CPPUNIT_ASSERT(listed()->latches.empty() && !listed()->more);
    const std::size_t many = protocol::kMaxList + 1;
    for (std::size_t i = 0; i < many; ++i) {
      end_->host->socket.cookie = 501 + i;
      CPPUNIT_ASSERT(latch().ok());
    }
    const auto first = *listed();
    CPPUNIT_ASSERT(first.latches.size() == protocol::kMaxList && first.more);
    const protocol::HeldLatch& one = first.latches.front();
    CPPUNIT_ASSERT(one.cookie == 501 && one.state == LatchState::established && one.owner == end_->caller.uid);
    CPPUNIT_ASSERT(same_connection(one.flow, end_->host->socket.flow));
    const auto rest = *listed(first.latches.back().cookie);
    CPPUNIT_ASSERT(rest.latches.size() == 1 && rest.latches[0].cookie == 500 + many && !rest.more);
  }

  void nobody_else_sees_them() {
    end_->caller.privileged = false;
    CPPUNIT_ASSERT(listed().error().code == Code::NOT_ALLOWED);
  }

  void its_setter_removes_it() {
    const LatchReply reply = *latch();
    CPPUNIT_ASSERT(unlatch() == Code::ok);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_cleared);
    CPPUNIT_ASSERT(state(reply) == LatchState::closed);
    CPPUNIT_ASSERT(unlatch() == Code::NO_LATCH);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_cleared);
  }

  // Nothing guards the socket any more.
  void a_broken_one_that_is_removed_is_closed() {
    const LatchReply reply = *latch();
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:c.example.org"));
    reevaluate();
    CPPUNIT_ASSERT(state(reply) == LatchState::broken);
    CPPUNIT_ASSERT(unlatch() == Code::ok);
    CPPUNIT_ASSERT(state(reply) == LatchState::closed);
  }

  void another_user_does_not_remove_it() {
    CPPUNIT_ASSERT(latch().ok());
    become(1001);
    CPPUNIT_ASSERT(latch().ok());  // strengthens nothing, and makes him no owner
    CPPUNIT_ASSERT(unlatch() == Code::LATCH_OF_OTHER);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_cleared);
    become(0);
    CPPUNIT_ASSERT(unlatch() == Code::ok);
  }

  void a_context_holds_it() {
    const LatchReply reply = *latch();
    const Slot slot = check(reply.channel.statement);
    CPPUNIT_ASSERT(unlatch() == Code::LATCH_IN_USE);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_cleared);
    CPPUNIT_ASSERT(state(reply) == LatchState::established);
    end_->core->latches.release(end_->page, slot);
    CPPUNIT_ASSERT(unlatch() == Code::ok);
  }

  void an_unknown_latch_is_not_removed() {
    become(0);
    CPPUNIT_ASSERT(unlatch() == Code::NO_LATCH);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_cleared);
  }

  void another_socket_is_not_released() {
    CPPUNIT_ASSERT(latch().ok());
    CPPUNIT_ASSERT(unlatch(502) == Code::SOCKET_CHANGED);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_cleared);
  }

  void a_context_with_another_peer_does_not_replace_it() {
    const LatchReply reply = *latch();
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:c.example.org"));
    reevaluate();
    CPPUNIT_ASSERT(state(reply) == LatchState::broken);
    CPPUNIT_ASSERT(latch().error().code == Code::LATCH_BROKEN);
    CPPUNIT_ASSERT(initiate() == Code::LATCH_BROKEN);
    for (channel::Policy& policy : end_->databases.spd.policies) policy.templates[0].reqid = 8;
    for (channel::Sa& sa : end_->databases.sad.sas) sa.reqid = 8;
    end_->publish();
    CPPUNIT_ASSERT(latch().error().code == Code::LATCH_BROKEN);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
  }

  void a_latch_made_anew_proves_nothing_about_before() {
    end_->host->sockets[6] = {{501, address("10.1.0.1"), address("10.1.0.2"), 40000, 22, 1000, false}};
    end_->core->history.reset();
    end_->publish();
    end_->core->census.take();
    CPPUNIT_ASSERT(initiate() == Code::STARTED_IN_CLEAR);
    const auto latched = latch();
    CPPUNIT_ASSERT(latched.ok());
    CPPUNIT_ASSERT(initiate() == Code::STARTED_IN_CLEAR);
    (void)check(latched->channel.statement);
    CPPUNIT_ASSERT(initiate() == Code::STARTED_IN_CLEAR);
  }

  void requests_about_one_socket_take_turns() {
    auto mine = std::make_unique<base::Result<Turns::Turn>>(end_->core->turns.take(501, Clock::now()));
    CPPUNIT_ASSERT(mine->ok());
    CPPUNIT_ASSERT(end_->core->turns.take(502, Clock::now()).ok());
    CPPUNIT_ASSERT(latch().error().code == Code::BUSY);
    CPPUNIT_ASSERT(unlatch() == Code::BUSY);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
    std::thread ends([&mine] {
      std::this_thread::sleep_for(milliseconds(5));
      mine.reset();
    });
    CPPUNIT_ASSERT(end_->core->turns.take(501, Clock::now() + std::chrono::seconds(30)).ok());
    ends.join();
    CPPUNIT_ASSERT(latch().ok());
  }

  void control_packets_are_protected_by_a_rule_beneath() {
    CPPUNIT_ASSERT(report().control_packets_protected);
    end_->databases.sad.sas.clear();
    CPPUNIT_ASSERT(!report().is_protected && report().control_packets_protected);
    const auto policies = end_->databases.spd.policies;
    for (channel::Policy& policy : end_->databases.spd.policies) policy.action = channel::Action::block, policy.templates.clear();
    CPPUNIT_ASSERT(report().control_packets_protected);
    end_->databases.spd.policies = policies;
    for (channel::Policy& policy : end_->databases.spd.policies) policy.templates[0].optional = true;
    CPPUNIT_ASSERT(!report().control_packets_protected);
    end_->databases.spd.policies.clear();
    CPPUNIT_ASSERT(!report().control_packets_protected);
  }

  void control_packets_have_no_mark() {
    end_->host->socket.flow.mark = 5;
    CPPUNIT_ASSERT(report().is_protected && report().control_packets_protected);
    for (channel::Policy& policy : end_->databases.spd.policies)
      if (policy.direction == channel::Direction::out) policy.mark = {5, 0xff};
    CPPUNIT_ASSERT(report().is_protected && !report().control_packets_protected);
  }

 private:
  base::Result<protocol::LatchesReply> listed(std::uint64_t after = 0) {
    const auto answer = handle_latches(*end_->core, end_->request(encode(protocol::LatchesRequest{after}), -1));
    if (!answer) return answer.error();
    return protocol::decode_latches_reply(answer->body);
  }
  protocol::Report report() {
    end_->publish();
    const auto body = encode(protocol::QueryRequest{});
    return *protocol::decode_report(handle_query(*end_->core, *end_->bench, end_->request(body))->body);
  }
  void listen() {
    end_->host->socket.listening = true;
    end_->host->socket.flow.remote = {};
    end_->host->socket.flow.remote_port = 0;
  }
  void become(std::uint32_t uid) { end_->caller = end_->core->names.caller(uid, Clock::now()); }

  base::Result<LatchReply> latch(const protocol::LatchRequest& asked = {}) {
    const auto body = encode(asked);
    const auto answer = handle_latch(*end_->core, end_->request(body));
    if (!answer) return answer.error();
    return protocol::decode_latch_reply(answer->body);
  }
  Code unlatch(std::uint64_t cookie = 501) {
    const auto body = encode(protocol::UnlatchRequest{cookie});
    const auto answer = handle_unlatch(*end_->core, end_->request(body));
    return answer.ok() ? Code::ok : answer.error().code;
  }
  Slot check(const base::Bytes& statement) {
    const auto body = encode(protocol::CheckRequest{0, 0, 501, statement});
    const auto reply = *protocol::decode_check_reply(handle_check(*end_->core, end_->request(body))->body);
    CPPUNIT_ASSERT(reply.state == LatchState::established);
    return {reply.slot, reply.generation};
  }
  Code initiate() {
    const auto body = encode(protocol::InitiateRequest{});
    const auto answer = handle_initiate(*end_->core, *end_->bench, end_->request(body));
    return answer.ok() ? Code::ok : answer.error().code;
  }
  LatchState state(const LatchReply& reply) { return end_->page->state({reply.channel.slot, reply.channel.generation}); }
  std::vector<Latches::Broken> reevaluate() {
    end_->publish();
    return end_->core->latches.reevaluate(end_->core->board, Clock::now());
  }

  std::unique_ptr<End> end_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(LatchVerbsTest);

}  // namespace
}  // namespace gssipsec::broker::testing
