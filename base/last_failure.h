// SPDX-License-Identifier: MIT
// What the last failure of a thread was, for whoever asks for it in a later call: a thread_local without destructor.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gssipsec::base {

struct LastFailure {
  std::uint32_t code;
  std::size_t size;
  char text[480];  // what is longer is cut

  void keep(std::uint32_t why, std::string_view detail) noexcept {
    code = why;
    size = std::min(detail.size(), sizeof text);
    if (size != 0) memcpy(text, detail.data(), size);
  }
  [[nodiscard]] std::string_view detail() const noexcept { return {text, size}; }
};

}  // namespace gssipsec::base
