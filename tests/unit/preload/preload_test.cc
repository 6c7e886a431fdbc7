// SPDX-License-Identifier: MIT
// The built library in front of libc, in a program of its own (tests/support/preload_probe.cc). Such a library cannot be loaded before
// a sanitizer that stands in front of libc itself: not run there.
#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <iostream>
#include <string>

#include "base/unique_fd.h"
#include "tests/support/source_dir.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GSS_IPSEC_CANNOT_PRELOAD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GSS_IPSEC_CANNOT_PRELOAD 1
#endif
#endif
#ifndef GSS_IPSEC_CANNOT_PRELOAD
#define GSS_IPSEC_CANNOT_PRELOAD 0
#endif

namespace gssipsec::preload {
namespace {

// What it said; empty when all was well.
std::string trial(const std::string& name) {
  int ends[2];
  CPPUNIT_ASSERT_EQUAL(0, pipe2(ends, O_CLOEXEC));
  const base::UniqueFd output(ends[0]);
  base::UniqueFd writer(ends[1]);
  const std::string program = support::built_path("tests/support/preload_probe"), library = "LD_PRELOAD=" + support::built_path(".libs/libgss-ipsec-preload.so");
  const pid_t child = fork();
  if (child == 0) {
    dup2(writer.get(), 2);
    alarm(20);
    std::array<char*, 2> environment{const_cast<char*>(library.c_str()), nullptr};
    execle(program.c_str(), "preload_probe", name.c_str(), nullptr, environment.data());
    _exit(127);
  }
  writer.reset();
  std::string said;
  std::array<char, 512> buffer{};
  for (ssize_t size; (size = read(output.get(), buffer.data(), buffer.size())) > 0;) said.append(buffer.data(), static_cast<std::size_t>(size));
  int status = -1;
  waitpid(child, &status, 0);
  return status == 0 ? said : "status " + std::to_string(status) + ": " + said;
}

void run(const char* name) {
  if (GSS_IPSEC_CANNOT_PRELOAD) std::cout << "skipped: sanitizer\n";
  else CPPUNIT_ASSERT_EQUAL(std::string(), trial(name));
}

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
};

CPPUNIT_TEST_SUITE_REGISTRATION(PreloadTest);

}  // namespace
}  // namespace gssipsec::preload
