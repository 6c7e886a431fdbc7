// SPDX-License-Identifier: MIT
// `ipsec-gss watch`: subscribes, then prints what the broker says until somebody wants it no more. Keeps no copy of a watched
// socket. Threads: one; SIGINT and SIGTERM are blocked in it from construction to the end.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "client/events.h"
#include "tools/status.h"

namespace gssipsec::tools {

// A line of output.
struct Watched {
  int descriptor = -1;  // of the watched socket, where it is one
  protocol::Event event;
};
struct Watching {
  int descriptor = -1;  // -1: the namespace
  protocol::SubscribeReply reply;
};

class Watch {
 public:
  // `print` returns false when nobody reads any more.
  using Print = std::function<bool(const std::string& text)>;
  [[nodiscard]] static base::Result<Watch> open(bool json, Print print);

  [[nodiscard]] base::Status add(int descriptor);
  [[nodiscard]] base::Status add_all();
  // Every connected socket of the process; ends when it ends.
  [[nodiscard]] base::Status add_process(int pid);
  [[nodiscard]] bool empty() const noexcept { return descriptors_.empty(); }

  // Ends well on SIGINT, SIGTERM, when nobody reads the output or the watched process is gone; with an error when the broker is.
  [[nodiscard]] base::Status run();

 private:
  Watch(client::EventStream stream, base::UniqueFd signals, bool json, Print print)
      : stream_(std::move(stream)), signals_(std::move(signals)), json_(json), print_(std::move(print)) {}
  [[nodiscard]] base::Status add(int number, const base::Result<protocol::SubscribeReply>& reply);
  [[nodiscard]] bool wanted_still();
  [[nodiscard]] base::Result<bool> print_waiting();

  client::EventStream stream_;
  base::UniqueFd signals_, process_;
  bool json_;
  Print print_;
  bool read_ = true;                          // somebody reads
  std::map<std::uint32_t, int> descriptors_;  // by subscription
};

}  // namespace gssipsec::tools
