// SPDX-License-Identifier: MIT
// What INITIATE and ACCEPT have in common: is this socket fit to rest a context on, latch it, and make
// assertions for it. Workers only.
#pragma once

#include "broker/examine.h"
#include "broker/handlers.h"
#include "channel/assertion.h"

namespace gssipsec::broker {

// design/socket.md rules 2 and 3, repeated here: role and owner of a socket that the caller did not name. NOT_OWNER, WRONG_SIDE.
[[nodiscard]] base::Status fits_role(Core& core, const Request& request, const Case& seen, protocol::Found found, channel::Role role);

// Protected, strong, end to end, peer known and (unless anonymity is allowed) authenticated, since the connection began.
[[nodiscard]] base::Status fit_for_context(Core& core, const Case& seen, std::uint32_t want);

// By whose turn it is: the kernel's policies of this socket, `required` to stay. `replaces`: it has some that must not go where the
// kernel refuses these. LIMIT, before anything is set.
[[nodiscard]] base::Status give_policy(Core& core, const Request& request, const kernel::SocketFacts& socket, const PolicyPair& pair, bool required, bool replaces);
[[nodiscard]] base::Status take_policy_away(Core& core, int fd, const kernel::SocketFacts& socket);

// Latches in the kernel, for as long as it lives the only request to do so on this socket. What was set on a socket that had
// no policy of ours is taken back unless kept. A latch that is there is only ever strengthened: LATCH_BROKEN.
class KernelLatch {
 public:
  [[nodiscard]] static base::Result<KernelLatch> set(Core& core, const Request& request, const Case& seen);
  // Another kind of latch, with its own rule for what may follow one that is there.
  using Rule = base::Status (*)(const LatchInfo& known, const LatchParameters& now, const Request& request);
  [[nodiscard]] static base::Result<KernelLatch> set(Core& core, const Request& request, const Case& seen, LatchParameters parameters, Rule may_follow);
  ~KernelLatch();
  KernelLatch(KernelLatch&& other) noexcept;
  KernelLatch& operator=(KernelLatch&&) = delete;
  void keep() noexcept { core_ = nullptr; }
  [[nodiscard]] const LatchParameters& parameters() const noexcept { return parameters_; }

 private:
  KernelLatch(Turns::Turn turn, Core* core, int fd, kernel::SocketFacts socket, LatchParameters parameters);
  Turns::Turn turn_;
  Core* core_;  // null: nothing to take back
  int fd_;
  kernel::SocketFacts socket_;
  LatchParameters parameters_;
};

// Protected now, by the same peer and at least as strongly as `before`.
[[nodiscard]] base::Status still_congruent(const Core& core, const Case& seen, const LatchParameters& before);

// After latching: still this connection, still protected by the same peer and by these SAs (SPIs are reused, policies
// change). Updates `seen`.
[[nodiscard]] base::Status confirm(Core& core, const Request& request, Case& seen, const LatchParameters& latched,
                                   const std::vector<channel::Sa>& used);

// Registers the latch for this client's context. `since_start`: as protected_since_start() says.
[[nodiscard]] base::Result<Slot> enter(Core& core, const Request& request, const Case& seen, const LatchParameters& latched, bool since_start);
[[nodiscard]] base::Result<Slot> enter(Core& core, const Request& request, std::uint64_t seen_version, const LatchSetup& setup);

// The parts of an assertion that are the same in both roles.
[[nodiscard]] channel::Assertion vouch(const Request& request, const Case& seen, channel::Role role, bool anonymous);
[[nodiscard]] protocol::ChannelInfo channel_info(Core& core, const Case& seen, const LatchParameters& latched, const Slot& slot);
[[nodiscard]] const channel::Sa* carrier_with_spi(const std::vector<channel::Sa>& carriers, std::uint32_t spi) noexcept;

}  // namespace gssipsec::broker
