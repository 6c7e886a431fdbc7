// SPDX-License-Identifier: MIT
// Lists the namespace's sockets (sock_diag) in a thread of its own: after each change of the SPD, soon but never
// more than about a fifth of the time, and every 30 s while latches exist. Feeds the history and closes latches whose
// socket is gone. Threads: request() and the stop from any.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "broker/history.h"
#include "broker/host.h"
#include "broker/latches.h"

namespace gssipsec::broker {

class Census {
 public:
  Census(std::shared_ptr<Host> host, History& history, Latches& latches) : host_(std::move(host)), history_(history), latches_(latches) {}
  ~Census() { stop(); }
  Census(const Census&) = delete;
  Census& operator=(const Census&) = delete;

  void start();
  void request();
  void stop();
  void take();  // one list of each protocol, in the calling thread

  static constexpr auto kSweep = std::chrono::seconds(30);

 private:
  void run();

  std::shared_ptr<Host> host_;
  History& history_;
  Latches& latches_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool requested_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace gssipsec::broker
