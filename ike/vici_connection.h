// SPDX-License-Identifier: MIT
// One connection to strongSwan's control socket: trust, deadlines and packets; what they mean is its user's business.
// Never blocks longer than told. After a failure the connection is of no more use. Threads: one at a time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "ike/vici_codec.h"

namespace gssipsec::ike {

using Deadline = std::chrono::steady_clock::time_point;

class ViciConnection {
 public:
  // IKE_SOURCE when nobody listens at `path`, or somebody else than root or `owner` does.
  [[nodiscard]] static base::Result<ViciConnection> connect(const std::string& path, std::optional<uid_t> owner);

  [[nodiscard]] base::Status send(const ViciPacket& packet, Deadline until);
  [[nodiscard]] base::Result<ViciPacket> receive(Deadline until);
  // A packet that is here already, or nothing.
  [[nodiscard]] base::Result<std::optional<ViciPacket>> receive_now();

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  // Tells two lives of the daemon apart; empty when that cannot be known.
  [[nodiscard]] const std::string& life() const noexcept { return life_; }

 private:
  ViciConnection(base::UniqueFd fd, std::string life) : fd_(std::move(fd)), life_(std::move(life)) {}
  [[nodiscard]] base::Result<std::optional<ViciPacket>> buffered();
  [[nodiscard]] base::Result<bool> read_some();  // false: nothing there now
  [[nodiscard]] base::Status wait(short events, Deadline until) const;

  base::UniqueFd fd_;
  std::string life_;
  ViciStream stream_;
};

}  // namespace gssipsec::ike
