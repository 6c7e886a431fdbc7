// SPDX-License-Identifier: MIT
#include "tools/process.h"

#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace gssipsec::tools {
namespace {

// Of another process: one's own locks are no obstacle.
bool locked(int fd) {
  const pid_t child = fork();
  if (child == 0) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    _exit(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 1 : 0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

class ProcessTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ProcessTest);
  CPPUNIT_TEST(what_is_no_socket_is_not_copied);
  CPPUNIT_TEST_SUITE_END();

 public:
  // Closing any copy of a file ends its process's locks on it, and this process looks at itself.
  void what_is_no_socket_is_not_copied() {
    char name[] = "/tmp/process-test.XXXXXX";
    const base::UniqueFd file(mkstemp(name));
    CPPUNIT_ASSERT(file);
    unlink(name);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    CPPUNIT_ASSERT_EQUAL(0, fcntl(file.get(), F_SETLK, &lock));
    CPPUNIT_ASSERT(locked(file.get()));
    CPPUNIT_ASSERT(each_socket(getpid(), [](int, int) {}).ok());
    CPPUNIT_ASSERT(locked(file.get()));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ProcessTest);

}  // namespace
}  // namespace gssipsec::tools
