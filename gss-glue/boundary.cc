// SPDX-License-Identifier: MIT
#include "gss-glue/boundary.h"

#include <cstring>
#include <memory>

#include "base/last_failure.h"
#include "base/trace.h"

namespace gssipsec::glue {
namespace {

using base::Code;

constinit thread_local base::LastFailure last_error = {};

void copy(gss_buffer_t out, const void* data, std::size_t size) {
  void* room = malloc(size + 1);  // gss-client and others print it as a C string
  if (!room) throw std::bad_alloc();
  if (size != 0) memcpy(room, data, size);
  static_cast<char*>(room)[size] = '\0';
  *out = {size, room};
}

OM_uint32 bad_argument(OM_uint32* minor, const char* wanted, OM_uint32 major) noexcept {
  *minor = kMinorBase + static_cast<OM_uint32>(Code::BAD_ARGUMENT);
  last_error.keep(*minor, wanted);
  return major;
}

struct FreeBufferSet {
  void operator()(gss_buffer_set_t set) const noexcept {
    for (std::size_t i = 0; i < set->count; ++i) free(set->elements[i].value);
    free(set->elements);
    free(set);
  }
};

}  // namespace

OM_uint32 no_name(OM_uint32* minor) noexcept {
  return bad_argument(minor, "wanted a name of mechanism ipsec", GSS_S_BAD_NAME | GSS_S_CALL_INACCESSIBLE_READ);
}
OM_uint32 no_credential(OM_uint32* minor) noexcept { return bad_argument(minor, "wanted a credential of mechanism ipsec", GSS_S_DEFECTIVE_CREDENTIAL); }
OM_uint32 no_context(OM_uint32* minor) noexcept {
  return bad_argument(minor, "wanted a context of mechanism ipsec", GSS_S_NO_CONTEXT | GSS_S_CALL_INACCESSIBLE_READ);
}
OM_uint32 no_output(OM_uint32* minor) noexcept {
  return bad_argument(minor, "wanted a place for the result", GSS_S_FAILURE | GSS_S_CALL_INACCESSIBLE_WRITE);
}
OM_uint32 no_input(OM_uint32* minor) noexcept {
  return bad_argument(minor, "wanted a buffer", GSS_S_FAILURE | GSS_S_CALL_INACCESSIBLE_READ);
}
OM_uint32 bad_mechanism(OM_uint32* minor) noexcept { return bad_argument(minor, "wanted mechanism ipsec", GSS_S_BAD_MECH); }
OM_uint32 unavailable(OM_uint32* minor) noexcept {
  *minor = kMinorBase + static_cast<OM_uint32>(Code::UNAVAILABLE);
  return GSS_S_UNAVAILABLE;
}

OM_uint32 major_of(Code code) noexcept {
  switch (code) {
    case Code::BAD_NAME: return GSS_S_BAD_NAME;
    case Code::NAME_TYPE: return GSS_S_BAD_NAMETYPE;
    case Code::SERVICE_DENIED: case Code::NOT_ALLOWED: return GSS_S_UNAUTHORIZED;
    case Code::BAD_TOKEN: case Code::TOKEN_VERSION: case Code::TOKEN_TOO_LONG: case Code::WRONG_ROLE: case Code::WRONG_FLOW:
    case Code::WRONG_TRANSCRIPT: case Code::NOT_CONFIRMED: case Code::SWITCH_FORGED: case Code::NOT_SWITCHED: case Code::TOO_MANY_RETRIES: return GSS_S_DEFECTIVE_TOKEN;
    case Code::BAD_MAC: case Code::BAD_MIC: return GSS_S_BAD_MIC;
    case Code::BAD_BINDINGS: return GSS_S_BAD_BINDINGS;
    case Code::WRONG_USAGE: return GSS_S_NO_CRED;
    case Code::NO_CONTEXT: return GSS_S_NO_CONTEXT;
    case Code::EXPIRED: return GSS_S_CONTEXT_EXPIRED;
    case Code::BAD_QOP: return GSS_S_BAD_QOP;
    case Code::UNAVAILABLE: return GSS_S_UNAVAILABLE;
    default: return GSS_S_FAILURE;
  }
}

OM_uint32 fail(OM_uint32* minor, const base::Error& error, OM_uint32 major) noexcept {
  *minor = kMinorBase + static_cast<OM_uint32>(error.code);
  last_error.keep(*minor, error.detail);
  return major ? major : major_of(error.code);
}

std::string_view detail_of(OM_uint32 minor) noexcept {
  return last_error.code == minor ? last_error.detail() : std::string_view();
}

void give(gss_buffer_t out, base::View octets) { copy(out, octets.data(), octets.size()); }
void give(gss_buffer_t out, std::string_view text) { copy(out, text.data(), text.size()); }

gss_buffer_set_t make_buffer_set(std::span<const base::View> buffers) {
  std::unique_ptr<gss_buffer_set_desc, FreeBufferSet> set(static_cast<gss_buffer_set_t>(calloc(1, sizeof(gss_buffer_set_desc))));
  if (!set || !(set->elements = static_cast<gss_buffer_t>(calloc(buffers.size() + 1, sizeof(gss_buffer_desc))))) throw std::bad_alloc();
  for (const base::View buffer : buffers) {
    give(&set->elements[set->count], buffer);
    ++set->count;
  }
  return set.release();
}

}  // namespace gssipsec::glue
