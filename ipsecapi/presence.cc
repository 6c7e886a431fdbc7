// SPDX-License-Identifier: MIT
// Whether the API is there, and what works.
#include <ipsec/ipsecapi.h>

#include "client/broker.h"
#include "ipsecapi/boundary.h"

using namespace gssipsec;

#pragma GCC visibility push(default)

int ipsec_api_version(void) { return IPSEC_API_VERSION; }

unsigned ipsec_capabilities(void) {
  unsigned found = 0;
  (void)api::guarded([&found] {
    const auto broker = client::Broker::probe({});
    if (!broker) return api::fail(broker.error());
    found = IPSEC_CAP_BROKER;
    if (broker->has_policies) found |= IPSEC_CAP_QUERY;
    if (!broker->local_name.empty()) found |= IPSEC_CAP_IDENTITY;
    return 0;
  });
  return found;
}

#pragma GCC visibility pop
