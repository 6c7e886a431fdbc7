// SPDX-License-Identifier: MIT
// The per-socket policy as setsockopt() takes it. Private to kernel/ (and its tests). Pure.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "channel/flow.h"
#include "channel/policy.h"
#include "kernel/policy_owner.h"

namespace gssipsec::kernel {

struct LatchOption {
  int level = 0, name = 0;
};
// By the socket's family, not the flow's.
[[nodiscard]] LatchOption latch_option(const channel::Flow& flow) noexcept;

// xfrm_userpolicy_info and its templates. The selector is of the flow's family, that on the wire: the kernel takes one of
// AF_INET6 on a v4-mapped socket and never uses it. NOT_LATCHABLE when the templates do not require protection.
[[nodiscard]] base::Result<base::Bytes> encode_latch(const channel::Flow& flow, channel::Direction direction,
                                                     const std::vector<channel::Template>& templates, const PolicyOwner& owner);

}  // namespace gssipsec::kernel
