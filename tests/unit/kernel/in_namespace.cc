// SPDX-License-Identifier: MIT
#include "tests/unit/kernel/in_namespace.h"

#include <cppunit/TestAssert.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <exception>
#include <string>

namespace gssipsec::kernel::testing {

namespace {

constexpr int kNotAllowed = 77;

bool raise_loopback() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool ok = ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  ::close(fd);
  return ok;
}

[[noreturn]] void child(const std::function<void()>& piece, int report) {
  if ((::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) || !raise_loopback()) ::_exit(kNotAllowed);
  try {
    piece();
    ::_exit(0);
  } catch (const std::exception& failure) {
    (void)!::write(report, failure.what(), std::strlen(failure.what()));
    ::_exit(1);
  }
}

std::string read_all(int fd) {
  std::string out;
  char buffer[512];
  for (ssize_t got; (got = ::read(fd, buffer, sizeof buffer)) > 0;) out.append(buffer, static_cast<std::size_t>(got));
  return out;
}

}  // namespace

void in_namespace(const std::function<void()>& piece) {
  int ends[2];
  CPPUNIT_ASSERT_EQUAL(0, ::pipe(ends));
  const pid_t pid = ::fork();
  if (pid == 0) child(piece, ends[1]);
  ::close(ends[1]);
  const std::string text = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotAllowed) return;
  CPPUNIT_ASSERT_MESSAGE(text, WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace gssipsec::kernel::testing
