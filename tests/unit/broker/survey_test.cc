// SPDX-License-Identifier: MIT
// SURVEY: what a connection would have before it is made, what is known of a datagram that came, and whom a listener is latched to.
#include <cppunit/extensions/HelperMacros.h>

#include <tuple>

#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using protocol::Sight;
using protocol::SurveyReply;
using protocol::SurveyRequest;

const char *const kHere = "10.1.0.1", *const kPeer = "10.1.0.2", *const kOther = "10.1.0.3";

class SurveyTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SurveyTest);
  CPPUNIT_TEST(a_connection_is_what_query_says_and_more);
  CPPUNIT_TEST(outer_ends_are_said_where_they_are_one);
  CPPUNIT_TEST(bundles_and_options_are_told);
  CPPUNIT_TEST(what_would_protect_is_foreseen);
  CPPUNIT_TEST(what_would_be_negotiated_or_stopped_is_told);
  CPPUNIT_TEST(a_prospect_is_of_a_new_socket);
  CPPUNIT_TEST(a_prospect_needs_a_peer_of_its_family);
  CPPUNIT_TEST(a_datagram_of_a_socket_protected_all_the_time);
  CPPUNIT_TEST(a_datagram_that_may_have_come_before_the_policies);
  CPPUNIT_TEST(a_datagram_from_where_nothing_protects);
  CPPUNIT_TEST(a_datagram_needs_where_it_came_to);
  CPPUNIT_TEST(a_socket_with_a_policy_of_its_own_is_unknown);
  CPPUNIT_TEST(a_socket_latched_to_the_source_is_known);
  CPPUNIT_TEST(a_policy_that_is_gone_is_not_forgotten);
  CPPUNIT_TEST(a_latch_that_failed_is_not_forgotten);
  CPPUNIT_TEST(a_former_brokers_policy_is_not_forgotten);
  CPPUNIT_TEST(a_latched_connection_says_nothing_of_others);
  CPPUNIT_TEST(a_stream_has_no_datagrams);
  CPPUNIT_TEST(a_listener_is_latched_to_its_peer);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { end_ = std::make_unique<End>(true); }

  void a_connection_is_what_query_says_and_more() {
    const SurveyReply reply = *survey({});
    const auto body = encode(protocol::QueryRequest{});
    CPPUNIT_ASSERT(reply.report == *protocol::decode_report(handle_query(*end_->core, *end_->bench, end_->request(body))->body));
    CPPUNIT_ASSERT(reply.report.is_protected && reply.outer.local == address(kHere) && reply.outer.peer == address(kPeer));
    CPPUNIT_ASSERT(reply.outer.local_port == 0 && reply.outer.peer_port == 0 && !reply.compressed && !reply.options_covered);
    CPPUNIT_ASSERT(survey({}, -1).error().code == Code::NO_SOCKET);
  }

  void outer_ends_are_said_where_they_are_one() {
    for (const std::uint32_t spi : {kSpiToB, kSpiToA}) end_->sa(spi).encapsulated = true;
    end_->sa(kSpiToB).encap_source_port = end_->sa(kSpiToA).encap_destination_port = 4500;
    end_->sa(kSpiToB).encap_destination_port = end_->sa(kSpiToA).encap_source_port = 60123;
    end_->publish();
    SurveyReply reply = *survey({});
    CPPUNIT_ASSERT(reply.outer.local_port == 4500 && reply.outer.peer_port == 60123 && reply.outer.peer == address(kPeer));
    end_->sa(kSpiToB).encap_destination_port = 60124;  // the NAT has moved him
    end_->publish();
    reply = *survey({});
    CPPUNIT_ASSERT(reply.outer.local_port == 0 && reply.outer.peer_port == 0 && reply.outer.peer.family == channel::Family::none);
  }

  void bundles_and_options_are_told() {
    for (channel::Policy& policy : end_->databases.spd.policies) policy.templates[0].mode = channel::Mode::tunnel;
    end_->publish();
    CPPUNIT_ASSERT(survey({})->options_covered);
    end_->databases.spd.policies[0].templates[0].mode = channel::Mode::transport;
    end_->publish();
    CPPUNIT_ASSERT(!survey({})->options_covered);
    for (channel::Policy& policy : end_->databases.spd.policies) policy.templates[0].protocol = channel::kProtoAh;
    end_->databases.spd.policies[0].templates.push_back(end_->databases.spd.policies[0].templates[0]);
    end_->databases.spd.policies[0].templates[1].protocol = channel::kProtoComp;
    end_->publish();
    CPPUNIT_ASSERT(survey({})->options_covered && survey({})->compressed);
  }

  void what_would_protect_is_foreseen() {
    end_->host->connected = false;
    const SurveyReply reply = *survey(towards());
    CPPUNIT_ASSERT(reply.report.is_protected && reply.report.peer_authenticated && reply.report.peer_id == "fqdn:b.example.org");
    CPPUNIT_ASSERT(reply.report.flow.remote == address(kPeer) && reply.report.flow.remote_port == 5432);
    // Of a socket that has had nothing yet.
    CPPUNIT_ASSERT(!reply.report.since_start && reply.report.latch == protocol::LatchState::none);
    CPPUNIT_ASSERT(reply.report.out.sas.empty());
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
    end_->host->socket.owner_uid = 0;  // whoever holds it may ask
    CPPUNIT_ASSERT(survey(towards()).ok());
  }

  void what_would_be_negotiated_or_stopped_is_told() {
    end_->host->connected = false;
    end_->databases.sad.sas.clear();
    end_->publish();
    CPPUNIT_ASSERT(survey(towards())->report.out.why == Code::NO_SA && !survey(towards())->report.is_protected);
    for (channel::Policy& policy : end_->databases.spd.policies) policy.action = channel::Action::block;
    end_->publish();
    CPPUNIT_ASSERT(survey(towards())->report.out.why == Code::BLOCKED);
    CPPUNIT_ASSERT(survey(towards(kOther))->report.why == Code::NO_POLICY);
  }

  void a_prospect_is_of_a_new_socket() {
    CPPUNIT_ASSERT(survey(towards()).error().code == Code::ALREADY_CONNECTED);
    CPPUNIT_ASSERT(survey(towards(), -1).error().code == Code::NO_SOCKET);
  }

  void a_prospect_needs_a_peer_of_its_family() {
    end_->host->connected = false;
    CPPUNIT_ASSERT(survey({Sight::prospect, {}, 0, {}}).error().code == Code::BAD_ARGUMENT);
    CPPUNIT_ASSERT(survey(towards("2001:db8::2")).error().code == Code::BAD_ARGUMENT);
    end_->host->socket.flow.on_ipv6_socket = true;
    end_->host->socket.flow.local = address("2001:db8::1");
    CPPUNIT_ASSERT(survey(towards()).error().code == Code::BAD_ARGUMENT);
    end_->host->socket.flow.local = {channel::Family::ipv6, {}};
    end_->host->route.source = address(kHere);
    CPPUNIT_ASSERT(survey(towards())->report.is_protected);
  }

  void a_datagram_of_a_socket_protected_all_the_time() {
    receive();
    const SurveyReply reply = *survey(came());
    CPPUNIT_ASSERT(reply.report.is_protected && reply.report.since_start && reply.report.peer_id == "fqdn:b.example.org");
    end_->host->socket.flow.local = address("0.0.0.0");
    CPPUNIT_ASSERT(survey(came(kPeer, kHere))->report.is_protected);
  }

  void a_datagram_that_may_have_come_before_the_policies() {
    receive();
    end_->host->sockets[17] = {{501, address(kHere), {}, 40000, 0, 1000, true}};
    end_->core->history.reset();
    end_->publish();
    end_->core->census.take();
    const SurveyReply reply = *survey(came());
    CPPUNIT_ASSERT(!reply.report.is_protected && reply.report.why == Code::STARTED_IN_CLEAR);
  }

  void a_datagram_from_where_nothing_protects() {
    receive();
    CPPUNIT_ASSERT(survey(came(kOther))->report.why == Code::NO_POLICY);
    CPPUNIT_ASSERT(!survey(came(kPeer, "224.0.0.1"))->report.is_protected);
  }

  void a_datagram_needs_where_it_came_to() {
    receive();
    end_->host->socket.flow.local = address("0.0.0.0");
    CPPUNIT_ASSERT(survey(came()).error().code == Code::BAD_ARGUMENT);
    CPPUNIT_ASSERT(survey(came(kPeer, "2001:db8::1")).error().code == Code::BAD_ARGUMENT);
    CPPUNIT_ASSERT(survey({Sight::datagram, {}, 0, {}}).error().code == Code::BAD_ARGUMENT);
  }

  void a_socket_with_a_policy_of_its_own_is_unknown() {
    receive();
    require(kPeer);
    CPPUNIT_ASSERT(survey(came())->report.is_protected);
    setUp(), receive(), two_peers();
    require(kOther);
    CPPUNIT_ASSERT(survey(came())->report.why == Code::UNKNOWN);
    require(kPeer);  // what waits in the queue came under the former one
    CPPUNIT_ASSERT(survey(came())->report.why == Code::UNKNOWN);
    // Also where it is connected to the source by now.
    end_->host->socket.listening = false;
    end_->host->socket.flow.remote = address(kPeer), end_->host->socket.flow.remote_port = 53;
    CPPUNIT_ASSERT(survey(came())->report.why == Code::UNKNOWN);
  }

  void a_socket_latched_to_the_source_is_known() {
    receive();
    latch_listener();
    CPPUNIT_ASSERT(survey(came())->report.is_protected);
    for (channel::Policy& policy : end_->databases.spd.policies)
      for (channel::Address* end : {&policy.selector.source.address, &policy.selector.destination.address, &policy.templates[0].source, &policy.templates[0].destination})
        if (*end == address(kPeer)) *end = address(kOther);
    for (channel::Sa& sa : end_->databases.sad.sas)
      for (channel::Address* end : {&sa.source, &sa.id.destination})
        if (*end == address(kPeer)) *end = address(kOther);
    end_->publish();
    const SurveyReply reply = *survey(came(kOther));
    CPPUNIT_ASSERT(!reply.report.is_protected && reply.report.why == Code::UNKNOWN);
  }

  void a_policy_that_is_gone_is_not_forgotten() {
    receive(), two_peers();
    latch_listener(kOther);
    unlatch();
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_cleared);
    CPPUNIT_ASSERT(survey(came())->report.why == Code::UNKNOWN);
    latch_listener(kPeer);
    CPPUNIT_ASSERT(survey(came())->report.why == Code::UNKNOWN);
    end_->core->own_policies.close(501);
    CPPUNIT_ASSERT(survey(came())->report.is_protected);
  }

  void a_latch_that_failed_is_not_forgotten() {
    receive(), two_peers();
    int reads = 0;
    end_->host->on_read_socket = [&](int) { end_->host->socket.listening = ++reads == 1; };
    latch_listener(kOther, false);
    end_->host->on_read_socket = nullptr;
    end_->host->socket.listening = true;
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_cleared);
    CPPUNIT_ASSERT(survey(came())->report.why == Code::UNKNOWN);
  }

  void a_former_brokers_policy_is_not_forgotten() {
    end_->host->owners = std::vector<kernel::PolicyOwner>{{501, 0, 17, false}};
    end_->core = std::make_shared<Core>(end_->host, Config());
    end_->publish();
    receive();
    CPPUNIT_ASSERT(survey(came())->report.why == Code::UNKNOWN);
  }

  void a_latched_connection_says_nothing_of_others() {
    end_->host->socket.flow.protocol = 17;
    const auto body = encode(protocol::LatchRequest{});
    CPPUNIT_ASSERT(handle_latch(*end_->core, end_->request(body)).ok());
    const auto port = end_->host->socket.flow.remote_port;
    CPPUNIT_ASSERT(survey({Sight::datagram, address(kPeer), port, {}})->report.is_protected);
    const std::uint16_t other = port + 1;  // under the same policy
    CPPUNIT_ASSERT(survey({Sight::datagram, address(kPeer), other, {}})->report.is_protected);
    two_peers();
    for (channel::Sa sa : std::vector(end_->databases.sad.sas)) {
      for (channel::Address* end : {&sa.source, &sa.id.destination})
        if (*end == address(kPeer)) *end = address(kOther);
      end_->databases.sad.sas.push_back(sa);
    }
    end_->publish();
    CPPUNIT_ASSERT(survey({Sight::datagram, address(kOther), port, {}})->report.why == Code::UNKNOWN);
  }

  void a_stream_has_no_datagrams() { CPPUNIT_ASSERT(survey(came()).error().code == Code::UNSUPPORTED_SOCKET); }

  void a_listener_is_latched_to_its_peer() {
    const SurveyRequest of_listener{Sight::listener, {}, 0, {}};
    CPPUNIT_ASSERT(survey(of_listener).error().code == Code::NO_LATCH);
    listen();
    CPPUNIT_ASSERT(survey(of_listener).error().code == Code::NO_LATCH);
    latch_listener();
    const SurveyReply reply = *survey(of_listener);
    CPPUNIT_ASSERT(reply.report.latch == protocol::LatchState::listener && reply.report.flow.remote == address(kPeer));
    CPPUNIT_ASSERT(reply.report.is_protected && !reply.report.since_start);
  }

 private:
  void listen() {
    end_->host->socket.listening = true;
    end_->host->socket.flow.remote = {}, end_->host->socket.flow.remote_port = 0;
  }
  void receive() {
    listen();
    end_->host->socket.flow.protocol = 17;
    end_->core->census.take();
  }
  void latch_listener(const char* peer = kPeer, bool succeeds = true) {
    const Caller user = end_->caller;
    end_->caller.uid = 0, end_->caller.privileged = true;
    const auto body = encode(protocol::LatchRequest{address(peer)});
    CPPUNIT_ASSERT_EQUAL(succeeds, handle_latch(*end_->core, end_->request(body)).ok());
    end_->caller = user;
  }
  void unlatch() {
    const Caller user = end_->caller;
    end_->caller.uid = 0, end_->caller.privileged = true;
    const auto body = encode(protocol::UnlatchRequest{501});
    CPPUNIT_ASSERT(handle_unlatch(*end_->core, end_->request(body)).ok());
    end_->caller = user;
  }
  void require(const char* peer) {
    end_->host->connected = false;
    const auto body = encode(protocol::RequireRequest{address(peer), 53, protocol::Strength::any, false, false, false, 0});
    CPPUNIT_ASSERT(handle_require(*end_->core, end_->request(body)).ok());
    end_->host->connected = true;
  }
  void two_peers() {
    for (const auto& [direction, from, to] : {std::tuple(channel::Direction::out, kHere, kOther), std::tuple(channel::Direction::in, kOther, kHere)})
      end_->databases.spd.policies.push_back(transport_policy(direction, from, to));
    end_->publish();
  }
  static SurveyRequest towards(const char* peer = kPeer) { return {Sight::prospect, address(peer), 5432, {}}; }
  static SurveyRequest came(const char* from = kPeer, const char* to = nullptr) {
    return {Sight::datagram, address(from), 53, to ? address(to) : channel::Address{}};
  }
  base::Result<SurveyReply> survey(const SurveyRequest& asked, int fd = 3) {
    const auto body = encode(asked);
    const auto answer = handle_survey(*end_->core, *end_->bench, end_->request(body, fd));
    if (!answer) return answer.error();
    return protocol::decode_survey_reply(answer->body);
  }

  std::unique_ptr<End> end_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SurveyTest);

}  // namespace
}  // namespace gssipsec::broker::testing
