// SPDX-License-Identifier: MIT
// Closes sockets of broken latches; hears from the kernel that sockets closed (sock_diag), so that their latches and policies end at once and not with the next
// list. Where the kernel does not tell, or news were lost, the lists of the census are what remains. Listens while there are
// latches or policies only: the kernel tells of every socket of the namespace. Threads: the event thread only, but for
// close_broken().
#pragma once

#include <systemd/sd-event.h>

#include <functional>
#include <memory>

#include "broker/host.h"
#include "broker/latches.h"
#include "broker/own_policies.h"

namespace gssipsec::broker {

// Has the kernel close the socket of a latch that broke, unless it was mended since. Takes the socket's lock, which its owner may hold: to
// be called by a worker of his.
void close_broken(Host& host, const Latches& latches, const Latches::Broken& broken);

class Closings {
 public:
  // `lost`: news are missing, or begin only now.
  Closings(std::shared_ptr<Host> host, Latches& latches, OwnPolicies& own_policies, std::function<void()> lost);
  ~Closings() { stop(); }
  Closings(const Closings&) = delete;
  Closings& operator=(const Closings&) = delete;

  // Listens if there is something to hear of, or not. To be called now and then. `events` may be null (tests call drain() themselves).
  void adjust(sd_event* events);
  void drain();
  [[nodiscard]] bool listening() const noexcept { return port_ != nullptr; }

 private:
  void start(sd_event* events);
  void stop();
  void miss();

  std::shared_ptr<Host> host_;
  Latches& latches_;
  OwnPolicies& own_policies_;
  std::function<void()> lost_;
  std::unique_ptr<kernel::NetlinkPort> port_;
  sd_event_source* source_ = nullptr;
};

}  // namespace gssipsec::broker
