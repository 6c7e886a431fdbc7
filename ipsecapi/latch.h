// SPDX-License-Identifier: MIT
// The latch of a connection behind the C border, for the calls that bring one about.
#pragma once

#include <ipsec/ipsecapi.h>

namespace gssipsec::api {

// How it is known that no octet of the connection can have passed before the latch: the broker has to say so; or its socket had a policy
// before it was connected, and there was nothing to receive before that.
enum class Past { to_be_shown, required };
// As ipsec_create_connection_latch().
int create_connection_latch(int fd, ipsec_pToken_t wanted, ipsec_iToken_t peer, Past past, ipsec_latch_t* latch) noexcept;

}  // namespace gssipsec::api
