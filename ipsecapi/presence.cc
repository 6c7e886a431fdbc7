// SPDX-License-Identifier: MIT
// Whether the API is there, and what works.
#include <ipsec/ipsecapi.h>

#include "client/broker.h"
#include "ipsecapi/boundary.h"

using namespace gssipsec;

namespace {

// Asked of an end that is none: the right to it is the one to latches, and an older broker has not the verb.
bool may_latch() {
  const auto end = client::Broker::resolve(0);
  return end.ok() || end.error().code == base::Code::NO_ENDPOINT;
}

}  // namespace

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
    if (may_latch()) found |= IPSEC_CAP_LATCH;
    return 0;
  });
  return found;
}

#pragma GCC visibility pop
