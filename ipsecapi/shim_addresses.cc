// SPDX-License-Identifier: MIT
#include "ipsecapi/shim_addresses.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "client/libc.h"
#include "ipsecapi/shim_end.h"
#include "ipsecapi/socket_address.h"

namespace gssipsec::api {
namespace {

// Some programs read a whole sockaddr.
struct Element {
  addrinfo info;
  sockaddr_storage address;
};

bool is_left_out(const channel::Address& address, int flags) noexcept {
  const bool four = address.family == channel::Family::ipv4;
  const bool chosen = (flags & (SHIM_ED_IPV4 | SHIM_ED_IPV6)) != 0;
  return address.is_any() || (chosen && !(flags & (four ? SHIM_ED_IPV4 : SHIM_ED_IPV6)));
}

bool has_scope(const addrinfo& info) noexcept {
  if (info.ai_family != AF_INET6 || info.ai_addrlen < sizeof(sockaddr_in6)) return false;
  sockaddr_in6 six;
  memcpy(&six, info.ai_addr, sizeof six);
  return six.sin6_scope_id != 0;
}

}  // namespace

addrinfo* new_element(int family, const void* address, socklen_t length) noexcept {
  auto* element = static_cast<Element*>(calloc(1, sizeof(Element)));
  if (!element) return nullptr;
  element->info.ai_flags = AI_ED;
  element->info.ai_family = family;
  element->info.ai_socktype = SOCK_STREAM;
  element->info.ai_protocol = IPPROTO_TCP;
  element->info.ai_addrlen = length;
  element->info.ai_addr = reinterpret_cast<sockaddr*>(&element->address);
  memcpy(&element->address, address, length);
  return &element->info;
}

addrinfo* list_of(const std::vector<channel::Address>& addresses, std::uint16_t port) {
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(nullptr, shim_freeaddrinfo);
  addrinfo* last = nullptr;
  for (const channel::Address& address : addresses) {
    sockaddr_storage octets{};
    const socklen_t length = socket_address(address, port, octets);
    addrinfo* next = new_element(octets.ss_family, &octets, length);
    if (!next) throw std::bad_alloc();
    if (last)
      last->ai_next = next;
    else
      list.reset(next);
    last = next;
  }
  return list.release();
}

std::uint16_t port_in(const addrinfo& list) noexcept {
  const auto end = end_of(list.ai_addr, list.ai_addrlen);
  return end.ok() ? end->port : 0;
}

std::vector<channel::Address> addresses_in(const addrinfo* list, int flags) {
  std::vector<channel::Address> found;
  for (; list; list = list->ai_next) {
    if (!list->ai_addr || list->ai_addrlen < sizeof(sa_family_t) || has_scope(*list)) continue;
    const auto end = end_of(list->ai_addr, list->ai_addrlen);
    if (!end || is_left_out(end->address, flags) || std::ranges::find(found, end->address) != found.end()) continue;
    if (found.size() < protocol::kMaxList) found.push_back(end->address);
  }
  return found;
}

}  // namespace gssipsec::api

#pragma GCC visibility push(default)

// What getaddrinfo(3) made itself is its own to free.
void shim_freeaddrinfo(addrinfo* list) {
  if (list && !(list->ai_flags & AI_ED)) return gssipsec::client::libc().freeaddrinfo(list);
  while (list) {
    addrinfo* const next = list->ai_next;
    free(list->ai_canonname);
    free(list);
    list = next;
  }
}

#pragma GCC visibility pop
