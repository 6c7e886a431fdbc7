// SPDX-License-Identifier: MIT
// What the sockets-layer API costs a program, beside what it would do without.
#pragma once

#include "tests/bench/hosts.h"

namespace gssipsec::bench {

//   api/query          ipsec_query() of an established connection: a question to the broker
//   api/getsockopt     one getsockopt(2) on it: the least that any question about a socket costs
//   api/ip_xfrm        what there was before: ip(8) run twice, its output read (on empty databases; query/ip_xfrm is the search)
//   api/latch          ipsec_create_connection_latch() and ipsec_release_latch()
//   api/inquire        ipsec_inquire_latch(), as before each message
//   api/event_latency  from the kernel's datagram until a program blocked in poll has its event
void add_api(const Hosts& hosts);

}  // namespace gssipsec::bench
