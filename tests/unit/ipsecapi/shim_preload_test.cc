// SPDX-License-Identifier: MIT
// libipsecshim-preload.so in front of libc, in a program of its own (tests/support/shim_probe.cc).
#include "tests/support/preloaded.h"
#include "tests/unit/ipsecapi/shim_fixture.h"

namespace gssipsec::api {
namespace {

constexpr char kShim[] = "libipsecshim-preload.so", kOther[] = "libgss-ipsec-preload.so";

class ShimPreloadTest : public ShimFixture {
  CPPUNIT_TEST_SUITE(ShimPreloadTest);
  CPPUNIT_TEST(plain_calls_speak_by_ends);
  CPPUNIT_TEST(the_librarys_own_functions_are_called_beside_it);
  CPPUNIT_TEST(the_other_preload_may_be_there_before_and_behind);
  CPPUNIT_TEST(other_sockets_are_left_alone);
  CPPUNIT_TEST(a_handler_that_interrupts_accepting_lets_in_nobody_unseen);
  CPPUNIT_TEST(who_jumps_out_of_accepting_lets_in_nobody_unseen_afterwards);
  CPPUNIT_TEST(handlers_may_ask_about_sockets);
  CPPUNIT_TEST(children_may_ask_about_sockets);
  CPPUNIT_TEST(a_thread_may_be_cancelled_where_it_waits);
  CPPUNIT_TEST_SUITE_END();

 public:
  void plain_calls_speak_by_ends() { run("plain-calls"); }
  void the_librarys_own_functions_are_called_beside_it() { run("own-functions"); }
  void the_other_preload_may_be_there_before_and_behind() {
    for (const auto& order : {std::vector<std::string>{kOther, kShim}, {kShim, kOther}})
      for (const char* trial : {"plain-calls", "own-functions", "other-sockets"}) run(trial, order);
  }
  void other_sockets_are_left_alone() { run("other-sockets"); }
  void a_handler_that_interrupts_accepting_lets_in_nobody_unseen() { latching_ = base::Code::NO_POLICY, run("handler"); }
  void who_jumps_out_of_accepting_lets_in_nobody_unseen_afterwards() { latching_ = base::Code::NO_POLICY, run("jump"); }
  void handlers_may_ask_about_sockets() { run("many-signals"); }
  void children_may_ask_about_sockets() { run("many-forks"); }
  void a_thread_may_be_cancelled_where_it_waits() { run("cancelled"); }

 private:
  void run(const char* trial, const std::vector<std::string>& libraries = {kShim}) {
    const std::string said = support::run_preloaded("shim_probe", trial, libraries, {"GSS_IPSEC_BROKER=" + broker->path()});
    CPPUNIT_ASSERT_EQUAL_MESSAGE(trial, std::string(), said);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ShimPreloadTest);

}  // namespace
}  // namespace gssipsec::api
