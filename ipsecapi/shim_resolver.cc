// SPDX-License-Identifier: MIT
// Names to endpoint descriptors.
#include <ipsec/shim.h>

#include <cstring>
#include <memory>

#include "base/uncancelled.h"
#include "client/broker.h"
#include "client/libc.h"
#include "ipsecapi/boundary.h"
#include "ipsecapi/shim_addresses.h"
#include "ipsecapi/shim_end.h"

namespace gssipsec::api {
namespace {

using base::Code;

constexpr int kWildcards = AI_ED_ANY | AI_ED_ANY_PUB | AI_ED_ANY_ANON;
constexpr int kFlags = AI_ED | AI_ED_ANON | AI_ED_NOLOCATORS | kWildcards | AI_ED_RVS;

using List = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

int system_problem(const base::Error& error, int number) {
  (void)fail(error, number);
  return EAI_SYSTEM;
}

// The system's own answer: addresses and port.
int look_up(const char* node, const char* service, const addrinfo& hints, List& found) {
  addrinfo plain{};
  plain.ai_flags = hints.ai_flags & ~kFlags;
  if (!node) plain.ai_flags |= AI_PASSIVE;
  plain.ai_family = hints.ai_family == PF_SHIM ? AF_UNSPEC : hints.ai_family;
  plain.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int problem = client::libc().getaddrinfo(node, node || service ? service : "0", &plain, &list);
  found.reset(list);
  return problem;
}

std::uint32_t wildcard_of(int flags) noexcept { return flags & AI_ED_ANY_PUB ? SHIM_ED_ANY_PUB : flags & AI_ED_ANY_ANON ? SHIM_ED_ANY_ANON : SHIM_ED_ANY; }

int keep(const addrinfo& hints, const addrinfo* list, std::uint32_t& value) {
  protocol::Endpoint endpoint{(hints.ai_flags & AI_PASSIVE) != 0, !(hints.ai_flags & AI_ED_ANON), {}, addresses_in(list, 0)};
  if (endpoint.addresses.empty()) return EAI_NONAME;
  const auto made = client::Broker::endpoint({std::move(endpoint), protocol::Reuse::user});
  if (made.ok()) return value = *made, 0;
  const bool nobody = made.error().code == Code::NO_BROKER;  // as where the family is unknown
  const int problem = system_problem(made.error(), nobody ? EAFNOSUPPORT : errno_of(made.error().code));
  return nobody ? EAI_FAMILY : problem;
}

int give(const EndName& end, const addrinfo& hints, const addrinfo& first, addrinfo** found) {
  const sockaddr_ed address = address_of(end);
  addrinfo* element = new_element(PF_SHIM, &address, sizeof address);
  if (!element) return EAI_MEMORY;
  element->ai_flags |= hints.ai_flags;
  if (first.ai_canonname && !(element->ai_canonname = strdup(first.ai_canonname))) return shim_freeaddrinfo(element), EAI_MEMORY;
  return *found = element, 0;
}

int resolve(const char* node, const char* service, const addrinfo& hints, addrinfo** found) {
  const int flags = hints.ai_flags;
  if (flags & AI_ED_RVS) return system_problem(base::fail(Code::UNAVAILABLE, "there is no rendezvous of ends"), EOPNOTSUPP);
  if (node && (flags & kWildcards)) return EAI_BADFLAGS;
  if (!node && !(flags & (kWildcards | AI_PASSIVE))) return EAI_NONAME;
  if (hints.ai_socktype != 0 && hints.ai_socktype != SOCK_STREAM) return EAI_SOCKTYPE;
  List plain(nullptr, client::libc().freeaddrinfo);
  if (const int problem = look_up(node, service, hints, plain); problem != 0) return problem;
  std::uint32_t value = wildcard_of(flags);
  if (const int problem = node ? keep(hints, plain.get(), value) : 0; problem != 0) return problem;
  return give({value, port_in(*plain)}, hints, *plain, found);
}

}  // namespace
}  // namespace gssipsec::api

using namespace gssipsec;
using namespace gssipsec::api;

#pragma GCC visibility push(default)

int shim_getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  if (!hints || (hints->ai_family != PF_SHIM && !(hints->ai_flags & kFlags))) return client::libc().getaddrinfo(node, service, hints, found);
  if (!found) return EAI_BADFLAGS;
  const base::Uncancelled whole;
  try {
    return resolve(node, service, *hints, found);
  } catch (...) {
    return EAI_MEMORY;
  }
}

#pragma GCC visibility pop
