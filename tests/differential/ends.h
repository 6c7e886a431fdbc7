// SPDX-License-Identifier: MIT
// The sockets of one case. A's UDP sockets are connected while the databases are still empty, one for each round, because
// connect() itself asks the SPD. Everything is called in A's namespace and returns to it.
#pragma once

#include <vector>

#include "base/unique_fd.h"
#include "tests/differential/host.h"

namespace gssipsec::differential {

class Ends {
 public:
  Ends(const Scene& scene, const Host& a, const Host& b);

  // A connected UDP socket for this round, or -1: TCP and unconnected sockets have no peer before they send.
  [[nodiscard]] int connected(std::size_t round) const;
  // One packet from A: a datagram or a SYN. The errno, 0 when it was taken.
  int send_out(std::size_t round);
  void end_round(std::size_t round);

  // One packet from B.
  int send_in();
  // How many datagrams have come to A since the last call. UDP only.
  std::size_t received();
  // TCP and SCTP: whether the SYN or INIT came past the listener's own checks, the SPD's among them.
  [[nodiscard]] bool reached() const;
  [[nodiscard]] bool counts_datagrams() const noexcept { return scene_.flow.protocol == 17; }

 private:
  [[nodiscard]] base::UniqueFd make(const Host& host, bool of_a) const;
  [[nodiscard]] base::UniqueFd bound(const Host& host, bool of_a) const;
  [[nodiscard]] int connect(int fd, bool to_b) const;
  [[nodiscard]] base::Bytes payload() const;
  void listen();
  [[nodiscard]] bool is_sctp() const noexcept { return scene_.kind == Kind::sctp; }

  const Scene& scene_;
  const Host &a_, &b_;
  std::vector<base::UniqueFd> ours_;  // by round
  base::UniqueFd theirs_, listener_;
  std::uint64_t chunks_ = 0;  // that had come to SCTP when it began to listen
};

}  // namespace gssipsec::differential
