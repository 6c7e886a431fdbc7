// SPDX-License-Identifier: MIT
// gss_display_status: the fixed text of the code, and what the thread's last error of that code said.
#include <string>

#include "gss-glue/boundary.h"
#include "gss-glue/oids.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace gssipsec::glue {

bool is_own_minor(OM_uint32 minor) noexcept { return minor >= kMinorBase && base::known_code(minor - kMinorBase); }

std::string text_of_minor(OM_uint32 minor) {
  return base::describe({static_cast<base::Code>(minor - kMinorBase), std::string(detail_of(minor))});
}

}  // namespace gssipsec::glue

OM_uint32 gss_display_status(OM_uint32* minor_status, OM_uint32 status_value, int status_type, gss_OID mech_type,
                             OM_uint32* message_context, gss_buffer_t status_string) {
  clear(status_string);
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!status_string) return GSS_S_FAILURE | GSS_S_CALL_INACCESSIBLE_WRITE;
    if (message_context) *message_context = 0;
    if (!is_ours(mech_type)) return GSS_S_BAD_MECH;
    if (status_type != GSS_C_MECH_CODE || (status_value != 0 && !is_own_minor(status_value))) {
      *minor = kMinorBase + static_cast<OM_uint32>(base::Code::BAD_ARGUMENT);  // keeps the last error's detail
      return GSS_S_BAD_STATUS;
    }
    give(status_string, status_value == 0 ? std::string("no error") : text_of_minor(status_value));
    return GSS_S_COMPLETE;
  });
}
