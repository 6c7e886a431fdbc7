// SPDX-License-Identifier: MIT
#include <cppunit/extensions/HelperMacros.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>

#include "kernel/netlink_receive.h"
#include "kernel/transaction.h"
#include "kernel/xfrm_mirror.h"
#include "tests/unit/kernel/in_namespace.h"
#include "tests/unit/kernel/messages.h"

namespace gssipsec::kernel::testing {

class NetlinkPortTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NetlinkPortTest);
  CPPUNIT_TEST(only_the_kernel_is_believed);
  CPPUNIT_TEST(a_truncated_datagram_is_lost);
  CPPUNIT_TEST(a_forged_datagram_is_dropped_and_counted);
  CPPUNIT_TEST(forged_datagrams_do_not_answer_a_request);
  CPPUNIT_TEST(the_monitor_hears_a_policy_that_is_added);
  CPPUNIT_TEST(the_monitor_hears_nothing_that_users_cause);
  CPPUNIT_TEST(an_overflow_is_a_loss);
  CPPUNIT_TEST(a_request_without_answer_ends);
  CPPUNIT_TEST_SUITE_END();

 public:
  void only_the_kernel_is_believed() {
    sockaddr_nl sender{};
    sender.nl_family = AF_NETLINK;
    CPPUNIT_ASSERT(judge(sender, sizeof sender, 0) == Arrival::deliver);
    sender.nl_pid = 1;
    CPPUNIT_ASSERT(judge(sender, sizeof sender, 0) == Arrival::foreign);
    CPPUNIT_ASSERT(judge(sender, sizeof sender, MSG_TRUNC) == Arrival::foreign);
    CPPUNIT_ASSERT(judge({}, 0, 0) == Arrival::foreign);
  }

  void a_truncated_datagram_is_lost() {
    sockaddr_nl sender{};
    sender.nl_family = AF_NETLINK;
    CPPUNIT_ASSERT(judge(sender, sizeof sender, MSG_TRUNC) == Arrival::lost);
  }

  void a_forged_datagram_is_dropped_and_counted() {
    in_namespace([] {
      auto monitor = open_monitor_port();
      CPPUNIT_ASSERT(monitor.ok());
      CPPUNIT_ASSERT((*monitor)->receive()->empty());
      forge(**monitor, message(XFRM_MSG_FLUSHSA, octets_of(xfrm_usersa_flush{0})));
      forge(**monitor, message(XFRM_MSG_FLUSHSA, octets_of(xfrm_usersa_flush{0})));
      CPPUNIT_ASSERT((*monitor)->receive()->empty());
      CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, (*monitor)->foreign());
    });
  }

  void forged_datagrams_do_not_answer_a_request() {
    in_namespace([] {
      auto port = open_request_port(200);
      for (std::uint32_t sequence = 0; sequence < 20; ++sequence) forge(**port, message(XFRM_MSG_NEWSA, sa_payload(1), 0, sequence));
      CPPUNIT_ASSERT(read_keys(**port, decode_sa(sa_payload(1))->id).error().code == base::Code::SA_GONE);
      CPPUNIT_ASSERT_EQUAL(std::uint64_t{20}, (*port)->foreign());
    });
  }

  void the_monitor_hears_a_policy_that_is_added() {
    in_namespace([] {
      auto monitor = open_monitor_port();
      auto port = open_request_port(1000);
      CPPUNIT_ASSERT_EQUAL(0, add_policy(**port, 1));
      pollfd entry{(*monitor)->fd(), POLLIN, 0};
      CPPUNIT_ASSERT_EQUAL(1, ::poll(&entry, 1, 1000));
      const auto events = decode_events(*(*monitor)->receive());
      CPPUNIT_ASSERT(events.ok() && events->size() == 1);
      Tables mirror;
      CPPUNIT_ASSERT(apply((*events)[0], mirror, {}).fits && mirror.spd.size() == 1);
      auto kernels = dump(**port);
      CPPUNIT_ASSERT(kernels.ok() && kernels->spd.policies.size() == 1);
      const Tables fresh = tables_of(*std::move(kernels), [](const channel::Sa&) { return channel::Arrival{}; });
      CPPUNIT_ASSERT(bring_to(mirror.spd, fresh.spd).removed.empty());
    });
  }

  // A group is a bit, the first one that of group 1.
  void the_monitor_hears_nothing_that_users_cause() {
    in_namespace([] {
      auto monitor = open_monitor_port();
      std::uint32_t joined = 0, wanted = 0;
      socklen_t size = sizeof joined;
      CPPUNIT_ASSERT_EQUAL(0, ::getsockopt((*monitor)->fd(), SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, &joined, &size));
      for (const int group : {XFRMNLGRP_SA, XFRMNLGRP_POLICY, XFRMNLGRP_EXPIRE, XFRMNLGRP_MIGRATE, XFRMNLGRP_MAPPING}) wanted |= 1U << (group - 1);
      CPPUNIT_ASSERT_EQUAL(wanted, joined);
    });
  }

  void an_overflow_is_a_loss() {
    in_namespace([] {
      auto monitor = open_monitor_port();
      const int smallest = 1;
      CPPUNIT_ASSERT_EQUAL(0, ::setsockopt((*monitor)->fd(), SOL_SOCKET, SO_RCVBUF, &smallest, sizeof smallest));
      auto port = open_request_port(1000);
      for (std::uint32_t i = 0; i < 50; ++i) CPPUNIT_ASSERT_EQUAL(0, add_policy(**port, i));
      bool lost = false;
      for (int i = 0; i < 50 && !lost; ++i) {
        const auto got = (*monitor)->receive();
        lost = !got.ok() && got.error().code == base::Code::NETLINK_LOST;
      }
      CPPUNIT_ASSERT(lost);
    });
  }

  void a_request_without_answer_ends() {
    in_namespace([] {
      auto port = open_request_port(50);
      const auto before = std::chrono::steady_clock::now();
      CPPUNIT_ASSERT((*port)->receive().error().code == base::Code::NETLINK);
      CPPUNIT_ASSERT(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(50));
    });
  }

 private:
  static void forge(const NetlinkPort& victim, const Bytes& datagram) {
    sockaddr_nl name{};
    socklen_t length = sizeof name;
    CPPUNIT_ASSERT_EQUAL(0, ::getsockname(victim.fd(), reinterpret_cast<sockaddr*>(&name), &length));
    const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
    CPPUNIT_ASSERT(::sendto(fd, datagram.data(), datagram.size(), 0, reinterpret_cast<const sockaddr*>(&name), sizeof name) > 0);
    ::close(fd);
  }

  static int add_policy(NetlinkPort& port, std::uint32_t number) {
    xfrm_userpolicy_info info = policy_info(0, number);
    info.dir = XFRM_POLICY_OUT;
    info.sel.daddr.a4 = htonl(0x0a000000 + number);
    info.sel.prefixlen_d = 32;
    info.lft.hard_byte_limit = info.lft.soft_byte_limit = info.lft.hard_packet_limit = info.lft.soft_packet_limit = XFRM_INF;
    Request request(XFRM_MSG_NEWPOLICY, NLM_F_ACK);
    request.fixed(info).attribute(XFRMA_TMPL, user_template());
    const auto outcome = transact(port, request, [](const wire::Message&) -> base::Status { return {}; });
    return outcome ? outcome->error : -1;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NetlinkPortTest);

}  // namespace gssipsec::kernel::testing
