// SPDX-License-Identifier: MIT
#include "client/pool.h"

#include <array>

#include "client/connect.h"

namespace gssipsec::client {
namespace {

constexpr std::int64_t kBackOffMilliseconds = 5000;
constexpr std::size_t kIdle = 8;

// Each pointer is owned by the connection itself (idle_owner) while it stands here.
constinit std::array<std::atomic<Connection*>, kIdle> idle{};
constinit std::atomic<std::int64_t> hung_until{0};
constinit std::atomic<std::uint64_t> hung_socket{0};

std::shared_ptr<Connection> claim(Connection* connection) noexcept { return std::move(connection->idle_owner); }

bool fits(Connection& connection, const std::string& path, bool for_latch) noexcept {
  return connection.usable(path) && (!for_latch || connection.has_room());
}

std::shared_ptr<Connection> take_preferred(const std::string& path, bool for_latch, const Connection* preferred) noexcept {
  for (std::atomic<Connection*>& place : idle) {
    Connection* found = place.load(std::memory_order_relaxed);
    if (!found || found != preferred || !place.compare_exchange_strong(found, nullptr)) continue;
    std::shared_ptr<Connection> mine = claim(found);
    return fits(*mine, path, for_latch) ? mine : nullptr;
  }
  return nullptr;
}

}  // namespace

std::shared_ptr<Connection> take_idle(const std::string& path, bool for_latch, const Connection* preferred) noexcept {
  if (preferred)
    if (auto found = take_preferred(path, for_latch, preferred)) return found;
  for (std::atomic<Connection*>& place : idle) {
    Connection* found = place.exchange(nullptr);
    if (!found) continue;
    std::shared_ptr<Connection> mine = claim(found);
    // A full one goes too: its latches keep it, and its place is better used by one with room.
    if (fits(*mine, path, for_latch)) return mine;
  }
  return nullptr;
}

void put_idle(std::shared_ptr<Connection> connection) noexcept {
  Connection* plain = connection.get();
  plain->idle_owner = std::move(connection);
  for (std::atomic<Connection*>& place : idle) {
    Connection* empty = nullptr;
    if (place.compare_exchange_strong(empty, plain)) return;
  }
  const std::shared_ptr<Connection> last = claim(plain);
}

void note_timeout(const std::string& path) noexcept {
  hung_socket.store(identity_of(path));
  hung_until.store(monotonic_milliseconds() + kBackOffMilliseconds);
}

bool backing_off(const std::string& path) noexcept {
  const std::int64_t until = hung_until.load();
  return until != 0 && monotonic_milliseconds() < until && hung_socket.load() == identity_of(path);
}

}  // namespace gssipsec::client
