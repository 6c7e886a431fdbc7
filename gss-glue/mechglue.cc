// SPDX-License-Identifier: MIT
#include "gss-glue/mechglue.h"

#include <dlfcn.h>

#include <atomic>

namespace gssipsec::glue {
namespace {

constinit Mechglue found;
constinit std::atomic<bool> is_whole = false;

template <typename Function>
bool find(void* library, const char* name, Function*& out) noexcept {
  out = reinterpret_cast<Function*>(dlsym(library, name));
  return out != nullptr;
}

}  // namespace

// Called under the mechglue's lock, for each of our lines, before anything else of the interposer by that line. Threads may be in calls by
// another line, so the table is written once. The handle is kept: whoever loaded us needs the library.
bool find_mechglue() noexcept {
  if (is_whole.load(std::memory_order_acquire)) return true;
  void* library = dlopen("libgssapi_krb5.so.2", RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (!library) return false;
  bool all = true;
#define GSS_IPSEC_MECHGLUE(name) all = find(library, #name, found.name) && all;
#include "gss-glue/mechglue.def"
#undef GSS_IPSEC_MECHGLUE
  is_whole.store(all, std::memory_order_release);
  return all;
}

const Mechglue& mechglue() noexcept { return found; }

}  // namespace gssipsec::glue
