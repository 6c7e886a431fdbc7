// SPDX-License-Identifier: MIT
#include "tests/support/child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>

#include "base/unique_fd.h"

namespace gssipsec::tests {
namespace {

[[noreturn]] void run(const std::function<void()>& body, int report) {
  std::string text;
  try {
    body();
  } catch (const std::exception& error) {
    text = error.what();
    if (text.empty()) text = "failed";
  }
  [[maybe_unused]] const ssize_t written = write(report, text.data(), text.size());
  _exit(text.empty() ? 0 : 1);
}

std::string read_all(int fd) {
  std::string text;
  char part[512];
  for (ssize_t size; (size = read(fd, part, sizeof part)) > 0;) text.append(part, static_cast<std::size_t>(size));
  return text;
}

bool add_address(int fd, const char* interface, const char* text) {
  ifreq request{};
  strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, text, &address.sin_addr);
  memcpy(&request.ifr_addr, &address, sizeof address);
  if (ioctl(fd, SIOCSIFADDR, &request) != 0) return false;
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

}  // namespace

void in_child(const std::function<void()>& body) {
  in_child_while(body, [] {});
}

void in_child_while(const std::function<void()>& body, const std::function<void()>& meanwhile) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("pipe");
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    run(body, ends[1]);
  }
  close(ends[1]);
  const base::UniqueFd reading(ends[0]);
  meanwhile();
  const std::string text = read_all(reading.get());
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) throw std::runtime_error("no child");
  if (status != 0) throw std::runtime_error(text.empty() ? "the child died, status " + std::to_string(status) : text);
}

namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

Program::Program(std::vector<std::string> words, std::vector<std::string> environment) {
  const std::vector<char*> argv = pointers(words), envp = pointers(environment);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const base::UniqueFd reading(ends[0]);
  pid_ = fork();
  if (pid_ == 0) {
    execve(argv[0], argv.data(), envp.data());
    _exit(write(ends[1], "no program", 10) == 10 ? 127 : 126);
  }
  close(ends[1]);
  const std::string failure = pid_ < 0 ? "no child" : read_all(reading.get());  // its end is closed once the program runs
  if (!failure.empty()) throw std::runtime_error(failure);
}

Program::~Program() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool enter_own_network() {
  if (unshare(CLONE_NEWNET) != 0) return false;
  const base::UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return add_address(fd.get(), "lo", "127.0.0.1") && add_address(fd.get(), "lo:1", "10.9.9.1") &&
         add_address(fd.get(), "lo:2", "10.9.9.2");
}

void in_own_network(const std::function<void()>& body) {
  if (geteuid() != 0) {
    std::cout << "skipped: not root\n";
    return;
  }
  in_child([&] {
    if (!enter_own_network()) throw std::runtime_error("no network namespace");
    body();
  });
}

}  // namespace gssipsec::tests
