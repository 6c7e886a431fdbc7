// SPDX-License-Identifier: MIT
// Which source's word counts; which tunnels end at the peer itself, as far as the resolver alone cannot tell.
#include "broker/verdict.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;

class VerdictTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(VerdictTest);
  CPPUNIT_TEST(a_tunnel_to_an_address_that_ike_gave_to_the_peer_ends_there);
  CPPUNIT_TEST(a_tunnel_to_any_other_address_ends_at_a_gateway);
  CPPUNIT_TEST(who_ends_a_tunnel_within_several_templates_is_not_known);
  CPPUNIT_TEST(a_daemon_that_may_yet_name_an_sa_goes_before_the_administrators_lines);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    end_ = std::make_unique<End>(true);
    for (channel::Policy& policy : end_->databases.spd.policies) {
      channel::Template& entry = policy.templates[0];
      entry.mode = channel::Mode::tunnel;
      go_outside(entry.source), go_outside(entry.destination);
    }
    for (channel::Sa& sa : end_->databases.sad.sas) {
      sa.mode = channel::Mode::tunnel;
      go_outside(sa.source), go_outside(sa.id.destination);
    }
  }

  void a_tunnel_to_an_address_that_ike_gave_to_the_peer_ends_there() { CPPUNIT_ASSERT(code_with({"10.9.0.7", "10.1.0.2"}) == Code::ok); }

  void a_tunnel_to_any_other_address_ends_at_a_gateway() {
    CPPUNIT_ASSERT(code_with({}) == Code::NOT_END_TO_END);
    CPPUNIT_ASSERT(code_with({"10.9.0.7", "10.1.0.1"}) == Code::NOT_END_TO_END);
  }

  // AH around the tunnel.
  void who_ends_a_tunnel_within_several_templates_is_not_known() {
    for (channel::Policy& policy : end_->databases.spd.policies) {
      channel::Template around = policy.templates[0];
      around.protocol = channel::kProtoAh, around.mode = channel::Mode::transport;
      policy.templates.push_back(around);
    }
    for (channel::Sa sa : std::vector(end_->databases.sad.sas)) {
      sa.id.protocol = channel::kProtoAh, sa.mode = channel::Mode::transport;
      sa.aead = {}, sa.authentication = {"hmac(sha256)", 256, 128};
      end_->databases.sad.sas.push_back(sa);
    }
    CPPUNIT_ASSERT(code_with({"10.1.0.2"}) == Code::NOT_END_TO_END);
  }

  // Who has not been asked since the SA came, and who lists it a moment after installing it.
  void a_daemon_that_may_yet_name_an_sa_goes_before_the_administrators_lines() {
    const channel::SaId id = end_->sa(kSpiToA).id;
    const auto lines = std::make_shared<ike::Snapshot>();
    lines->peers[id] = certified("fqdn:a.example.org", "fqdn:of-a-line.example.org");
    const Time came = Clock::now();
    View view;
    view.arrivals[id] = {5, came};
    view.sources = {{"vici", true, 4, 4, std::make_shared<ike::Snapshot>()}, {"static", true, 5, 5, lines}};
    CPPUNIT_ASSERT(!view.peer_of(id, came + std::chrono::seconds(60)));
    view.sources[0].asked = view.sources[0].answered = 5;
    CPPUNIT_ASSERT(!view.peer_of(id, came + std::chrono::milliseconds(900)));
    CPPUNIT_ASSERT(view.peer_of(id, came + std::chrono::milliseconds(1100)));
    view.sources[0].healthy = false;
    CPPUNIT_ASSERT(view.peer_of(id, came));
    view.sources[0].asked = view.sources[0].answered = 4;
    CPPUNIT_ASSERT(view.peer_of(id, came));
  }

 private:
  // Outside of the tunnel: 192.0.2.1 and 192.0.2.2.
  static void go_outside(channel::Address& address) {
    address = testing::address(address == testing::address("10.1.0.1") ? "192.0.2.1" : "192.0.2.2");
  }

  Code code_with(const std::vector<const char*>& addresses) {
    channel::PeerInfo peer = certified("fqdn:a.example.org", "fqdn:b.example.org");
    for (const char* one : addresses) peer.given.push_back(testing::address(one));
    end_->set_peer(peer);
    end_->publish();
    const channel::Flow flow = end_->host->socket.flow;
    const base::Status status = sufficient(assess(flow, {}, end_->core->board.look(flow), Clock::now()), *end_->core->config());
    return status.ok() ? Code::ok : status.error().code;
  }

  std::unique_ptr<End> end_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(VerdictTest);

}  // namespace
}  // namespace gssipsec::broker::testing
