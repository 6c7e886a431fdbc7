// SPDX-License-Identifier: MIT
// The buffers of gss_wrap_iov and its kin, sorted by what they are. A type that is not known is an error: octets that look
// protected and are not would be worse. Borrows the caller's array. Throws std::bad_alloc only.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "gss-glue/gss.h"
#include "mech_ipsec/protection.h"

namespace gssipsec::glue {

struct Iov {
  gss_iov_buffer_t header = nullptr, padding = nullptr, trailer = nullptr, stream = nullptr, mic = nullptr;
  std::vector<gss_iov_buffer_t> data;
  std::vector<base::View> signed_only;  // of SIGN_ONLY buffers; for MICs of DATA buffers too
  std::vector<mech::Piece> pieces;      // DATA, in place
};

enum class IovUse { wrap, wrap_length, unwrap, get_mic, mic_length, verify_mic };
[[nodiscard]] constexpr bool is_about_mics(IovUse use) noexcept { return use == IovUse::get_mic || use == IovUse::mic_length || use == IovUse::verify_mic; }
// BAD_ARGUMENT: a type twice that may be there once, an unknown one, a length without octets in what is read, more than a message may have.
[[nodiscard]] base::Result<Iov> sort_iov(gss_iov_buffer_desc* buffers, int count, IovUse use);

[[nodiscard]] std::span<std::byte> octets_of(gss_iov_buffer_t buffer) noexcept;

// Gives `buffer` room for exactly `size` octets: its own, or where it asks for that new memory, marked as allocated.
// BAD_ARGUMENT when its own is too small.
[[nodiscard]] base::Status make_room(gss_iov_buffer_t buffer, std::size_t size);
// Takes back what make_room() allocated.
void take_back(gss_iov_buffer_t buffer) noexcept;

}  // namespace gssipsec::glue
