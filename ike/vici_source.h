// SPDX-License-Identifier: MIT
// strongSwan as a source of peers: asks list-conns and list-sas, listens to events between, connects again when the
// daemon comes back. A daemon that is silent for 2 s, or needs more than 8 s for all, counts as away. Remembers how each
// IKE_SA's connection proved its peer when the IKE_SA was first seen: a connection that was configured differently since
// says nothing about it. Threads: one at a time (the broker's IKE thread).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ike/source.h"
#include "ike/vici_connection.h"
#include "ike/vici_report.h"

namespace gssipsec::ike {

struct ViciOptions {
  std::vector<std::string> paths;  // the first that answers; empty: switched off
  std::optional<uid_t> owner;      // believed besides root
  std::chrono::milliseconds silence{2000}, whole{8000};
};

// From the configuration: `path` absent means the usual places, empty off; `owner` a user's name or number. Asks NSS.
// BAD_CONFIG for an unknown user.
[[nodiscard]] base::Result<ViciOptions> vici_options(const std::optional<std::string>& path, const std::optional<std::string>& owner);

// What no listing tells about the IKE_SAs of the daemon's present life. It outlives a source where another one follows it, as when the
// broker reads its configuration again: or a connection's IKE_SA would have another number, as if somebody else had come.
struct ViciMemory {
  std::optional<std::string> life;  // of the daemon that this is about; none: never connected
  std::uint64_t lives = 0;          // IKE_SAs of two lives never share a number
  std::map<std::uint64_t, std::uint64_t> rekeyed_from;  // by unique ids; of those in a listing, the origin
  std::map<std::uint64_t, ViciAuth> first_seen;         // by unique id; ViciAuth{} once contradicted
};

class ViciSource final : public Source {
 public:
  // Of the sources that share a memory one is asked at a time.
  explicit ViciSource(ViciOptions options, std::shared_ptr<ViciMemory> memory = std::make_shared<ViciMemory>())
      : options_(std::move(options)), memory_(std::move(memory)) {}

  [[nodiscard]] base::Result<Snapshot> refresh() override;
  [[nodiscard]] int event_fd() const noexcept override { return connection_ ? connection_->fd() : -1; }
  [[nodiscard]] base::Result<bool> drain() override;
  [[nodiscard]] std::vector<Notice> take_notices() override { return std::exchange(notices_, {}); }
  [[nodiscard]] const char* name() const noexcept override { return "vici"; }

 private:
  struct Listing {
    ViciConnections connections;
    std::vector<ViciIkeSa> sas;
    bool reconfigured = false;  // the connections were others before than after
  };
  [[nodiscard]] base::Status open(Deadline until);
  [[nodiscard]] base::Status connect_any();
  [[nodiscard]] base::Status subscribe(const char* event, bool required, Deadline until);
  void recognise_life(const std::string& life);
  [[nodiscard]] base::Result<Listing> list_steadily(Deadline until);
  [[nodiscard]] base::Result<Listing> list_once(Deadline until);
  template <typename Handle>
  [[nodiscard]] base::Status stream(const char* command, const char* event, Deadline until, Handle handle);
  template <typename Handle>
  [[nodiscard]] base::Result<ViciPacket> answer(Deadline until, const char* event, Handle handle);
  [[nodiscard]] Deadline soon(Deadline until) const;

  void note_event(const ViciPacket& packet);
  [[nodiscard]] Snapshot joined(const Listing& listing);
  [[nodiscard]] ViciAuth auth_of(const ViciIkeSa& sa, const ViciConnections& connections);
  [[nodiscard]] const ViciAuth* inherited_auth(std::uint64_t unique_id) const;
  void forget_gone(const std::vector<ViciIkeSa>& sas);
  // The IKE_SA that this one descends from by rekeys only; itself when it was made by an authentication of its own.
  [[nodiscard]] std::uint64_t origin(std::uint64_t unique_id) const;
  [[nodiscard]] std::uint64_t lived(std::uint64_t unique_id) const noexcept { return memory_->lives << 32 | unique_id; }

  const ViciOptions options_;
  const std::shared_ptr<ViciMemory> memory_;
  std::optional<ViciConnection> connection_;
  std::vector<Notice> notices_;
  bool changed_ = false;  // an event came since the last listing began
};

}  // namespace gssipsec::ike
