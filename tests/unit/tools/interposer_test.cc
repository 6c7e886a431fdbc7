// SPDX-License-Identifier: MIT
#include "tools/interposer.h"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace gssipsec::tools {
namespace {

namespace fs = std::filesystem;

class InterposerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(InterposerTest);
  CPPUNIT_TEST(it_is_where_kerberos_looks);
  CPPUNIT_TEST(enabled_it_is_a_line_that_everybody_can_read);
  CPPUNIT_TEST(it_is_too_old_for_programs_that_run);
  CPPUNIT_TEST(before_spnego_it_is_a_line_of_its_own);
  CPPUNIT_TEST(disabled_nothing_is_left);
  CPPUNIT_TEST(a_link_is_not_written_through);
  CPPUNIT_TEST(a_plugin_that_is_not_there_is_not_named);
  CPPUNIT_TEST(a_folder_that_is_not_there_is_told);
  CPPUNIT_TEST_SUITE_END();

  fs::path folder_;
  std::string file_, plugin_;

  static std::string text_of(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 public:
  void setUp() override {
    char name[] = "/tmp/gss-ipsec-interposer.XXXXXX";
    CPPUNIT_ASSERT(mkdtemp(name));
    folder_ = name;
    fs::create_directories(folder_ / "mech.d");
    file_ = folder_ / "mech.d/ipsec-krb5.conf";
    plugin_ = folder_ / "mech_ipsec.so";
    std::ofstream(plugin_) << "a plugin";
  }
  void tearDown() override { fs::remove_all(folder_); }

  void it_is_where_kerberos_looks() {
    CPPUNIT_ASSERT_EQUAL(std::string("/etc/gss/mech.d/ipsec-krb5.conf"), interposer_file(Before::kerberos));
    CPPUNIT_ASSERT_EQUAL(std::string("/etc/gss/mech.d/ipsec-spnego.conf"), interposer_file(Before::spnego));
  }

  void enabled_it_is_a_line_that_everybody_can_read() {
    const mode_t before = umask(077);
    CPPUNIT_ASSERT(!interposer_enabled(file_));
    CPPUNIT_ASSERT(enable_interposer(Before::kerberos, file_, plugin_).ok() && enable_interposer(Before::kerberos, file_, plugin_).ok());
    umask(before);
    CPPUNIT_ASSERT(interposer_enabled(file_));
    struct stat status{};
    CPPUNIT_ASSERT_EQUAL(0, stat(file_.c_str(), &status));
    CPPUNIT_ASSERT_EQUAL(0644u, status.st_mode & 07777u);
    const std::string text = text_of(file_);
    CPPUNIT_ASSERT(text.find("\nipsec-krb5 1.2.840.113556.1.8000.2554.29037.34951.56904.17186.41534.6054741.10980991.2 /") != std::string::npos);
    CPPUNIT_ASSERT(text.ends_with("/mech_ipsec.so <interposer>\n"));
  }

  // Whatever the mechanism's own line is dated, as long as it is not before 1970.
  void it_is_too_old_for_programs_that_run() {
    std::ofstream(file_) << "a line of an earlier version";
    for (const Before before : {Before::kerberos, Before::spnego}) {
      CPPUNIT_ASSERT(enable_interposer(before, file_, plugin_).ok());
      struct stat status{};
      CPPUNIT_ASSERT_EQUAL(0, stat(file_.c_str(), &status));
      CPPUNIT_ASSERT_EQUAL(time_t{1}, status.st_mtime);
    }
  }

  void before_spnego_it_is_a_line_of_its_own() {
    CPPUNIT_ASSERT(enable_interposer(Before::spnego, file_, plugin_).ok());
    const std::string text = text_of(file_);
    CPPUNIT_ASSERT(text.find("\nipsec-spnego 1.2.840.113556.1.8000.2554.29037.34951.56904.17186.41534.6054741.10980991.8 /") != std::string::npos);
    CPPUNIT_ASSERT(text.ends_with("/mech_ipsec.so <interposer>\n") && text.find("10980991.2 ") == std::string::npos && text.find("disable --spnego`") != std::string::npos);
  }

  void disabled_nothing_is_left() {
    CPPUNIT_ASSERT(disable_interposer(file_).ok());
    CPPUNIT_ASSERT(enable_interposer(Before::kerberos, file_, plugin_).ok() && disable_interposer(file_).ok());
    CPPUNIT_ASSERT(!interposer_enabled(file_) && fs::is_empty(folder_ / "mech.d"));
  }

  void a_link_is_not_written_through() {
    const std::string target = folder_ / "target";
    CPPUNIT_ASSERT_EQUAL(0, symlink(target.c_str(), (file_ + ".new").c_str()));
    CPPUNIT_ASSERT(enable_interposer(Before::kerberos, file_, plugin_).error().code == base::Code::SYSTEM);
    CPPUNIT_ASSERT(!fs::exists(target) && !interposer_enabled(file_));
  }

  void a_plugin_that_is_not_there_is_not_named() {
    fs::remove(plugin_);
    const base::Error error = enable_interposer(Before::kerberos, file_, plugin_).error();
    CPPUNIT_ASSERT(error.detail.find(plugin_) != std::string::npos && error.detail.find("install") != std::string::npos);
    fs::create_directory(plugin_);
    CPPUNIT_ASSERT(!enable_interposer(Before::kerberos, file_, plugin_).ok());
    CPPUNIT_ASSERT(fs::is_empty(folder_ / "mech.d"));
  }

  void a_folder_that_is_not_there_is_told() {
    CPPUNIT_ASSERT(enable_interposer(Before::kerberos, folder_ / "none/x.conf", plugin_).error().detail.find("none/x.conf.new: open") != std::string::npos);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(InterposerTest);

}  // namespace
}  // namespace gssipsec::tools
