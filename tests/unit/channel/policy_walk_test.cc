// SPDX-License-Identifier: MIT
// Which policy the kernel would use, and what follows from it.
#include "tests/unit/channel/samples.h"

namespace gssipsec::channel::testing {
namespace {

World for_networks() {
  World world;
  world.out().selector.destination.length = world.in().selector.source.length = 24;
  return world;
}

}  // namespace

class PolicyWalkTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PolicyWalkTest);
  CPPUNIT_TEST(policies_and_sas_both_ways_protect);
  CPPUNIT_TEST(without_policies_nothing_is_protected);
  CPPUNIT_TEST(a_policy_outbound_only_is_not_protected);
  CPPUNIT_TEST(a_policy_inbound_only_is_not_protected);
  CPPUNIT_TEST(policies_to_forward_and_of_sockets_protect_nothing);
  CPPUNIT_TEST(an_optional_template_is_not_protection);
  CPPUNIT_TEST(an_optional_template_in_one_direction_is_not_protection);
  CPPUNIT_TEST(an_allowing_policy_without_templates_bypasses);
  CPPUNIT_TEST(a_bypass_inbound_only_is_found);
  CPPUNIT_TEST(a_blocking_policy_blocks);
  CPPUNIT_TEST(default_block_blocks_what_no_policy_covers);
  CPPUNIT_TEST(under_default_block_a_policy_without_templates_still_lets_pass);
  CPPUNIT_TEST(the_smaller_priority_wins);
  CPPUNIT_TEST(of_equal_priority_the_older_wins);
  CPPUNIT_TEST(between_two_addresses_and_a_network_of_equal_priority_nobody_knows);
  CPPUNIT_TEST(the_same_templates_under_another_mark_are_another_policy);
  CPPUNIT_TEST(the_order_in_memory_means_nothing);
  CPPUNIT_TEST(sub_policies_come_before_main_ones);
  CPPUNIT_TEST(a_sub_policy_and_the_main_one_apply_together);
  CPPUNIT_TEST(a_sub_policy_that_allows_leaves_the_rest_to_the_main_one);
  CPPUNIT_TEST(a_block_in_either_of_two_types_blocks);
  CPPUNIT_TEST(selectors_compare_addresses_and_families);
  CPPUNIT_TEST(selectors_compare_ports_under_their_masks);
  CPPUNIT_TEST(inbound_ports_are_reversed);
  CPPUNIT_TEST(selectors_compare_the_protocol);
  CPPUNIT_TEST(a_policy_of_another_device_does_not_match);
  CPPUNIT_TEST(an_ipv4_packet_has_the_device_of_its_route);
  CPPUNIT_TEST(an_ipv6_packet_may_have_no_device);
  CPPUNIT_TEST(a_policy_of_this_device_or_an_unknown_one_is_uncertain);
  CPPUNIT_TEST(an_outbound_mark_selects_the_policy);
  CPPUNIT_TEST(a_mark_is_compared_under_its_mask);
  CPPUNIT_TEST(an_inbound_mark_does_not_keep_unmarked_packets_out);
  CPPUNIT_TEST(a_block_beneath_closes_the_way_for_other_marks);
  CPPUNIT_TEST(a_marked_bypass_above_the_inbound_policy_is_seen);
  CPPUNIT_TEST(a_marked_policy_below_the_inbound_one_means_nothing);
  CPPUNIT_TEST(sas_that_other_marks_lead_to_are_carriers_too);
  CPPUNIT_TEST(policies_of_another_if_id_do_not_match);
  CPPUNIT_TEST(packets_from_beside_the_xfrm_interface_count);
  CPPUNIT_TEST(an_incomplete_policy_that_could_match_first_is_unknown);
  CPPUNIT_TEST(an_incomplete_policy_elsewhere_means_nothing);
  CPPUNIT_TEST(a_policy_without_family_is_unknown);
  CPPUNIT_TEST(more_templates_than_the_kernel_takes_block);
  CPPUNIT_TEST(the_policy_is_reported_without_sas);
  CPPUNIT_TEST(loopback_and_this_host_are_never_protected);
  CPPUNIT_TEST(sctp_over_ipv6_is_unknown);
  CPPUNIT_TEST(what_sctp_is_refused_is_unknown);
  CPPUNIT_TEST(sctp_in_a_tunnel_is_unknown);
  CPPUNIT_TEST(sctp_has_no_mark_for_the_policies);
  CPPUNIT_TEST(a_stale_mirror_is_unknown);
  CPPUNIT_TEST(an_exempt_device_bypasses);
  CPPUNIT_TEST(default_block_holds_for_what_an_exempt_device_sends_and_not_for_what_it_receives);
  CPPUNIT_TEST(what_is_no_flow_on_the_wire_is_unknown);
  CPPUNIT_TEST(selectors_without_family_match_every_family);
  CPPUNIT_TEST_SUITE_END();

 public:
  void policies_and_sas_both_ways_protect() {
    expect(Code::ok, World());
    const Verdict verdict = World().resolve();
    CPPUNIT_ASSERT(verdict.end_to_end && verdict.latchable && verdict.mode == Mode::transport);
    CPPUNIT_ASSERT_EQUAL(0x1001u, verdict.out.carriers.at(0).id.spi);
    CPPUNIT_ASSERT_EQUAL(0x2002u, verdict.in.carriers.at(0).id.spi);
    CPPUNIT_ASSERT(verdict.out.policy->index == 9 && verdict.in.policy->index == 8);
  }
  void without_policies_nothing_is_protected() {
    World world;
    world.spd.policies.clear();
    expect(Code::NO_POLICY, world);
  }
  void a_policy_outbound_only_is_not_protected() {
    World world;
    world.spd.policies.pop_back();
    expect(Code::ONE_DIRECTION, world);
    const Verdict verdict = world.resolve();
    CPPUNIT_ASSERT(verdict.out.is_protected && verdict.in.why_not.code == Code::NO_POLICY);
    CPPUNIT_ASSERT(verdict.why_not.detail.starts_with("inbound: "));
  }
  void a_policy_inbound_only_is_not_protected() {
    World world;
    world.spd.policies.erase(world.spd.policies.begin());
    expect(Code::ONE_DIRECTION, world);
    CPPUNIT_ASSERT(world.resolve().why_not.detail.starts_with("outbound: "));
  }
  void policies_to_forward_and_of_sockets_protect_nothing() {
    for (const Direction direction : {Direction::forward, Direction::other}) {
      World world;
      world.in().direction = direction;
      expect(Code::ONE_DIRECTION, world);
      world.out().direction = direction;
      expect(Code::NO_POLICY, world);
    }
  }
  void an_optional_template_is_not_protection() {
    World world;
    world.template_out().optional = world.template_in().optional = true;
    expect(Code::OPTIONAL_POLICY, world);
  }
  void an_optional_template_in_one_direction_is_not_protection() {
    World inbound, outbound;
    inbound.template_in().optional = true;
    expect(Code::ONE_DIRECTION, inbound);
    outbound.template_out().optional = true;
    expect(Code::ONE_DIRECTION, outbound);
  }
  void an_allowing_policy_without_templates_bypasses() {
    World world;
    world.add(Direction::out, Action::allow, 1);
    world.add(Direction::in, Action::allow, 1);
    expect(Code::BYPASS, world);
  }
  void a_bypass_inbound_only_is_found() {
    World world;
    world.add(Direction::in, Action::allow, 1);
    expect(Code::ONE_DIRECTION, world);
  }
  void a_blocking_policy_blocks() {
    World world;
    world.add(Direction::out, Action::block, 1);
    expect(Code::BLOCKED, world);
    world = World();
    world.add(Direction::in, Action::block, 1);
    expect(Code::BLOCKED, world);
  }
  void default_block_blocks_what_no_policy_covers() {
    World world;
    world.spd.default_in = world.spd.default_out = Action::block;
    expect(Code::ok, world);
    world.spd.policies.clear();
    expect(Code::BLOCKED, world);
    CPPUNIT_ASSERT_EQUAL(Code::BLOCKED, world.resolve().in.why_not.code);
  }
  void under_default_block_a_policy_without_templates_still_lets_pass() {
    for (const Direction direction : {Direction::in, Direction::out}) {
      World world;
      world.add(direction, Action::allow, 1);
      world.spd.default_in = world.spd.default_out = Action::block;
      expect(Code::ONE_DIRECTION, world);
      const Verdict verdict = world.resolve();
      CPPUNIT_ASSERT_EQUAL(Code::BYPASS, (direction == Direction::in ? verdict.in : verdict.out).why_not.code);
    }
  }
  void the_smaller_priority_wins() {
    World world;
    world.add(Direction::out, Action::block, 101);
    world.add(Direction::in, Action::block, 101);
    expect(Code::ok, world);
    world.add(Direction::out, Action::block, 99);
    expect(Code::BLOCKED, world);
  }
  void of_equal_priority_the_older_wins() {
    for (const Direction direction : {Direction::in, Direction::out}) {
      World world = for_networks();
      world.add(direction, Action::block, 100);
      expect(Code::ok, world);
      world.spd.policies.back().order = 0;
      expect(Code::BLOCKED, world);
    }
  }
  void between_two_addresses_and_a_network_of_equal_priority_nobody_knows() {
    for (const Direction direction : {Direction::in, Direction::out})
      for (const std::uint64_t order : {0, 200}) {
        World world;
        world.add(direction, Action::block, 100).order = order;
        expect(Code::UNKNOWN, world);
        (direction == Direction::in ? world.in() : world.out()).priority = 99;
        expect(Code::ok, world);
      }
  }
  void the_same_templates_under_another_mark_are_another_policy() {
    World world;
    world.flow.mark = 1;
    Policy& network = world.add(Direction::out, Action::allow, 100);
    network.templates = world.out().templates;
    expect(Code::ok, world);
    network.mark = {1, 0xff};
    expect(Code::UNKNOWN, world);
  }
  void the_order_in_memory_means_nothing() {
    World world = for_networks();
    world.add(Direction::out, Action::block, 100);
    world.add(Direction::in, Action::block, 100);
    std::reverse(world.spd.policies.begin(), world.spd.policies.end());
    expect(Code::ok, world);
  }
  void sub_policies_come_before_main_ones() {
    World world;
    world.add(Direction::out, Action::block, 1000).sub_policy = true;
    expect(Code::BLOCKED, world);
  }
  void a_sub_policy_and_the_main_one_apply_together() {
    World world;
    world.out().sub_policy = world.in().sub_policy = true;
    expect(Code::ok, world);
    Policy& main = world.add(Direction::out, Action::allow, 1);
    main.templates = {world.template_in()};
    main.templates[0].protocol = kProtoAh;
    expect(Code::NO_SA, world);  // the main policy's SA is missing
    Sa ah = world.sa_out();
    ah.id.protocol = kProtoAh;
    ah.aead = {};
    ah.authentication = {"hmac(sha256)", 256, 128};
    world.sad.sas.push_back(ah);
    expect(Code::ok, world);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, world.resolve().out.policy->templates.size());
    CPPUNIT_ASSERT(!world.resolve().latchable);
  }
  void a_sub_policy_that_allows_leaves_the_rest_to_the_main_one() {
    World world;
    world.add(Direction::out, Action::allow, 1).sub_policy = true;
    world.add(Direction::in, Action::allow, 1).sub_policy = true;
    expect(Code::ok, world);
    world.template_in().optional = true;
    expect(Code::ONE_DIRECTION, world);
  }
  void a_block_in_either_of_two_types_blocks() {
    World world;
    world.out().sub_policy = true;
    world.add(Direction::out, Action::block, 1);
    expect(Code::BLOCKED, world);
    world = World();
    world.in().sub_policy = true;
    world.add(Direction::in, Action::block, 1);
    expect(Code::BLOCKED, world);
  }
  void selectors_compare_addresses_and_families() {
    for (int field = 0; field < 3; ++field) {
      World world;
      Selector& selector = world.in().selector;
      if (field == 0) selector.source = net("10.1.0.3", 32);
      if (field == 1) selector.destination = net("10.1.0.3", 32);
      if (field == 2) selector = {Family::ipv6, {}, {}, 0, 0, 0, 0, 0, 0, 0};
      expect(Code::ONE_DIRECTION, world);
    }
    World world;
    world.in().selector.source = net("10.0.0.0", 8);
    world.in().selector.destination = {};
    expect(Code::ok, world);
  }
  void selectors_compare_ports_under_their_masks() {
    World world;
    world.out().selector.destination_port = 5000;
    world.out().selector.destination_port_mask = 0xffff;
    expect(Code::ok, world);
    world.out().selector.destination_port = 5001;
    expect(Code::ONE_DIRECTION, world);
    world.out().selector.destination_port_mask = 0xfff0;
    expect(Code::ok, world);
    world.out().selector.source_port = 40001;
    world.out().selector.source_port_mask = 0xffff;
    expect(Code::ONE_DIRECTION, world);
  }
  void inbound_ports_are_reversed() {
    World world;
    world.in().selector.source_port = 5000;
    world.in().selector.destination_port = 40000;
    world.in().selector.source_port_mask = world.in().selector.destination_port_mask = 0xffff;
    expect(Code::ok, world);
    std::swap(world.in().selector.source_port, world.in().selector.destination_port);
    expect(Code::ONE_DIRECTION, world);
  }
  void selectors_compare_the_protocol() {
    World world;
    world.in().selector.protocol = 6;
    expect(Code::ok, world);
    world.in().selector.protocol = 17;
    expect(Code::ONE_DIRECTION, world);
  }
  void a_policy_of_another_device_does_not_match() {
    World world;
    world.add(Direction::out, Action::block, 1).selector.ifindex = 4;
    expect(Code::ok, world);
    world.out().selector.ifindex = 4;
    world.spd.policies.pop_back();
    expect(Code::ONE_DIRECTION, world);
  }
  void an_ipv4_packet_has_the_device_of_its_route() {
    World world;
    world.out().selector.ifindex = 3;
    expect(Code::ok, world);
    world.add(Direction::out, Action::block, 1).selector.ifindex = 3;
    expect(Code::BLOCKED, world);
  }
  void an_ipv6_packet_may_have_no_device() {
    World world;
    world.flow.local = ip("fd00::1");
    world.flow.remote = ip("fd00::2");
    world.add(Direction::out, Action::block, 1).selector.ifindex = 3;
    CPPUNIT_ASSERT_EQUAL(Code::UNKNOWN, world.resolve().out.why_not.code);
  }
  void a_policy_of_this_device_or_an_unknown_one_is_uncertain() {
    World world;
    world.out().selector.ifindex = 4;
    world.flow.output_ifindex = 0;
    expect(Code::UNKNOWN, world);
    world = World();
    world.in().selector.ifindex = 3;
    expect(Code::UNKNOWN, world);
    world = World();
    world.add(Direction::in, Action::allow, 1).selector.ifindex = 4;
    expect(Code::UNKNOWN, world);
  }
  void an_outbound_mark_selects_the_policy() {
    World world;
    world.out().mark = {1, 0xff};
    expect(Code::ONE_DIRECTION, world);
    world.flow.mark = 0x101;
    expect(Code::ok, world);
    CPPUNIT_ASSERT(!world.resolve().latchable);
    world.flow.mark = 2;
    expect(Code::ONE_DIRECTION, world);
  }
  void a_mark_is_compared_under_its_mask() {
    CPPUNIT_ASSERT((Mark{1, 0xff}.matches(0x101)) && !(Mark{1, 0xff}.matches(0x102)) && Mark{}.matches(7));
    CPPUNIT_ASSERT(!(Mark{0x101, 0xff}.matches(0x101)));  // value outside the mask: never
  }
  void an_inbound_mark_does_not_keep_unmarked_packets_out() {
    World world;
    world.in().mark = {1, 0xff};
    world.flow.mark = 1;
    expect(Code::UNKNOWN, world);
    CPPUNIT_ASSERT(!world.resolve().in.is_protected);
  }
  void a_block_beneath_closes_the_way_for_other_marks() {
    World world;
    world.in().mark = {1, 0xff};
    world.flow.mark = 1;
    world.add(Direction::in, Action::block, 2000);
    expect(Code::ok, world);
    CPPUNIT_ASSERT(!world.resolve().latchable);
    world.spd.policies.pop_back();
    world.spd.default_in = Action::block;
    expect(Code::ok, world);
  }
  void a_marked_bypass_above_the_inbound_policy_is_seen() {
    World world;
    world.add(Direction::in, Action::allow, 1).mark = {5, 0xff};
    expect(Code::UNKNOWN, world);
    world.spd.default_in = Action::block;  // holds for what no policy covers only
    expect(Code::UNKNOWN, world);
  }
  void a_marked_policy_below_the_inbound_one_means_nothing() {
    World world;
    world.add(Direction::in, Action::allow, 1000).mark = {5, 0xff};
    expect(Code::ok, world);
    CPPUNIT_ASSERT(world.resolve().latchable);
  }
  void sas_that_other_marks_lead_to_are_carriers_too() {
    World world;
    Policy other = world.in();
    other.mark = {5, 0xff};
    other.priority = 1;
    other.templates[0].reqid = 99;
    world.spd.policies.push_back(other);
    Sa sa = esp(0x3003, "10.1.0.9", "10.1.0.1");
    sa.reqid = 99;
    world.sad.sas.push_back(sa);
    expect(Code::ok, world);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, world.resolve().in.carriers.size());
    CPPUNIT_ASSERT(!world.resolve().latchable);
    world.sad.sas.back().aead = {};
    expect(Code::WEAK, world);
  }
  void policies_of_another_if_id_do_not_match() {
    World world;
    world.out().if_id = 5;
    expect(Code::ONE_DIRECTION, world);
    world = World();
    world.in().if_id = 5;
    expect(Code::ONE_DIRECTION, world);
  }
  void packets_from_beside_the_xfrm_interface_count() {
    World world;
    world.flow.if_id = world.out().if_id = world.in().if_id = world.sa_out().if_id = world.sa_in().if_id = 5;
    expect(Code::UNKNOWN, world);
    world.add(Direction::in, Action::block, 2000);  // of if_id 0
    expect(Code::ok, world);
    CPPUNIT_ASSERT(!world.resolve().latchable);
  }
  void an_incomplete_policy_that_could_match_first_is_unknown() {
    World world;
    world.out().incomplete = true;
    expect(Code::UNKNOWN, world);
    world = World();
    world.add(Direction::in, Action::block, 1).incomplete = true;
    expect(Code::UNKNOWN, world);
    world.spd.policies.back().sub_policy = true;
    expect(Code::UNKNOWN, world);
  }
  void an_incomplete_policy_elsewhere_means_nothing() {
    World world;
    world.add(Direction::out, Action::block, 1000).incomplete = true;
    Policy& elsewhere = world.add(Direction::out, Action::block, 1);
    elsewhere.incomplete = true;
    elsewhere.selector.destination = net("10.9.0.0", 16);
    world.add(Direction::forward, Action::block, 1).incomplete = true;
    expect(Code::ok, world);
  }
  void a_policy_without_family_is_unknown() {
    World world;
    world.out().selector.family = Family::none;
    expect(Code::UNKNOWN, world);
  }
  void more_templates_than_the_kernel_takes_block() {
    World world;
    world.out().templates.assign(6, world.template_out());
    expect(Code::BLOCKED, world);
    world.out().templates.pop_back();
    expect(Code::ok, world);
  }
  void the_policy_is_reported_without_sas() {
    World world;
    world.sad.sas.clear();
    expect(Code::NO_SA, world);
    const Verdict verdict = world.resolve();
    CPPUNIT_ASSERT(verdict.out.policy->index == 9 && verdict.in.policy->index == 8 && verdict.out.carriers.empty());
  }
  void loopback_and_this_host_are_never_protected() {
    World world;
    world.around.same_host = true;
    expect(Code::LOOPBACK, world);
    world = World();
    world.flow.remote = ip("127.0.0.1");
    expect(Code::LOOPBACK, world);
    world = World();
    world.flow.local = ip("127.0.0.1");
    expect(Code::LOOPBACK, world);
    world.flow.local = world.flow.remote;
    expect(Code::LOOPBACK, world);
  }
  static World sctp(const char* local, const char* remote) {
    World world;
    world.flow.protocol = 132;
    world.flow.local = ip(local);
    world.flow.remote = ip(remote);
    return world;
  }
  void sctp_over_ipv6_is_unknown() {
    const World world = sctp("fd00::1", "fd00::2");
    CPPUNIT_ASSERT_EQUAL(Code::UNKNOWN, world.resolve().out.why_not.code);
    CPPUNIT_ASSERT_EQUAL(Code::NO_POLICY, world.resolve().in.why_not.code);
  }
  void what_sctp_is_refused_is_unknown() {
    World world;
    world.flow.protocol = 132;
    CPPUNIT_ASSERT(world.resolve().out.is_protected);
    world.out().action = Action::block;
    world.in().action = Action::block;
    CPPUNIT_ASSERT_EQUAL(Code::UNKNOWN, world.resolve().out.why_not.code);
    CPPUNIT_ASSERT_EQUAL(Code::BLOCKED, world.resolve().in.why_not.code);
  }
  void sctp_in_a_tunnel_is_unknown() {
    World world;
    world.flow.protocol = 132;
    Template& tunnel = world.out().templates.at(0);
    tunnel.mode = Mode::tunnel;
    tunnel.source = world.flow.local;
    tunnel.destination = world.flow.remote;
    for (Sa& sa : world.sad.sas) sa.mode = Mode::tunnel;
    CPPUNIT_ASSERT_EQUAL(Code::UNKNOWN, world.resolve().out.why_not.code);
    world.flow.protocol = 17;
    CPPUNIT_ASSERT(world.resolve().out.is_protected);
  }
  void sctp_has_no_mark_for_the_policies() {
    World world;
    world.flow.protocol = 132;
    world.flow.mark = 1;
    CPPUNIT_ASSERT(world.resolve().out.is_protected);
    world.out().mark = {1, 0xff};
    for (Sa& sa : world.sad.sas) sa.mark = {1, 0xff};
    CPPUNIT_ASSERT_EQUAL(Code::UNKNOWN, world.resolve().out.why_not.code);
    world.flow.protocol = 17;
    CPPUNIT_ASSERT(world.resolve().out.is_protected);
  }
  void a_stale_mirror_is_unknown() {
    World world;
    world.around.mirror_fresh = false;
    expect(Code::UNKNOWN, world);
  }
  void an_exempt_device_bypasses() {
    World world;
    world.around.exempt_out = true;
    expect(Code::ONE_DIRECTION, world);
    CPPUNIT_ASSERT_EQUAL(Code::BYPASS, world.resolve().out.why_not.code);
    world.around.exempt_in = true;
    expect(Code::BYPASS, world);
    world.around.exempt_out = false;
    expect(Code::ONE_DIRECTION, world);
    CPPUNIT_ASSERT_EQUAL(Code::BYPASS, world.resolve().in.why_not.code);
  }
  void default_block_holds_for_what_an_exempt_device_sends_and_not_for_what_it_receives() {
    World world;
    world.around.exempt_out = world.around.exempt_in = true;
    world.spd.default_in = world.spd.default_out = Action::block;
    CPPUNIT_ASSERT_EQUAL(Code::BLOCKED, world.resolve().out.why_not.code);
    CPPUNIT_ASSERT_EQUAL(Code::BYPASS, world.resolve().in.why_not.code);
  }
  void what_is_no_flow_on_the_wire_is_unknown() {
    for (int fault = 0; fault < 5; ++fault) {
      World world;
      if (fault == 0) world.flow.protocol = 262;  // whose low octet is TCP
      if (fault == 1) world.flow.protocol = 0;
      if (fault == 2) world.flow.remote = ip("2001:db8::2");
      if (fault == 3) world.flow.local = {}, world.flow.remote = {};
      if (fault == 4) world.flow.local = ip("::ffff:10.1.0.1"), world.flow.remote = ip("::ffff:10.1.0.2");
      expect(Code::UNKNOWN, world);
    }
  }
  void selectors_without_family_match_every_family() {
    Selector selector;
    CPPUNIT_ASSERT(matches(selector, ip("10.0.0.1"), ip("10.0.0.2"), 1, 2, 6, 0) && matches(selector, ip("::1"), ip("::2"), 1, 2, 6, 9));
    selector.ifindex = 9;
    CPPUNIT_ASSERT(matches(selector, ip("::1"), ip("::2"), 1, 2, 6, 9) && !matches(selector, ip("::1"), ip("::2"), 1, 2, 6, 0));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(PolicyWalkTest);

}  // namespace gssipsec::channel::testing
