// SPDX-License-Identifier: MIT
// The built library in front of libc, in a program of its own (tests/support/preload_probe.cc).
#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/child.h"
#include "tests/support/preloaded.h"

namespace gssipsec::preload {
namespace {

void run(const char* name) { CPPUNIT_ASSERT_EQUAL(std::string(), support::run_preloaded("preload_probe", name, {"libgss-ipsec-preload.so"})); }

class PreloadTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PreloadTest);
  CPPUNIT_TEST(each_way_of_reading_is_seen);
  CPPUNIT_TEST(each_way_of_touching_is_seen);
  CPPUNIT_TEST(what_is_peeked_at_or_thrown_away_does_not_count);
  CPPUNIT_TEST(copies_closed_and_reused_descriptors_are_followed);
  CPPUNIT_TEST(sockets_that_were_handed_over_are_seen);
  CPPUNIT_TEST(children_have_their_own_and_those_of_vfork_change_nothing);
  CPPUNIT_TEST(reading_and_writing_make_no_other_system_call);
  CPPUNIT_TEST(errno_is_the_calls_own);
  CPPUNIT_TEST(the_plugins_search_is_not_the_programs);
  CPPUNIT_TEST_SUITE_END();

 public:
  void each_way_of_reading_is_seen() { run("each-way-of-reading"); }
  void each_way_of_touching_is_seen() { run("each-way-of-writing"); }
  void what_is_peeked_at_or_thrown_away_does_not_count() { run("no-stream"); }
  void copies_closed_and_reused_descriptors_are_followed() { run("descriptors"); }
  void sockets_that_were_handed_over_are_seen() { run("handed-over"); }
  void children_have_their_own_and_those_of_vfork_change_nothing() { run("children"); }
  void reading_and_writing_make_no_other_system_call() { run("no-system-calls"); }
  void errno_is_the_calls_own() { run("errno"); }

  void the_plugins_search_is_not_the_programs() { tests::in_own_network([] { run("search"); }); }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PreloadTest);

}  // namespace
}  // namespace gssipsec::preload
