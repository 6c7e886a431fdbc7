// SPDX-License-Identifier: MIT
// The search for a token in what was received: the first octet says how many of the rest are the token. What holds the token as it is
// is found; and a window gives back what it was given.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "preload/search.h"
#include "preload/window.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gssipsec::preload;
  static const auto needles = std::make_unique<Needles>();
  static const auto copy = std::make_unique<Window::Copy>();
  static Window* const window = Window::make();
  if (size == 0 || !window) return 0;
  const View rest = std::as_bytes(std::span(data, size)).subspan(1);
  const std::size_t length = std::min<std::size_t>(rest.size(), data[0]);
  const View token = rest.first(length), text = rest.subspan(length);
  window->forget();
  for (const View part : {text, token, text}) window->append(part);
  const View held = window->copy(*copy);
  if (held.size() != std::min(Window::kSize, 2 * text.size() + token.size())) std::abort();
  const bool fits = needles->set(token);
  if (fits != (token.size() >= kShortestToken && token.size() <= kLongestToken)) std::abort();
  if (needles->found_in(held) != fits && held.size() == 2 * text.size() + token.size()) std::abort();
  (void)needles->found_in(text);
  return 0;
}
