// SPDX-License-Identifier: MIT
// libgss-ipsec: how a program hands a socket to the mechanism, without a GSS-API library at link time. It speaks with the plugin through
// MIT's libgssapi_krb5, which it loads when it is first needed and never unloads. Links libc alone. Threads: any.
#include <dlfcn.h>
#include <gss-ipsec/gss_ipsec.h>

#include <atomic>

#include "base/uncancelled.h"
#include "gss-glue/gss.h"

namespace {

using Invoke = decltype(&gssspi_mech_invoke);

constexpr char kLibrary[] = "libgssapi_krb5.so.2";
constexpr char kMechanism[] = GSS_IPSEC_OID_OCTETS("\x01"), kThreadSocket[] = GSS_IPSEC_OID_OCTETS("\x04"), kDescribeSocket[] = GSS_IPSEC_OID_OCTETS("\x06");
constinit std::atomic<Invoke> known = nullptr;

// By its handle: another library in the program may have the same name.
Invoke find_invoke() noexcept {
  if (Invoke there = known.load(std::memory_order_acquire)) return there;
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  auto found = library ? reinterpret_cast<Invoke>(dlsym(library, "gssspi_mech_invoke")) : nullptr;
  known.store(found, std::memory_order_release);
  return found;
}

gss_OID_desc oid(const char* octets) noexcept { return {GSS_IPSEC_OID_LENGTH, const_cast<char*>(octets)}; }

int invoke(const char* object, gss_buffer_desc value) noexcept {
  const gssipsec::base::Uncancelled whole;  // the mechglue holds locks while it reads its files
  const Invoke call = find_invoke();
  if (!call) return GSS_IPSEC_E_UNAVAILABLE;
  gss_OID_desc mechanism = oid(kMechanism), what = oid(object);
  OM_uint32 minor = 0;
  if (call(&minor, &mechanism, &what, &value) == GSS_S_COMPLETE) return 0;
  return minor > GSS_IPSEC_MINOR_BASE && minor <= GSS_IPSEC_MINOR_BASE + 999 ? static_cast<int>(minor) : GSS_IPSEC_E_UNAVAILABLE;
}

struct Text {
  int code;
  const char* text;
};
constexpr Text kTexts[] = {
#define GSS_IPSEC_ERROR(number, name, text) {GSS_IPSEC_E_##name, text},
#include "base/errors.def"
#undef GSS_IPSEC_ERROR
};

}  // namespace

#pragma GCC visibility push(default)

int gss_ipsec_set_socket(int fd) {
  if (fd < 0) return invoke(kThreadSocket, {sizeof GSS_IPSEC_CLEAR - 1, const_cast<char*>(GSS_IPSEC_CLEAR)});
  return invoke(kThreadSocket, {sizeof fd, &fd});
}

int gss_ipsec_get_external(int fd, gss_ipsec_external* out) {
  if (!out) return GSS_IPSEC_E_BAD_ARGUMENT;
  gss_ipsec_external_request request{fd, out};
  return invoke(kDescribeSocket, {sizeof request, &request});
}

const char* gss_ipsec_error_text(int code) {
  for (const Text& entry : kTexts)
    if (entry.code == code) return entry.text;
  return code == 0 ? "no error" : "unknown error";
}

#pragma GCC visibility pop
