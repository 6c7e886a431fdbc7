// SPDX-License-Identifier: MIT
// What may be done with a message in a given state of the latch, and in which form: the table of docs/protocol.md,
// Per-message tokens. Pure, so that every cell can be tested; must not ask anybody. Threads: any. Failures: LATCH_BROKEN,
// BAD_QOP, WEAK. All states that are not named here count as broken.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "mech_ipsec/message.h"
#include "protocol/messages.h"

namespace gssipsec::mech {

// established: intact. stale, monitored: unconfirmed. All else: gone.
enum class Trust : std::uint8_t { gone, unconfirmed, intact };
[[nodiscard]] Trust trust_in(protocol::LatchState latch) noexcept;

// 0 and 1; BAD_QOP.
[[nodiscard]] base::Status known_qop(std::uint32_t qop);

// gss_wrap: MessageType::channel or sealed. QOP 0 rests on the channel where it can and the administrator wants it, 1 never does.
[[nodiscard]] base::Result<MessageType> decide_wrap(protocol::LatchState latch, const protocol::ChannelInfo& channel, protocol::Seal seal,
                                                    bool confidential, std::uint32_t qop);

// gss_unwrap. A sealed token that came needs no channel.
enum class Opening : std::uint8_t { at_once, when_confirmed };
[[nodiscard]] base::Result<Opening> decide_unwrap(protocol::LatchState latch, const protocol::ChannelInfo& channel, MessageType type);

// gss_get_mic, and gss_verify_mic with QOP 0.
[[nodiscard]] base::Status decide_mic(protocol::LatchState latch, std::uint32_t qop);

}  // namespace gssipsec::mech
