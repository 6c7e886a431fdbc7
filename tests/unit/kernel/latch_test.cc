// SPDX-License-Identifier: MIT
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>

#include "kernel/latch.h"
#include "kernel/socket.h"
#include "kernel/transaction.h"
#include "kernel/xfrm.h"
#include "tests/unit/kernel/in_namespace.h"
#include "tests/unit/kernel/messages.h"
#include "tests/unit/kernel/sockets.h"

namespace gssipsec::kernel::testing {

class LatchTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LatchTest);
  CPPUNIT_TEST(the_selector_matches_everything_of_the_family_on_the_wire);
  CPPUNIT_TEST(a_v4_mapped_peer_gets_an_ipv4_selector_through_ipv6s_option);
  CPPUNIT_TEST(the_template_requires_exactly_what_was_asked);
  CPPUNIT_TEST(templates_that_let_clear_text_pass_are_refused);
  CPPUNIT_TEST(the_kernel_takes_both_directions_and_the_dump_tells_only_whose_they_are);
  CPPUNIT_TEST(when_the_second_direction_is_refused_the_first_is_undone);
  CPPUNIT_TEST(an_older_latch_is_not_removed_by_a_failed_newer_one);
  CPPUNIT_TEST(a_refusal_of_the_kernel_is_not_latchable);
  CPPUNIT_TEST(policies_of_others_have_no_owner);
  CPPUNIT_TEST(a_sockets_policies_go_with_it);
  CPPUNIT_TEST_SUITE_END();

 public:
  void the_selector_matches_everything_of_the_family_on_the_wire() {
    const auto info = policy(flow(channel::Family::ipv6, true), channel::Direction::in);
    xfrm_selector wildcard{};
    wildcard.family = AF_INET6;
    CPPUNIT_ASSERT(std::memcmp(&wildcard, &info.sel, sizeof wildcard) == 0);
    CPPUNIT_ASSERT(info.dir == XFRM_POLICY_IN && info.action == XFRM_POLICY_ALLOW && info.share == XFRM_SHARE_ANY && info.flags == 0);
    CPPUNIT_ASSERT_EQUAL(int{XFRM_POLICY_OUT}, int{policy(flow(channel::Family::ipv4, false), channel::Direction::out).dir});
  }

  void a_v4_mapped_peer_gets_an_ipv4_selector_through_ipv6s_option() {
    const channel::Flow mapped = flow(channel::Family::ipv4, true);
    CPPUNIT_ASSERT(latch_option(mapped).level == IPPROTO_IPV6 && latch_option(mapped).name == IPV6_XFRM_POLICY);
    CPPUNIT_ASSERT_EQUAL(int{AF_INET}, int{policy(mapped, channel::Direction::out).sel.family});
    CPPUNIT_ASSERT_EQUAL(int{IPPROTO_IP}, latch_option(flow(channel::Family::ipv4, false)).level);
  }

  void the_template_requires_exactly_what_was_asked() {
    channel::Template wanted = good();
    wanted.spi = 0xc0ffee;
    wanted.mode = channel::Mode::tunnel;
    const auto encoded = encode_latch(flow(channel::Family::ipv4, false), channel::Direction::out, {wanted}, {});
    CPPUNIT_ASSERT_EQUAL(sizeof(xfrm_userpolicy_info) + sizeof(xfrm_user_tmpl), encoded->size());
    xfrm_user_tmpl one;
    std::memcpy(&one, encoded->data() + sizeof(xfrm_userpolicy_info), sizeof one);
    CPPUNIT_ASSERT(one.id.spi == htonl(0xc0ffee) && one.id.proto == 50 && one.reqid == 7 && one.mode == XFRM_MODE_TUNNEL && one.optional == 0);
    CPPUNIT_ASSERT(one.family == AF_INET && one.id.daddr.a4 == htonl(0x0a010002) && one.saddr.a4 == htonl(0x0a010001));
    CPPUNIT_ASSERT(one.aalgos == ~0u && one.ealgos == ~0u && one.calgos == ~0u && one.share == XFRM_SHARE_ANY);
  }

  void templates_that_let_clear_text_pass_are_refused() {
    channel::Template optional = good(), anyone = good(), strange = good();
    optional.optional = true;
    anyone.reqid = 0;
    strange.mode = channel::Mode::other;
    for (const auto& templates : {std::vector<channel::Template>{}, {optional}, {good(), optional}, {anyone}, {strange}, std::vector<channel::Template>(7, good())})
      CPPUNIT_ASSERT(encode_latch(flow(channel::Family::ipv4, false), channel::Direction::out, templates, {}).error().code == base::Code::NOT_LATCHABLE);
    CPPUNIT_ASSERT(encode_latch({}, channel::Direction::out, {good()}, {}).error().code == base::Code::NOT_LATCHABLE);
  }

  void the_kernel_takes_both_directions_and_the_dump_tells_only_whose_they_are() {
    in_namespace([] {
      for (const bool mapped : {false, true}) {
        const Pair pair = tcp_pair(mapped ? AF_INET6 : AF_INET, mapped);
        const auto facts = read_socket(pair.client.get(), *own_netns_cookie());
        const PolicyOwner owner{facts->cookie, 1000, 6, mapped};
        const base::Status set = set_latch(pair.client.get(), facts->flow, {good()}, {good()}, owner, false);
        CPPUNIT_ASSERT_MESSAGE(set ? "" : base::describe(set.error()), set.ok());
        CPPUNIT_ASSERT_EQUAL(std::string("34"), socket_policies());
        CPPUNIT_ASSERT(dump(**open_request_port(1000))->spd.policies.empty());
        CPPUNIT_ASSERT(*dump_policy_owners(**open_request_port(1000)) == std::vector<PolicyOwner>(2, owner));
        CPPUNIT_ASSERT(clear_latch(pair.client.get(), facts->flow).ok());
        CPPUNIT_ASSERT_EQUAL(std::string(), socket_policies());
      }
    });
  }

  void when_the_second_direction_is_refused_the_first_is_undone() {
    in_namespace([] {
      const Pair pair = tcp_pair(AF_INET);
      const auto facts = read_socket(pair.client.get(), *own_netns_cookie());
      CPPUNIT_ASSERT(set_latch(pair.client.get(), facts->flow, {good()}, {refused()}, {}, false).error().code == base::Code::NOT_LATCHABLE);
      CPPUNIT_ASSERT_EQUAL(std::string(), socket_policies());
    });
  }

  void an_older_latch_is_not_removed_by_a_failed_newer_one() {
    in_namespace([] {
      const Pair pair = tcp_pair(AF_INET);
      const auto facts = read_socket(pair.client.get(), *own_netns_cookie());
      CPPUNIT_ASSERT(set_latch(pair.client.get(), facts->flow, {good()}, {good()}, {}, false).ok());
      CPPUNIT_ASSERT(!set_latch(pair.client.get(), facts->flow, {good()}, {refused()}, {}, true).ok());
      CPPUNIT_ASSERT_EQUAL(std::string("34"), socket_policies());
    });
  }

  void a_refusal_of_the_kernel_is_not_latchable() {
    CPPUNIT_ASSERT(set_latch(-1, flow(channel::Family::ipv4, false), {good()}, {good()}, {}, false).error().code == base::Code::NOT_LATCHABLE);
  }

  // Nor do those of the SPD, whatever limits an administrator gives them.
  void policies_of_others_have_no_owner() {
    const PolicyOwner owner{77, 1000, 17, true};
    xfrm_userpolicy_info info = policy_info(12);
    info.lft.soft_byte_limit = info.lft.soft_packet_limit = XFRM_INF;
    CPPUNIT_ASSERT(!decode_policy_owner(octets_of(info))->has_value() && !owner_of({0, 77}).has_value());
    info.lft.soft_byte_limit = limits_of(owner).octets, info.lft.soft_packet_limit = limits_of(owner).packets;
    CPPUNIT_ASSERT(*decode_policy_owner(octets_of(info)) == owner);
    info.index = 9, info.dir = XFRM_POLICY_OUT;
    CPPUNIT_ASSERT(!decode_policy_owner(octets_of(info))->has_value());
    const base::Bytes cut = octets_of(info);
    CPPUNIT_ASSERT(decode_policy_owner(base::View(cut).first(100)).error().code == base::Code::NETLINK_MESSAGE);
    for (const bool required : {false, true}) {
      const PolicyOwner largest{~0ULL, ~0U, 255, required};
      CPPUNIT_ASSERT(owner_of(limits_of(largest)) == largest);
    }
  }

  // Also where it never was connected, and no list of sockets shows it.
  void a_sockets_policies_go_with_it() {
    in_namespace([] {
      base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const auto facts = read_new_socket(fd.get(), *own_netns_cookie());
      channel::Flow towards = facts->flow;
      towards.local.family = channel::Family::ipv4;
      const PolicyOwner owner{facts->cookie, 0, 6, true};
      CPPUNIT_ASSERT(set_latch(fd.get(), towards, {good()}, {good()}, owner, false).ok());
      CPPUNIT_ASSERT(*dump_policy_owners(**open_request_port(1000)) == std::vector<PolicyOwner>(2, owner));
      CPPUNIT_ASSERT(std::ranges::none_of(*list_sockets(6), [&facts](const DiagSocket& one) { return one.cookie == facts->cookie; }));
      fd.reset();
      CPPUNIT_ASSERT(dump_policy_owners(**open_request_port(1000))->empty());
    });
  }

 private:
  static channel::Flow flow(channel::Family family, bool on_ipv6_socket) {
    channel::Flow out;
    out.protocol = 6;
    out.local.family = out.remote.family = family;
    out.on_ipv6_socket = on_ipv6_socket;
    return out;
  }

  static channel::Template good() {
    channel::Template out;
    out.family = out.source.family = out.destination.family = channel::Family::ipv4;
    const std::byte prefix[] = {std::byte{10}, std::byte{1}, std::byte{0}};
    std::memcpy(out.source.octets.data(), prefix, 3);
    std::memcpy(out.destination.octets.data(), prefix, 3);
    out.source.octets[3] = std::byte{1};
    out.destination.octets[3] = std::byte{2};
    out.reqid = 7;
    return out;
  }

  // A protocol that is none of IPsec's.
  static channel::Template refused() {
    channel::Template out = good();
    out.protocol = 99;
    return out;
  }

  static xfrm_userpolicy_info policy(const channel::Flow& of, channel::Direction direction) {
    xfrm_userpolicy_info out;
    std::memcpy(&out, encode_latch(of, direction, {good()}, {})->data(), sizeof out);
    return out;
  }

  // The directions of what the kernel's raw dump shows, sorted: 3 is a socket's in, 4 its out.
  static std::string socket_policies() {
    auto port = open_request_port(1000);
    std::string directions;
    const auto outcome = transact(**port, Request(XFRM_MSG_GETPOLICY, NLM_F_DUMP), [&](const wire::Message& message) -> base::Status {
      directions += static_cast<char>('0' + wire::head<xfrm_userpolicy_info>(message.payload)->dir);
      return {};
    });
    CPPUNIT_ASSERT(outcome.ok());
    std::sort(directions.begin(), directions.end());
    return directions;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(LatchTest);

}  // namespace gssipsec::kernel::testing
