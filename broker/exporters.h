// SPDX-License-Identifier: MIT
// Exporters by SA pair, kept for 30 s after their last use (docs/decisions/0002-exporter-cache.md): derived PRKs only,
// never an SA's keys, which are read from the kernel, used and wiped. Threads: all functions from any thread; the kernel is
// asked without the lock.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "broker/board.h"
#include "broker/workers.h"
#include "channel/exporter.h"

namespace gssipsec::broker {

using SharedExporter = std::shared_ptr<const channel::Exporter>;

class Exporters {
 public:
  // By the roles of the GSS exchange. NO_KEYS, WEAK_KEYS, SA_GONE (also when the SA is not the one of the view any more), NETLINK.
  [[nodiscard]] base::Result<SharedExporter> of(Bench& bench, const channel::Sa& to_acceptor, const channel::Sa& to_initiator, Time now);
  // Of several SAs that may carry a flow: the one that the other host chooses as well.
  [[nodiscard]] base::Result<channel::Sa> choose(Bench& bench, const std::vector<channel::Sa>& carriers);

  void forget(const channel::SaId& id);  // the name means another SA from now on
  void expire(Time now);
  [[nodiscard]] std::size_t size() const;

  static constexpr auto kLifetime = std::chrono::seconds(30);
  static constexpr std::size_t kLimit = 4096;

 private:
  struct PairKey {
    channel::SaId to_acceptor, to_initiator;
    std::uint64_t acceptor_added = 0, initiator_added = 0;
    auto operator<=>(const PairKey&) const = default;
  };
  struct Entry {
    SharedExporter exporter;
    Time used;
  };
  using TagKey = std::pair<channel::SaId, std::uint64_t>;

  [[nodiscard]] base::Result<base::Bytes> tag(Bench& bench, const channel::Sa& sa);

  mutable std::mutex mutex_;
  std::map<PairKey, Entry> pairs_;
  std::map<TagKey, base::Bytes> tags_;  // outputs of a PRF
};

}  // namespace gssipsec::broker
