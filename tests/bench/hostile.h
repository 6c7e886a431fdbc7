// SPDX-License-Identifier: MIT
// Processes of two other users that do to a broker what they can, while somebody else is measured. The first only holds: idle
// connections, answers that nobody reads, and two sockets whose close() takes an hour, so that its share of the workers is
// stuck. The second sends on demand. They go with the object. Failures: std::runtime_error.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"
#include "tests/bench/hosts.h"

namespace gssipsec::bench {

class Attackers {
 public:
  Attackers(const Hosts& hosts, const std::string& broker);
  ~Attackers();
  Attackers(const Attackers&) = delete;
  Attackers& operator=(const Attackers&) = delete;

  // Requests of the second are in the broker's hands, or about to be, when it returns: good ones, a broken one, one with a
  // descriptor that is no socket, and a connection that goes at once.
  void send() const;

 private:
  [[nodiscard]] pid_t start(void (*attack)(const Attackers&, int told, int tell));
  static void hold(const Attackers& all, int told, int tell);
  static void serve(const Attackers& all, int told, int tell);

  std::string broker_;
  Hosts::Ends lingering_[2];  // both ends, until the first has passed one on
  base::UniqueFd tell_, told_;  // of the one that was started last
  pid_t first_ = -1, second_ = -1;
};

}  // namespace gssipsec::bench
