// SPDX-License-Identifier: MIT
// Functions that other threads hand to the event thread: a mutexed queue behind an eventfd. post() never blocks on I/O.
// Threads: post() from any, run_all() in the event thread only.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace gssipsec::broker {

class Mailbox {
 public:
  using Letter = std::function<void()>;

  Mailbox();
  [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(event_); }
  [[nodiscard]] int fd() const noexcept { return event_.get(); }  // readable when there is something to run
  void post(Letter letter);
  // Runs what is there; letters posted meanwhile wait for the next turn.
  std::size_t run_all();

 private:
  base::UniqueFd event_;
  std::mutex mutex_;
  std::vector<Letter> letters_;
};

}  // namespace gssipsec::broker
