// SPDX-License-Identifier: MIT
#include "preload/search.h"

#include <cstring>

namespace gssipsec::preload {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Whole groups of three octets only: the last characters depend on what follows.
std::size_t encode_groups(View octets, char* out) noexcept {
  std::size_t size = 0;
  for (; octets.size() >= 3; octets = octets.subspan(3)) {
    const unsigned group = std::to_integer<unsigned>(octets[0]) << 16 | std::to_integer<unsigned>(octets[1]) << 8 | std::to_integer<unsigned>(octets[2]);
    for (const int shift : {18, 12, 6, 0}) out[size++] = kAlphabet[group >> shift & 63];
  }
  return size;
}

}  // namespace

bool Needles::set(View token) noexcept {
  for (Form& form : forms_) form.size = 0;
  if (token.size() < kShortestToken || token.size() > kLongestToken) return false;
  memcpy(forms_[0].octets.data(), token.data(), token.size());
  forms_[0].size = token.size();
  for (std::size_t skip = 0; skip < 3; ++skip) forms_[skip + 1].size = encode_groups(token.subspan(skip), forms_[skip + 1].octets.data());
  return true;
}

bool Needles::found_in(View text) const noexcept {
  if (text.empty()) return false;
  for (const Form& form : forms_)
    if (form.size != 0 && memmem(text.data(), text.size(), form.octets.data(), form.size)) return true;
  return false;
}

}  // namespace gssipsec::preload
