// SPDX-License-Identifier: MIT
// The reasons for which the resolver may say "unknown", each with how often it may: a resolver that gives up passes every
// other comparison. A detail that is not listed is a disagreement.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"

namespace gssipsec::differential {

struct UnknownKind {
  std::string_view name;
  std::string_view detail;  // part of the verdict's text
  std::string_view reason;  // why nobody can know
  double most;              // of all answers
};
[[nodiscard]] std::span<const UnknownKind> unknown_kinds();
[[nodiscard]] const UnknownKind* kind_of(const base::Error& why);

}  // namespace gssipsec::differential
