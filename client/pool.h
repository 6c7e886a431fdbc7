// SPDX-License-Identifier: MIT
// Idle connections of the process, and the memory that the broker hangs. Static storage without constructor or
// destructor, and without a lock: a child forked in the middle of any call finds nothing held for ever.
// Threads: any. Never waits.
#pragma once

#include <memory>
#include <string>

#include "client/connection.h"

namespace gssipsec::client {

// A connection that is usable now and, with `for_latch`, has room for another slot; `preferred` first. Those of a parent
// process or a former user are dropped on the way (a child closes its copies only).
[[nodiscard]] std::shared_ptr<Connection> take_idle(const std::string& path, bool for_latch, const Connection* preferred) noexcept;
// Keeps it for the next call; closes it when enough are idle.
void put_idle(std::shared_ptr<Connection> connection) noexcept;

// After a timeout nobody pays two seconds again for a while, unless the broker's socket is a new one.
void note_timeout(const std::string& path) noexcept;
[[nodiscard]] bool backing_off(const std::string& path) noexcept;

}  // namespace gssipsec::client
