// SPDX-License-Identifier: MIT
#include "tools/print.h"

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <system_error>

namespace gssipsec::tools {
namespace {

struct Close {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

class PrintTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PrintTest);
  CPPUNIT_TEST(a_reader_who_went_away_is_no_failure);
  CPPUNIT_TEST(a_full_disk_is_one);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_reader_who_went_away_is_no_failure() {
    const auto before = signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> ends{};
    CPPUNIT_ASSERT_EQUAL(0, pipe(ends.data()));
    const File to(fdopen(ends[1], "w"));
    CPPUNIT_ASSERT(print("read", to.get()));
    close(ends[0]);
    CPPUNIT_ASSERT(!print("not read", to.get()));
    signal(SIGPIPE, before);
  }

  void a_full_disk_is_one() {
    const File full(std::fopen("/dev/full", "w"));
    CPPUNIT_ASSERT_THROW(print("an answer", full.get()), std::system_error);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PrintTest);

}  // namespace
}  // namespace gssipsec::tools
