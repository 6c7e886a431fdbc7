// SPDX-License-Identifier: MIT
// Netlink as a file: what a real kernel said once, said again without it. A recording is "GSNLREC1", then for each
// datagram u8 kind, u32 length (big endian), octets as on the socket (host order, of a 64-bit little-endian machine).
// For tests and benchmarks; holds keys of test SAs. One thread each.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "kernel/netlink_port.h"

namespace gssipsec::support {

struct Recording {
  enum class Kind : std::uint8_t { request = 1, answer = 2, event = 3 };
  struct Datagram {
    Kind kind;
    base::Bytes octets;
  };
  std::vector<Datagram> datagrams;

  [[nodiscard]] static base::Result<Recording> load(const std::string& path);
  [[nodiscard]] base::Status save(const std::string& path) const;
  [[nodiscard]] std::vector<base::Bytes> events() const;
};

// Passes everything through to a real port and writes it down. `received`: answer for request ports, event for monitors.
class RecordingPort final : public kernel::NetlinkPort {
 public:
  RecordingPort(std::unique_ptr<kernel::NetlinkPort> real, Recording& into, Recording::Kind received)
      : real_(std::move(real)), into_(into), received_(received) {}
  base::Status send(base::View datagram) override;
  base::Result<base::Bytes> receive() override;
  int fd() const noexcept override { return real_->fd(); }

 private:
  std::unique_ptr<kernel::NetlinkPort> real_;
  Recording& into_;
  Recording::Kind received_;
};

// Answers a request as the recorded kernel answered the last one of the same type and payload, with the asker's sequence
// number. What was never asked gets ESRCH for an SA look-up and EINVAL otherwise.
class ReplayPort final : public kernel::NetlinkPort {
 public:
  explicit ReplayPort(const Recording& recording);
  base::Status send(base::View datagram) override;
  base::Result<base::Bytes> receive() override;
  int fd() const noexcept override { return ready_.get(); }

 private:
  struct Exchange {
    base::Bytes request;
    std::vector<base::Bytes> answers;
  };
  std::vector<Exchange> exchanges_;
  std::deque<base::Bytes> pending_;
  base::UniqueFd ready_;  // never readable
};

// A monitor that says what it is given; fd() is readable while something is left.
class ReplayMonitor final : public kernel::NetlinkPort {
 public:
  explicit ReplayMonitor(std::vector<base::Bytes> events = {});
  void push(base::Bytes datagram);
  base::Status send(base::View) override { return {}; }
  base::Result<base::Bytes> receive() override;
  int fd() const noexcept override { return ready_.get(); }

 private:
  void signal() noexcept;

  std::deque<base::Bytes> pending_;
  base::UniqueFd ready_;
};

// A monitor that says what comes by a datagram socket; one octet: messages were lost.
class ToldMonitor final : public kernel::NetlinkPort {
 public:
  explicit ToldMonitor(int fd) : fd_(fd) {}
  base::Status send(base::View) override { return {}; }
  base::Result<base::Bytes> receive() override;
  int fd() const noexcept override { return fd_; }

 private:
  int fd_;  // not owned
};

// A port whose n-th received datagram meets a fault: it vanishes, is changed, or an error comes in its place.
class FaultyPort final : public kernel::NetlinkPort {
 public:
  using Fault = std::function<base::Result<base::Bytes>(base::Bytes)>;
  FaultyPort(kernel::NetlinkPort& real, std::size_t which, Fault fault) : real_(real), which_(which), fault_(std::move(fault)) {}
  base::Status send(base::View datagram) override { return real_.send(datagram); }
  base::Result<base::Bytes> receive() override;
  int fd() const noexcept override { return real_.fd(); }

 private:
  kernel::NetlinkPort& real_;
  std::size_t which_, received_ = 0;
  Fault fault_;
};

}  // namespace gssipsec::support
