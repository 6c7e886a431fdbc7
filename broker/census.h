// SPDX-License-Identifier: MIT
// Lists the namespace's sockets (sock_diag) in a thread of its own: after each change of the SPD, soon but never
// more than about a fifth of the time, and every 30 s while there are latches or own policies to be listed. Feeds the history, closes latches whose socket is
// gone, and has the kernel's list of sockets' own policies where that is wanted. Threads: request() and the stop from any.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "broker/history.h"
#include "broker/host.h"
#include "broker/latches.h"
#include "broker/own_policies.h"

namespace gssipsec::broker {

class Census {
 public:
  Census(std::shared_ptr<Host> host, History& history, Latches& latches, OwnPolicies& own_policies)
      : host_(std::move(host)), history_(history), latches_(latches), own_policies_(own_policies) {}
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
  [[nodiscard]] bool has_cause() const;

  std::shared_ptr<Host> host_;
  History& history_;
  Latches& latches_;
  OwnPolicies& own_policies_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool requested_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace gssipsec::broker
