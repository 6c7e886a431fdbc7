// SPDX-License-Identifier: MIT
// ipsec-gssd's command line. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace gssipsec::broker {

inline constexpr const char* kDefaultConfig = "/etc/ipsec-gss/gssd.conf";

struct Options {
  enum class Act { serve, check, help, version };
  Act act = Act::serve;
  std::optional<std::string> config;  // none: the default file, which may be absent
  std::optional<std::string> socket;  // over the configuration's
};

[[nodiscard]] base::Result<Options> parse_options(const std::vector<std::string>& arguments);  // BAD_ARGUMENT
[[nodiscard]] const char* usage() noexcept;

}  // namespace gssipsec::broker
