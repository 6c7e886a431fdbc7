// SPDX-License-Identifier: MIT
// REQUIRE: what a socket is given before it is connected, who may, what is refused, and that a latch that fails leaves it there.
#include <cppunit/extensions/HelperMacros.h>

#include <tuple>

#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using protocol::Strength;
using protocol::RequireRequest;

class RequireTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RequireTest);
  CPPUNIT_TEST(a_new_socket_is_given_what_the_policies_ask_for);
  CPPUNIT_TEST(no_sa_is_needed_yet);
  CPPUNIT_TEST(without_a_policy_that_demands_it_is_refused);
  CPPUNIT_TEST(what_is_connected_is_too_late);
  CPPUNIT_TEST(connected_meanwhile_is_told);
  CPPUNIT_TEST(a_peer_of_another_family_is_a_bad_argument);
  CPPUNIT_TEST(an_ipv6_socket_may_speak_with_ipv4);
  CPPUNIT_TEST(sctp_and_vrfs_are_refused);
  CPPUNIT_TEST(it_is_its_makers);
  CPPUNIT_TEST(what_root_or_another_user_asked_for_stays);
  CPPUNIT_TEST(weaker_sas_than_wanted_are_refused_before);
  CPPUNIT_TEST(levels_are_the_administrators);
  CPPUNIT_TEST(a_connected_socket_is_judged_and_left_alone);
  CPPUNIT_TEST(an_unproven_peer_is_refused_where_that_is_wanted);
  CPPUNIT_TEST(a_latch_that_fails_or_goes_leaves_it);
  CPPUNIT_TEST(a_tunnel_needs_its_ends);
  CPPUNIT_TEST(a_user_requires_so_many);
  CPPUNIT_TEST(what_a_former_broker_required_stays);
  CPPUNIT_TEST(a_latch_of_a_former_broker_is_not_lost_by_a_failure);
  CPPUNIT_TEST(what_a_listener_hands_down_is_not_cleared);
  CPPUNIT_TEST(a_latch_of_a_former_broker_is_its_users);
  CPPUNIT_TEST(what_is_there_is_not_cleared_by_half_a_change);
  CPPUNIT_TEST(a_latched_socket_is_not_moved_to_another_peer);
  CPPUNIT_TEST(a_listeners_latch_does_not_move_what_was_required);
  CPPUNIT_TEST(a_latch_of_an_earlier_connection_ends);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { start({}); }

  void a_new_socket_is_given_what_the_policies_ask_for() {
    const auto reply = require();
    CPPUNIT_ASSERT(reply.ok() && reply->ready);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
    for (const auto* templates : {&end_->host->out, &end_->host->in}) {
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, templates->size());
      CPPUNIT_ASSERT(templates->front().reqid == 7 && templates->front().spi == 0 && !templates->front().optional);
    }
    CPPUNIT_ASSERT(end_->core->own_policies.stays(501));
    CPPUNIT_ASSERT((end_->host->owner == kernel::PolicyOwner{501, 1000, 6, true}) && !end_->host->replaces);
  }

  void no_sa_is_needed_yet() {
    end_->databases.sad.sas.clear();
    end_->publish();
    const auto reply = require();
    CPPUNIT_ASSERT(reply.ok() && !reply->ready);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
  }

  void without_a_policy_that_demands_it_is_refused() {
    for (channel::Policy& policy : end_->databases.spd.policies)
      for (channel::Template& entry : policy.templates) entry.optional = true;
    end_->publish();
    CPPUNIT_ASSERT(require().error().code == Code::OPTIONAL_POLICY);
    end_->databases.spd.policies.clear();
    end_->publish();
    CPPUNIT_ASSERT(require().error().code == Code::NO_POLICY);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
  }

  void what_is_connected_is_too_late() {
    end_->host->connected = true;
    CPPUNIT_ASSERT(require().error().code == Code::ALREADY_CONNECTED);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
  }

  void connected_meanwhile_is_told() {
    end_->host->on_set_latch = [this](int) { end_->host->connected = true; };
    CPPUNIT_ASSERT(require().error().code == Code::ALREADY_CONNECTED);
    end_->host->connected = false;
    end_->host->on_set_latch = [this](int) { ++end_->host->socket.cookie; };
    CPPUNIT_ASSERT(require().error().code == Code::SOCKET_CHANGED);
  }

  void a_peer_of_another_family_is_a_bad_argument() { CPPUNIT_ASSERT(require(towards("2001:db8::2")).error().code == Code::BAD_ARGUMENT); }

  void an_ipv6_socket_may_speak_with_ipv4() {
    end_->host->socket.flow.on_ipv6_socket = true;
    end_->host->socket.flow.local = {channel::Family::ipv6, {}};
    end_->host->route.source = address("10.1.0.1");
    CPPUNIT_ASSERT(require().ok());
    CPPUNIT_ASSERT(end_->host->out.front().source == address("10.1.0.1"));
  }

  // Also where no SA is there yet that could be looked at.
  void sctp_and_vrfs_are_refused() {
    end_->databases.sad.sas.clear();
    end_->publish();
    end_->host->route.vrf = true;
    CPPUNIT_ASSERT(require().error().code == Code::NOT_LATCHABLE);
    end_->host->route.vrf = false;
    end_->host->socket.flow.protocol = 132;
    CPPUNIT_ASSERT(require().error().code == Code::NOT_LATCHABLE);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
  }

  void it_is_its_makers() {
    end_->host->socket.owner_uid = 0;
    CPPUNIT_ASSERT(require().error().code == Code::NOT_OWNER);
    become_root();
    CPPUNIT_ASSERT(require().ok());
  }

  void what_root_or_another_user_asked_for_stays() {
    const Caller user = end_->caller;
    become_root();
    CPPUNIT_ASSERT(require().ok());
    end_->caller = user;
    CPPUNIT_ASSERT(require().error().code == Code::LATCH_OF_OTHER);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
    start({});
    receive();
    become_root();
    CPPUNIT_ASSERT(latch_listener() == Code::ok);
    end_->caller = user;
    CPPUNIT_ASSERT(require().error().code == Code::LATCH_OF_OTHER);
  }

  void weaker_sas_than_wanted_are_refused_before() {
    RequireRequest bits = towards();
    bits.key_bits = 512;
    CPPUNIT_ASSERT(require(bits).error().code == Code::WEAK);
    RequireRequest replay = towards();
    replay.replay = true;
    CPPUNIT_ASSERT(require(replay).ok());
    end_->sa(kSpiToA).replay_window = 0;
    end_->sa(kSpiToA).esn = false;
    end_->publish();
    CPPUNIT_ASSERT(require(replay).error().code == Code::WEAK);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
  }

  // The SAs here have 128 bits.
  void levels_are_the_administrators() {
    CPPUNIT_ASSERT(require(towards("10.1.0.2", Strength::low)).ok());
    CPPUNIT_ASSERT(require(towards("10.1.0.2", Strength::medium)).error().code == Code::WEAK);
    Config config;
    config.levels[2] = {128, {"CHACHA20_POLY1305-256", "AES_GCM_16-128"}};
    start(config);
    CPPUNIT_ASSERT(require(towards("10.1.0.2", Strength::high)).ok());
    config.levels[2].suites.pop_back();
    start(config);
    CPPUNIT_ASSERT(require(towards("10.1.0.2", Strength::high)).error().code == Code::WEAK);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
  }

  void a_connected_socket_is_judged_and_left_alone() {
    end_->host->connected = true;
    RequireRequest asked;
    asked.level = Strength::low;
    CPPUNIT_ASSERT(require(asked).ok());
    asked.key_bits = 512;
    CPPUNIT_ASSERT(require(asked).error().code == Code::WEAK);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
  }

  void an_unproven_peer_is_refused_where_that_is_wanted() {
    RequireRequest asked = towards();
    asked.authenticated = true;
    CPPUNIT_ASSERT(require(asked).ok());
    channel::PeerInfo group = certified("fqdn:a.example.org", "fqdn:b.example.org");
    group.remote_method = channel::AuthMethod::psk_group;
    end_->set_peer(group);
    end_->publish();
    CPPUNIT_ASSERT(require(asked).error().code == Code::PEER_UNAUTHENTICATED);
    CPPUNIT_ASSERT(require().ok());
  }

  void a_latch_that_fails_or_goes_leaves_it() {
    CPPUNIT_ASSERT(require().ok());
    end_->host->connected = true;
    CPPUNIT_ASSERT(latch_that_fails() == Code::SOCKET_CHANGED);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_cleared);
    CPPUNIT_ASSERT(latch() == Code::ok && unlatch() == Code::ok);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_cleared);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, end_->core->latches.size());
  }

  void a_tunnel_needs_its_ends() {
    end_->databases.sad.sas.clear();
    for (channel::Policy& policy : end_->databases.spd.policies)
      for (channel::Template& entry : policy.templates) {
        entry.mode = channel::Mode::tunnel;
        entry.source = policy.selector.source.address, entry.destination = policy.selector.destination.address;
      }
    end_->publish();
    CPPUNIT_ASSERT(require().ok());
    for (channel::Policy& policy : end_->databases.spd.policies)
      for (channel::Template& entry : policy.templates) entry.source = {channel::Family::ipv4, {}};
    end_->publish();
    CPPUNIT_ASSERT(require().error().code == Code::NOT_LATCHABLE);
  }

  void a_user_requires_so_many() {
    Config config;
    config.latches_per_user = 1;
    start(config);
    CPPUNIT_ASSERT(require().ok());
    end_->host->socket.cookie = 400;
    CPPUNIT_ASSERT(require().error().code == Code::LIMIT);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
    CPPUNIT_ASSERT(end_->core->own_policies.stays(501));
    become_root();
    CPPUNIT_ASSERT(require().ok());
    end_->host->socket.cookie = 401;
    CPPUNIT_ASSERT(require().error().code == Code::LIMIT);
  }

  void what_a_former_broker_required_stays() {
    end_->host->connected = true;
    for (const bool known : {false, true}) {
      end_->core = restarted({{501, 1000, 6, true}}, known);
      CPPUNIT_ASSERT(latch_that_fails() == Code::SOCKET_CHANGED);
      CPPUNIT_ASSERT(latch() == Code::ok && end_->host->replaces && unlatch() == Code::ok);
      CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_cleared);
    }
  }

  // Who took the latch takes it away, whoever the broker was.
  void a_latch_of_a_former_broker_is_not_lost_by_a_failure() {
    end_->host->connected = true;
    end_->core = restarted({{501, 1000, 6, false}}, true);
    CPPUNIT_ASSERT(latch_that_fails() == Code::SOCKET_CHANGED);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_cleared);
    CPPUNIT_ASSERT(latch() == Code::ok && unlatch() == Code::ok);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_cleared);
    CPPUNIT_ASSERT(latch_that_fails() == Code::SOCKET_CHANGED);
    CPPUNIT_ASSERT_EQUAL(2, end_->host->latches_cleared);
  }

  // By the kernel's word for whose it is.
  void a_latch_of_a_former_broker_is_its_users() {
    end_->host->connected = true;
    end_->core = restarted({{501, 0, 6, false}}, true);
    CPPUNIT_ASSERT(latch() == Code::ok && end_->host->owner.uid == 0);
    CPPUNIT_ASSERT(unlatch() == Code::LATCH_OF_OTHER);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_cleared);
  }

  // A TCP socket that was required and listens: its connections have its policy.
  void what_a_listener_hands_down_is_not_cleared() {
    end_->host->socket.cookie = 400;
    CPPUNIT_ASSERT(require().ok());
    end_->host->socket.cookie = 501;
    end_->host->connected = end_->host->listener = true;
    CPPUNIT_ASSERT(latch_that_fails() == Code::SOCKET_CHANGED && end_->host->replaces);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_cleared);
    end_->core->own_policies.close(400);
    CPPUNIT_ASSERT(latch_that_fails() == Code::SOCKET_CHANGED && !end_->host->replaces);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_cleared);
  }

  void what_is_there_is_not_cleared_by_half_a_change() {
    CPPUNIT_ASSERT(require().ok() && !end_->host->replaces);
    CPPUNIT_ASSERT(require().ok() && end_->host->replaces);
    end_->host->connected = true;
    CPPUNIT_ASSERT(latch() == Code::ok && end_->host->replaces && end_->host->owner.required);
  }

  void a_latched_socket_is_not_moved_to_another_peer() {
    receive();
    become_root();
    CPPUNIT_ASSERT(latch_listener() == Code::ok);
    two_peers();
    CPPUNIT_ASSERT(require(towards(kOther)).error().code == Code::OWN_POLICY);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
    CPPUNIT_ASSERT(require().ok());
    CPPUNIT_ASSERT(unlatch() == Code::ok);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_cleared);
    CPPUNIT_ASSERT(require(towards(kOther)).ok());
  }

  void a_listeners_latch_does_not_move_what_was_required() {
    receive();
    become_root();
    two_peers();
    CPPUNIT_ASSERT(require(towards(kOther)).ok());
    CPPUNIT_ASSERT(latch_listener() == Code::OWN_POLICY);
    CPPUNIT_ASSERT_EQUAL(1, end_->host->latches_set);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_cleared);
    CPPUNIT_ASSERT(latch_listener(kOther) == Code::ok);
  }

  // Connected there once more, the socket would be called latched while it has another peer's policy.
  void a_latch_of_an_earlier_connection_ends() {
    end_->host->connected = true;
    CPPUNIT_ASSERT(latch() == Code::ok);
    end_->host->connected = false;
    const channel::Flow connection = end_->host->socket.flow;
    end_->host->socket.flow.remote = {}, end_->host->socket.flow.remote_port = 0;
    CPPUNIT_ASSERT(require().ok());
    CPPUNIT_ASSERT(!end_->core->latches.find(501, connection));
  }

 private:
  static constexpr const char* kOther = "10.1.0.3";

  void start(Config config) {
    end_ = std::make_unique<End>(true, std::move(config));
    end_->host->connected = false;
  }
  void become_root() {
    end_->caller.uid = 0;
    end_->caller.privileged = true;
  }
  static RequireRequest towards(const char* peer = "10.1.0.2", Strength level = Strength::any) { return {address(peer), 5432, level, false, false, false, 0}; }
  void receive() {
    end_->host->socket.flow.protocol = 17;
    end_->host->socket.flow.remote = {}, end_->host->socket.flow.remote_port = 0;
    end_->host->socket.listening = true;
  }
  void two_peers() {
    for (const auto& [direction, from, to] : {std::tuple(channel::Direction::out, "10.1.0.1", kOther), std::tuple(channel::Direction::in, kOther, "10.1.0.1")})
      end_->databases.spd.policies.push_back(transport_policy(direction, from, to));
    end_->publish();
  }
  // Another life of the broker, which has asked the kernel for what this one did, or not yet.
  std::shared_ptr<Core> restarted(std::vector<kernel::PolicyOwner> owners, bool known) {
    end_->host->owners = known ? base::Result<std::vector<kernel::PolicyOwner>>(std::move(owners)) : base::fail(Code::NETLINK);
    end_->core = std::make_shared<Core>(end_->host, Config());
    end_->publish();
    end_->core->census.take();
    return end_->core;
  }
  Code latch() { return code_of(handle_latch(*end_->core, end_->request(encode(protocol::LatchRequest{})))); }
  Code latch_listener(const char* peer = "10.1.0.2") { return code_of(handle_latch(*end_->core, end_->request(encode(protocol::LatchRequest{address(peer)})))); }
  Code unlatch() { return code_of(handle_unlatch(*end_->core, end_->request(encode(protocol::UnlatchRequest{501})))); }
  Code latch_that_fails() {
    int reads = 0;
    const std::uint16_t port = end_->host->socket.flow.remote_port;
    end_->host->on_read_socket = [&](int) { end_->host->socket.flow.remote_port += ++reads > 1 ? 1 : 0; };
    const Code code = latch();
    end_->host->on_read_socket = nullptr;
    end_->host->socket.flow.remote_port = port;
    return code;
  }
  static Code code_of(const base::Result<Answer>& answer) { return answer.ok() ? Code::ok : answer.error().code; }
  base::Result<protocol::RequireReply> require(const RequireRequest& asked = towards()) {
    const auto body = encode(asked);
    const auto answer = handle_require(*end_->core, end_->request(body));
    if (!answer) return answer.error();
    return protocol::decode_require_reply(answer->body);
  }

  std::unique_ptr<End> end_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(RequireTest);

}  // namespace
}  // namespace gssipsec::broker::testing
