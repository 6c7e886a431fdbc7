// SPDX-License-Identifier: MIT
// Asks the IKE sources, in a thread of its own because a daemon may be slow: when a source says that something changed
// (gathered for 20 ms), when somebody met an SA without a peer, and every 5 s while a source is away. Publishes to the
// board; what a source said last is kept while it is away. Threads: start() and stop() by the owner, ring() from any.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "broker/board.h"
#include "broker/config.h"

namespace gssipsec::broker {

// The administrator's word that a connection's secret is held by one peer: only then does a PSK name a peer.
void apply_psk_rules(const std::vector<PskRule>& rules, ike::Snapshot& snapshot);

class IkeThread {
 public:
  // In this thread: something new is on the board, with what the daemons said since the last time.
  using Published = std::function<void(std::vector<ike::Notice>)>;
  IkeThread(Board& board, std::vector<std::unique_ptr<ike::Source>> sources, std::vector<PskRule> psks, Published published);
  ~IkeThread();  // stop()
  IkeThread(const IkeThread&) = delete;
  IkeThread& operator=(const IkeThread&) = delete;

  void start();
  void ring() noexcept;  // ask all sources soon
  void stop();           // waits for a refresh under way (its own deadline)

 private:
  struct Entry {
    std::unique_ptr<ike::Source> source;
    SourceState state;
    Time due;  // next refresh
  };
  void run();
  void refresh(Entry& entry);
  void wait();
  void listen(Entry& entry);
  void publish();

  Board& board_;
  std::vector<Entry> entries_;
  const std::vector<PskRule> psks_;
  const Published published_;
  base::UniqueFd bell_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace gssipsec::broker
