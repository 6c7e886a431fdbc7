// SPDX-License-Identifier: MIT
#include "broker/windows.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using channel::Role;

class WindowsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WindowsTest);
  CPPUNIT_TEST(a_counter_is_admitted_once_and_must_grow);
  CPPUNIT_TEST(flows_roles_and_pairs_are_apart);
  CPPUNIT_TEST(a_full_window_admits_no_new_flow_and_forgets_no_old_one);
  CPPUNIT_TEST(the_number_of_pairs_is_bounded);
  CPPUNIT_TEST(windows_go_with_their_sa_only);
  CPPUNIT_TEST(the_brokers_counter_grows_when_the_clock_does_not);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_counter_is_admitted_once_and_must_grow() {
    CPPUNIT_ASSERT(admit(1, 100, 5));
    CPPUNIT_ASSERT(!admit(1, 100, 5));
    CPPUNIT_ASSERT(!admit(1, 100, 4));
    CPPUNIT_ASSERT(admit(1, 100, 6));
  }

  void flows_roles_and_pairs_are_apart() {
    CPPUNIT_ASSERT(admit(1, 100, 5));
    CPPUNIT_ASSERT(admit(1, 101, 5));
    CPPUNIT_ASSERT(admit(2, 100, 5));
    CPPUNIT_ASSERT(admit(1, 100, 5, Role::acceptor));
  }

  void a_full_window_admits_no_new_flow_and_forgets_no_old_one() {
    for (std::uint16_t port = 0; port < 4; ++port) CPPUNIT_ASSERT(admit(1, port, 5));
    CPPUNIT_ASSERT(!admit(1, 99, 5));
    for (std::uint16_t port = 0; port < 4; ++port) CPPUNIT_ASSERT(!admit(1, port, 5));
    CPPUNIT_ASSERT(admit(1, 0, 6));
    CPPUNIT_ASSERT(admit(2, 99, 5));
  }

  void the_number_of_pairs_is_bounded() {
    for (int pair = 0; pair < 3; ++pair) CPPUNIT_ASSERT(admit(pair, 1, 5));
    CPPUNIT_ASSERT(!admit(77, 1, 5));
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, windows_.pairs());
  }

  void windows_go_with_their_sa_only() {
    CPPUNIT_ASSERT(admit(1, 1, 5));
    windows_.sweep([](const channel::SaId&) { return true; });
    CPPUNIT_ASSERT(!admit(1, 1, 5));
    windows_.sweep([this](const channel::SaId& id) { return id != inbound_; });
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, windows_.pairs());
  }

  void the_brokers_counter_grows_when_the_clock_does_not() {
    Counter counter;
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1000}, counter.next(1000));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1001}, counter.next(1000));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1002}, counter.next(5));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{2000}, counter.next(2000));
    CPPUNIT_ASSERT(Counter::realtime() > 1700000000ULL * 1000000000ULL);
  }

 private:
  bool admit(int pair, std::uint16_t port, std::uint64_t counter, Role role = Role::initiator) {
    channel::FlowLabel flow;
    flow.initiator_port = port;
    return windows_.admit(digest_of(pair), inbound_, flow, role, counter);
  }

  const channel::SaId inbound_ = esp_sa(kSpiToB, "10.1.0.1", "10.1.0.2").id;
  Windows windows_{4, 3};
};

CPPUNIT_TEST_SUITE_REGISTRATION(WindowsTest);

}  // namespace
}  // namespace gssipsec::broker::testing
