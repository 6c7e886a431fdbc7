// SPDX-License-Identifier: MIT
// Credentials in other forms: exported, imported, asked by OID, with options set on them.
#include "gss-glue/boundary.h"
#include "gss-glue/handle.h"
#include "gss-glue/oids.h"
#include "gss-glue/socket_value.h"

using namespace gssipsec;
using namespace gssipsec::glue;

OM_uint32 gss_export_cred(OM_uint32* minor_status, gss_cred_id_t cred_handle, gss_buffer_t token) {
  clear(token);
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!token) return no_output(minor);
    auto* handle = CredentialHandle::of(cred_handle);
    if (!handle) return no_credential(minor);
    give(token, handle->object.copy().encode());
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_import_cred(OM_uint32* minor_status, gss_buffer_t token, gss_cred_id_t* cred_handle) {
  if (cred_handle) *cred_handle = GSS_C_NO_CREDENTIAL;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!cred_handle) return no_output(minor);
    if (!token) return no_input(minor);
    auto credential = mech::Credential::decode(view_of(token));
    if (!credential) return fail(minor, credential.error(), GSS_S_DEFECTIVE_TOKEN);
    *cred_handle = CredentialHandle::give(CredentialHandle::make(*std::move(credential)));
    return GSS_S_COMPLETE;
  });
}

// No OID is known, but an error would make the mechglue throw away what other mechanisms' parts of the same credential
// said: an empty answer then.
OM_uint32 gss_inquire_cred_by_oid(OM_uint32* minor_status, const gss_cred_id_t cred_handle, const gss_OID desired_object, gss_buffer_set_t* data_set) {
  if (data_set) *data_set = GSS_C_NO_BUFFER_SET;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!data_set) return no_output(minor);
    if (!desired_object) return no_input(minor);
    if (!CredentialHandle::of(cred_handle)) return no_credential(minor);
    *data_set = make_buffer_set({});
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gssspi_set_cred_option(OM_uint32* minor_status, gss_cred_id_t* cred_handle, const gss_OID desired_object, const gss_buffer_t value) {
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    // The mechglue goes on to the next mechanism after this code only.
    if (!same(desired_object, set_credential_socket())) return unavailable(minor);
    auto* handle = cred_handle ? CredentialHandle::of(*cred_handle) : nullptr;
    if (!handle) return no_credential(minor);
    const auto fd = socket_of(view_of(value));
    if (!fd) return fail(minor, fd.error(), GSS_S_FAILURE);
    const mech::Locked lock(handle->object.mutex);
    const base::Status named = handle->object.value.name_socket(*fd);
    return named.ok() ? GSS_S_COMPLETE : fail(minor, named.error(), GSS_S_FAILURE);
  });
}

OM_uint32 gss_add_cred(OM_uint32* minor_status, gss_cred_id_t, gss_name_t, gss_OID, gss_cred_usage_t, OM_uint32, OM_uint32, gss_cred_id_t* output_cred_handle,
                       gss_OID_set* actual_mechs, OM_uint32*, OM_uint32*) {
  if (output_cred_handle) *output_cred_handle = GSS_C_NO_CREDENTIAL;
  if (actual_mechs) *actual_mechs = GSS_C_NO_OID_SET;
  return guarded(minor_status, [](OM_uint32* minor) { return unavailable(minor); });
}
