// SPDX-License-Identifier: MIT
// What the API says of the broker's report on a socket. Whatever is good is said only where both directions are protected. Pure.
#pragma once

#include <string>

#include "ipsecapi/tokens.h"

namespace gssipsec::api {

[[nodiscard]] bool secured(const protocol::Report& report) noexcept;
[[nodiscard]] std::uint32_t flags_of(const protocol::Report& report) noexcept;  // IPSEC_INFO_...
[[nodiscard]] base::Error why_not(const protocol::Report& report);              // Code::ok where it is secured
[[nodiscard]] Wanted strength_of(const protocol::Report& report) noexcept;
[[nodiscard]] ipsec_mode mode_of(const protocol::Report& report) noexcept;
[[nodiscard]] std::uint32_t enforcement_of(protocol::LatchState state) noexcept;

[[nodiscard]] std::uint32_t prospect_of(const protocol::Report& report) noexcept;  // IPSEC_PROSPECT_...

[[nodiscard]] Identity local_of(const protocol::Report& report);
[[nodiscard]] Identity peer_of(const protocol::Report& report);
[[nodiscard]] std::uint32_t number_of(channel::AuthMethod method) noexcept;  // enum ipsec_api_auth_meth

// The same strength, mode and proven ends.
[[nodiscard]] bool equivalent(const protocol::Report& one, const protocol::Report& other);
// For people, and for a log.
[[nodiscard]] std::string information(const protocol::Report& report);
[[nodiscard]] std::string audit_line(const protocol::Report& report);
[[nodiscard]] std::string audit_line(const Identity& identity);

}  // namespace gssipsec::api
