// SPDX-License-Identifier: MIT
// What is known of devices, and when it is asked anew.
#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <deque>

#include "kernel/devices.h"
#include "kernel/routes.h"
#include "tests/unit/kernel/in_namespace.h"
#include "tests/unit/kernel/messages.h"
#include "tests/unit/kernel/sockets.h"

namespace gssipsec::kernel::testing {
namespace {

// Says what the test queues; nothing otherwise.
class News final : public NetlinkPort {
 public:
  base::Status send(View) override { return {}; }
  base::Result<Bytes> receive() override {
    if (queued.empty()) return Bytes{};
    base::Result<Bytes> first = std::move(queued.front());
    queued.pop_front();
    return first;
  }
  int fd() const noexcept override { return -1; }
  std::uint64_t foreign() const noexcept override { return foreign_seen; }

  std::deque<base::Result<Bytes>> queued;
  std::uint64_t foreign_seen = 0;
};

// Knows every number as the device `name`.
class Links final : public NetlinkPort {
 public:
  base::Status send(View datagram) override {
    nlmsghdr header;
    std::memcpy(&header, datagram.data(), sizeof header);
    sequence_ = header.nlmsg_seq;
    ++asked;
    return {};
  }
  base::Result<Bytes> receive() override {
    const auto* first = reinterpret_cast<const std::byte*>(name.c_str());
    return message(RTM_NEWLINK, octets_of(ifinfomsg{}) + attribute(IFLA_IFNAME, Bytes(first, first + name.size() + 1)), 0, sequence_);
  }
  int fd() const noexcept override { return -1; }

  std::string name = "lo";
  int asked = 0;

 private:
  std::uint32_t sequence_ = 0;
};

void set(const std::string& name, char value) {
  const base::UniqueFd file(::open(("/proc/sys/net/ipv4/conf/" + name).c_str(), O_WRONLY | O_CLOEXEC));
  CPPUNIT_ASSERT_MESSAGE(name, file && ::write(file.get(), &value, 1) == 1);
}

void run(const std::string& command) { CPPUNIT_ASSERT_EQUAL_MESSAGE(command, 0, std::system(command.c_str())); }

class DevicesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DevicesTest);
  CPPUNIT_TEST(a_link_is_asked_for_once);
  CPPUNIT_TEST(after_news_it_is_asked_for_again);
  CPPUNIT_TEST(after_lost_news_it_is_asked_for_again);
  CPPUNIT_TEST(what_others_sent_may_hide_news);
  CPPUNIT_TEST(a_broken_monitor_is_an_error);
  CPPUNIT_TEST(a_device_without_switches_is_exempt_and_not_kept);
  CPPUNIT_TEST(switches_are_read_each_time);
  CPPUNIT_TEST(a_route_follows_renamed_and_replaced_devices);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    auto news = std::make_unique<News>();
    news_ = news.get();
    devices_ = std::make_unique<Devices>(std::move(news));
    links_ = Links();
  }

  void a_link_is_asked_for_once() {
    for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT_EQUAL(std::string("lo"), look()->link.name);
    CPPUNIT_ASSERT_EQUAL(1, links_.asked);
    (void)look(8);
    CPPUNIT_ASSERT_EQUAL(2, links_.asked);
  }

  void after_news_it_is_asked_for_again() {
    (void)look();
    news_->queued.emplace_back(Bytes(16));
    news_->queued.emplace_back(Bytes(16));
    (void)look();
    (void)look();
    CPPUNIT_ASSERT_EQUAL(2, links_.asked);
  }

  void after_lost_news_it_is_asked_for_again() {
    (void)look();
    news_->queued.emplace_back(base::fail(base::Code::NETLINK_LOST));
    (void)look();
    CPPUNIT_ASSERT_EQUAL(2, links_.asked);
  }

  void what_others_sent_may_hide_news() {
    (void)look();
    ++news_->foreign_seen;
    (void)look();
    CPPUNIT_ASSERT_EQUAL(2, links_.asked);
  }

  void a_broken_monitor_is_an_error() {
    news_->queued.emplace_back(base::fail(base::Code::NETLINK));
    CPPUNIT_ASSERT(look().error().code == base::Code::NETLINK);
  }

  void a_device_without_switches_is_exempt_and_not_kept() {
    links_.name = "no-such-device";
    CPPUNIT_ASSERT(look()->exempt.out && look()->exempt.in);
    CPPUNIT_ASSERT_EQUAL(2, links_.asked);
  }

  void switches_are_read_each_time() {
    in_namespace([this] {
      for (const char* device : {"lo", "all"}) {
        for (const std::string option : {"/disable_policy", "/disable_xfrm"}) {
          for (const char* each : {"lo/disable_policy", "lo/disable_xfrm", "all/disable_policy", "all/disable_xfrm"}) set(each, '0');
          CPPUNIT_ASSERT_MESSAGE(device + option, !look()->exempt.out && !look()->exempt.in);
          set(device + option, '1');
          const Exemption exempt = look()->exempt;
          CPPUNIT_ASSERT_EQUAL_MESSAGE(device + option, option == "/disable_xfrm", exempt.out);
          CPPUNIT_ASSERT_EQUAL_MESSAGE(device + option, option == "/disable_policy", exempt.in);
        }
      }
      CPPUNIT_ASSERT_EQUAL(1, links_.asked);
    });
  }

  void a_route_follows_renamed_and_replaced_devices() {
    in_namespace([] {
      const std::string make = "ip link add one type veth peer name other && ip addr add 10.7.0.1/24 dev one && ip link set one up";
      run(make);
      auto routes = Routes::open(1000);
      CPPUNIT_ASSERT(routes.ok());
      channel::Flow flow;
      flow.protocol = 6;
      flow.local = *channel::parse_address("10.7.0.1");
      flow.remote = *channel::parse_address("10.7.0.2");
      const auto exempt = [&] {
        const auto facts = (*routes)->read(flow);
        CPPUNIT_ASSERT_MESSAGE(facts ? "" : base::describe(facts.error()), facts.ok());
        CPPUNIT_ASSERT(!facts->same_host && !facts->vrf);
        return facts->exempt_out || facts->exempt_in;
      };
      CPPUNIT_ASSERT(!exempt());
      set("one/disable_policy", '1');
      CPPUNIT_ASSERT(exempt());
      run("ip link set one down && ip link set one name two && ip link set two up");
      CPPUNIT_ASSERT(exempt());
      set("two/disable_policy", '0');
      CPPUNIT_ASSERT(!exempt());
      run("ip link del two && " + make);
      CPPUNIT_ASSERT(!exempt());
      set("one/disable_xfrm", '1');
      CPPUNIT_ASSERT(exempt());
    });
  }

 private:
  base::Result<Device> look(std::uint32_t ifindex = 7) { return devices_->look(links_, ifindex, channel::Family::ipv4); }

  News* news_ = nullptr;
  Links links_;
  std::unique_ptr<Devices> devices_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(DevicesTest);

}  // namespace
}  // namespace gssipsec::kernel::testing
