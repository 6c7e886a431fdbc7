// SPDX-License-Identifier: MIT
// IKE daemons show identities as text for people and leave out the type. This infers it strictly: what could be read
// as two types, or as a wildcard, has none. Pure.
#pragma once

#include <string_view>

#include "channel/identity.h"

namespace gssipsec::ike {

// Type none when the text does not name exactly one identity: empty, "%any", wildcards, ranges, odd characters.
[[nodiscard]] channel::Identity infer_identity(std::string_view text);

}  // namespace gssipsec::ike
