// SPDX-License-Identifier: MIT
// Contexts that go to another process: one key, once, for one user and connection; and what a program is told of its line.
#include "broker/transfers.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using protocol::HandOverReply;
using protocol::HandOverRequest;
using protocol::LatchState;
using protocol::TakeOverReply;
using protocol::TakeOverRequest;

constexpr std::uint64_t kCookie = 501;

class TransfersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TransfersTest);
  CPPUNIT_TEST(a_key_is_given_once);
  CPPUNIT_TEST(a_key_is_for_its_own_connection);
  CPPUNIT_TEST(a_key_is_for_its_own_user);
  CPPUNIT_TEST(a_key_is_kept_for_ten_minutes);
  CPPUNIT_TEST(one_user_has_so_many);
  CPPUNIT_TEST(no_two_keys_are_equal);
  CPPUNIT_TEST(who_holds_the_socket_takes_over_and_has_a_slot);
  CPPUNIT_TEST(of_two_importers_one_is_refused_and_leaves_no_slot);
  CPPUNIT_TEST(another_socket_takes_nothing);
  CPPUNIT_TEST(another_user_takes_nothing);
  CPPUNIT_TEST(without_a_latch_nothing_goes_over);
  CPPUNIT_TEST(a_latch_that_broke_meanwhile_takes_nothing_over);
  CPPUNIT_TEST(a_latch_made_anew_with_another_peer_takes_nothing_over);
  CPPUNIT_TEST(a_stale_latch_may_be_tried_again);
  CPPUNIT_TEST(without_a_socket_nothing_goes_over);
  CPPUNIT_TEST_SUITE_END();

  const Time now_ = now();
  std::unique_ptr<End> end_;

  base::Result<HandOverReply> hand_over(std::uint64_t cookie = kCookie) {
    const base::Bytes body = encode(HandOverRequest{cookie});
    const auto answer = handle_hand_over(*end_->core, end_->request(body));
    return answer ? protocol::decode_hand_over_reply(answer->body) : base::Result<HandOverReply>(answer.error());
  }
  base::Result<TakeOverReply> take_over(const channel::Digest& id, std::uint64_t cookie = kCookie) {
    const base::Bytes body = encode(TakeOverRequest{cookie, id});
    const auto answer = handle_take_over(*end_->core, end_->request(body));
    return answer ? protocol::decode_take_over_reply(answer->body) : base::Result<TakeOverReply>(answer.error());
  }
  // As a context does that is then exported.
  void latch() {
    const base::Bytes body = encode(protocol::InitiateRequest{});
    const auto answer = handle_initiate(*end_->core, *end_->bench, end_->request(body));
    CPPUNIT_ASSERT_MESSAGE(answer ? "" : base::describe(answer.error()), answer.ok());
  }
  void reevaluate() { (void)end_->core->latches.reevaluate(end_->core->board, now()); }

 public:
  void setUp() override { end_ = std::make_unique<End>(true); }

  void a_key_is_given_once() {
    Transfers transfers;
    const auto begun = transfers.begin({7, 1000}, {}, now_);
    const auto taken = transfers.take(begun->id, {7, 1000}, now_);
    CPPUNIT_ASSERT(taken.ok() && base::equal_secret(taken->view(), begun->key.view()) && taken->size() == 32);
    CPPUNIT_ASSERT(transfers.take(begun->id, {7, 1000}, now_).error().code == Code::BAD_TOKEN);
    CPPUNIT_ASSERT(transfers.latched(begun->id, {7, 1000}, now_).error().code == Code::BAD_TOKEN);
    CPPUNIT_ASSERT(transfers.take(digest_of(4), {7, 1000}, now_).error().code == Code::BAD_TOKEN);
  }

  void a_key_is_for_its_own_connection() {
    Transfers transfers;
    const auto begun = transfers.begin({7, 1000}, {}, now_);
    CPPUNIT_ASSERT(transfers.take(begun->id, {8, 1000}, now_).error().code == Code::SOCKET_CHANGED);
    CPPUNIT_ASSERT_MESSAGE("the stranger used it up", transfers.take(begun->id, {7, 1000}, now_).ok());
  }

  // Root, too: the name in the context is the exporter's.
  void a_key_is_for_its_own_user() {
    Transfers transfers;
    const auto begun = transfers.begin({7, 1000}, {}, now_);
    for (const std::uint32_t other : {1001u, 0u}) {
      const auto refused = transfers.take(begun->id, {7, other}, now_);
      CPPUNIT_ASSERT(refused.error().code == Code::BAD_TOKEN);
      CPPUNIT_ASSERT_EQUAL_MESSAGE("an oracle", transfers.take(digest_of(4), {7, other}, now_).error().detail, refused.error().detail);
    }
    CPPUNIT_ASSERT(transfers.take(begun->id, {7, 1000}, now_).ok());
  }

  void a_key_is_kept_for_ten_minutes() {
    Transfers transfers;
    const auto first = transfers.begin({7, 1000}, {}, now_), second = transfers.begin({7, 1000}, {}, now_);
    CPPUNIT_ASSERT(transfers.take(first->id, {7, 1000}, now_ + Transfers::kLifetime).ok());
    CPPUNIT_ASSERT(transfers.take(second->id, {7, 1000}, now_ + Transfers::kLifetime + std::chrono::seconds(1)).error().code == Code::BAD_TOKEN);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, transfers.size());
  }

  void one_user_has_so_many() {
    Transfers transfers;
    for (std::size_t i = 0; i < Transfers::kPerUser; ++i) CPPUNIT_ASSERT(transfers.begin({7, 1000}, {}, now_).ok());
    CPPUNIT_ASSERT(transfers.begin({7, 1000}, {}, now_).error().code == Code::LIMIT);
    CPPUNIT_ASSERT(transfers.begin({7, 1001}, {}, now_).ok());
    CPPUNIT_ASSERT(transfers.begin({7, 1000}, {}, now_ + Transfers::kLifetime + std::chrono::seconds(1)).ok());
  }

  void no_two_keys_are_equal() {
    Transfers transfers;
    const auto first = transfers.begin({7, 1000}, {}, now_), second = transfers.begin({7, 1000}, {}, now_);
    CPPUNIT_ASSERT(first->id != second->id && !base::equal_secret(first->key.view(), second->key.view()));
    CPPUNIT_ASSERT(!base::equal_secret(first->key.view(), first->id));
  }

  void who_holds_the_socket_takes_over_and_has_a_slot() {
    latch();
    const auto over = hand_over();
    const auto got = take_over(over->id);
    CPPUNIT_ASSERT_MESSAGE(got ? "" : base::describe(got.error()), got.ok());
    CPPUNIT_ASSERT(base::equal_secret(got->key.view(), over->key.view()));
    CPPUNIT_ASSERT(got->channel.latch == LatchState::established && got->channel.cookie == kCookie && !got->channel.statement.empty());
    CPPUNIT_ASSERT(end_->core->latches.rests_on(end_->page, {got->channel.slot, got->channel.generation}, kCookie, end_->host->socket.flow));
  }

  void of_two_importers_one_is_refused_and_leaves_no_slot() {
    latch();
    const auto over = hand_over();
    // Another one comes in between.
    end_->host->on_set_latch = nullptr;
    bool raced = false;
    end_->host->on_read_socket = [&](int) {
      if (raced || end_->host->sockets_read < 4) return;
      raced = true;
      (void)end_->core->transfers.take(over->id, {kCookie, end_->caller.uid}, now());
    };
    const auto late = take_over(over->id);
    CPPUNIT_ASSERT(raced && late.error().code == Code::BAD_TOKEN);
    end_->host->on_read_socket = nullptr;
    CPPUNIT_ASSERT(take_over(over->id).error().code == Code::BAD_TOKEN);
    const auto held = end_->core->latches.may_remove(kCookie, end_->caller.uid, false);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("more than the context that was made first", std::string("found 1"), held.error().detail);
  }

  void another_socket_takes_nothing() {
    latch();
    const auto over = hand_over();
    end_->host->socket.cookie = 999;
    CPPUNIT_ASSERT(take_over(over->id).error().code == Code::SOCKET_CHANGED);
    CPPUNIT_ASSERT(hand_over().error().code == Code::SOCKET_CHANGED);
    latch();
    CPPUNIT_ASSERT(take_over(over->id, 999).error().code == Code::SOCKET_CHANGED);
  }

  void another_user_takes_nothing() {
    latch();
    const auto over = hand_over();
    end_->caller.uid = 1001;
    CPPUNIT_ASSERT(take_over(over->id).error().code == Code::BAD_TOKEN);
    end_->caller.uid = 0;
    end_->caller.privileged = true;
    CPPUNIT_ASSERT(take_over(over->id).error().code == Code::BAD_TOKEN);
  }

  void without_a_latch_nothing_goes_over() {
    CPPUNIT_ASSERT(hand_over().error().code == Code::LATCH_BROKEN);
    latch();
    const auto over = hand_over();
    end_->core->latches.close(kCookie);
    CPPUNIT_ASSERT(take_over(over->id).error().code == Code::LATCH_BROKEN);
  }

  void a_latch_that_broke_meanwhile_takes_nothing_over() {
    latch();
    const auto over = hand_over();
    const auto policies = end_->databases.spd.policies;
    end_->databases.spd.policies.clear();
    end_->publish();
    reevaluate();
    CPPUNIT_ASSERT(take_over(over->id).error().code == Code::LATCH_BROKEN);
    CPPUNIT_ASSERT(hand_over().error().code == Code::LATCH_BROKEN);
    // The kernel enforced it all the time, so it goes on when the same protection is back, as it does for a context that stayed.
    end_->databases.spd.policies = policies;
    end_->publish();
    reevaluate();
    const auto restored = take_over(over->id);
    CPPUNIT_ASSERT_MESSAGE(restored ? "" : base::describe(restored.error()), restored.ok());
  }

  void a_latch_made_anew_with_another_peer_takes_nothing_over() {
    latch();
    const auto over = hand_over();
    end_->core->latches.close(kCookie);
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:mallory.example.org"));
    end_->publish();
    latch();
    CPPUNIT_ASSERT(take_over(over->id).error().code == Code::LATCH_BROKEN);
  }

  void a_stale_latch_may_be_tried_again() {
    latch();
    const auto over = hand_over();
    end_->fresh = false;
    end_->publish();
    reevaluate();
    const auto stale = take_over(over->id);
    CPPUNIT_ASSERT(!stale.ok() && stale.error().code != Code::BAD_TOKEN && stale.error().code != Code::LATCH_BROKEN);
    end_->fresh = true;
    end_->publish();
    reevaluate();
    CPPUNIT_ASSERT(take_over(over->id).ok());
  }

  void without_a_socket_nothing_goes_over() {
    const base::Bytes leaving = encode(HandOverRequest{kCookie}), coming = encode(TakeOverRequest{kCookie, {}});
    CPPUNIT_ASSERT(handle_hand_over(*end_->core, end_->request(leaving, -1)).error().code == Code::NO_SOCKET);
    CPPUNIT_ASSERT(handle_take_over(*end_->core, end_->request(coming, -1)).error().code == Code::NO_SOCKET);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TransfersTest);

}  // namespace
}  // namespace gssipsec::broker::testing
