// SPDX-License-Identifier: MIT
// REQUIRE: what a socket is given before it is connected, who may, what is refused, and that a latch that fails leaves it there.
#include <cppunit/extensions/HelperMacros.h>

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
  CPPUNIT_TEST(the_oldest_of_a_user_is_forgotten);
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
    CPPUNIT_ASSERT(end_->core->required.contains(end_->host->socket.cookie));
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
    end_->host->socket.flow.protocol = 17;
    end_->host->socket.flow.remote = {}, end_->host->socket.flow.remote_port = 0;
    end_->host->socket.listening = true;
    become_root();
    const auto body = encode(protocol::LatchRequest{address("10.1.0.2")});
    CPPUNIT_ASSERT(handle_latch(*end_->core, end_->request(body)).ok());
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
    int reads = 0;
    end_->host->on_read_socket = [&](int) { end_->host->socket.flow.remote_port += ++reads > 1 ? 1 : 0; };
    const auto body = encode(protocol::LatchRequest{});
    CPPUNIT_ASSERT(handle_latch(*end_->core, end_->request(body)).error().code == Code::SOCKET_CHANGED);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_cleared);
    end_->host->on_read_socket = nullptr;
    CPPUNIT_ASSERT(handle_latch(*end_->core, end_->request(body)).ok());
    const auto release = encode(protocol::UnlatchRequest{end_->host->socket.cookie});
    CPPUNIT_ASSERT(handle_unlatch(*end_->core, end_->request(release)).ok());
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

  void the_oldest_of_a_user_is_forgotten() {
    Required required;
    for (std::uint64_t cookie = 1; cookie <= 3; ++cookie) required.add(cookie, 1000, 2);
    required.add(4, 1001, 2);
    CPPUNIT_ASSERT(!required.contains(1) && required.contains(2) && required.contains(3) && required.contains(4));
  }

 private:
  void start(Config config) {
    end_ = std::make_unique<End>(true, std::move(config));
    end_->host->connected = false;
  }
  void become_root() {
    end_->caller.uid = 0;
    end_->caller.privileged = true;
  }
  static RequireRequest towards(const char* peer = "10.1.0.2", Strength level = Strength::any) { return {address(peer), 5432, level, false, false, false, 0}; }
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
