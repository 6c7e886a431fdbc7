// SPDX-License-Identifier: MIT
#include "tools/files.h"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/tools/text.h"

namespace gssipsec::tools {
namespace {

namespace fs = std::filesystem;

class FilesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FilesTest);
  CPPUNIT_TEST(a_file_is_read_through_links);
  CPPUNIT_TEST(what_is_no_file_is_not_opened);
  CPPUNIT_TEST(what_is_the_kernels_is_not_opened);
  CPPUNIT_TEST(a_file_without_end_is_not_read_to_its_end);
  CPPUNIT_TEST(of_a_process_no_more_is_read_either);
  CPPUNIT_TEST(who_can_write_to_the_file_can_change_it);
  CPPUNIT_TEST(who_can_write_to_a_folder_above_can_change_it);
  CPPUNIT_TEST(both_ends_of_a_link_count);
  CPPUNIT_TEST(who_owns_a_link_can_change_it);
  CPPUNIT_TEST(too_many_links_are_no_way);
  CPPUNIT_TEST_SUITE_END();

  fs::path folder_;
  mode_t mask_ = 0;

  std::string put(const std::string& name) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << "text\n";
    return folder_ / name;
  }
  void allow(const std::string& name, mode_t mode) const { CPPUNIT_ASSERT_EQUAL(0, chmod((folder_ / name).c_str(), mode)); }

 public:
  void setUp() override {
    mask_ = umask(022);
    char name[] = "/tmp/files-test.XXXXXX";
    CPPUNIT_ASSERT(mkdtemp(name));
    folder_ = name;
  }
  void tearDown() override {
    umask(mask_);
    fs::remove_all(folder_);
  }

  void a_file_is_read_through_links() {
    const std::string file = put("file");
    fs::create_symlink(file, folder_ / "link");
    CPPUNIT_ASSERT_EQUAL(std::string("text\n"), *read_file(folder_ / "link"));
    CPPUNIT_ASSERT(read_file(folder_ / "none").error().code == base::Code::SYSTEM);
  }

  // It would wait for a writer.
  void what_is_no_file_is_not_opened() {
    CPPUNIT_ASSERT_EQUAL(0, mkfifo((folder_ / "fifo").c_str(), 0600));
    for (const std::string& path : {(folder_ / "fifo").string(), folder_.string(), std::string("/dev/null")}) CPPUNIT_ASSERT(has(read_file(path).error().detail, "is no regular file"));
  }

  // Some act when they are read.
  void what_is_the_kernels_is_not_opened() {
    for (const char* path : {"/proc/self/status", "/proc/version"}) CPPUNIT_ASSERT(has(read_file(path).error().detail, "is the kernel's"));
  }

  void a_file_without_end_is_not_read_to_its_end() {
    fs::resize_file(put("long"), std::uintmax_t{1} << 40);
    CPPUNIT_ASSERT(has(read_file(folder_ / "long").error().detail, "is longer than"));
  }

  void of_a_process_no_more_is_read_either() {
    CPPUNIT_ASSERT(has(*read_of_process("/proc/self/status"), "Pid:"));
    fs::resize_file(put("long"), std::uintmax_t{1} << 40);
    CPPUNIT_ASSERT(has(read_of_process(folder_ / "long").error().detail, "is longer than"));
    CPPUNIT_ASSERT(read_of_process("/proc/self/none").error().code == base::Code::SYSTEM);
  }

  void who_can_write_to_the_file_can_change_it() {
    const std::string file = put("file");
    CPPUNIT_ASSERT_EQUAL(std::string(), changeable_by_others(file));
    CPPUNIT_ASSERT_EQUAL(std::string(), changeable_by_others(folder_ / "none"));
    for (const mode_t mode : {0664, 0646}) {
      allow("file", mode);
      CPPUNIT_ASSERT_EQUAL(file, changeable_by_others(file));
    }
    allow("file", 0644);
    if (geteuid() != 0) return;
    CPPUNIT_ASSERT_EQUAL(0, chown(file.c_str(), 4711, 0));
    CPPUNIT_ASSERT_EQUAL(file, changeable_by_others(file));
  }

  void who_can_write_to_a_folder_above_can_change_it() {
    const std::string file = put("a/b/file");
    for (const mode_t mode : {0775, 0757}) {
      allow("a", mode);
      CPPUNIT_ASSERT_EQUAL((folder_ / "a").string(), changeable_by_others(file));
    }
    allow("a", 01777);  // as /tmp: others make files of their own there, and cannot touch this
    CPPUNIT_ASSERT_EQUAL(std::string(), changeable_by_others(file));
  }

  void both_ends_of_a_link_count() {
    const std::string file = put("behind/file");
    put("open/other");
    fs::create_symlink(file, folder_ / "open/link");
    fs::create_symlink(folder_ / "open/other", folder_ / "behind/link");
    allow("open", 0777);
    CPPUNIT_ASSERT_EQUAL((folder_ / "open").string(), changeable_by_others(folder_ / "open/link"));
    CPPUNIT_ASSERT_EQUAL((folder_ / "open").string(), changeable_by_others(folder_ / "behind/link"));
    fs::create_symlink("link", folder_ / "behind/next");
    CPPUNIT_ASSERT_EQUAL((folder_ / "open").string(), changeable_by_others(folder_ / "behind/next"));
  }

  // Whatever it leads to now.
  void who_owns_a_link_can_change_it() {
    put("behind/file");
    fs::create_symlink("file", folder_ / "behind/link");
    fs::create_symlink("behind", folder_ / "folder");
    for (const char* name : {"behind/link", "folder/file", "folder/link"}) CPPUNIT_ASSERT_EQUAL(std::string(), changeable_by_others(folder_ / name));
    if (geteuid() != 0) return;
    CPPUNIT_ASSERT_EQUAL(0, lchown((folder_ / "behind/link").c_str(), 4711, 0));
    CPPUNIT_ASSERT_EQUAL((folder_ / "behind/link").string(), changeable_by_others(folder_ / "behind/link"));
    CPPUNIT_ASSERT_EQUAL((folder_ / "folder/link").string(), changeable_by_others(folder_ / "folder/link"));
    CPPUNIT_ASSERT_EQUAL(0, lchown((folder_ / "folder").c_str(), 4711, 0));
    CPPUNIT_ASSERT_EQUAL((folder_ / "folder").string(), changeable_by_others(folder_ / "folder/file"));
  }

  void too_many_links_are_no_way() {
    fs::create_symlink(put("file"), folder_ / "0");
    for (int i = 1; i < 25; ++i) fs::create_symlink(std::to_string(i - 1), folder_ / std::to_string(i));
    fs::create_directory_symlink(folder_, folder_ / "again");
    CPPUNIT_ASSERT_EQUAL(std::string(), changeable_by_others(folder_ / "24"));
    CPPUNIT_ASSERT(fs::exists(folder_ / "again/24") && !changeable_by_others(folder_ / "again/24").empty());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FilesTest);

}  // namespace
}  // namespace gssipsec::tools
