// SPDX-License-Identifier: MIT
#include "tools/run.h"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tools/options.h"

namespace gssipsec::tools {
namespace {

namespace fs = std::filesystem;

class RunTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RunTest);
  CPPUNIT_TEST(the_programs_words_are_its_own);
  CPPUNIT_TEST(other_verbs_keep_their_words);
  CPPUNIT_TEST(a_program_is_found_by_path_or_in_folders);
  CPPUNIT_TEST(an_ordinary_program_may_be_run);
  CPPUNIT_TEST(programs_that_raise_their_rights_are_refused);
  CPPUNIT_TEST(a_static_program_is_refused);
  CPPUNIT_TEST(the_exit_code_is_the_programs);
  CPPUNIT_TEST(what_cannot_be_run_has_codes_of_its_own);
  CPPUNIT_TEST(the_program_gets_the_preload_before_others);
  CPPUNIT_TEST_SUITE_END();

  fs::path folder_;

  std::string script(const char* name, mode_t mode) const {
    const std::string file = folder_ / name;
    std::ofstream(file) << "#!/bin/sh\nexit 3\n";
    CPPUNIT_ASSERT_EQUAL(0, chmod(file.c_str(), mode));
    return file;
  }

  static void expect_cut(std::vector<std::string> words, std::size_t own, const std::vector<std::string>& program) {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    int argc = static_cast<int>(argv.size());
    CPPUNIT_ASSERT(program == cut_program(argc, argv.data()));
    CPPUNIT_ASSERT_EQUAL(own, static_cast<std::size_t>(argc));
  }

  // In a child, which becomes the program; its exit code.
  static int exit_code(std::vector<std::string> program, const std::string& library, bool thread = false) {
    const pid_t child = fork();
    if (child == 0) {
      if (!freopen("/dev/null", "w", stderr)) _exit(99);
      unsetenv("GSS_IPSEC_PRELOAD");
      setenv("LD_PRELOAD", "libc.so.6", 1);
      Options options;
      options.program = std::move(program);
      options.library = library;
      options.thread = thread;
      _exit(run_program(options));
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  static std::string libc() { return fs::exists("/lib/x86_64-linux-gnu/libm.so.6") ? "/lib/x86_64-linux-gnu/libm.so.6" : "/lib64/libm.so.6"; }

 public:
  void setUp() override {
    char name[] = "/tmp/run_test.XXXXXX";
    CPPUNIT_ASSERT(mkdtemp(name));
    folder_ = name;
  }
  void tearDown() override { fs::remove_all(folder_); }

  void the_programs_words_are_its_own() {
    using Words = std::vector<std::string>;
    const Words program{"sh", "-c", "[ -f x ]", "[a,b]", "--thread", "--", "--help", ""};
    for (const Words& own : {Words{}, Words{"--"}, Words{"--thread", "--"}, Words{"--library", "x", "--thread"}, Words{"--library=x"}}) {
      Words words{"ipsec-gss", "run"};
      words.insert(words.end(), own.begin(), own.end());
      words.insert(words.end(), program.begin(), program.end());
      expect_cut(words, 2 + own.size() - (!own.empty() && own.back() == "--" ? 1 : 0), program);
    }
    expect_cut({"ipsec-gss", "run", "--", "--thread"}, 2, {"--thread"});
    expect_cut({"ipsec-gss", "run", "-", "--thread"}, 2, {"-", "--thread"});
    for (const Words& without : {Words{"ipsec-gss", "run"}, Words{"ipsec-gss", "run", "--library"}, Words{"ipsec-gss", "run", "--help"}}) expect_cut(without, without.size(), {});
  }

  void other_verbs_keep_their_words() {
    expect_cut({"ipsec-gss", "status", "--", "x"}, 4, {});
    expect_cut({"ipsec-gss"}, 1, {});
  }

  void a_program_is_found_by_path_or_in_folders() {
    const std::string file = script("one", 0755);
    script("two", 0644);
    CPPUNIT_ASSERT_EQUAL(file, find_program("one", "/nowhere:" + folder_.string()).value_or(""));
    CPPUNIT_ASSERT_EQUAL(file, find_program(file, "").value_or(""));
    CPPUNIT_ASSERT(!find_program("one", "/nowhere") && !find_program("two", folder_.string()) && !find_program(folder_.string(), ""));
  }

  void an_ordinary_program_may_be_run() {
    CPPUNIT_ASSERT_EQUAL(std::string(), why_not_preloaded("/bin/sh"));
    CPPUNIT_ASSERT_EQUAL(std::string(), why_not_preloaded(script("script", 0755)));
  }

  void programs_that_raise_their_rights_are_refused() {
    CPPUNIT_ASSERT(why_not_preloaded(script("setuid", 04755)).find("is setuid") != std::string::npos);
    CPPUNIT_ASSERT(why_not_preloaded(script("setgid", 02755)).find("is setgid") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(126, exit_code({folder_ / "setuid"}, libc()));
  }

  void a_static_program_is_refused() {
    if (fs::exists("/bin/busybox")) CPPUNIT_ASSERT(why_not_preloaded("/bin/busybox").find("statically") != std::string::npos);
    // A header without any segment is as static as can be.
    std::string header(64, '\0');
    std::ifstream("/proc/self/exe", std::ios::binary).read(header.data(), 64);
    header[56] = header[57] = 0;
    std::ofstream(folder_ / "static", std::ios::binary) << header;
    CPPUNIT_ASSERT(why_not_preloaded(folder_ / "static").find("statically") != std::string::npos);
  }

  void the_exit_code_is_the_programs() { CPPUNIT_ASSERT_EQUAL(3, exit_code({script("script", 0755), "x"}, libc())); }

  void what_cannot_be_run_has_codes_of_its_own() {
    CPPUNIT_ASSERT_EQUAL(127, exit_code({"no-such-program"}, libc()));
    CPPUNIT_ASSERT_EQUAL(126, exit_code({"/bin/true"}, folder_ / "no-such-library.so"));
    fs::copy_file("/bin/true", folder_ / "with blank.so");
    CPPUNIT_ASSERT_EQUAL(126, exit_code({"/bin/true"}, folder_ / "with blank.so"));
  }

  void the_program_gets_the_preload_before_others() {
    const std::string wanted = "test \"$LD_PRELOAD\" = '" + libc() + ":libc.so.6' && test \"${GSS_IPSEC_PRELOAD:-none}\" = ";
    CPPUNIT_ASSERT_EQUAL(0, exit_code({"/bin/sh", "-c", wanted + "none"}, libc()));
    CPPUNIT_ASSERT_EQUAL(0, exit_code({"sh", "-c", wanted + "thread"}, libc(), true));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RunTest);

}  // namespace
}  // namespace gssipsec::tools
