// SPDX-License-Identifier: MIT
#include "client/program.h"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/child.h"

namespace gssipsec::client {
namespace {

namespace fs = std::filesystem;

constexpr const char *kWanted = "GSS_IPSEC_TEST_PROGRAM", *kFate = "GSS_IPSEC_TEST_PROGRAM_FATE";

class ProgramTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ProgramTest);
  CPPUNIT_TEST(it_is_the_file_that_runs);
  CPPUNIT_TEST(a_file_that_is_gone_keeps_its_name);
  CPPUNIT_TEST(a_name_may_end_as_those_of_files_that_are_gone);
  CPPUNIT_TEST(one_that_no_message_carries_is_none);
  CPPUNIT_TEST(another_process_has_its_own);
  CPPUNIT_TEST_SUITE_END();

 public:
  // Also what runs under another name, see expect().
  void it_is_the_file_that_runs() {
    const fs::path file = fs::read_symlink("/proc/self/exe");
    const char *wanted = getenv(kWanted), *fate = getenv(kFate);
    if (!wanted || !fate) return CPPUNIT_ASSERT_EQUAL(file.string(), program_path());
    if (fate == std::string("removed")) fs::remove(file);
    if (fate == std::string("replaced")) {
      const fs::path other = file.parent_path() / "other";
      std::ofstream(other) << "another program";
      fs::rename(other, file);
    }
    CPPUNIT_ASSERT_EQUAL(std::string(wanted), program_path());
    CPPUNIT_ASSERT_EQUAL(std::string(wanted), program_path(getpid()));
  }

  void a_file_that_is_gone_keeps_its_name() {
    expect("program", "removed", true);
    expect("program", "replaced", true);
  }
  void a_name_may_end_as_those_of_files_that_are_gone() {
    for (const char* fate : {"left", "removed", "replaced"}) expect("program (deleted)", fate, true);
  }
  void one_that_no_message_carries_is_none() {
    const std::string part(250, 'x');
    expect("line\nbreak", "left", false);
    expect(part + "/" + part + "/" + part + "/" + part + "/" + part, "left", false);
  }
  void another_process_has_its_own() {
    const tests::Program other({"/bin/sleep", "60"}, {});
    CPPUNIT_ASSERT_EQUAL(fs::canonical("/bin/sleep").string(), program_path(other.pid()));
  }

 private:
  // This program, started as `name`.
  static void expect(const std::string& name, const char* fate, bool named) {
    const fs::path self = fs::read_symlink("/proc/self/exe");
    std::string folder = self.parent_path() / "program.XXXXXX";
    CPPUNIT_ASSERT(mkdtemp(folder.data()));
    const fs::path file = fs::path(folder) / name;
    fs::create_directories(file.parent_path());
    fs::create_hard_link(self, file);
    const pid_t pid = fork();
    if (pid == 0) {
      setenv(kWanted, named ? file.c_str() : "", 1);
      setenv(kFate, fate, 1);
      execl(file.c_str(), "unit", "--filter", "ProgramTest::it_is_the_file_that_runs", nullptr);
      _exit(127);
    }
    int status = -1;
    CPPUNIT_ASSERT_EQUAL(pid, waitpid(pid, &status, 0));
    fs::remove_all(folder);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(fate, 0, status);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ProgramTest);

}  // namespace
}  // namespace gssipsec::client
