// SPDX-License-Identifier: MIT
// Which SAs carry the flow, how good they are, and what of it a socket can be latched to.
#include "tests/unit/channel/samples.h"

namespace gssipsec::channel::testing {
namespace {

void monitored(const World& world) {
  const Verdict verdict = world.resolve();
  CPPUNIT_ASSERT(verdict.is_protected && !verdict.latchable);
  CPPUNIT_ASSERT_EQUAL(Code::NOT_LATCHABLE, verdict.why_not_latchable.code);
}

Sa& second_inbound(World& world) {
  world.sad.sas.push_back(esp(0x3003, "10.1.0.2", "10.1.0.1"));
  return world.sad.sas.back();
}

// ESP with AH around it, each way.
World bundle() {
  World world;
  const std::vector<Sa> sas = world.sad.sas;
  for (Sa sa : sas) {
    sa.id.protocol = kProtoAh;
    sa.aead = {};
    sa.authentication = {"hmac(sha256)", 256, 128};
    world.sad.sas.push_back(sa);
  }
  for (Policy* policy : {&world.out(), &world.in()}) {
    policy->templates.push_back(policy->templates[0]);
    policy->templates[1].protocol = kProtoAh;
  }
  return world;
}

// Compression inside ESP, each way; strongSwan makes the inbound one optional.
World compressed(bool optional) {
  World world;
  const std::vector<Sa> sas = world.sad.sas;
  for (Sa sa : sas) {
    sa.id.protocol = kProtoComp;
    sa.aead = {};
    sa.compression = {"deflate", 0, 0};
    world.sad.sas.push_back(sa);
  }
  for (Policy* policy : {&world.out(), &world.in()}) {
    Template entry = policy->templates[0];
    entry.protocol = kProtoComp;
    entry.optional = optional;
    policy->templates.insert(policy->templates.begin(), entry);
  }
  return world;
}

}  // namespace

class CarriersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CarriersTest);
  CPPUNIT_TEST(without_an_sa_either_way_nothing_is_protected);
  CPPUNIT_TEST(an_sa_must_have_the_templates_protocol_mode_and_spi);
  CPPUNIT_TEST(an_outbound_reqid_is_compared_even_when_it_is_zero);
  CPPUNIT_TEST(an_inbound_reqid_of_zero_takes_every_sa);
  CPPUNIT_TEST(only_valid_sas_carry);
  CPPUNIT_TEST(a_dying_sa_still_carries);
  CPPUNIT_TEST(an_outbound_sa_must_lead_to_the_peer);
  CPPUNIT_TEST(an_inbound_transport_sa_counts_whoever_holds_it);
  CPPUNIT_TEST(an_outbound_sa_is_no_inbound_one);
  CPPUNIT_TEST(an_sas_own_selector_limits_it_in_both_directions);
  CPPUNIT_TEST(a_selector_of_the_other_family_is_nobodys_guess_inbound);
  CPPUNIT_TEST(an_sa_of_a_device_is_uncertain);
  CPPUNIT_TEST(an_outbound_sa_needs_the_policys_mark);
  CPPUNIT_TEST(an_sa_of_another_if_id_does_not_carry);
  CPPUNIT_TEST(every_mature_sa_is_a_carrier);
  CPPUNIT_TEST(one_carrier_without_integrity_makes_it_weak);
  CPPUNIT_TEST(one_carrier_with_an_unknown_algorithm_makes_it_weak);
  CPPUNIT_TEST(the_weakest_carrier_counts);
  CPPUNIT_TEST(an_incomplete_sa_that_could_carry_is_unknown);
  CPPUNIT_TEST(an_incomplete_sa_elsewhere_means_nothing);
  CPPUNIT_TEST(inbound_masks_of_algorithms_are_unknown);
  CPPUNIT_TEST(replay_protection_is_judged_inbound);
  CPPUNIT_TEST(a_bundle_needs_an_sa_for_every_template);
  CPPUNIT_TEST(a_bundle_gives_what_its_templates_give_together);
  CPPUNIT_TEST(a_bundle_is_latched_as_it_is);
  CPPUNIT_TEST(compression_may_be_optional_beside_a_required_template);
  CPPUNIT_TEST(required_compression_needs_its_sa);
  CPPUNIT_TEST(compression_alone_is_a_bypass);
  CPPUNIT_TEST(compression_is_not_latchable);
  CPPUNIT_TEST(a_tunnel_to_the_peer_itself_is_end_to_end);
  CPPUNIT_TEST(a_tunnel_to_a_gateway_is_not_end_to_end);
  CPPUNIT_TEST(a_tunnel_from_a_gateway_is_not_end_to_end);
  CPPUNIT_TEST(a_transport_template_inside_a_tunnel_to_a_gateway_has_its_addresses);
  CPPUNIT_TEST(inbound_tunnels_compare_the_source_only);
  CPPUNIT_TEST(beet_ends_at_the_peer);
  CPPUNIT_TEST(both_directions_give_the_mode);
  CPPUNIT_TEST(ipv6_flows_are_protected_too);
  CPPUNIT_TEST(reqid_zero_is_not_latchable);
  CPPUNIT_TEST(marks_and_interfaces_are_not_latchable);
  CPPUNIT_TEST(a_vrf_is_not_latchable);
  CPPUNIT_TEST(latch_templates_have_addresses_and_are_required);
  CPPUNIT_TEST(a_pin_names_the_newest_carrier);
  CPPUNIT_TEST(an_spi_that_the_policy_names_is_not_copied);
  CPPUNIT_TEST(a_bundle_cannot_be_pinned);
  CPPUNIT_TEST(an_open_tunnel_inbound_is_latched_to_its_sas);
  CPPUNIT_TEST(of_an_ipv6_tunnel_the_receiver_sees_32_bits_when_the_packet_is_ipv4);
  CPPUNIT_TEST(a_tunnel_from_anybody_to_another_end_is_uncertain);
  CPPUNIT_TEST(an_outbound_sa_from_another_address_may_be_found_where_no_better_one_is);
  CPPUNIT_TEST(an_open_tunnel_outbound_needs_an_sa_for_every_source);
  CPPUNIT_TEST(what_is_not_protected_has_no_templates);
  CPPUNIT_TEST_SUITE_END();

 public:
  void without_an_sa_either_way_nothing_is_protected() {
    World world;
    world.sad.sas.pop_back();
    expect(Code::NO_SA, world);
    CPPUNIT_ASSERT(world.resolve().out.is_protected && !world.resolve().in.is_protected);
    world = World();
    world.sad.sas.erase(world.sad.sas.begin());
    expect(Code::NO_SA, world);
  }
  void an_sa_must_have_the_templates_protocol_mode_and_spi() {
    for (int side = 0; side < 2; ++side)
      for (int field = 0; field < 4; ++field) {
        World world;
        Sa& sa = side == 0 ? world.sa_out() : world.sa_in();
        if (field == 0) sa.id.protocol = kProtoAh;
        if (field == 1) sa.mode = Mode::tunnel;
        if (field == 2) (side == 0 ? world.template_out() : world.template_in()).spi = 0x9999;
        if (field == 3) sa.reqid = 8;
        expect(Code::NO_SA, world);
      }
    World world;
    world.template_out().spi = 0x1001;
    world.template_in().spi = 0x2002;
    expect(Code::ok, world);
  }
  void an_outbound_reqid_is_compared_even_when_it_is_zero() {
    World world;
    world.template_out().reqid = 0;
    expect(Code::NO_SA, world);
    world.sa_out().reqid = 0;
    expect(Code::ok, world);
  }
  void an_inbound_reqid_of_zero_takes_every_sa() {
    World world;
    world.template_in().reqid = 0;
    expect(Code::ok, world);
    second_inbound(world).reqid = 1234;
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, world.resolve().in.carriers.size());
  }
  void only_valid_sas_carry() {
    for (const SaState state : {SaState::void_, SaState::acquire, SaState::error, SaState::expired, SaState::dead}) {
      World world;
      world.sa_in().state = state;
      expect(Code::NO_SA, world);
      world = World();
      world.sa_out().state = state;
      expect(Code::NO_SA, world);
    }
  }
  void a_dying_sa_still_carries() {
    World world;
    world.sa_in().dying = world.sa_out().dying = true;
    expect(Code::ok, world);
  }
  void an_outbound_sa_must_lead_to_the_peer() {
    World world;
    world.sa_out().id.destination = ip("10.1.0.3");
    expect(Code::NO_SA, world);
    world = World();
    world.sa_out().source = ip("0.0.0.0");
    expect(Code::ok, world);
    world.template_out().destination = ip("10.1.0.9");  // transport mode ignores it
    expect(Code::ok, world);
  }
  void an_inbound_transport_sa_counts_whoever_holds_it() {
    World world;
    second_inbound(world).source = ip("10.1.0.66");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, world.resolve().in.carriers.size());
    Selector& own = world.sad.sas.back().selector;
    own.family = Family::ipv4;
    own.source = net("10.1.0.66", 32);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.resolve().in.carriers.size());
  }
  void an_outbound_sa_is_no_inbound_one() {
    World world;
    world.sad.sas.pop_back();
    world.sad.sas.push_back(esp(0x4004, "10.1.0.1", "10.1.0.2"));
    expect(Code::NO_SA, world);
  }
  void a_selector_of_the_other_family_is_nobodys_guess_inbound() {
    World world;
    for (Sa* sa : {&world.sa_in(), &world.sa_out()}) sa->selector.family = sa->selector.source.address.family = sa->selector.destination.address.family = Family::ipv6;
    CPPUNIT_ASSERT_EQUAL(Code::NO_SA, world.resolve().out.why_not.code);
    CPPUNIT_ASSERT_EQUAL(Code::UNKNOWN, world.resolve().in.why_not.code);
  }

  void an_sas_own_selector_limits_it_in_both_directions() {
    World world;
    world.sa_out().selector = world.out().selector;
    world.sa_in().selector = world.in().selector;
    expect(Code::ok, world);
    world.sa_in().selector.source_port = 22;
    world.sa_in().selector.source_port_mask = 0xffff;
    expect(Code::NO_SA, world);
    world = World();
    world.sa_out().selector = world.out().selector;
    world.sa_out().selector.protocol = 17;
    expect(Code::NO_SA, world);
    world.sa_out().selector.family = Family::none;  // the kernel looks no further
    expect(Code::ok, world);
  }
  void an_sa_of_a_device_is_uncertain() {
    World world;
    world.sa_in().selector = world.in().selector;
    world.sa_in().selector.ifindex = 3;
    expect(Code::UNKNOWN, world);
  }
  void an_outbound_sa_needs_the_policys_mark() {
    World world;
    world.sa_out().mark = {1, 0xff};
    expect(Code::NO_SA, world);
    world.flow.mark = 1;  // the socket's own mark does not count
    expect(Code::NO_SA, world);
    world.out().mark = {1, 0xff};
    expect(Code::ok, world);
    monitored(world);
  }
  void an_sa_of_another_if_id_does_not_carry() {
    World world;
    world.sa_out().if_id = 5;
    expect(Code::NO_SA, world);
  }
  void every_mature_sa_is_a_carrier() {
    World world;
    second_inbound(world);
    world.sad.sas.push_back(esp(0x4004, "10.1.0.1", "10.1.0.2"));
    const Verdict verdict = world.resolve();
    CPPUNIT_ASSERT(verdict.is_protected && verdict.out.carriers.size() == 2 && verdict.in.carriers.size() == 2);
  }
  void one_carrier_without_integrity_makes_it_weak() {
    World world;
    Sa& sa = second_inbound(world);
    sa.aead = {};
    sa.encryption = {"cbc(aes)", 256, 0};
    expect(Code::WEAK, world);
  }
  void one_carrier_with_an_unknown_algorithm_makes_it_weak() {
    World world;
    second_inbound(world).aead.name = "rot13(aes)";
    expect(Code::WEAK, world);
    world = World();
    world.sa_out().aead.name = "rot13(aes)";
    expect(Code::WEAK, world);
  }
  void the_weakest_carrier_counts() {
    World world;
    world.sa_out().aead.key_bits = world.sa_in().aead.key_bits = 288;
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{256}, world.resolve().quality.key_bits);
    second_inbound(world).aead.name = "rfc4543(gcm(aes))";
    const Quality quality = world.resolve().quality;
    CPPUNIT_ASSERT(!quality.confidentiality && quality.integrity);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{128}, quality.key_bits);
    CPPUNIT_ASSERT_EQUAL(std::string("indeterminate"), quality.suite);
  }
  void an_incomplete_sa_that_could_carry_is_unknown() {
    World world;
    second_inbound(world).incomplete = true;
    expect(Code::UNKNOWN, world);
  }
  void an_incomplete_sa_elsewhere_means_nothing() {
    World world;
    Sa& sa = second_inbound(world);
    sa.incomplete = true;
    sa.reqid = 8;
    expect(Code::ok, world);
  }
  void inbound_masks_of_algorithms_are_unknown() {
    World world;
    world.template_in().auth_algorithms = 1u << 5;
    expect(Code::UNKNOWN, world);
    world = World();
    world.template_out().auth_algorithms = 1u << 5;  // the kernel does not look
    expect(Code::ok, world);
  }
  void replay_protection_is_judged_inbound() {
    World world;
    world.sa_out().replay_window = 0;
    CPPUNIT_ASSERT(world.resolve().quality.replay_protection);
    world.sa_in().replay_window = 0;
    CPPUNIT_ASSERT(!world.resolve().quality.replay_protection);
  }
  void a_bundle_needs_an_sa_for_every_template() {
    expect(Code::ok, bundle());
    World world = bundle();
    world.sad.sas.pop_back();
    expect(Code::NO_SA, world);
  }
  void a_bundle_gives_what_its_templates_give_together() {
    World world = bundle();
    for (Sa& sa : world.sad.sas)
      if (sa.id.protocol == kProtoEsp) sa.aead = {}, sa.encryption = {"cbc(aes)", 128, 0};
    const Verdict verdict = world.resolve();
    CPPUNIT_ASSERT(verdict.is_protected && verdict.quality.integrity && verdict.quality.confidentiality);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{128}, verdict.quality.key_bits);
    CPPUNIT_ASSERT_EQUAL(std::string("AES_CBC-128+HMAC_SHA2_256_128"), verdict.quality.suite);
    CPPUNIT_ASSERT(verdict.out.carriers.size() == 1 && verdict.out.carriers[0].id.protocol == kProtoEsp);
    for (Sa& sa : world.sad.sas)
      if (sa.id.protocol == kProtoAh) sa.authentication = {"digest_null", 0, 0};
    expect(Code::WEAK, world);
  }
  void a_bundle_is_latched_as_it_is() {
    const World world = bundle();
    const Verdict verdict = world.resolve();
    CPPUNIT_ASSERT(verdict.latchable);
    const auto templates = *latch_templates(verdict.out, world.flow, Direction::out, false);
    CPPUNIT_ASSERT(templates.size() == 2 && templates[0].protocol == kProtoEsp && templates[1].protocol == kProtoAh);
  }
  void compression_may_be_optional_beside_a_required_template() {
    expect(Code::ok, compressed(true));
    World world = compressed(true);
    world.sad.sas.resize(2);
    expect(Code::ok, world);
    CPPUNIT_ASSERT_EQUAL(kProtoEsp, world.resolve().in.carriers.at(0).id.protocol);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{128}, compressed(true).resolve().quality.key_bits);
    world.out().templates[1].optional = world.in().templates[1].optional = true;
    expect(Code::OPTIONAL_POLICY, world);
  }
  void required_compression_needs_its_sa() {
    World world = compressed(false);
    expect(Code::ok, world);
    world.sad.sas.resize(2);
    expect(Code::NO_SA, world);
  }
  void compression_alone_is_a_bypass() {
    World world = compressed(false);
    world.out().templates.pop_back();
    world.in().templates.pop_back();
    expect(Code::BYPASS, world);
  }
  void compression_is_not_latchable() { monitored(compressed(true)); }
  void a_tunnel_to_the_peer_itself_is_end_to_end() {
    World world;
    world.make_tunnel("10.1.0.1", "10.1.0.2");
    const Verdict verdict = world.resolve();
    CPPUNIT_ASSERT(verdict.is_protected && verdict.end_to_end && verdict.mode == Mode::tunnel && verdict.latchable);
  }
  void a_tunnel_to_a_gateway_is_not_end_to_end() {
    World world;
    world.make_tunnel("192.0.2.1", "192.0.2.2");
    const Verdict verdict = world.resolve();
    CPPUNIT_ASSERT(verdict.is_protected && !verdict.end_to_end);
    world.template_out().destination = ip("192.0.2.3");
    expect(Code::NO_SA, world);
  }
  void a_tunnel_from_a_gateway_is_not_end_to_end() {
    World world;
    world.make_tunnel("10.1.0.1", "10.1.0.2");
    world.template_in().source = world.sa_in().source = ip("192.0.2.2");
    CPPUNIT_ASSERT(world.resolve().is_protected && !world.resolve().end_to_end);
    world = World();
    world.make_tunnel("10.1.0.1", "10.1.0.2");
    world.template_out().destination = world.sa_out().id.destination = ip("192.0.2.2");
    CPPUNIT_ASSERT(world.resolve().is_protected && !world.resolve().end_to_end);
  }
  void a_transport_template_inside_a_tunnel_to_a_gateway_has_its_addresses() {
    World world = bundle();
    world.make_tunnel("192.0.2.1", "192.0.2.2");
    expect(Code::NO_SA, world);  // AH now goes between the gateways' addresses
    for (Sa& sa : world.sad.sas) {
      if (sa.id.protocol != kProtoAh) continue;
      const bool out = sa.id.destination == ip("10.1.0.2");
      sa.source = ip(out ? "192.0.2.1" : "192.0.2.2");
      sa.id.destination = ip(out ? "192.0.2.2" : "192.0.2.1");
    }
    expect(Code::ok, world);
    CPPUNIT_ASSERT(!world.resolve().end_to_end && world.resolve().mode == Mode::tunnel);
  }
  void inbound_tunnels_compare_the_source_only() {
    World world;
    world.make_tunnel("192.0.2.1", "192.0.2.2");
    Sa& sa = second_inbound(world);
    sa.mode = Mode::tunnel;
    sa.source = ip("192.0.2.2");
    sa.id.destination = ip("192.0.2.77");  // another address of ours
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, world.resolve().in.carriers.size());
    sa.source = ip("192.0.2.66");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.resolve().in.carriers.size());
  }
  void beet_ends_at_the_peer() {
    World world;
    world.make_tunnel("192.0.2.1", "192.0.2.2");
    for (Policy* policy : {&world.out(), &world.in()}) policy->templates[0].mode = Mode::beet;
    for (Sa& sa : world.sad.sas) sa.mode = Mode::beet;
    world.sa_out().selector = world.out().selector;
    world.sa_in().selector = world.in().selector;
    const Verdict verdict = world.resolve();
    CPPUNIT_ASSERT(verdict.is_protected && verdict.end_to_end && verdict.mode == Mode::beet);
    world.sa_in().selector = {};  // without inner addresses of its own
    CPPUNIT_ASSERT(!world.resolve().end_to_end);
  }
  void both_directions_give_the_mode() {
    World world;
    world.make_tunnel("10.1.0.1", "10.1.0.2");
    world.template_in().mode = world.sa_in().mode = Mode::transport;
    CPPUNIT_ASSERT(world.resolve().mode == Mode::tunnel);
    world.make_tunnel("10.1.0.1", "10.1.0.2");
    world.template_out().mode = world.sa_out().mode = Mode::transport;
    CPPUNIT_ASSERT(world.resolve().is_protected && world.resolve().mode == Mode::tunnel);
  }
  void ipv6_flows_are_protected_too() {
    World world;
    world.flow.local = ip("2001:db8::1");
    world.flow.remote = ip("2001:db8::2");
    expect(Code::NO_POLICY, world);
    world.spd.policies = {require(Direction::out, "2001:db8::1", "2001:db8::2"), require(Direction::in, "2001:db8::2", "2001:db8::1")};
    expect(Code::NO_SA, world);
    world.sad.sas = {esp(1, "2001:db8::1", "2001:db8::2"), esp(2, "2001:db8::2", "2001:db8::1")};
    expect(Code::ok, world);
    CPPUNIT_ASSERT(world.resolve().latchable);
  }
  void reqid_zero_is_not_latchable() {
    World world;
    world.template_in().reqid = 0;
    monitored(world);
    world = World();
    world.template_out().reqid = world.sa_out().reqid = 0;
    monitored(world);
  }
  void marks_and_interfaces_are_not_latchable() {
    World world;
    world.sa_in().mark = {0, 0xff};
    monitored(world);
    world = World();
    world.out().mark = {0, 0xff};
    monitored(world);
    world = World();
    world.sa_in().if_id = 5;
    monitored(world);
    world = bundle();
    world.sad.sas.back().mark = {0, 1};  // of the second template
    monitored(world);
  }
  void a_vrf_is_not_latchable() {
    World world;
    world.around.vrf = true;
    monitored(world);
  }
  void latch_templates_have_addresses_and_are_required() {
    const World world;
    const Verdict verdict = world.resolve();
    const Template out = latch_templates(verdict.out, world.flow, Direction::out, false)->at(0);
    CPPUNIT_ASSERT(out.source == ip("10.1.0.1") && out.destination == ip("10.1.0.2") && out.family == Family::ipv4);
    CPPUNIT_ASSERT(out.reqid == 7 && out.spi == 0 && !out.optional);
    const Template in = latch_templates(verdict.in, world.flow, Direction::in, false)->at(0);
    CPPUNIT_ASSERT(in.source == ip("10.1.0.2") && in.destination == ip("10.1.0.1"));
    OneWay optional = verdict.in;
    optional.policy->templates[0].optional = true;
    CPPUNIT_ASSERT_EQUAL(Code::NOT_LATCHABLE, code_of(latch_templates(optional, world.flow, Direction::in, false)));
  }
  void a_pin_names_the_newest_carrier() {
    World world;
    CPPUNIT_ASSERT_EQUAL(0x2002u, pinned(world));
    second_inbound(world).added = 1001;
    CPPUNIT_ASSERT_EQUAL(0x3003u, pinned(world));
    world.sad.sas.back().dying = true;
    CPPUNIT_ASSERT_EQUAL(0x2002u, pinned(world));
    world.sa_in().dying = true;
    CPPUNIT_ASSERT_EQUAL(0x3003u, pinned(world));
    world.sa_in().added = 1001;  // the same second: both hosts must choose alike
    CPPUNIT_ASSERT_EQUAL(0x2002u, pinned(world));
    std::reverse(world.sad.sas.begin(), world.sad.sas.end());
    CPPUNIT_ASSERT_EQUAL(0x2002u, pinned(world));
  }
  void an_spi_that_the_policy_names_is_not_copied() {
    World world;
    world.template_out().spi = 0x1001;
    const OneWay out = world.resolve().out;
    CPPUNIT_ASSERT_EQUAL(0u, latch_templates(out, world.flow, Direction::out, false)->at(0).spi);
    CPPUNIT_ASSERT_EQUAL(0x1001u, latch_templates(out, world.flow, Direction::out, true)->at(0).spi);
  }
  void a_bundle_cannot_be_pinned() {
    const World world = bundle();
    CPPUNIT_ASSERT_EQUAL(Code::NOT_LATCHABLE, code_of(latch_templates(world.resolve().out, world.flow, Direction::out, true)));
  }
  void an_open_tunnel_inbound_is_latched_to_its_sas() {
    World world;
    world.make_tunnel("192.0.2.1", "192.0.2.2");
    world.template_in().source = {};
    const Template in = latch_templates(world.resolve().in, world.flow, Direction::in, false)->at(0);
    CPPUNIT_ASSERT(in.source == ip("192.0.2.2") && in.destination == ip("192.0.2.1"));
    Sa other = world.sa_in();
    other.id.spi = 0x5005;
    other.source = ip("192.0.2.9");
    world.sad.sas.push_back(other);
    monitored(world);
  }
  void of_an_ipv6_tunnel_the_receiver_sees_32_bits_when_the_packet_is_ipv4() {
    World world;
    world.make_tunnel("2001:db8:1::1", "2001:db8:1::2");
    world.sa_out().selector = world.out().selector;
    for (const bool seen : {true, false}) {
      Sa& other = second_inbound(world);
      other.mode = Mode::tunnel;
      other.id.destination = ip("2001:db8:1::1");
      other.source = ip(seen ? "2001:db8:9::9" : "2001:db9:1::2");
      CPPUNIT_ASSERT_EQUAL(std::size_t{2}, world.resolve().in.carriers.size());
    }
  }
  void a_tunnel_from_anybody_to_another_end_is_uncertain() {
    World world;
    world.make_tunnel("192.0.2.1", "192.0.2.2");
    world.template_in().source = {};
    expect(Code::ok, world);
    Sa& other = second_inbound(world);
    other.mode = Mode::tunnel;
    other.id.destination = ip("192.0.2.77");
    expect(Code::UNKNOWN, world);
    other.source = ip("192.0.2.1");  // ours: it leads away
    expect(Code::ok, world);
  }
  void an_outbound_sa_from_another_address_may_be_found_where_no_better_one_is() {
    World world;
    Sa other = world.sa_out();
    other.id.spi = 0x5005;
    other.source = ip("10.1.0.9");
    world.sad.sas.push_back(other);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.resolve().out.carriers.size());
    world.sa_out().source = {Family::ipv4, {}};
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, world.resolve().out.carriers.size());
    world.sad.sas.erase(world.sad.sas.begin());
    expect(Code::UNKNOWN, world);
  }
  void an_open_tunnel_outbound_needs_an_sa_for_every_source() {
    World world;
    world.make_tunnel("192.0.2.1", "192.0.2.2");
    world.template_out().source = {};
    expect(Code::UNKNOWN, world);
    Sa open = world.sa_out();
    open.id.spi = 0x5005;
    open.source = {Family::ipv4, {}};
    world.sad.sas.push_back(open);
    expect(Code::ok, world);
    CPPUNIT_ASSERT(world.resolve().out.carriers.size() == 2);
  }
  void what_is_not_protected_has_no_templates() {
    World world;
    world.sad.sas.clear();
    CPPUNIT_ASSERT_EQUAL(Code::NOT_LATCHABLE, code_of(latch_templates(world.resolve().out, world.flow, Direction::out, false)));
  }

 private:
  static std::uint32_t pinned(const World& world) { return latch_templates(world.resolve().in, world.flow, Direction::in, true)->at(0).spi; }
};
CPPUNIT_TEST_SUITE_REGISTRATION(CarriersTest);

}  // namespace gssipsec::channel::testing
