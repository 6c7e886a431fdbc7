// SPDX-License-Identifier: MIT
#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace gssipsec::base {
namespace {

struct Entry {
  std::uint32_t number;
  const char* name;
  const char* text;
};

constexpr Entry kEntries[] = {
#define GSS_IPSEC_ERROR(number, name, text) {number, "GSS_IPSEC_E_" #name, text},
#include "base/errors.def"
#undef GSS_IPSEC_ERROR
};

const Entry* find(std::uint32_t number) noexcept {
  for (const Entry& entry : kEntries)
    if (entry.number == number) return &entry;
  return nullptr;
}

}  // namespace

const char* code_text(Code code) noexcept {
  const Entry* entry = find(static_cast<std::uint32_t>(code));
  return entry ? entry->text : "unknown error";
}

const char* code_name(Code code) noexcept {
  const Entry* entry = find(static_cast<std::uint32_t>(code));
  return entry ? entry->name : "GSS_IPSEC_E_UNKNOWN_CODE";
}

bool known_code(std::uint32_t number) noexcept { return find(number) != nullptr; }

std::string describe(const Error& error) {
  std::string text = code_text(error.code);
  if (!error.detail.empty()) text += ": " + error.detail;
  return text;
}

Error system_error(Code code, const char* call, int number) {
  char text[128];
  return fail(code, std::string(call) + ": " + strerror_r(number, text, sizeof text));
}

}  // namespace gssipsec::base
