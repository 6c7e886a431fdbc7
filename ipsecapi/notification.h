// SPDX-License-Identifier: MIT
// The broker's events as <ipsec/ipsecapi.h> has them. Pure.
#pragma once

#include <ipsec/ipsecapi.h>

#include "protocol/events.h"

namespace gssipsec::api {

[[nodiscard]] ipsec_notification notification_of(const protocol::Event& event) noexcept;
// The last one of a stream that ended.
[[nodiscard]] ipsec_notification end_of_stream(const base::Error& why) noexcept;
// BAD_ARGUMENT for a type that is none, or when nothing is wanted.
[[nodiscard]] base::Result<std::uint32_t> types_of(const ipsec_event* events, std::size_t count);

}  // namespace gssipsec::api
