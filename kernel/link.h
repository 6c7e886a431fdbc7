// SPDX-License-Identifier: MIT
// Questions to rtnetlink and its answers, as far as IPsec cares. Private to kernel/ (and its tests). Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "channel/flow.h"
#include "kernel/transaction.h"

namespace gssipsec::kernel {

[[nodiscard]] Request route_request(const channel::Flow& flow);  // RTM_GETROUTE

struct Route {
  bool local = false;  // the destination is an address of this host
  std::uint32_t output_ifindex = 0;
  channel::Address source;  // preferred
};
[[nodiscard]] base::Result<Route> decode_route(base::View payload);  // RTM_NEWROUTE

struct Link {
  std::string name;
  bool loopback = false;
  bool vrf = false;          // a VRF, or enslaved to one
  std::uint32_t if_id = 0;   // of an xfrm interface
};
[[nodiscard]] base::Result<Link> decode_link(base::View payload);  // RTM_NEWLINK

}  // namespace gssipsec::kernel
