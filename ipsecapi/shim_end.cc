// SPDX-License-Identifier: MIT
#include "ipsecapi/shim_end.h"

#include <algorithm>
#include <cstring>

#include "client/broker.h"
#include "ipsecapi/boundary.h"

namespace gssipsec::api {

using base::Code;

int read_end(const sockaddr* address, socklen_t length, EndName& out) noexcept {
  if (!address || length < sizeof(sockaddr_ed)) return bad_argument("wanted a struct sockaddr_ed");
  sockaddr_ed end;
  memcpy(&end, address, sizeof end);
  if (end.ed_family != AF_SHIM) return fail({Code::BAD_ARGUMENT, "wanted an address of AF_SHIM"}, EAFNOSUPPORT);
  return out = {ntohl(end.ed_val), ntohs(end.ed_port)}, 0;
}

sockaddr_ed address_of(const EndName& end) noexcept { return {AF_SHIM, htons(end.port), htonl(end.value)}; }

int write_end(const EndName& end, sockaddr* address, socklen_t* length) noexcept {
  if (!address || !length) return bad_argument("wanted room for an address, and its length");
  const sockaddr_ed made = address_of(end);
  memcpy(address, &made, std::min(sizeof made, static_cast<std::size_t>(*length)));
  return *length = sizeof made, 0;
}

int resolve_end(std::uint32_t value, bool local, protocol::Endpoint& out) {
  if (is_wildcard(value)) return bad_argument("a wildcard is for shim_bind() alone");
  auto endpoint = client::Broker::resolve(value);
  if (!endpoint) return fail(endpoint.error());
  if (endpoint->local != local) return bad_argument(local ? "wanted an end of this host, found a peer" : "wanted a peer, found an end of this host");
  return out = *std::move(endpoint), 0;
}

}  // namespace gssipsec::api
