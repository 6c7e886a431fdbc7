// SPDX-License-Identifier: MIT
// What the process can still do after it gave up what it does not need, as the kernel says it.
#include "broker/privileges.h"

#include <cppunit/extensions/HelperMacros.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "tests/support/child.h"

namespace gssipsec::broker::testing {
namespace {

constexpr const char* kNetAdmin = "0000000000001000";

// Of this thread, as /proc/self/status has it.
std::string status(const std::string& key) {
  std::ifstream in("/proc/thread-self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key + ":\t")) return line.substr(key.size() + 2);
  return {};
}

bool set_capabilities(std::uint32_t low) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  data[0].effective = data[0].permitted = low;
  return syscall(SYS_capset, &header, data) == 0;
}

class PrivilegesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PrivilegesTest);
  CPPUNIT_TEST(only_net_admin_is_kept_and_nothing_comes_back);
  CPPUNIT_TEST(what_a_service_manager_gave_is_enough);
  CPPUNIT_TEST(without_the_right_to_shrink_the_bound_the_rest_is_given_up);
  CPPUNIT_TEST(nobody_can_look_into_it);
  CPPUNIT_TEST_SUITE_END();

 public:
  void only_net_admin_is_kept_and_nothing_comes_back() {
    as_root([] {
      CPPUNIT_ASSERT(keep_net_admin_only().ok());
      for (const char* set : {"CapPrm", "CapEff", "CapBnd"}) CPPUNIT_ASSERT_EQUAL_MESSAGE(set, std::string(kNetAdmin), status(set));
      for (const char* set : {"CapInh", "CapAmb"}) CPPUNIT_ASSERT_EQUAL_MESSAGE(set, std::string("0000000000000000"), status(set));
      CPPUNIT_ASSERT_EQUAL(std::string("1"), status("NoNewPrivs"));
      CPPUNIT_ASSERT(has_net_admin());
    });
  }

  // And capset(2), which its unit refuses, is not called.
  void what_a_service_manager_gave_is_enough() {
    as_root([] {
      CPPUNIT_ASSERT(set_capabilities(1U << CAP_NET_ADMIN));
      CPPUNIT_ASSERT(keep_net_admin_only().ok());
      CPPUNIT_ASSERT_EQUAL(std::string(kNetAdmin), status("CapPrm"));
      CPPUNIT_ASSERT_EQUAL(std::string("1"), status("NoNewPrivs"));
    });
  }

  void without_the_right_to_shrink_the_bound_the_rest_is_given_up() {
    as_root([] {
      CPPUNIT_ASSERT(set_capabilities(1U << CAP_NET_ADMIN | 1U << CAP_SYS_CHROOT));
      CPPUNIT_ASSERT(keep_net_admin_only().ok());
      CPPUNIT_ASSERT_EQUAL(std::string(kNetAdmin), status("CapPrm"));
    });
    as_root([] {
      CPPUNIT_ASSERT(set_capabilities(1U << CAP_SYS_CHROOT));
      CPPUNIT_ASSERT(keep_net_admin_only().ok() && !has_net_admin());
      CPPUNIT_ASSERT_EQUAL(std::string("0000000000000000"), status("CapPrm"));
    });
  }

  void nobody_can_look_into_it() {
    tests::in_child([] {
      harden(10);
      CPPUNIT_ASSERT_EQUAL(0, prctl(PR_GET_DUMPABLE));
      rlimit core{};
      CPPUNIT_ASSERT(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0);
    });
  }

 private:
  static void as_root(void (*body)()) {
    if (getuid() == 0) tests::in_child(body);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PrivilegesTest);

}  // namespace
}  // namespace gssipsec::broker::testing
