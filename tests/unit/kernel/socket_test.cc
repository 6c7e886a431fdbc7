// SPDX-License-Identifier: MIT
#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <unistd.h>

#include "kernel/socket.h"
#include "tests/unit/kernel/in_namespace.h"
#include "tests/unit/kernel/sockets.h"

namespace gssipsec::kernel::testing {

class SocketTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SocketTest);
  CPPUNIT_TEST(a_connected_socket_is_read_from_both_ends);
  CPPUNIT_TEST(a_v4_mapped_peer_is_ipv4_on_an_ipv6_socket);
  CPPUNIT_TEST(an_ipv6_peer_is_ipv6);
  CPPUNIT_TEST(a_listener_has_no_peer);
  CPPUNIT_TEST(a_socket_that_is_not_connected_is_told_so);
  CPPUNIT_TEST(a_new_socket_has_asked_for_no_peer);
  CPPUNIT_TEST(a_socket_that_is_connecting_is_not_new);
  CPPUNIT_TEST(connected_udp_has_a_peer_and_unconnected_takes_from_anybody);
  CPPUNIT_TEST(other_files_are_no_sockets);
  CPPUNIT_TEST(unix_raw_and_netlink_sockets_are_not_supported);
  CPPUNIT_TEST(mptcp_is_not_supported);
  CPPUNIT_TEST(a_socket_of_another_namespace_is_refused);
  CPPUNIT_TEST(the_owner_is_who_made_the_socket);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_connected_socket_is_read_from_both_ends() {
    const Pair pair = tcp_pair(AF_INET);
    const auto client = read(pair.client.get()), server = read(pair.server.get());
    CPPUNIT_ASSERT(client.ok() && server.ok());
    CPPUNIT_ASSERT(client->flow.protocol == IPPROTO_TCP && !client->flow.on_ipv6_socket && !client->listening);
    CPPUNIT_ASSERT(client->flow.local == server->flow.remote && client->flow.remote == server->flow.local);
    CPPUNIT_ASSERT(client->flow.local_port == server->flow.remote_port && client->flow.remote_port == server->flow.local_port);
    CPPUNIT_ASSERT_EQUAL(std::string("7f000001"), base::to_hex(client->flow.local.view()));
    CPPUNIT_ASSERT(client->cookie != 0 && client->cookie != server->cookie);
    CPPUNIT_ASSERT(read(pair.client.get())->cookie == client->cookie);
  }

  void a_v4_mapped_peer_is_ipv4_on_an_ipv6_socket() {
    const Pair pair = tcp_pair(AF_INET6, true);
    const auto facts = read(pair.client.get());
    CPPUNIT_ASSERT(facts.ok() && facts->flow.on_ipv6_socket);
    CPPUNIT_ASSERT(facts->flow.local.family == channel::Family::ipv4 && facts->flow.remote.family == channel::Family::ipv4);
  }

  void an_ipv6_peer_is_ipv6() {
    in_namespace([] {
      const Pair pair = tcp_pair(AF_INET6);
      const auto facts = read(pair.client.get());
      CPPUNIT_ASSERT(facts.ok() && facts->flow.on_ipv6_socket && facts->flow.remote.family == channel::Family::ipv6);
    });
  }

  void a_listener_has_no_peer() {
    const Pair four = tcp_pair(AF_INET), six = tcp_pair(AF_INET6, true);
    const auto facts = read(four.listener.get());
    CPPUNIT_ASSERT(facts.ok() && facts->listening && !facts->v6only && facts->flow.remote_port == 0);
    const base::UniqueFd fd = make_socket(AF_INET6, SOCK_STREAM);
    const int on = 1;
    CPPUNIT_ASSERT_EQUAL(0, ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    CPPUNIT_ASSERT(bind_and_listen(fd.get(), any));
    CPPUNIT_ASSERT(read(fd.get())->v6only && !read(six.listener.get())->v6only);
  }

  void a_socket_that_is_not_connected_is_told_so() {
    const base::UniqueFd fd = make_socket(AF_INET, SOCK_STREAM);
    CPPUNIT_ASSERT(read(fd.get()).error().code == base::Code::NOT_CONNECTED);
  }

  void a_new_socket_has_asked_for_no_peer() {
    const std::uint64_t netns = *own_netns_cookie();
    const auto is_new = [netns](int fd) { return read_new_socket(fd, netns); };
    const base::UniqueFd tcp = make_socket(AF_INET, SOCK_STREAM), udp = make_socket(AF_INET, SOCK_DGRAM);
    for (const int fd : {tcp.get(), udp.get()}) CPPUNIT_ASSERT(is_new(fd).ok() && !is_new(fd)->listening && is_new(fd)->flow.remote_port == 0);
    const Pair pair = tcp_pair(AF_INET);
    sockaddr_in6 peer = loopback(AF_INET);
    reinterpret_cast<sockaddr_in&>(peer).sin_port = htons(9);
    CPPUNIT_ASSERT(connect_to(udp.get(), peer));
    for (const int fd : {pair.client.get(), pair.listener.get(), udp.get()}) CPPUNIT_ASSERT(is_new(fd).error().code == base::Code::ALREADY_CONNECTED);
    CPPUNIT_ASSERT(read_new_socket(tcp.get(), netns + 1).error().code == base::Code::OTHER_NAMESPACE);
  }

  // Nobody answers: a full listener drops the SYN.
  void a_socket_that_is_connecting_is_not_new() {
    const base::UniqueFd listener = make_socket(AF_INET, SOCK_STREAM);
    sockaddr_in6 where = loopback(AF_INET);
    CPPUNIT_ASSERT(::bind(listener.get(), reinterpret_cast<sockaddr*>(&where), sizeof(sockaddr_in)) == 0 && ::listen(listener.get(), 0) == 0);
    socklen_t size = sizeof where;
    CPPUNIT_ASSERT_EQUAL(0, ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&where), &size));
    base::UniqueFd last;
    for (int i = 0; i < 8; ++i) {
      waiting_.push_back(std::move(last));
      last = make_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
      (void)::connect(last.get(), reinterpret_cast<sockaddr*>(&where), sizeof(sockaddr_in));
    }
    sockaddr_in6 peer{};
    size = sizeof peer;
    CPPUNIT_ASSERT(::getpeername(last.get(), reinterpret_cast<sockaddr*>(&peer), &size) != 0);
    CPPUNIT_ASSERT(read_new_socket(last.get(), *own_netns_cookie()).error().code == base::Code::ALREADY_CONNECTED);
  }

  void connected_udp_has_a_peer_and_unconnected_takes_from_anybody() {
    const base::UniqueFd fd = make_socket(AF_INET, SOCK_DGRAM);
    const auto open = read(fd.get());
    CPPUNIT_ASSERT(open.ok() && open->listening && open->flow.remote.family == channel::Family::none);
    sockaddr_in6 peer = loopback(AF_INET);
    reinterpret_cast<sockaddr_in&>(peer).sin_port = htons(9);
    CPPUNIT_ASSERT(connect_to(fd.get(), peer));
    const auto facts = read(fd.get());
    CPPUNIT_ASSERT(facts.ok() && facts->flow.protocol == IPPROTO_UDP && facts->flow.remote_port == 9 && !facts->listening);
  }

  void other_files_are_no_sockets() {
    const base::UniqueFd fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
    CPPUNIT_ASSERT(read(fd.get()).error().code == base::Code::NOT_A_SOCKET);
    CPPUNIT_ASSERT(read(-1).error().code == base::Code::NOT_A_SOCKET);
  }

  void unix_raw_and_netlink_sockets_are_not_supported() {
    for (const int domain : {AF_UNIX, AF_NETLINK}) {
      const base::UniqueFd fd = make_socket(domain, SOCK_DGRAM);
      CPPUNIT_ASSERT(read(fd.get()).error().code == base::Code::UNSUPPORTED_SOCKET);
    }
    const base::UniqueFd raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP));
    if (raw) CPPUNIT_ASSERT(read(raw.get()).error().code == base::Code::UNSUPPORTED_SOCKET);
  }

  // 262 & 255 is TCP's number.
  void mptcp_is_not_supported() {
    constexpr int kMptcp = 262;
    const base::UniqueFd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, kMptcp));
    if (!probe) return;
    const Pair pair = tcp_pair(AF_INET, false, kMptcp);
    CPPUNIT_ASSERT(read(pair.client.get()).error().code == base::Code::UNSUPPORTED_SOCKET);
  }

  void a_socket_of_another_namespace_is_refused() {
    const Pair pair = tcp_pair(AF_INET);
    CPPUNIT_ASSERT(read_socket(pair.client.get(), *own_netns_cookie() + 1).error().code == base::Code::OTHER_NAMESPACE);
    in_namespace([&] { CPPUNIT_ASSERT(read(pair.client.get()).error().code == base::Code::OTHER_NAMESPACE); });
  }

  void the_owner_is_who_made_the_socket() {
    const Pair pair = tcp_pair(AF_INET);
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(::geteuid()), read(pair.client.get())->owner_uid);
  }

 private:
  std::vector<base::UniqueFd> waiting_;

  static base::Result<SocketFacts> read(int fd) { return read_socket(fd, *own_netns_cookie()); }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SocketTest);

}  // namespace gssipsec::kernel::testing
