// SPDX-License-Identifier: MIT
// Every latch that the broker set: by cookie and 4-tuple, with its parameters, its state and the contexts (slots on
// clients' pages) that rest on it. Holds no descriptor. Threads: all functions from any thread; nothing blocks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "broker/latch_index.h"
#include "broker/latch_rules.h"
#include "broker/page.h"
#include "kernel/socket.h"
#include "protocol/events.h"

namespace gssipsec::broker {

// The 4-tuple and protocol: what a connection is, marks and routes apart.
[[nodiscard]] bool same_connection(const channel::Flow& a, const channel::Flow& b) noexcept;

struct LatchSetup {
  std::uint64_t cookie = 0;
  channel::Flow flow;
  channel::Surroundings around;
  std::uint32_t owner = ~0U;  // uid that latched it
  LatchParameters parameters;
  bool since_start = false;
  bool listener = false;         // `flow` is that of one of its peers
  bool context = true;           // what rests on it is a context, which holds it
};

struct LatchInfo {
  LatchStatus status;
  LatchParameters parameters;
  std::uint32_t owner = ~0U;
  bool since_start = false;
  channel::Flow flow;  // with its route
  channel::Surroundings around;
};

class Latches {
 public:
  // Adds a context to the socket's latch (made, or found and brought to `setup`). A latch of the same cookie on another
  // connection is closed; one that is there is never replaced by another one: LATCH_BROKEN. LIMIT when the page is full.
  [[nodiscard]] base::Result<Slot> establish(const LatchSetup& setup, const std::shared_ptr<Page>& page, Time when);
  [[nodiscard]] std::optional<LatchInfo> find(std::uint64_t cookie, const channel::Flow& flow) const;

  // Whether it is whole: established, or watched.
  [[nodiscard]] bool holds(std::uint64_t cookie, const channel::Flow& flow) const;

  // Latches against what the board says: those that `changes` may concern, or those that could not be judged so far. Each is
  // looked at under the lock, and nobody has to wait for all of them. Returns the connections that just broke, and once more those
  // that could not be confirmed when what breaks them is proven.
  struct Broken {
    channel::Flow flow;
    std::uint64_t cookie = 0;
    std::uint32_t owner = ~0U;
    bool proven = false;  // something changed, rather than could not be confirmed in time
    bool told = false;    // before, as what could not be confirmed
    base::Error why;
  };
  std::vector<Broken> reevaluate(const Board& board, const Changes& changes, Time when);
  std::vector<Broken> reevaluate(const Board& board, Time when);  // all of them
  std::vector<Broken> reevaluate_unsettled(const Board& board, Time when);
  // One that was just made. What breaks here is returned by the next of the above, whose caller does what must be done then.
  void recheck(std::uint64_t cookie, const Board& board, Time when);
  [[nodiscard]] bool any_stale() const;
  [[nodiscard]] bool any_listener() const;

  void release(const std::shared_ptr<Page>& page, const Slot& slot);
  // Whether this context rests on this socket.
  [[nodiscard]] bool rests_on(const std::shared_ptr<Page>& page, const Slot& slot, std::uint64_t cookie, const channel::Flow& flow) const;
  void drop_page(const std::shared_ptr<Page>& page);
  void close(std::uint64_t cookie);   // its socket is gone
  void remove(std::uint64_t cookie);  // the kernel's latch is
  // May this user have the kernel's latch removed? NO_LATCH, LATCH_OF_OTHER, LATCH_IN_USE.
  [[nodiscard]] base::Status may_remove(std::uint64_t cookie, std::uint32_t uid, bool root) const;
  // Closes latches made before `before` whose socket `there` denies.
  void close_gone(const std::function<bool(std::uint16_t protocol, std::uint64_t cookie)>& there, Time before);
  // Closes those made before `before` whose socket is in the list, but with another connection.
  void close_moved(const std::vector<kernel::DiagSocket>& sockets, Time before);
  [[nodiscard]] std::size_t size() const;
  // In the order of their cookies, those behind `after`; `more` when that was not all.
  [[nodiscard]] protocol::LatchesReply list(std::uint64_t after, std::size_t most) const;
  // Whether this user may latch this socket, too: LIMIT when `most` others are his already.
  [[nodiscard]] base::Status room(std::uint64_t cookie, std::uint32_t owner, std::uint32_t most) const;

 private:
  struct Reference {
    std::shared_ptr<Page> page;
    Slot slot;
    bool context = true;
  };
  struct Latch {
    LatchSetup setup;
    LatchStatus status;
    Time stale_since{}, made{};
    std::vector<Reference> contexts;
  };
  using Context = std::pair<const Page*, std::uint32_t>;  // page, number of the slot
  [[nodiscard]] std::vector<std::uint64_t> concerned(const Changes& changes) const;
  [[nodiscard]] std::vector<std::uint64_t> unsettled() const;
  [[nodiscard]] std::vector<Broken> reassess(const std::vector<std::uint64_t>& cookies, const Board& board, Time when);
  [[nodiscard]] std::vector<Broken> take_untold();
  [[nodiscard]] std::optional<Broken> reassess(std::uint64_t cookie, const Board& board, Time when);
  void leave(const Context& context, std::uint64_t cookie);
  static void tell(const Latch& latch);
  static void end(Latch& latch, protocol::LatchState last);
  static protocol::LatchState word_of_closed(const Latch& latch) noexcept;
  using Entry = std::map<std::uint64_t, Latch>::iterator;
  Entry forget(Entry entry, protocol::LatchState last);

  mutable std::mutex mutex_;
  std::map<std::uint64_t, Latch> latches_;   // by cookie
  std::size_t listeners_ = 0;                // of them; each context asks
  LatchIndex index_;
  std::vector<Broken> untold_;  // by recheck()
  std::map<Context, std::uint64_t> cookies_;  // what each context that was not released rests on, or rested
};

}  // namespace gssipsec::broker
