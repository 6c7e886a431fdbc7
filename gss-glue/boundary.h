// SPDX-License-Identifier: MIT
// The border: every entry point runs its body inside guarded(), which lets no exception out, nor pthread_cancel() in, and speaks in status codes.
// Minor codes are kMinorBase + the error's number; the detail of a thread's last error is kept for gss_display_status in a
// thread-local buffer that needs no destructor. Threads: any.
#pragma once

#include <initializer_list>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uncancelled.h"
#include "gss-glue/gss.h"

namespace gssipsec::glue {

inline constexpr OM_uint32 kMinorBase = 0x49500000;  // "IP"

[[nodiscard]] OM_uint32 major_of(base::Code code) noexcept;
// Sets the minor code, keeps the detail, returns the major code: `major`, or the one that fits the error.
OM_uint32 fail(OM_uint32* minor, const base::Error& error, OM_uint32 major = 0) noexcept;
// What the thread's last error with this minor code said; empty when it was another one.
[[nodiscard]] std::string_view detail_of(OM_uint32 minor) noexcept;

// A minor code of ours, and its text with what the thread's last error of that code said.
[[nodiscard]] bool is_own_minor(OM_uint32 minor) noexcept;
[[nodiscard]] std::string text_of_minor(OM_uint32 minor);

// A copy for the caller, who releases it with gss_release_buffer (malloc). Throws std::bad_alloc.
void give(gss_buffer_t out, base::View octets);
void give(gss_buffer_t out, std::string_view text);
inline void clear(gss_buffer_t out) noexcept {
  if (out) *out = {0, nullptr};
}
[[nodiscard]] inline base::View view_of(gss_const_buffer_t buffer) noexcept {
  return buffer && buffer->value ? base::View(static_cast<const std::byte*>(buffer->value), buffer->length) : base::View();
}

// A set with the buffers given, to be released with gss_release_buffer_set.
[[nodiscard]] gss_buffer_set_t make_buffer_set(std::span<const base::View> buffers);
[[nodiscard]] inline gss_buffer_set_t make_buffer_set(std::initializer_list<base::View> buffers) {
  return make_buffer_set(std::span(buffers.begin(), buffers.size()));
}

// The usual complaints about arguments.
OM_uint32 no_name(OM_uint32* minor) noexcept;
OM_uint32 no_credential(OM_uint32* minor) noexcept;
OM_uint32 no_context(OM_uint32* minor) noexcept;
OM_uint32 no_output(OM_uint32* minor) noexcept;
OM_uint32 no_input(OM_uint32* minor) noexcept;
OM_uint32 bad_mechanism(OM_uint32* minor) noexcept;
OM_uint32 unavailable(OM_uint32* minor) noexcept;

template <typename Body>
OM_uint32 guarded(OM_uint32* minor, Body&& body) noexcept {
  const base::Uncancelled whole;
  OM_uint32 nowhere;
  if (!minor) minor = &nowhere;
  *minor = 0;
  try {
    return std::forward<Body>(body)(minor);
  } catch (const std::bad_alloc&) {
    return fail(minor, base::Error{base::Code::NO_MEMORY, {}});
  } catch (...) {
    return fail(minor, base::Error{base::Code::INTERNAL, {}});
  }
}

}  // namespace gssipsec::glue
