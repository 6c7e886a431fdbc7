// SPDX-License-Identifier: MIT
// gssapi.h as C++ can use it: the whole of it extern "C" (its own block ends before the RFC 5587 and 5801 prototypes), and
// what we define of it visible. Nothing in the plugin may ever call one of these functions, not even its own.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

#pragma GCC visibility push(default)
extern "C" {
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>

// The mechglue looks these up but no header declares them.
OM_uint32 gss_internal_release_oid(OM_uint32* minor_status, gss_OID* oid);
OM_uint32 gssspi_authorize_localname(OM_uint32* minor_status, const gss_name_t name, gss_const_buffer_t local_user,
                                     gss_const_OID local_name_type);
OM_uint32 gssspi_acquire_cred_with_password(OM_uint32* minor_status, const gss_name_t desired_name, const gss_buffer_t password, OM_uint32 time_req,
                                            const gss_OID_set desired_mechs, gss_cred_usage_t cred_usage, gss_cred_id_t* output_cred_handle,
                                            gss_OID_set* actual_mechs, OM_uint32* time_rec);
OM_uint32 gssspi_set_cred_option(OM_uint32* minor_status, gss_cred_id_t* cred_handle, const gss_OID desired_object,
                                 const gss_buffer_t value);
}
#pragma GCC visibility pop
