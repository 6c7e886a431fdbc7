// SPDX-License-Identifier: MIT
// Pieces of policy decoding that events need too. Private to kernel/. Pure.
#pragma once

#include "channel/policy.h"
#include "kernel/xfrm_wire.h"

namespace gssipsec::kernel {

// `other` for socket policies. `odd`: an index whose direction the kernel itself reports wrongly.
[[nodiscard]] channel::Direction direction_of(std::uint8_t direction, std::uint32_t index, bool& odd) noexcept;
[[nodiscard]] base::Result<bool> sub_policy_of(const wire::Attributes& attributes);
[[nodiscard]] base::Result<channel::Policy> policy_of(const xfrm_userpolicy_info& info, const wire::Attributes& attributes);

}  // namespace gssipsec::kernel
