// SPDX-License-Identifier: MIT
// "Protected since the connection began": which changes of the SPD matter to which connections.
#include "broker/history.h"

#include <cppunit/extensions/HelperMacros.h>

#include <thread>

#include "broker/census.h"
#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using channel::Direction;
using channel::Policy;

constexpr std::uint16_t kTcp = 6;

class HistoryTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HistoryTest);
  CPPUNIT_TEST(a_connection_of_before_the_broker_may_have_begun_in_clear);
  CPPUNIT_TEST(a_connection_that_no_list_shows_began_after_the_list);
  CPPUNIT_TEST(without_any_list_nothing_is_known);
  CPPUNIT_TEST(a_connection_older_than_its_policy_began_in_clear);
  CPPUNIT_TEST(a_connection_of_between_policy_and_list_counts_as_older);
  CPPUNIT_TEST(an_old_connection_keeps_its_place_over_later_lists);
  CPPUNIT_TEST(a_refresh_with_the_same_content_matters_to_nobody);
  CPPUNIT_TEST(other_peers_policies_do_not_matter);
  CPPUNIT_TEST(another_priority_of_the_same_rule_does_not_matter);
  CPPUNIT_TEST(a_bypass_that_is_gone_mattered);
  CPPUNIT_TEST(a_gap_between_delete_and_add_mattered);
  CPPUNIT_TEST(a_level_use_policy_before_did_not_protect);
  CPPUNIT_TEST(another_reqid_before_was_another_protection);
  CPPUNIT_TEST(a_block_rule_before_let_nothing_pass);
  CPPUNIT_TEST(one_direction_is_not_enough);
  CPPUNIT_TEST(lost_events_make_everything_unknown);
  CPPUNIT_TEST(what_is_forgotten_counts_as_in_clear);
  CPPUNIT_TEST(cookies_that_are_gone_are_forgotten);
  CPPUNIT_TEST(protocols_are_listed_apart);
  CPPUNIT_TEST(waiting_for_a_list_ends_with_it);
  CPPUNIT_TEST(the_census_lists_after_a_change);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    history_ = std::make_unique<History>(8);
    spd_ = channel::Spd{};
  }

  void a_connection_of_before_the_broker_may_have_begun_in_clear() {
    protect_silently();
    list({1});
    CPPUNIT_ASSERT(!since_start(1));
  }

  void a_connection_that_no_list_shows_began_after_the_list() {
    protect_silently();
    list({1});
    CPPUNIT_ASSERT(since_start(2));
    list({1, 2});
    CPPUNIT_ASSERT(since_start(2));
  }

  void without_any_list_nothing_is_known() {
    protect_silently();
    CPPUNIT_ASSERT(!since_start(2));
    list({});
    CPPUNIT_ASSERT(!since_start(0));
  }

  void a_connection_older_than_its_policy_began_in_clear() {
    list({});
    list({1});
    protect();
    list({1});
    CPPUNIT_ASSERT(!since_start(1));
    CPPUNIT_ASSERT(since_start(2));
  }

  void a_connection_of_between_policy_and_list_counts_as_older() {
    list({});
    protect();
    CPPUNIT_ASSERT(!since_start(2));  // no list since
    list({2});
    CPPUNIT_ASSERT(!since_start(2));
  }

  void an_old_connection_keeps_its_place_over_later_lists() {
    list({});
    list({1});
    protect();
    for (int i = 0; i < 5; ++i) list({1});
    CPPUNIT_ASSERT(!since_start(1));
  }

  void a_refresh_with_the_same_content_matters_to_nobody() {
    protect();
    list({});
    list({1});
    Policy old = out();
    Policy fresh = old;
    fresh.added += 100;
    fresh.index = 77;
    const std::uint64_t before = history_->epoch();
    change({old}, {fresh});
    CPPUNIT_ASSERT_EQUAL(before, history_->epoch());
    CPPUNIT_ASSERT(since_start(1));
  }

  void other_peers_policies_do_not_matter() {
    protect();
    list({});
    list({1});
    Policy other = transport_policy(Direction::out, "10.1.0.1", "10.1.0.77");
    change({}, {other});
    change({other}, {});
    CPPUNIT_ASSERT(since_start(1));
  }

  void another_priority_of_the_same_rule_does_not_matter() {
    protect();
    list({});
    list({1});
    Policy higher = out();
    higher.priority = 5;
    higher.order = 9;
    change({out()}, {higher});
    list({1});
    CPPUNIT_ASSERT(since_start(1));
  }

  void a_bypass_that_is_gone_mattered() {
    protect();
    Policy bypass = out();
    bypass.priority = 1;
    bypass.index = 17;
    bypass.templates.clear();
    change({}, {bypass});
    list({});
    list({1});
    change({bypass}, {});
    list({1});
    CPPUNIT_ASSERT(!since_start(1));
    CPPUNIT_ASSERT(since_start(2));
  }

  void a_gap_between_delete_and_add_mattered() {
    protect();
    list({});
    list({1});
    change({out()}, {});
    change({}, {out()});
    list({1, 2});
    CPPUNIT_ASSERT(!since_start(1));
    CPPUNIT_ASSERT(!since_start(2));
    CPPUNIT_ASSERT(since_start(3));
  }

  void a_level_use_policy_before_did_not_protect() {
    Policy loose = out();
    loose.templates[0].optional = true;
    change({}, {loose});
    change({}, {in()});
    list({});
    list({1});
    change({loose}, {out()});
    CPPUNIT_ASSERT(!since_start(1));
  }

  void another_reqid_before_was_another_protection() {
    Policy other = out();
    other.templates[0].reqid = 99;
    change({}, {other});
    change({}, {in()});
    list({});
    list({1});
    change({other}, {out()});
    CPPUNIT_ASSERT(!since_start(1));
  }

  void a_block_rule_before_let_nothing_pass() {
    Policy block_out = out(), block_in = in();
    block_out.action = block_in.action = channel::Action::block;
    block_out.templates.clear();
    block_in.templates.clear();
    change({}, {block_out});
    change({}, {block_in});
    list({});
    list({1});
    change({block_out}, {out()});
    change({block_in}, {in()});
    list({1});
    CPPUNIT_ASSERT(since_start(1));
  }

  void one_direction_is_not_enough() {
    change({}, {in()});
    list({});
    list({1});
    change({}, {out()});
    list({1});
    CPPUNIT_ASSERT(!since_start(1));
  }

  void lost_events_make_everything_unknown() {
    protect();
    list({});
    list({1});
    CPPUNIT_ASSERT(since_start(1));
    history_->reset();
    CPPUNIT_ASSERT(!since_start(1));
    list({1});
    CPPUNIT_ASSERT(!since_start(1));
    CPPUNIT_ASSERT(since_start(2));
  }

  void what_is_forgotten_counts_as_in_clear() {
    protect();
    list({});
    list({1});
    for (int i = 0; i < 20; ++i) {
      Policy other = transport_policy(Direction::out, "10.1.0.1", ("10.2.0." + std::to_string(i)).c_str());
      change({}, {other});
    }
    CPPUNIT_ASSERT(!since_start(1));
    CPPUNIT_ASSERT(history_->remembered() < 16);
  }

  void cookies_that_are_gone_are_forgotten() {
    protect();
    list({1, 2, 3, 4});
    list({4});
    CPPUNIT_ASSERT(!history_->listed(kTcp, 1));
    CPPUNIT_ASSERT(history_->listed(kTcp, 4));
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, history_->remembered());  // two changes, one cookie
  }

  void protocols_are_listed_apart() {
    protect();
    history_->end_list(17, history_->begin_list(), {});
    CPPUNIT_ASSERT(!since_start(1));
    list({});
    CPPUNIT_ASSERT(since_start(1));
  }

  void waiting_for_a_list_ends_with_it() {
    list({});
    protect();
    const std::uint64_t wanted = history_->epoch();
    std::thread lister([this] { list({}); });
    history_->wait_list(kTcp, wanted, std::chrono::steady_clock::now() + std::chrono::seconds(5));
    lister.join();
    CPPUNIT_ASSERT(since_start(5));
  }

  void the_census_lists_after_a_change() {
    const auto host = std::make_shared<StandHost>();
    host->sockets[kTcp] = {{7, {}, {}, 1, 2, 0, false}};
    Latches latches;
    OwnPolicies own_policies;
    Census census(host, *history_, latches, own_policies);
    census.start();
    protect();
    census.request();
    history_->wait_list(kTcp, history_->epoch(), std::chrono::steady_clock::now() + std::chrono::seconds(5));
    CPPUNIT_ASSERT(history_->listed(kTcp, 7));
    CPPUNIT_ASSERT(!since_start(7));
    CPPUNIT_ASSERT(since_start(8));
    census.stop();
  }

 private:
  static Policy out() { return transport_policy(Direction::out, "10.1.0.1", "10.1.0.2"); }
  static Policy in() { return transport_policy(Direction::in, "10.1.0.2", "10.1.0.1"); }

  void change(const std::vector<Policy>& removed, const std::vector<Policy>& added) {
    for (const Policy& policy : removed)
      std::erase_if(spd_.policies, [&policy](const Policy& p) { return p == policy; });
    for (const Policy& policy : added) spd_.policies.push_back(policy);
    (void)history_->changed({removed, added});
  }
  void protect() {
    change({}, {out()});
    change({}, {in()});
  }
  void protect_silently() { spd_.policies = {out(), in()}; }  // there when the broker began
  void list(const std::vector<std::uint64_t>& cookies) { history_->end_list(kTcp, history_->begin_list(), cookies); }
  bool since_start(std::uint64_t cookie) { return history_->since_start(cookie, flow_of_a(22), spd_, history_->epoch()); }

  std::unique_ptr<History> history_;
  channel::Spd spd_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(HistoryTest);

}  // namespace
}  // namespace gssipsec::broker::testing
