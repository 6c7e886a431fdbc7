// SPDX-License-Identifier: MIT
// Was a token received? It is looked for as it is and in base64 at the three places that it can have there (so also inside a
// SPNEGO token or an HTTP header). Pure; linear in the size of the text, whatever the token. Base64 in lines is not found.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace gssipsec::preload {

using View = std::span<const std::byte>;

// A shorter one would be found by chance; a longer one is no token of the mechanism.
inline constexpr std::size_t kShortestToken = 32, kLongestToken = 16384;

// The forms of one token. Some 80 KiB: not for the stack of a thread.
class Needles {
 public:
  // False for a token that is too short or too long: nothing is found then.
  bool set(View token) noexcept;
  [[nodiscard]] bool found_in(View text) const noexcept;

 private:
  struct Form {
    std::size_t size;
    std::array<char, (kLongestToken / 3 + 1) * 4> octets;
  };
  std::array<Form, 4> forms_;  // raw; base64 without the first 0, 1, 2 octets
};

}  // namespace gssipsec::preload
