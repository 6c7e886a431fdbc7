// SPDX-License-Identifier: MIT
// Endpoint descriptors by identity, and back.
#include <ipsec/shim.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "client/broker.h"
#include "client/libc.h"
#include "ipsecapi/boundary.h"
#include "ipsecapi/shim_addresses.h"
#include "ipsecapi/shim_end.h"
#include "ipsecapi/tokens.h"

namespace gssipsec::api {
namespace {

using base::Code;
using protocol::Endpoint;
using protocol::Reuse;

constexpr int kReuse = SHIM_ED_REUSE_UID | SHIM_ED_REUSE_GID | SHIM_ED_REUSE_ANY;
constexpr int kFamilies = SHIM_ED_IPV4 | SHIM_ED_IPV6;

using OwnEndpoint = std::unique_ptr<endpoint, decltype(&free)>;

OwnEndpoint new_endpoint(const std::string& identity) {
  const std::size_t size = sizeof(endpoint) + identity.size() + 1;
  OwnEndpoint made(static_cast<endpoint*>(malloc(size)), free);
  if (!made) throw std::bad_alloc();
  *made = {static_cast<se_length_t>(size), EF_IPSEC_ID};
  memcpy(reinterpret_cast<char*>(made.get()) + sizeof(endpoint), identity.c_str(), identity.size() + 1);
  return made;
}

base::Result<channel::Identity> identity_in(const endpoint& from) {
  const std::size_t size = from.length;
  if (from.family != EF_IPSEC_ID || size <= sizeof from || size > sizeof from + IPSEC_PEER_SIZE)
    return base::fail(Code::BAD_NAME, "no endpoint of EF_IPSEC_ID");
  const char* text = reinterpret_cast<const char*>(&from) + sizeof from;
  const std::size_t length = strnlen(text, size - sizeof from);
  if (length + 1 != size - sizeof from) return base::fail(Code::BAD_NAME, "the endpoint's text does not end with it");
  return channel::parse_identity({text, length});
}

int port_of(const char* service, std::uint16_t& port) {
  addrinfo hints{}, *list = nullptr;
  hints.ai_flags = AI_PASSIVE;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  if (!service) return port = 0, 0;
  if (client::libc().getaddrinfo(nullptr, service, &hints, &list) != 0) return bad_argument("wanted a service's number or name");
  port = port_in(*list);
  return client::libc().freeaddrinfo(list), 0;
}

Reuse reuse_of(int flags) noexcept { return flags & SHIM_ED_REUSE_ANY ? Reuse::anybody : flags & SHIM_ED_REUSE_GID ? Reuse::group : Reuse::user; }

// What both kinds have in common; the broker judges the rest.
int make(const endpoint* who, const char* service, Endpoint what, int flags, sockaddr_ed** out) {
  std::uint16_t port = 0;
  if (flags & ~(kReuse | kFamilies)) return bad_argument("wanted flags SHIM_ED_REUSE_... and SHIM_ED_IPV...");
  if (port_of(service, port) != 0) return -1;
  if (who) {
    const auto identity = identity_in(*who);
    if (!identity) return fail(identity.error());
    what.identity = format(*identity);
  }
  const auto value = client::Broker::endpoint({std::move(what), reuse_of(flags)});
  if (!value) return fail(value.error());
  auto* made = static_cast<sockaddr_ed*>(malloc(sizeof(sockaddr_ed)));
  if (!made) return fail({Code::NO_MEMORY, {}});
  *made = address_of({*value, port});
  return *out = made, 0;
}

int make_local(const endpoint* who, const char* service, const addrinfo* addresses, int flags, sockaddr_ed** out) {
  Endpoint what{true, true, {}, addresses_in(addresses, flags)};
  if ((addresses || (flags & kFamilies)) && what.addresses.size() != 1) return bad_argument("wanted one address of this host, or none");
  return make(who, service, std::move(what), flags, out);
}

int make_peer(const endpoint* who, const char* service, const addrinfo* addresses, int flags, sockaddr_ed** out) {
  Endpoint what{false, true, {}, addresses_in(addresses, flags)};
  if (what.addresses.empty()) return bad_argument("wanted the addresses of a peer");
  return make(who, service, std::move(what), flags, out);
}

int tell(const sockaddr_ed* ed, bool local, endpoint** who, addrinfo** addresses) {
  EndName end;
  Endpoint found;
  if (read_end(reinterpret_cast<const sockaddr*>(ed), sizeof *ed, end) != 0 || resolve_end(end.value, local, found) != 0) return -1;
  OwnEndpoint made(nullptr, free);
  if (who && !found.identity.empty()) made = new_endpoint(found.identity);
  if (addresses) *addresses = list_of(found.addresses, end.port);
  if (who) *who = made.release();
  return 0;
}

}  // namespace
}  // namespace gssipsec::api

using namespace gssipsec;
using namespace gssipsec::api;

#pragma GCC visibility push(default)

int shim_endpoint_from_iToken(const ipsec_iToken_t identity, struct endpoint** endpoint) {
  const Identity* from = identity_of(identity);
  if (!from || !endpoint || from->id.type == channel::IdType::none || !(from->proven || from->wanted))
    return bad_argument("wanted an identity that is proven or wanted");
  return guarded([&] { return *endpoint = new_endpoint(format(from->id)).release(), 0; });
}

int shim_endpoint_to_iToken(const struct endpoint* endpoint, ipsec_iToken_t* identity) {
  if (!endpoint || !identity) return bad_argument("wanted an endpoint, and a place for the token");
  return guarded([&] {
    auto id = identity_in(*endpoint);
    if (!id) return fail(id.error());
    Identity wanted;
    wanted.id = *std::move(id);
    wanted.wanted = true;
    return *identity = new_token(std::move(wanted)), 0;
  });
}

sockaddr_ed* getlocaled(const struct endpoint* endpoint, const char* service, const addrinfo* addresses, const struct if_nameindex* interfaces, int flags) {
  sockaddr_ed* made = nullptr;
  (void)guarded([&] {
    if (interfaces) return fail(base::fail(Code::UNAVAILABLE, "policies are not by interface"), EOPNOTSUPP);
    return make_local(endpoint, service, addresses, flags, &made);
  });
  return made;
}

sockaddr_ed* getpeered(const struct endpoint* endpoint, const char* service, const addrinfo* addresses, int flags) {
  sockaddr_ed* made = nullptr;
  (void)guarded([&] { return make_peer(endpoint, service, addresses, flags, &made); });
  return made;
}

int getlocaledinfo(const sockaddr_ed* ed, struct endpoint** endpoint, addrinfo** addresses, struct if_nameindex** interfaces) {
  const int told = guarded([&] { return tell(ed, true, endpoint, addresses); });
  if (told == 0 && interfaces) *interfaces = nullptr;
  return told;
}

int getpeeredinfo(const sockaddr_ed* ed, struct endpoint** endpoint, addrinfo** addresses) {
  return guarded([&] { return tell(ed, false, endpoint, addresses); });
}

#pragma GCC visibility pop
