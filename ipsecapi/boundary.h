// SPDX-License-Identifier: MIT
// The C border of libipsecapi: every entry point runs its body inside guarded(), which lets no exception out, nor pthread_cancel() in. A failure is -1, an
// errno that fits, and a reason that the thread keeps in a buffer without destructor. Threads: any.
#pragma once

#include <cerrno>
#include <new>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uncancelled.h"

namespace gssipsec::api {

[[nodiscard]] int errno_of(base::Code code) noexcept;
// Keeps the reason, sets errno, returns -1.
int fail(const base::Error& error, int number) noexcept;
inline int fail(const base::Error& error) noexcept { return fail(error, errno_of(error.code)); }
int system_failure(const char* call);            // SYSTEM, with the errno of now
int bad_argument(const char* wanted) noexcept;  // EINVAL; allocates nothing
int too_short(std::size_t wanted) noexcept;     // ERANGE

struct Reason {
  base::Code code;
  std::string_view detail;  // until the thread's next failure
};
[[nodiscard]] Reason last_reason() noexcept;

// The body returns what the entry point returns. errno stays what it was where that is no failure.
template <typename Body>
auto guarded(Body&& body) noexcept -> decltype(body()) {
  const base::Uncancelled whole;
  const int before = errno;
  decltype(body()) result = -1;
  try {
    result = std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    return fail({base::Code::NO_MEMORY, {}});
  } catch (...) {
    return fail({base::Code::INTERNAL, {}});
  }
  if (result >= 0) errno = before;
  return result;
}

// `size` in: room; out: what it takes, also when there is no room. `out` may be null.
int give_octets(base::View octets, void* out, std::size_t* size) noexcept;
// Copies a text with its NUL into the caller's room.
int give_text(std::string_view text, char* out, std::size_t size) noexcept;

}  // namespace gssipsec::api
