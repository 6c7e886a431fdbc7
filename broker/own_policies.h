// SPDX-License-Identifier: MIT
// The sockets with a policy of their own of which a latch does not tell: those that REQUIRE gave one, which outlasts latches; those
// that a former broker gave one, by the kernel's list; and those that take datagrams and have or had one, for under which of them a
// datagram came nobody can tell afterwards. An entry goes with its socket, never before: by the kernel's word for that, or because
// the kernel has no policy of it any more. (A new socket is in no list of sockets.) Threads: any; nothing blocks but `set`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.h"
#include "broker/board.h"
#include "channel/policy.h"
#include "kernel/policy_owner.h"

namespace gssipsec::broker {

struct PolicyPair {
  std::vector<channel::Template> out, in;
  // To the kernel the same, and for the same peer: which of the SAs a latch is pinned to, and to which of the host's own addresses
  // transport mode leads, apart.
  [[nodiscard]] bool alike(const PolicyPair& other) const;
};

class OwnPolicies {
 public:
  // By whose turn it is. Writes down what `set` is about to set as its owner says; what stays is marked so. LIMIT when `most`
  // sockets are his already; `set` was not called then.
  using Set = std::function<base::Status(const kernel::PolicyOwner&)>;
  [[nodiscard]] base::Status give(kernel::PolicyOwner owner, const PolicyPair& pair, std::uint32_t most, const Set& set);
  // It is about to be taken away; the socket is there.
  void take_away(std::uint64_t cookie);
  // Its socket is gone.
  void close(std::uint64_t cookie);

  // Whether it has one, so that none must be worse; whether it must keep one until it closes. Both also while it is not known what
  // a former broker set.
  [[nodiscard]] bool has(std::uint64_t cookie) const;
  [[nodiscard]] bool stays(std::uint64_t cookie) const;
  // Whether any stream has one: those that a listener takes have its policy, and nothing says so.
  [[nodiscard]] bool has_streams() const;
  // What one user asked for no other moves but root: LATCH_OF_OTHER. While a former broker's are not known: BUSY.
  [[nodiscard]] base::Status may_move(std::uint64_t cookie, std::uint32_t uid) const;
  // Nor does a listener's latch move what was required (OWN_POLICY); what leaves it the same passes.
  [[nodiscard]] base::Status may_listen(std::uint64_t cookie, std::uint32_t uid, const PolicyPair& pair) const;
  // Whether datagrams of this socket were never judged by a policy of its own but this: UNKNOWN.
  [[nodiscard]] base::Status always(std::uint64_t cookie, const std::vector<channel::Template>& in) const;

  // Closings of sockets may have been missed until now.
  void unheard(Time now);
  [[nodiscard]] bool to_be_listed() const;
  // What the kernel has, asked after `before`. What was taken away goes with the closing alone: no list tells of it.
  void listed(const std::vector<kernel::PolicyOwner>& owners, Time before);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    kernel::PolicyOwner owner;
    PolicyPair pair{};          // the last; of a former broker's: nothing
    bool several = false;       // it was not the only one, or may not have been
    bool taken_away = false;    // the kernel has none now
    Time set{};                 // kNotYet while it is being set
    [[nodiscard]] bool counts() const;
  };
  using Entries = std::map<std::uint64_t, Entry>;
  static constexpr Time kNotYet = Time::max();
  [[nodiscard]] bool stays(const Entries::const_iterator& entry) const;
  [[nodiscard]] base::Status room(std::uint32_t uid, std::uint32_t most) const;
  [[nodiscard]] base::Result<std::optional<Entry>> note(kernel::PolicyOwner& owner, const PolicyPair& pair, std::uint32_t most);
  void settle(std::uint64_t cookie, bool done, const std::optional<Entry>& before);
  void adopt(const kernel::PolicyOwner& owner);

  mutable std::mutex mutex_;
  Entries sockets_;  // by cookie
  bool former_known_ = false;
  Time unheard_{}, listed_{};
};

}  // namespace gssipsec::broker
