// SPDX-License-Identifier: MIT
// What a function that is expected to fail returns: a value, or an error that says what was wanted, what was
// found and what to do. No exceptions are needed to read one. Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace gssipsec::base {

// The code travels over the broker's protocol and through gss_display_status; its numbers never change.
enum class Code : std::uint32_t {
  ok = 0,
#define GSS_IPSEC_ERROR(number, name, text) name = number,
#include "base/errors.def"
#undef GSS_IPSEC_ERROR
};

// The fixed text of a code (from errors.def); "unknown error" for numbers from a newer peer.
[[nodiscard]] const char* code_text(Code code) noexcept;
// The name as users see it in documents and traces: GSS_IPSEC_E_<WHAT>.
[[nodiscard]] const char* code_name(Code code) noexcept;
[[nodiscard]] bool known_code(std::uint32_t number) noexcept;

struct Error {
  Code code = Code::INTERNAL;
  std::string detail;  // without the fixed text; may be empty; never a secret
};

// The fixed text followed by the detail, for people.
[[nodiscard]] std::string describe(const Error& error);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}           // NOLINT: implicit on purpose
  Result(Error error) : state_(std::move(error)) {}       // NOLINT
  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

// Success without a value.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT
  [[nodiscard]] bool ok() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  [[nodiscard]] const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

[[nodiscard]] inline Error fail(Code code, std::string detail = {}) { return Error{code, std::move(detail)}; }

// "call: text of errno value `number`".
[[nodiscard]] Error system_error(Code code, const char* call, int number);

}  // namespace gssipsec::base
