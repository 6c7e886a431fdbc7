// SPDX-License-Identifier: MIT
// What a program wants at least of a connection, against what there is. What the broker alone can say is asked of it.
#pragma once

#include "ipsecapi/tokens.h"

namespace gssipsec::api {

// Of a template or of what was found; null wants nothing. BAD_ARGUMENT: found, and no protection.
[[nodiscard]] base::Result<Wanted> wanted_of(const Protection* protection);
// WEAK, PEER_UNAUTHENTICATED.
[[nodiscard]] base::Status strong_enough(const Wanted& wanted, const protocol::ChannelInfo& channel);
// WRONG_PEER. Null: anybody.
[[nodiscard]] base::Status right_peer(const Identity* wanted, const protocol::ChannelInfo& channel);
// The levels' part, of a connected socket.
[[nodiscard]] base::Status strong_by_configuration(const Wanted& wanted, int fd);
[[nodiscard]] protocol::RequireRequest request_of(const Wanted& wanted) noexcept;

}  // namespace gssipsec::api
