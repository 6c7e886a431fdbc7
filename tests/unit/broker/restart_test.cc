// SPDX-License-Identifier: MIT
// CHECK by a broker that was restarted: all it knows of the latch is what the client kept, and what is there now.
#include <cppunit/extensions/HelperMacros.h>

#include "broker/statement.h"
#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using protocol::LatchState;
using protocol::LatchStatement;

class RestartTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RestartTest);
  CPPUNIT_TEST(the_same_peer_is_latched_again);
  CPPUNIT_TEST(another_peer_or_proof_is_broken);
  CPPUNIT_TEST(what_is_weaker_or_of_another_mode_is_broken);
  CPPUNIT_TEST(what_is_stronger_is_the_same);
  CPPUNIT_TEST(another_connection_of_the_same_socket_is_broken);
  CPPUNIT_TEST(without_a_statement_that_can_be_read_it_is_broken);
  CPPUNIT_TEST(without_authentication_nothing_is_known_of_another_life);
  CPPUNIT_TEST(without_authentication_a_latch_that_is_gone_does_not_come_back);
  CPPUNIT_TEST(without_authentication_the_same_life_follows_the_lineage);
  CPPUNIT_TEST(a_latch_of_the_new_life_does_not_speak_for_an_older_one);
  CPPUNIT_TEST(a_client_does_not_make_a_connection_protected_since_its_start);
  CPPUNIT_TEST(missing_sas_are_not_yet_broken);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    end_ = std::make_unique<End>(true);
    end_->publish();
    said_ = statement_of(parameters(), end_->host->socket.flow, kFormerLife);
  }

  void the_same_peer_is_latched_again() {
    const auto answer = expect(LatchState::established, Code::ok);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
    CPPUNIT_ASSERT(end_->page->state({answer.slot, answer.generation}) == LatchState::established);
  }

  void another_peer_or_proof_is_broken() {
    const std::function<void(LatchStatement&)> others[] = {
        [](LatchStatement& s) { s.peer_id = "fqdn:evil.example.org"; }, [](LatchStatement& s) { s.peer_id = "dn:b.example.org"; },
        [](LatchStatement& s) { s.local_id = "fqdn:other.example.org"; }, [](LatchStatement& s) { s.peer_method = channel::AuthMethod::raw_key; },
        [](LatchStatement& s) { s.source = "static"; }, [](LatchStatement& s) { s.negotiated = false; }, [](LatchStatement& s) { s.peer_id.clear(); }};
    for (const auto& other : others) broken(other);
  }

  void what_is_weaker_or_of_another_mode_is_broken() {
    broken([](LatchStatement& s) { s.key_bits = 512; });
    broken([](LatchStatement& s) { s.mode = channel::Mode::tunnel; });
    end_->sa(kSpiToB).replay_window = end_->sa(kSpiToA).replay_window = 0;
    end_->publish();
    broken([](LatchStatement& s) { s.replay_protection = true; });
  }

  void what_is_stronger_is_the_same() {
    said_.key_bits = 128;
    said_.confidentiality = false;
    (void)expect(LatchState::established, Code::ok);
  }

  void another_connection_of_the_same_socket_is_broken() {
    broken([](LatchStatement& s) { s.flow.local_port ^= 1; });
    broken([](LatchStatement& s) { s.flow.remote = address("10.1.0.9"); });
  }

  void without_a_statement_that_can_be_read_it_is_broken() {
    for (const base::Bytes& statement : {base::Bytes(), base::Bytes(3), encode(said_, 2)}) {
      const auto answer = check(statement);
      CPPUNIT_ASSERT(answer.state == LatchState::broken && answer.why == Code::LATCH_BROKEN);
    }
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
  }

  void without_authentication_nothing_is_known_of_another_life() {
    const LatchStatement authenticated = said_;
    unauthenticated(kFormerLife);
    broken([](LatchStatement&) {});
    said_ = authenticated;  // nor of one that had a peer
    broken([](LatchStatement&) {});
  }

  void without_authentication_a_latch_that_is_gone_does_not_come_back() {
    unauthenticated(end_->core->started);
    broken([](LatchStatement&) {});
  }

  void without_authentication_the_same_life_follows_the_lineage() {
    unauthenticated(end_->core->started);
    latch();
    (void)expect(LatchState::established, Code::ok);
    broken([](LatchStatement& s) { ++s.ike_sa; });
  }

  void a_latch_of_the_new_life_does_not_speak_for_an_older_one() {
    unauthenticated(kFormerLife);
    latch();
    broken([](LatchStatement&) {});
    end_->core->latches.close(501);
    end_->set_peer(certified("fqdn:a.example.org", "fqdn:b.example.org"));
    end_->publish();
    latch();
    said_ = statement_of(parameters(), end_->host->socket.flow, kFormerLife);
    broken([](LatchStatement& s) { s.peer_id = "fqdn:evil.example.org"; });
  }

  // The former life's word for it is in the client's hands.
  void a_client_does_not_make_a_connection_protected_since_its_start() {
    const auto& flow = end_->host->socket.flow;
    end_->host->sockets[6] = {{501, flow.local, flow.remote, flow.local_port, flow.remote_port, 1000, false}};
    end_->core->history.reset();
    end_->publish();
    end_->core->census.take();
    (void)expect(LatchState::established, Code::ok);
    CPPUNIT_ASSERT(!end_->core->latches.find(501, flow)->since_start);
    const auto body = encode(protocol::InitiateRequest{});
    CPPUNIT_ASSERT(handle_initiate(*end_->core, *end_->bench, end_->request(body)).error().code == Code::STARTED_IN_CLEAR);
  }

  void missing_sas_are_not_yet_broken() {
    end_->databases.sad.sas.clear();
    end_->publish();
    const auto answer = check(encode(said_));
    CPPUNIT_ASSERT(answer.state == LatchState::stale && answer.why == Code::NO_SA);
  }

 private:
  static constexpr std::uint64_t kFormerLife = 77;

  static base::Bytes encode(LatchStatement said, std::uint16_t version) {
    said.version = version;
    return protocol::encode(said);
  }
  template <typename T>
  static base::Bytes encode(const T& message) {
    return protocol::encode(message);
  }

  LatchParameters parameters() {
    const channel::Flow flow = end_->host->socket.flow;
    const auto parameters = parameters_of(assess(flow, {}, end_->core->board.look(flow), std::chrono::steady_clock::now()), flow);
    CPPUNIT_ASSERT_MESSAGE(parameters ? "" : describe(parameters.error()), parameters.ok());
    return *parameters;
  }

  void unauthenticated(std::uint64_t life) {
    channel::PeerInfo peer = certified("fqdn:a.example.org", "fqdn:b.example.org");
    peer.remote_method = channel::AuthMethod::psk_group;
    end_->set_peer(peer);
    end_->publish();
    said_ = statement_of(parameters(), end_->host->socket.flow, life);
  }

  // By somebody else: the slot is not the asker's.
  void latch() {
    auto page = Page::create();
    CPPUNIT_ASSERT(end_->core->latches.establish({501, end_->host->socket.flow, {}, 1000, parameters(), true}, *page, std::chrono::steady_clock::now()).ok());
  }

  protocol::CheckReply check(const base::Bytes& statement) {
    const auto body = encode(protocol::CheckRequest{0, 0, 501, statement});
    const auto answer = handle_check(*end_->core, end_->request(body));
    CPPUNIT_ASSERT_MESSAGE(answer ? "" : describe(answer.error()), answer.ok());
    return *protocol::decode_check_reply(answer->body);
  }

  protocol::CheckReply expect(LatchState state, Code why) {
    const auto answer = check(encode(said_));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(answer.detail, std::string(protocol::latch_state_name(state)), std::string(protocol::latch_state_name(answer.state)));
    CPPUNIT_ASSERT(answer.why == why);
    return answer;
  }

  void broken(const std::function<void(LatchStatement&)>& change) {
    const LatchStatement before = said_;
    const int set = end_->host->latches_set;
    change(said_);
    (void)expect(LatchState::broken, Code::LATCH_BROKEN);
    CPPUNIT_ASSERT_EQUAL(set, end_->host->latches_set);
    said_ = before;
  }

  std::unique_ptr<End> end_;
  LatchStatement said_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(RestartTest);

}  // namespace
}  // namespace gssipsec::broker::testing
