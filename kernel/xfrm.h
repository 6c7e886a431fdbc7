// SPDX-License-Identifier: MIT
// The kernel's XFRM databases: one dump, single look-ups, and a monitor of changes. Blocking calls with deadlines;
// used by the broker's event thread for the dump and monitor, by workers for look-ups (each with its own port).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/result.h"
#include "channel/resolver.h"
#include "channel/sa.h"
#include "kernel/netlink_port.h"
#include "kernel/policy_owner.h"

namespace gssipsec::kernel {

class Transaction;

struct Databases {
  channel::Spd spd;
  channel::Sad sad;
};

// Whole SPD, default policies and SAD, without keys. NETLINK_LOST when the dump was interrupted (NLM_F_DUMP_INTR) or
// lost; the caller tries again. Socket policies (direction 3 and above) are skipped. `order` ascends with the age of a
// policy's index, which an update keeps; among policies of equal priority the older wins, and this order is not sure.
[[nodiscard]] base::Result<Databases> dump(NetlinkPort& port);
// The first half of it.
[[nodiscard]] base::Result<channel::Spd> dump_spd(NetlinkPort& port);
// What it skips: whose the policies of sockets are, as far as set_latch() wrote them. Those that a listener's connections took over
// have the listener's name.
[[nodiscard]] base::Result<std::vector<PolicyOwner>> dump_policy_owners(NetlinkPort& port);

// The other half, a datagram at a time: between two of them its owner may do something else. The port, which must outlive it,
// is its own until the end; after an error, or when it is given up, the port is of no more use.
class SadDump {
 public:
  using Take = std::function<void(channel::Sa)>;
  SadDump(NetlinkPort& port, Take take);
  ~SadDump();
  SadDump(const SadDump&) = delete;
  SadDump& operator=(const SadDump&) = delete;
  [[nodiscard]] base::Status begin();
  // Reads one; true when it was the last. NETLINK_LOST only then, when what was given before is worth nothing.
  [[nodiscard]] base::Result<bool> go_on();

 private:
  std::unique_ptr<Transaction> transaction_;
};

// How many the kernel has: of SAs with larval ones, of policies without those of sockets. Costs the same however many there are.
struct Counts { std::uint64_t sas = 0, policies = 0; };
[[nodiscard]] base::Result<Counts> read_counts(NetlinkPort& port);

// XFRM_MSG_GETSA of one SA, with its keys. SA_GONE when the kernel has none, and for an SA with a mark: its name alone does
// not find it.
[[nodiscard]] base::Result<channel::SaKeys> read_keys(NetlinkPort& port, const channel::SaId& id);
// The same without keys.
[[nodiscard]] base::Result<channel::Sa> read_sa(NetlinkPort& port, const channel::SaId& id);

// What the monitor says, in order.
struct SaAdded { channel::Sa sa; bool update = false; };
struct SaDeleted { channel::SaId id; };
struct SaExpired { channel::SaId id; bool hard = false; };
struct SasFlushed { std::uint8_t protocol = 0; };  // 0 or 255: all
struct PolicyAdded { channel::Policy policy; bool update = false; };
struct PolicyDeleted { std::uint32_t index = 0; channel::Direction direction; channel::Selector selector; bool sub_policy = false; channel::Mark mark; std::uint32_t if_id = 0; };
struct PolicyExpired { std::uint32_t index = 0; channel::Direction direction; bool hard = false; };
struct PoliciesFlushed { bool sub_policy = false; };
struct DefaultsChanged { channel::Action in, out; };
struct Mapped { channel::SaId id; };    // NAT mapping
struct Migrated {};                     // selectors and addresses changed: dump again
using Event = std::variant<SaAdded, SaDeleted, SaExpired, SasFlushed, PolicyAdded, PolicyDeleted, PolicyExpired,
                           PoliciesFlushed, DefaultsChanged, Mapped, Migrated>;

// All messages of one monitor datagram. A message of an unknown type is skipped; a broken one is NETLINK_MESSAGE. The
// kernel announces new SAs with their keys: wipe the datagram after this (base::wipe).
[[nodiscard]] base::Result<std::vector<Event>> decode_events(base::View datagram);

// Single messages, pure (for fuzzers and tests): payload behind nlmsghdr.
[[nodiscard]] base::Result<channel::Sa> decode_sa(base::View payload);
[[nodiscard]] base::Result<channel::Policy> decode_policy(base::View payload);
[[nodiscard]] base::Result<std::optional<PolicyOwner>> decode_policy_owner(base::View payload);
[[nodiscard]] base::Result<channel::SaKeys> decode_keys(base::View payload);
[[nodiscard]] base::Result<DefaultsChanged> decode_defaults(base::View payload);
[[nodiscard]] base::Result<std::uint64_t> decode_sa_count(base::View payload);
[[nodiscard]] base::Result<std::uint64_t> decode_policy_count(base::View payload);

}  // namespace gssipsec::kernel
