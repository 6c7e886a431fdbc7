// SPDX-License-Identifier: MIT
// Makes the linker give this program stubs of its own for functions of libgssapi, which then are their addresses for the whole process.
#include <stdlib.h>
#include <unistd.h>

extern "C" {
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>

extern const char __executable_start;
extern const char etext;
}

#include <stdexcept>

namespace {

template <typename Function>
void must_be_here(Function* function) {
  const char* volatile const at = reinterpret_cast<const char*>(function);  // or the compiler knows better
  if (at < &__executable_start || at >= &etext) throw std::runtime_error("this program is not at a fixed address, or has no stubs");
}

const bool checked = [] {
  must_be_here(gss_export_cred), must_be_here(gss_acquire_cred_from), must_be_here(gss_wrap), must_be_here(gss_import_name);
  must_be_here(gss_display_name), must_be_here(gss_store_cred), must_be_here(gss_set_sec_context_option), must_be_here(gss_delete_sec_context);
  return true;
}();

}  // namespace
