// SPDX-License-Identifier: MIT
// Stand-ins for unit tests of the broker: a Host without a kernel, and two brokers at the ends of one ESP pair. The
// databases are put on the board as a mirror would; keys come through a netlink port like a kernel's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "broker/bind.h"
#include "broker/core.h"
#include "broker/handlers.h"

namespace gssipsec::broker::testing {

inline constexpr std::uint32_t kSpiToB = 0x100, kSpiToA = 0x200;

struct KeyOnHost {
  std::uint64_t added = 1000;
  std::byte fill{};  // every octet of the key; its spi is mixed in
};

class StandHost final : public Host {
 public:
  base::Result<kernel::SocketFacts> read_socket(int fd) override;
  base::Result<kernel::SocketFacts> read_new_socket(int fd) override;
  base::Status set_latch(int, const channel::Flow&, const std::vector<channel::Template>&, const std::vector<channel::Template>&,
                         const kernel::PolicyOwner&, bool replaces) override;
  base::Status clear_latch(int, const channel::Flow&) override;
  base::Result<kernel::RouteFacts> read_route(const channel::Flow&) override;
  base::Result<std::vector<kernel::DiagSocket>> list_sockets(std::uint16_t protocol) override;
  base::Result<std::vector<kernel::PolicyOwner>> list_policy_owners() override;
  base::Result<bool> has_listener(const channel::Flow&) override;
  base::Status destroy_socket(const channel::Flow&, std::uint64_t) override;
  bool destroys_sockets(std::uint16_t) override { return destroys; }
  base::Result<std::unique_ptr<kernel::NetlinkPort>> open_request_port() override;
  base::Result<std::unique_ptr<kernel::NetlinkPort>> open_monitor_port() override;
  base::Result<std::unique_ptr<kernel::NetlinkPort>> open_closings_port() override;
  std::optional<std::string> user_name(std::uint32_t uid) override;

  // Set before threads start, or under `mutex`.
  std::mutex mutex;
  kernel::SocketFacts socket;
  kernel::RouteFacts route;
  std::map<std::uint16_t, std::vector<kernel::DiagSocket>> sockets;
  std::set<std::uint16_t> unlistable;  // protocols
  bool listener = false, destroys = false, connected = true;  // connected: read_new_socket() refuses it
  std::map<std::uint32_t, KeyOnHost> keys;  // by SPI, host order
  std::map<std::uint32_t, std::string> users{{0, "root"}, {1000, "alice"}, {1001, "mallory"}, {26, "postgres"}};
  std::vector<channel::Template> out, in;  // of the latch set last
  kernel::PolicyOwner owner;               // and what it said, and whether it was to replace another
  bool replaces = false, refuses = false;  // refuses: a policy, now
  base::Result<std::vector<kernel::PolicyOwner>> owners = std::vector<kernel::PolicyOwner>();  // that a list of policies shows
  int sockets_destroyed = 0, latches_set = 0, latches_cleared = 0, sockets_read = 0, names_asked = 0, keys_read = 0, owners_listed = 0;
  std::function<void(int fd)> on_read_socket, on_set_latch;  // called without the mutex
  std::function<std::unique_ptr<kernel::NetlinkPort>()> make_request_port, make_monitor_port, make_closings_port;
};

// One end: A is 10.1.0.1 and initiates, B is 10.1.0.2 and accepts.
struct End {
  explicit End(bool is_a, Config config = {});

  [[nodiscard]] Request request(base::View body, int fd = 3) const;
  void publish();  // what is below to the board
  channel::Sa& sa(std::uint32_t spi);
  void set_peer(const channel::PeerInfo& info);

  std::shared_ptr<StandHost> host = std::make_shared<StandHost>();
  std::shared_ptr<Core> core;
  std::unique_ptr<Bench> bench;
  std::shared_ptr<Page> page;
  Caller caller;
  kernel::Databases databases;
  ike::Snapshot snapshot;
  Arrivals arrivals;
  std::uint64_t arrivals_seen = 0, answered = 0;
  bool fresh = true, healthy = true;
};

// As a mirror would write them; policies are numbered anew.
void put_on(Board& board, kernel::Databases databases, const kernel::ArrivalOf& arrival_of, std::uint64_t epoch);
[[nodiscard]] channel::Address address(const char* text);
[[nodiscard]] channel::Flow flow_of_a(std::uint16_t acceptor_port);
[[nodiscard]] channel::Flow reversed(const channel::Flow& flow);
[[nodiscard]] channel::Sa esp_sa(std::uint32_t spi, const char* from, const char* to);
[[nodiscard]] channel::Policy transport_policy(channel::Direction direction, const char* from, const char* to);
[[nodiscard]] channel::PeerInfo certified(const char* local, const char* remote);
[[nodiscard]] channel::Digest digest_of(int fill);

}  // namespace gssipsec::broker::testing
