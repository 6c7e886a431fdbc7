// SPDX-License-Identifier: MIT
// Local users: only the administrator's map gives a peer one; everybody else is denied.
#include "gss-glue/boundary.h"
#include "gss-glue/handle.h"
#include "gss-glue/oids.h"

using namespace gssipsec;
using namespace gssipsec::glue;

OM_uint32 gss_localname(OM_uint32* minor_status, const gss_name_t name, gss_const_OID mech_type, gss_buffer_t localname) {
  clear(localname);
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!localname) return no_output(minor);
    if (!is_ours(mech_type)) return bad_mechanism(minor);
    const auto* handle = NameHandle::of(name);
    if (!handle) return no_name(minor);
    const auto user = mech::local_name(handle->object);
    // Not UNAVAILABLE: the mechglue would go on to guess.
    if (!user) return fail(minor, user.error(), GSS_S_FAILURE);
    give(localname, std::string_view(*user));
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gssspi_authorize_localname(OM_uint32* minor_status, const gss_name_t name, gss_const_buffer_t local_user, gss_const_OID local_name_type) {
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    const auto* handle = NameHandle::of(name);
    if (!handle) return no_name(minor);
    if (local_name_type && name_type_of(local_name_type) != mech::NameType::user) return fail(minor, base::fail(base::Code::NAME_TYPE), GSS_S_UNAUTHORIZED);
    const auto user = mech::local_name(handle->object);
    if (!user) return fail(minor, user.error(), GSS_S_UNAUTHORIZED);
    if (!user->empty() && *user == base::text_of(view_of(local_user))) return GSS_S_COMPLETE;
    return fail(minor, base::fail(base::Code::NO_LOCAL_NAME, "the map gives " + *user), GSS_S_UNAUTHORIZED);
  });
}
