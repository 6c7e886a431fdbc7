// SPDX-License-Identifier: MIT
// Runs a piece of a test in a forked child, for what cannot be undone in the test's own process: other users, other
// network namespaces, descriptors. An exception in the child fails the test in the parent with the same text.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace gssipsec::tests {

inline constexpr uid_t kNobody = 65534;

void in_child(const std::function<void()>& body);
// `meanwhile` runs here, once the child is there.
void in_child_while(const std::function<void()>& body, const std::function<void()>& meanwhile);
// Another program, which runs from here on and is ended with this.
class Program {
 public:
  Program(std::vector<std::string> words, std::vector<std::string> environment);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  pid_t pid_ = -1;
};
// A network namespace of its own for this process, with 10.9.9.1 and 10.9.9.2 as addresses that are not loopback.
// False where the system does not allow it.
[[nodiscard]] bool enter_own_network();
// `body` in a child that has entered one. Without root it is skipped, and says so.
void in_own_network(const std::function<void()>& body);

}  // namespace gssipsec::tests
