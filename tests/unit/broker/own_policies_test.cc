// SPDX-License-Identifier: MIT
// Which sockets have a policy of their own, of this broker or a former one, or had one: who is remembered, how long, how many.
#include "broker/own_policies.h"

#include <cppunit/extensions/HelperMacros.h>

#include <new>

#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using kernel::PolicyOwner;

class OwnPoliciesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OwnPoliciesTest);
  CPPUNIT_TEST(a_living_socket_is_never_forgotten);
  CPPUNIT_TEST(users_have_limits_of_their_own);
  CPPUNIT_TEST(what_closed_makes_room);
  CPPUNIT_TEST(what_the_kernel_has_no_policy_of_is_gone);
  CPPUNIT_TEST(what_is_being_set_is_not_looked_for);
  CPPUNIT_TEST(what_the_kernel_refused_is_not_there);
  CPPUNIT_TEST(a_former_brokers_are_known_by_the_kernels_word);
  CPPUNIT_TEST(what_one_user_set_no_other_moves);
  CPPUNIT_TEST(what_was_refused_changes_nobody);
  CPPUNIT_TEST(before_that_everything_may_be_a_former_brokers);
  CPPUNIT_TEST(a_latch_on_what_was_required_says_so_to_the_next_broker);
  CPPUNIT_TEST(a_list_is_wanted_when_news_were_missed);
  CPPUNIT_TEST(a_policy_that_was_taken_away_is_remembered_with_its_socket);
  CPPUNIT_TEST(the_same_policy_is_the_same_peers);
  CPPUNIT_TEST(streams_are_remembered_only_where_they_must_keep_it);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    own_ = std::make_unique<OwnPolicies>();
    own_->listed({}, now());
  }

  // Cookies come in batches: the smallest is not the oldest.
  void a_living_socket_is_never_forgotten() {
    CPPUNIT_ASSERT(require(5001) && require(5002));
    bool was_set = false;
    const auto third = own_->give({900, 1000, kTcp, true}, pair_for(kPeer), 2, [&](const PolicyOwner&) { return was_set = true, base::Status(); });
    CPPUNIT_ASSERT(third.error().code == Code::LIMIT && !was_set);
    CPPUNIT_ASSERT(own_->stays(5001) && own_->stays(5002) && !own_->stays(900));
    CPPUNIT_ASSERT(require(5001));  // the same once more
  }

  void users_have_limits_of_their_own() {
    CPPUNIT_ASSERT(require(1, 0) && require(2, 0) && !require(3, 0) && require(4, 1000) && require(5, 1000) && !require(6, 1000));
  }

  void what_closed_makes_room() {
    CPPUNIT_ASSERT(require(1) && require(2) && !require(3));
    own_->close(2);
    CPPUNIT_ASSERT(require(3) && own_->size() == 2 && !own_->stays(2));
  }

  // Whatever a list of sockets shows: one that is not connected yet is in none.
  void what_the_kernel_has_no_policy_of_is_gone() {
    CPPUNIT_ASSERT(require(1) && require(2));
    own_->listed({{2, 1000, kTcp, true}}, later());
    CPPUNIT_ASSERT(!own_->stays(1) && own_->stays(2));
    CPPUNIT_ASSERT(require(3));
  }

  void what_is_being_set_is_not_looked_for() {
    const Time before = now();
    const auto while_listed = [&](const PolicyOwner&) { return own_->listed({}, later()), base::Status(); };
    CPPUNIT_ASSERT(own_->give({1, 1000, kTcp, true}, pair_for(kPeer), 2, while_listed).ok() && own_->stays(1));
    CPPUNIT_ASSERT(own_->give({1, 1000, kTcp, true}, pair_for(kPeer), 2, while_listed).ok() && own_->stays(1));
    own_->listed({}, before);  // asked for before it was there
    CPPUNIT_ASSERT(own_->stays(1));
  }

  void what_the_kernel_refused_is_not_there() {
    const auto refused = [](const PolicyOwner&) { return base::Status(base::fail(Code::NOT_LATCHABLE)); };
    CPPUNIT_ASSERT(own_->give({1, 1000, kTcp, true}, pair_for(kPeer), 2, refused).error().code == Code::NOT_LATCHABLE);
    CPPUNIT_ASSERT(!own_->has(1) && own_->size() == 0);
    CPPUNIT_ASSERT(require(1));
    CPPUNIT_ASSERT(!own_->give({1, 1000, kTcp, true}, pair_for(kOther), 2, refused).ok() && own_->stays(1));
  }

  void a_former_brokers_are_known_by_the_kernels_word() {
    own_ = std::make_unique<OwnPolicies>();
    own_->listed({{1, 1000, kTcp, true}, {1, 1000, kTcp, true}, {2, 1000, kTcp, false}, {3, 0, kUdp, false}}, now());
    CPPUNIT_ASSERT(own_->stays(1) && own_->has(1));
    CPPUNIT_ASSERT(!own_->stays(2) && own_->has(2));  // a latch may be taken away
    CPPUNIT_ASSERT(own_->always(3, pair_for(kPeer).in).error().code == Code::UNKNOWN);
    CPPUNIT_ASSERT(own_->may_move(1, 1001).error().code == Code::LATCH_OF_OTHER && own_->may_move(1, 1000).ok());
    CPPUNIT_ASSERT(own_->may_listen(1, 1000, pair_for(kPeer)).error().code == Code::OWN_POLICY);
    CPPUNIT_ASSERT(!own_->stays(4) && !own_->has(4) && own_->always(4, {}).ok());
    CPPUNIT_ASSERT(require(5) && !require(6));  // a stream's latch is counted elsewhere
    own_->take_away(2);
    CPPUNIT_ASSERT(!own_->has(2) && own_->size() == 3);
  }

  // Also a latch, and also for the next broker.
  void what_one_user_set_no_other_moves() {
    own_ = std::make_unique<OwnPolicies>();
    CPPUNIT_ASSERT(own_->may_move(1, 1000).error().code == Code::BUSY && own_->may_listen(1, 0, pair_for(kPeer)).error().code == Code::BUSY);
    own_->listed({{1, 0, kTcp, false}, {2, 0, kUdp, false}}, now());
    PolicyOwner said;
    for (const std::uint64_t cookie : {1, 2}) {
      CPPUNIT_ASSERT(own_->may_move(cookie, 1000).error().code == Code::LATCH_OF_OTHER && own_->may_move(cookie, 0).ok());
      CPPUNIT_ASSERT(own_->may_listen(cookie, 1000, pair_for(kPeer)).error().code == Code::LATCH_OF_OTHER);
      CPPUNIT_ASSERT(own_->give({cookie, 1000, kUdp, false}, pair_for(kPeer), 2, [&](const PolicyOwner& owner) { return said = owner, base::Status(); }).ok());
      CPPUNIT_ASSERT(said.uid == 0 && own_->may_move(cookie, 1000).error().code == Code::LATCH_OF_OTHER);
    }
    own_->take_away(2);
    CPPUNIT_ASSERT(own_->may_move(2, 1000).ok());
  }

  void what_was_refused_changes_nobody() {
    CPPUNIT_ASSERT(latch(1));
    const auto refused = [](const PolicyOwner&) { return base::Status(base::fail(Code::NOT_LATCHABLE)); };
    CPPUNIT_ASSERT(!own_->give({1, 0, kUdp, true}, pair_for(kOther), 2, refused).ok());
    CPPUNIT_ASSERT(own_->has(1) && !own_->stays(1) && own_->may_move(1, 1000).ok());
    CPPUNIT_ASSERT_EQUAL_MESSAGE("half of it may be there", Code::UNKNOWN, own_->always(1, pair_for(kPeer).in).error().code);
    const auto thrown = [](const PolicyOwner&) -> base::Status { throw std::bad_alloc(); };
    CPPUNIT_ASSERT_THROW((void)own_->give({2, 1000, kUdp, false}, pair_for(kPeer), 2, thrown), std::bad_alloc);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, own_->size());
  }

  void before_that_everything_may_be_a_former_brokers() {
    own_ = std::make_unique<OwnPolicies>();
    CPPUNIT_ASSERT(own_->to_be_listed() && own_->stays(1) && own_->has(1) && own_->always(1, {}).error().code == Code::UNKNOWN);
    PolicyOwner said;
    CPPUNIT_ASSERT(own_->give({1, 1000, kUdp, false}, pair_for(kPeer), 2, [&](const PolicyOwner& owner) { return said = owner, base::Status(); }).ok());
    CPPUNIT_ASSERT(said.required);
    own_->listed({{1, 1000, kUdp, true}}, later());
    CPPUNIT_ASSERT(own_->stays(1) && !own_->stays(2) && own_->always(1, pair_for(kPeer).in).error().code == Code::UNKNOWN);
  }

  void a_latch_on_what_was_required_says_so_to_the_next_broker() {
    PolicyOwner said;
    const auto noted = [&](const PolicyOwner& owner) { return said = owner, base::Status(); };
    CPPUNIT_ASSERT(require(1, 0));
    CPPUNIT_ASSERT(own_->give({1, 1000, kTcp, false}, pair_for(kPeer), 2, noted).ok());
    CPPUNIT_ASSERT((said == PolicyOwner{1, 0, kTcp, true}));
    CPPUNIT_ASSERT(own_->give({2, 1000, kTcp, false}, pair_for(kPeer), 2, noted).ok());
    CPPUNIT_ASSERT((said == PolicyOwner{2, 1000, kTcp, false}));
  }

  void a_list_is_wanted_when_news_were_missed() {
    own_->unheard(now());
    CPPUNIT_ASSERT(!own_->to_be_listed());  // of nobody
    CPPUNIT_ASSERT(require(1));
    own_->unheard(now());
    CPPUNIT_ASSERT(own_->to_be_listed());
    own_->listed({{1, 1000, kTcp, true}}, later());
    CPPUNIT_ASSERT(!own_->to_be_listed() && own_->stays(1));
  }

  void a_policy_that_was_taken_away_is_remembered_with_its_socket() {
    CPPUNIT_ASSERT(latch(1) && latch(2));
    for (const std::uint64_t cookie : {1, 2}) own_->take_away(cookie);
    CPPUNIT_ASSERT(!own_->has(1) && own_->always(1, pair_for(kOther).in).error().code == Code::UNKNOWN);
    CPPUNIT_ASSERT(own_->always(1, pair_for(kPeer).in).ok());  // by this policy or the SPD's, which is the same
    CPPUNIT_ASSERT(own_->give({3, 1000, kUdp, false}, pair_for(kPeer), 2, &done).error().code == Code::LIMIT);
    own_->listed({}, later());  // which knows nothing of them
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, own_->size());
    own_->close(2);
    CPPUNIT_ASSERT(own_->size() == 1 && !own_->always(1, pair_for(kOther).in).ok() && own_->always(2, pair_for(kOther).in).ok());
    CPPUNIT_ASSERT(latch(1, kOther) && own_->has(1));
    for (const char* source : {kPeer, kOther}) CPPUNIT_ASSERT(own_->always(1, pair_for(source).in).error().code == Code::UNKNOWN);
  }

  void the_same_policy_is_the_same_peers() {
    CPPUNIT_ASSERT(pair_for(kPeer).alike(pair_for(kPeer, "10.1.0.9", 0x100)) && !pair_for(kPeer).alike(pair_for(kOther)));
    PolicyPair other = pair_for(kPeer);
    other.in[0].reqid = 8;
    CPPUNIT_ASSERT(!pair_for(kPeer).alike(other));
    PolicyPair tunnel = pair_for(kPeer), elsewhere = pair_for(kPeer, "10.1.0.9");
    tunnel.in[0].mode = elsewhere.in[0].mode = channel::Mode::tunnel;
    CPPUNIT_ASSERT(!tunnel.alike(elsewhere));
    CPPUNIT_ASSERT(require(1) && own_->may_listen(1, 1000, pair_for(kPeer)).ok() && own_->may_listen(1, 1000, pair_for(kOther)).error().code == Code::OWN_POLICY);
  }

  void streams_are_remembered_only_where_they_must_keep_it() {
    CPPUNIT_ASSERT(own_->give({1, 1000, kTcp, false}, pair_for(kPeer), 0, &done).ok());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, own_->size());
  }

 private:
  static constexpr std::uint8_t kTcp = 6, kUdp = 17;
  static constexpr const char *kPeer = "10.1.0.2", *kOther = "10.1.0.3";

  static PolicyPair pair_for(const char* peer, const char* here = "10.1.0.1", std::uint32_t spi = 0) {
    PolicyPair pair;
    pair.out = transport_policy(channel::Direction::out, here, peer).templates;
    pair.in = transport_policy(channel::Direction::in, peer, here).templates;
    pair.in[0].spi = spi;
    return pair;
  }
  static base::Status done(const PolicyOwner&) { return {}; }
  static Time later() { return now() + std::chrono::seconds(1); }
  bool require(std::uint64_t cookie, std::uint32_t uid = 1000) { return own_->give({cookie, uid, kTcp, true}, pair_for(kPeer), 2, &done).ok(); }
  bool latch(std::uint64_t cookie, const char* peer = kPeer) { return own_->give({cookie, 1000, kUdp, false}, pair_for(peer), 2, &done).ok(); }

  std::unique_ptr<OwnPolicies> own_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(OwnPoliciesTest);

}  // namespace
}  // namespace gssipsec::broker::testing
