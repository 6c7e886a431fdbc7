// SPDX-License-Identifier: MIT
#include "ipsecapi/boundary.h"

#include <ipsec/ipsecapi.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/last_failure.h"
#include "base/trace.h"

namespace gssipsec::api {
namespace {

using base::Code;

constinit thread_local base::LastFailure last = {};

void remember(Code code, std::string_view detail) noexcept { last.keep(static_cast<std::uint32_t>(code), detail); }

struct Errno {
  Code code;
  int number;
};
// What is not here and below 200 is about protection or the peer: EACCES.
constexpr Errno kNumbers[] = {
    {Code::NOT_LATCHABLE, EOPNOTSUPP}, {Code::UNKNOWN, EAGAIN}, {Code::SA_GONE, EAGAIN}, {Code::LATCH_STALE, EAGAIN},
    {Code::LATCH_IN_USE, EBUSY}, {Code::LATCH_OF_OTHER, EPERM}, {Code::NO_LATCH, ENOENT}, {Code::OWN_POLICY, EBUSY}, {Code::BAD_NAME, EINVAL},
    {Code::NO_BROKER, ECONNREFUSED}, {Code::BROKER_TIMEOUT, ETIMEDOUT}, {Code::FALSE_BROKER, EPERM}, {Code::BUSY, EAGAIN},
    {Code::NOT_ALLOWED, EPERM}, {Code::CREDENTIALS_CHANGED, EAGAIN}, {Code::LIMIT, EMFILE}, {Code::NOT_A_SOCKET, ENOTSOCK},
    {Code::UNSUPPORTED_SOCKET, EPROTONOSUPPORT}, {Code::NOT_CONNECTED, ENOTCONN}, {Code::ALREADY_CONNECTED, EISCONN}, {Code::NO_ENDPOINT, EADDRNOTAVAIL}, {Code::OTHER_NAMESPACE, EXDEV},
    {Code::SOCKET_CHANGED, ESTALE}, {Code::NOT_OWNER, EPERM}, {Code::BAD_ARGUMENT, EINVAL}, {Code::UNAVAILABLE, EOPNOTSUPP},
    {Code::NO_MEMORY, ENOMEM},
};

}  // namespace

int errno_of(Code code) noexcept {
  const auto entry = std::ranges::find(kNumbers, code, &Errno::code);
  if (entry != std::end(kNumbers)) return entry->number;
  return static_cast<unsigned>(code) < 200 ? EACCES : EPROTO;
}

int fail(const base::Error& error, int number) noexcept {
  remember(error.code, error.detail);
  if (base::tracing()) base::trace("api", error.detail.empty() ? base::code_text(error.code) : error.detail.c_str());
  errno = number;
  return -1;
}

int system_failure(const char* call) {
  const int number = errno;
  return fail(base::system_error(Code::SYSTEM, call, number), number);
}

int bad_argument(const char* wanted) noexcept {
  remember(Code::BAD_ARGUMENT, wanted);
  errno = EINVAL;
  return -1;
}

int too_short(std::size_t wanted) noexcept {
  char text[48];
  snprintf(text, sizeof text, "wanted room for %zu octets", wanted);
  remember(Code::BAD_ARGUMENT, text);
  errno = ERANGE;
  return -1;
}

Reason last_reason() noexcept { return {static_cast<Code>(last.code), last.detail()}; }

int give_octets(base::View octets, void* out, std::size_t* size) noexcept {
  const bool fits = *size >= octets.size();
  *size = octets.size();
  if (!out) return 0;
  if (!fits) return too_short(octets.size());
  return memcpy(out, octets.data(), octets.size()), 0;
}

int give_text(std::string_view text, char* out, std::size_t size) noexcept {
  if (text.size() >= size) return too_short(text.size() + 1);
  memcpy(out, text.data(), text.size());
  out[text.size()] = '\0';
  return 0;
}

}  // namespace gssipsec::api

using namespace gssipsec;

#pragma GCC visibility push(default)

const char* ipsec_strerror(int error) { return error == IPSEC_E_OK ? "no error" : base::code_text(static_cast<base::Code>(error)); }

enum ipsec_err ipsec_get_error(char* text, size_t size) {
  const api::Reason reason = api::last_reason();
  if (text && size != 0)
    snprintf(text, size, "%s%s%.*s", ipsec_strerror(static_cast<int>(reason.code)), reason.detail.empty() ? "" : ": ",
             static_cast<int>(reason.detail.size()), reason.detail.data());
  return static_cast<ipsec_err>(reason.code);
}

#pragma GCC visibility pop
