// SPDX-License-Identifier: MIT
// Who asks, by the kernel's word alone (SO_PEERCRED and the SCM_CREDENTIALS of this request). Pure values.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace gssipsec::broker {

struct Credentials {
  std::int32_t pid = 0;
  std::uint32_t uid = ~0U, gid = ~0U;
  bool operator==(const Credentials&) const = default;
};

struct Caller {
  std::uint32_t uid = ~0U;
  bool anonymous = true;   // unmapped, or without a name: the broker vouches for nobody
  bool privileged = false; // uid 0 of the broker's user namespace
  std::string user;
};

// The connection's credentials and the request's must be the same process and user; a process that changed its user
// connects anew. CREDENTIALS_CHANGED otherwise.
[[nodiscard]] base::Status same_caller(const Credentials& connected, const Credentials& sent);

// What an unmapped uid looks like from here.
[[nodiscard]] std::uint32_t overflow_uid();

}  // namespace gssipsec::broker
