// SPDX-License-Identifier: MIT
// Routes, links and sock_diag.
#include <cppunit/extensions/HelperMacros.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <poll.h>

#include <algorithm>

#include "kernel/diag_message.h"
#include "kernel/link.h"
#include "kernel/routes.h"
#include "kernel/socket.h"
#include "tests/unit/kernel/in_namespace.h"
#include "tests/unit/kernel/messages.h"
#include "tests/unit/kernel/sockets.h"

namespace gssipsec::kernel::testing {

class HostTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HostTest);
  CPPUNIT_TEST(a_route_names_its_device);
  CPPUNIT_TEST(routes_without_device_or_of_other_types_are_refused);
  CPPUNIT_TEST(of_a_bound_ipv6_socket_the_device_is_asked_about_without_its_address);
  CPPUNIT_TEST(a_vrf_and_its_slaves_are_told);
  CPPUNIT_TEST(an_xfrm_interface_tells_its_if_id);
  CPPUNIT_TEST(cut_links_and_names_with_slashes_are_broken);
  CPPUNIT_TEST(loopback_is_the_same_host);
  CPPUNIT_TEST(sockets_are_listed_and_listeners_found);
  CPPUNIT_TEST(a_socket_is_destroyed_by_its_cookie_only);
  CPPUNIT_TEST(news_of_sockets_that_close_can_be_read);
  CPPUNIT_TEST(broken_news_of_sockets_are_refused);
  CPPUNIT_TEST(a_cut_description_of_a_socket_is_broken);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_route_names_its_device() {
    const auto route = decode_route(octets_of(route_header(RTN_UNICAST)) + attribute(RTA_OIF, 3u));
    CPPUNIT_ASSERT(route.ok() && !route->local && route->output_ifindex == 3);
    CPPUNIT_ASSERT(decode_route(octets_of(route_header(RTN_LOCAL)) + attribute(RTA_OIF, 1u))->local);
    rtmsg header = route_header(RTN_UNICAST);
    header.rtm_family = AF_INET;
    const auto preferred = decode_route(octets_of(header) + attribute(RTA_OIF, 3u) + attribute(RTA_PREFSRC, htonl(0x0a010001)));
    CPPUNIT_ASSERT_EQUAL(std::string("0a010001"), base::to_hex(preferred->source.view()));
    CPPUNIT_ASSERT(decode_route(octets_of(header) + attribute(RTA_OIF, 3u) + attribute(RTA_PREFSRC, std::uint64_t{1}))->source.family == channel::Family::none);
  }

  void routes_without_device_or_of_other_types_are_refused() {
    CPPUNIT_ASSERT(!decode_route(octets_of(route_header(RTN_UNICAST))).ok());
    CPPUNIT_ASSERT(!decode_route(octets_of(route_header(RTN_MULTICAST)) + attribute(RTA_OIF, 3u)).ok());
    CPPUNIT_ASSERT(!decode_route(Bytes(4)).ok());
  }

  void of_a_bound_ipv6_socket_the_device_is_asked_about_without_its_address() {
    channel::Flow flow;
    flow.remote = *channel::parse_address("fd00::2");
    flow.local = *channel::parse_address("fd00::1");
    const auto names_source = [&flow] {
      const Bytes request = route_request(flow).finish(1);
      const auto wanted = flow.local.view();
      return std::search(request.begin(), request.end(), wanted.begin(), wanted.end()) != request.end();
    };
    CPPUNIT_ASSERT(names_source());
    flow.output_ifindex = 3;
    CPPUNIT_ASSERT(!names_source());
    flow.remote = *channel::parse_address("10.1.0.2");
    flow.local = *channel::parse_address("10.1.0.1");
    CPPUNIT_ASSERT(names_source());
  }

  void a_vrf_and_its_slaves_are_told() {
    CPPUNIT_ASSERT(link(attribute(IFLA_INFO_KIND, text("vrf")))->vrf);
    CPPUNIT_ASSERT(link(attribute(IFLA_INFO_KIND, text("veth")) + attribute(IFLA_INFO_SLAVE_KIND, text("vrf")))->vrf);
    CPPUNIT_ASSERT(!link(attribute(IFLA_INFO_KIND, text("veth")) + attribute(IFLA_INFO_SLAVE_KIND, text("bridge")))->vrf);
  }

  void an_xfrm_interface_tells_its_if_id() {
    CPPUNIT_ASSERT_EQUAL(77u, link(attribute(IFLA_INFO_KIND, text("xfrm")) + attribute(IFLA_INFO_DATA, attribute(2, 77u)))->if_id);
    CPPUNIT_ASSERT_EQUAL(0u, link(attribute(IFLA_INFO_KIND, text("veth")) + attribute(IFLA_INFO_DATA, attribute(2, 77u)))->if_id);
  }

  void cut_links_and_names_with_slashes_are_broken() {
    CPPUNIT_ASSERT(!decode_link(Bytes(8)).ok());
    CPPUNIT_ASSERT(!decode_link(octets_of(ifinfomsg{})).ok());
    CPPUNIT_ASSERT(!decode_link(octets_of(ifinfomsg{}) + attribute(IFLA_IFNAME, text("../x"))).ok());
    CPPUNIT_ASSERT(!decode_link(octets_of(ifinfomsg{}) + octets_of(nlattr{40, IFLA_IFNAME})).ok());
  }

  void loopback_is_the_same_host() {
    in_namespace([] {
      const Pair pair = tcp_pair(AF_INET);
      const auto facts = (*Routes::open(kTimeoutMs))->read(read_socket(pair.client.get(), *own_netns_cookie())->flow);
      CPPUNIT_ASSERT_MESSAGE(facts ? "" : base::describe(facts.error()), facts.ok());
      CPPUNIT_ASSERT(facts->same_host && facts->exempt_out && facts->exempt_in && !facts->vrf);
      CPPUNIT_ASSERT_EQUAL(::if_nametoindex("lo"), facts->output_ifindex);
    });
  }

  void sockets_are_listed_and_listeners_found() {
    in_namespace([] {
      const Pair pair = tcp_pair(AF_INET), mapped = tcp_pair(AF_INET6, true);
      const auto sockets = list_sockets(IPPROTO_TCP);
      CPPUNIT_ASSERT(sockets.ok());
      CPPUNIT_ASSERT_EQUAL(std::size_t{6}, sockets->size());
      for (const Pair* one : {&pair, &mapped}) {
        const auto facts = read_socket(one->client.get(), *own_netns_cookie());
        CPPUNIT_ASSERT(std::any_of(sockets->begin(), sockets->end(), [&](const DiagSocket& socket) { return socket.cookie == facts->cookie && socket.local_port == facts->flow.local_port && !socket.listening && socket.local == facts->flow.local && socket.remote == facts->flow.remote; }));
        channel::Flow accepted = facts->flow;
        std::swap(accepted.local, accepted.remote), std::swap(accepted.local_port, accepted.remote_port);
        CPPUNIT_ASSERT(*has_listener(accepted) && !*has_listener(facts->flow));
        accepted.local.octets[3] = std::byte{9};  // the listener is bound to its address
        CPPUNIT_ASSERT(!*has_listener(accepted));
        accepted.protocol = IPPROTO_UDP;
        CPPUNIT_ASSERT(!*has_listener(accepted));
      }
      CPPUNIT_ASSERT(list_sockets(262).error().code == base::Code::UNAVAILABLE);
    });
  }

  void a_socket_is_destroyed_by_its_cookie_only() {
    in_namespace([] {
      for (const bool mapped : {false, true}) {
        const Pair pair = tcp_pair(mapped ? AF_INET6 : AF_INET, mapped);
        const auto facts = read_socket(pair.client.get(), *own_netns_cookie());
        const base::Status other = destroy_socket(facts->flow, facts->cookie + 1000);
        CPPUNIT_ASSERT(!other.ok() && !destroys_sockets(262));
        if (!destroys_sockets(IPPROTO_TCP)) return;
        CPPUNIT_ASSERT(other.error().code == base::Code::SOCKET_CHANGED || other.error().code == base::Code::UNAVAILABLE);  // ESTALE, or ENOENT from 6.18 on
        CPPUNIT_ASSERT(::send(pair.client.get(), "x", 1, MSG_NOSIGNAL) == 1);
        CPPUNIT_ASSERT(destroy_socket(facts->flow, facts->cookie).ok());
        CPPUNIT_ASSERT(::send(pair.client.get(), "x", 1, MSG_NOSIGNAL) < 0);
      }
    });
  }

  void news_of_sockets_that_close_can_be_read() {
    in_namespace([] {
      const auto port = open_closings_port();
      CPPUNIT_ASSERT_MESSAGE(port ? "" : base::describe(port.error()), port.ok());
      for (const bool mapped : {false, true}) {
        Pair pair = tcp_pair(mapped ? AF_INET6 : AF_INET, mapped);
        const int reset[] = {1, 0};  // linger: closed at once
        (void)::setsockopt(pair.client.get(), SOL_SOCKET, SO_LINGER, reset, sizeof reset);
        pair.client.reset();
        for (int i = 0; i < 5; ++i) {
          pollfd waiting{(*port)->fd(), POLLIN, 0};
          (void)::poll(&waiting, 1, 10);
          const auto news = (*port)->receive();
          CPPUNIT_ASSERT(news.ok() && decode_closings(*news).ok());
        }
      }
    });
  }

  void broken_news_of_sockets_are_refused() {
    CPPUNIT_ASSERT(decode_closings(Bytes())->empty());
    CPPUNIT_ASSERT(!decode_closings(Bytes(sizeof(nlmsghdr) - 1)).ok());
    const nlmsghdr cut{sizeof(nlmsghdr) + 4, SOCK_DIAG_BY_FAMILY, 0, 0, 0};
    CPPUNIT_ASSERT(!decode_closings(octets_of(cut) + Bytes(4)).ok());
    const nlmsghdr overrun{sizeof(nlmsghdr), NLMSG_OVERRUN, 0, 0, 0};
    CPPUNIT_ASSERT(decode_closings(octets_of(overrun)).error().code == base::Code::NETLINK_LOST);
    const nlmsghdr other{sizeof(nlmsghdr), NLMSG_DONE, 0, 0, 0};
    CPPUNIT_ASSERT(decode_closings(octets_of(other))->empty());
  }

  void a_cut_description_of_a_socket_is_broken() {
    inet_diag_msg raw{};
    raw.idiag_state = 10;
    raw.id.idiag_cookie[1] = 1;
    CPPUNIT_ASSERT(decode_diag(octets_of(raw))->listening && decode_diag(octets_of(raw))->cookie == std::uint64_t{1} << 32);
    CPPUNIT_ASSERT(!decode_diag(Bytes(sizeof raw - 1)).ok());
  }

 private:
  static rtmsg route_header(unsigned char type) {
    rtmsg out{};
    out.rtm_type = type;
    return out;
  }
  static Bytes text(const char* value) {
    const auto* first = reinterpret_cast<const std::byte*>(value);
    return Bytes(first, first + std::strlen(value) + 1);
  }
  static base::Result<Link> link(const Bytes& info) {
    return decode_link(octets_of(ifinfomsg{}) + attribute(IFLA_IFNAME, text("eth0")) + attribute(IFLA_LINKINFO, info));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HostTest);

}  // namespace gssipsec::kernel::testing
