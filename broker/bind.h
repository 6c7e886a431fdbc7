// SPDX-License-Identifier: MIT
// What INITIATE, ACCEPT and FINISH have in common: is this socket fit to rest a context on, latch it, and make
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

// Latches in the kernel. What was set on a socket that had no latch of ours is taken back when `undo` is left alone.
class KernelLatch {
 public:
  [[nodiscard]] static base::Result<KernelLatch> set(Core& core, int fd, const Case& seen);
  ~KernelLatch();
  KernelLatch(KernelLatch&& other) noexcept;
  KernelLatch& operator=(KernelLatch&&) = delete;
  void keep() noexcept { core_ = nullptr; }
  [[nodiscard]] const LatchParameters& parameters() const noexcept { return parameters_; }
  // False: the socket had these very templates before.
  [[nodiscard]] bool changed() const noexcept { return changed_; }

 private:
  KernelLatch(Core* core, int fd, channel::Flow flow, LatchParameters parameters, bool changed);
  Core* core_;  // null: nothing to take back
  bool changed_;
  int fd_;
  channel::Flow flow_;
  LatchParameters parameters_;
};

// After latching: still this connection, still protected by the same peer and by these SAs (SPIs are reused, policies
// change). Updates `seen`.
[[nodiscard]] base::Status confirm(Core& core, const Request& request, Case& seen, const KernelLatch& latch, const std::vector<channel::Sa>& used);

// Registers the latch for this client's context. `since_start`: as protected_since_start() says.
[[nodiscard]] base::Result<Slot> enter(Core& core, const Request& request, const Case& seen, const LatchParameters& latched, bool since_start);
// The same for a handshake that has no context yet.
void enter_handshake(Core& core, const Request& request, const Case& seen, const LatchParameters& latched);

// The parts of an assertion that are the same in both roles.
[[nodiscard]] channel::Assertion vouch(Core& core, const Request& request, const Case& seen, channel::Role role, bool anonymous);
// Without a slot and a statement: of a handshake.
[[nodiscard]] protocol::ChannelInfo channel_info(Core& core, const Case& seen);
[[nodiscard]] protocol::ChannelInfo channel_info(Core& core, const Case& seen, const LatchParameters& latched, const Slot& slot);
// Nothing when both said nothing or one did; BAD_BINDINGS when they differ.
[[nodiscard]] base::Result<bool> compare_bindings(const channel::Digest& ours, const channel::Digest& theirs);
[[nodiscard]] base::Result<base::Secret> session_key(const channel::Exporter& exporter, const channel::Assertion& initiator,
                                                     const channel::Assertion& acceptor);
[[nodiscard]] bool is_zero(const channel::Digest& digest) noexcept;
[[nodiscard]] const channel::Sa* carrier_with_spi(const std::vector<channel::Sa>& carriers, std::uint32_t spi) noexcept;

}  // namespace gssipsec::broker
