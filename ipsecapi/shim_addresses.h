// SPDX-License-Identifier: MIT
// Lists of addrinfo that the library makes: each element one piece of malloc(3), with what it points to, and AI_ED among its flags by which
// shim_freeaddrinfo() knows it.
#pragma once

#include <ipsec/shim.h>

#include <vector>

#include "protocol/messages.h"

namespace gssipsec::api {

// Null: no memory.
[[nodiscard]] addrinfo* new_element(int family, const void* address, socklen_t length) noexcept;
// In their order, in the form that is for their family. Throws std::bad_alloc.
[[nodiscard]] addrinfo* list_of(const std::vector<channel::Address>& addresses, std::uint16_t port);
// Of the first one, which has an address of the system's.
[[nodiscard]] std::uint16_t port_in(const addrinfo& list) noexcept;
// Each once; `flags` may say SHIM_ED_IPV4 or SHIM_ED_IPV6. What has a scope is left out: it would be another host elsewhere.
[[nodiscard]] std::vector<channel::Address> addresses_in(const addrinfo* list, int flags);

}  // namespace gssipsec::api
