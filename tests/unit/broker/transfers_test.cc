// SPDX-License-Identifier: MIT
// Contexts that go to another process: one key, once, for one connection; and what a program is told of its line.
#include "broker/transfers.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using protocol::HandOverRequest;
using protocol::TakeOverRequest;

class TransfersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TransfersTest);
  CPPUNIT_TEST(a_key_is_given_once);
  CPPUNIT_TEST(a_key_is_for_its_own_connection);
  CPPUNIT_TEST(a_key_is_kept_for_ten_minutes);
  CPPUNIT_TEST(one_user_has_so_many);
  CPPUNIT_TEST(no_two_keys_are_equal);
  CPPUNIT_TEST(who_holds_the_socket_takes_over);
  CPPUNIT_TEST(another_socket_takes_nothing);
  CPPUNIT_TEST(without_a_latch_nothing_goes_over);
  CPPUNIT_TEST(without_a_socket_nothing_goes_over);
  CPPUNIT_TEST(a_program_is_told_its_line);
  CPPUNIT_TEST_SUITE_END();

  const Transfers::Time now_ = std::chrono::steady_clock::now();

  static base::Result<protocol::HandOverReply> hand_over(End& end, std::uint64_t cookie) {
    const base::Bytes body = encode(HandOverRequest{cookie});
    const auto answer = handle_hand_over(*end.core, end.request(body));
    return answer ? protocol::decode_hand_over_reply(answer->body) : base::Result<protocol::HandOverReply>(answer.error());
  }
  static base::Result<protocol::TakeOverReply> take_over(End& end, std::uint64_t cookie, const channel::Digest& id) {
    const base::Bytes body = encode(TakeOverRequest{cookie, id});
    const auto answer = handle_take_over(*end.core, end.request(body));
    return answer ? protocol::decode_take_over_reply(answer->body) : base::Result<protocol::TakeOverReply>(answer.error());
  }
  static void latch(End& end) {
    const base::Bytes body = encode(protocol::CheckRequest{0, 0, end.host->socket.cookie});
    CPPUNIT_ASSERT(protocol::decode_check_reply(handle_check(*end.core, end.request(body))->body)->state == protocol::LatchState::established);
  }

 public:
  void a_key_is_given_once() {
    Transfers transfers;
    const auto begun = transfers.begin(7, 1000, now_);
    const auto taken = transfers.take(begun->id, 7, now_);
    CPPUNIT_ASSERT(taken.ok() && base::equal_secret(taken->view(), begun->key.view()) && taken->size() == 32);
    CPPUNIT_ASSERT(transfers.take(begun->id, 7, now_).error().code == Code::BAD_TOKEN);
    CPPUNIT_ASSERT(transfers.take(digest_of(4), 7, now_).error().code == Code::BAD_TOKEN);
  }

  void a_key_is_for_its_own_connection() {
    Transfers transfers;
    const auto begun = transfers.begin(7, 1000, now_);
    CPPUNIT_ASSERT(transfers.take(begun->id, 8, now_).error().code == Code::SOCKET_CHANGED);
    CPPUNIT_ASSERT_MESSAGE("the stranger used it up", transfers.take(begun->id, 7, now_).ok());
  }

  void a_key_is_kept_for_ten_minutes() {
    Transfers transfers;
    const auto first = transfers.begin(7, 1000, now_), second = transfers.begin(7, 1000, now_);
    CPPUNIT_ASSERT(transfers.take(first->id, 7, now_ + Transfers::kLifetime).ok());
    CPPUNIT_ASSERT(transfers.take(second->id, 7, now_ + Transfers::kLifetime + std::chrono::seconds(1)).error().code == Code::BAD_TOKEN);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, transfers.size());
  }

  void one_user_has_so_many() {
    Transfers transfers;
    for (std::size_t i = 0; i < Transfers::kPerUser; ++i) CPPUNIT_ASSERT(transfers.begin(7, 1000, now_).ok());
    CPPUNIT_ASSERT(transfers.begin(7, 1000, now_).error().code == Code::LIMIT);
    CPPUNIT_ASSERT(transfers.begin(7, 1001, now_).ok());
    CPPUNIT_ASSERT(transfers.begin(7, 1000, now_ + Transfers::kLifetime + std::chrono::seconds(1)).ok());
  }

  void no_two_keys_are_equal() {
    Transfers transfers;
    const auto first = transfers.begin(7, 1000, now_), second = transfers.begin(7, 1000, now_);
    CPPUNIT_ASSERT(first->id != second->id && !base::equal_secret(first->key.view(), second->key.view()));
    CPPUNIT_ASSERT(!base::equal_secret(first->key.view(), first->id));
  }

  void who_holds_the_socket_takes_over() {
    End end(true);
    latch(end);
    const auto over = hand_over(end, 501);
    CPPUNIT_ASSERT_MESSAGE(over ? "" : base::describe(over.error()), over.ok());
    const auto got = take_over(end, 501, over->id);
    CPPUNIT_ASSERT(got.ok() && base::equal_secret(got->key.view(), over->key.view()));
    CPPUNIT_ASSERT(take_over(end, 501, over->id).error().code == Code::BAD_TOKEN);
  }

  void another_socket_takes_nothing() {
    End end(true);
    latch(end);
    const auto over = hand_over(end, 501);
    end.host->socket.cookie = 999;
    CPPUNIT_ASSERT(take_over(end, 501, over->id).error().code == Code::SOCKET_CHANGED);
    CPPUNIT_ASSERT(hand_over(end, 501).error().code == Code::SOCKET_CHANGED);
    latch(end);
    CPPUNIT_ASSERT(take_over(end, 999, over->id).error().code == Code::SOCKET_CHANGED);
  }

  void without_a_latch_nothing_goes_over() {
    End end(true);
    CPPUNIT_ASSERT(hand_over(end, 501).error().code == Code::LATCH_BROKEN);
    latch(end);
    const auto over = hand_over(end, 501);
    end.databases.spd.policies.clear();
    end.publish();
    (void)end.core->latches.reevaluate(end.core->board, now_);
    CPPUNIT_ASSERT(take_over(end, 501, over->id).error().code == Code::LATCH_BROKEN);
    CPPUNIT_ASSERT(hand_over(end, 501).error().code == Code::LATCH_BROKEN);
  }

  void without_a_socket_nothing_goes_over() {
    End end(true);
    const base::Bytes body = encode(HandOverRequest{501});
    CPPUNIT_ASSERT(handle_hand_over(*end.core, end.request(body, -1)).error().code == Code::NO_SOCKET);
  }

  void a_program_is_told_its_line() {
    Config config;
    config.min_key_bits = 160;
    config.programs = {{"/usr/bin/psql", KerberosSwitch::off, protocol::Seal::always, 256}, {"/usr/bin/old", KerberosSwitch::off, protocol::Seal::never, 128}};
    End end(true, config);
    const auto told = [&](const std::string& program) {
      const base::Bytes body = encode(protocol::ProgramRequest{program});
      return *protocol::decode_program_reply(handle_program(*end.core, end.request(body, -1))->body);
    };
    CPPUNIT_ASSERT((told("/usr/bin/psql") == protocol::ProgramReply{protocol::Seal::always, 256}));
    CPPUNIT_ASSERT_MESSAGE("a line may not lower what [channel] asks for", (told("/usr/bin/old") == protocol::ProgramReply{protocol::Seal::never, 160}));
    for (const char* other : {"/usr/bin/psqlx", "/usr/bin/psq", "psql", ""})
      CPPUNIT_ASSERT((told(other) == protocol::ProgramReply{protocol::Seal::unless_confidential, 160}));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TransfersTest);

}  // namespace
}  // namespace gssipsec::broker::testing
