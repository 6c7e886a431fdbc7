// SPDX-License-Identifier: MIT
// Credentials under the interposer are the mechglue's, with Kerberos' own inside.
#include "gss-glue/interposed.h"
#include "gss-glue/union_token.h"

using namespace gssipsec;
using namespace gssipsec::glue;

OM_uint32 gssi_acquire_cred_from(OM_uint32* minor_status, gss_name_t desired_name, OM_uint32 time_req, gss_OID_set desired_mechs,
                                 gss_cred_usage_t cred_usage, gss_const_key_value_set_t cred_store, gss_cred_id_t* output_cred_handle,
                                 gss_OID_set* actual_mechs, OM_uint32* time_rec) {
  return interposed(minor_status, [&](OM_uint32* minor) {
    SetPastUs mechs(desired_mechs);
    return mechglue().gss_acquire_cred_from(minor, desired_name, time_req, mechs.get(), cred_usage, cred_store, output_cred_handle, actual_mechs, time_rec);
  });
}

OM_uint32 gssi_acquire_cred(OM_uint32* minor_status, gss_name_t desired_name, OM_uint32 time_req, gss_OID_set desired_mechs,
                            gss_cred_usage_t cred_usage, gss_cred_id_t* output_cred_handle, gss_OID_set* actual_mechs, OM_uint32* time_rec) {
  return gssi_acquire_cred_from(minor_status, desired_name, time_req, desired_mechs, cred_usage, GSS_C_NO_CRED_STORE, output_cred_handle, actual_mechs,
                                time_rec);
}

OM_uint32 gssi_acquire_cred_with_password(OM_uint32* minor_status, const gss_name_t desired_name, const gss_buffer_t password, OM_uint32 time_req,
                                          const gss_OID_set desired_mechs, gss_cred_usage_t cred_usage, gss_cred_id_t* output_cred_handle,
                                          gss_OID_set* actual_mechs, OM_uint32* time_rec) {
  return interposed(minor_status, [&](OM_uint32* minor) {
    SetPastUs mechs(desired_mechs);
    return mechglue().gss_acquire_cred_with_password(minor, desired_name, password, time_req, mechs.get(), cred_usage, output_cred_handle, actual_mechs,
                                                     time_rec);
  });
}

OM_uint32 gssi_acquire_cred_impersonate_name(OM_uint32* minor_status, const gss_cred_id_t impersonator_cred_handle, const gss_name_t desired_name,
                                             OM_uint32 time_req, const gss_OID_set desired_mechs, gss_cred_usage_t cred_usage,
                                             gss_cred_id_t* output_cred_handle, gss_OID_set* actual_mechs, OM_uint32* time_rec) {
  return interposed(minor_status, [&](OM_uint32* minor) {
    SetPastUs mechs(desired_mechs);
    return mechglue().gss_acquire_cred_impersonate_name(minor, impersonator_cred_handle, desired_name, time_req, mechs.get(), cred_usage,
                                                        output_cred_handle, actual_mechs, time_rec);
  });
}

OM_uint32 gssi_add_cred(OM_uint32* minor_status, gss_cred_id_t input_cred_handle, gss_name_t desired_name, gss_OID desired_mech,
                        gss_cred_usage_t cred_usage, OM_uint32 initiator_time_req, OM_uint32 acceptor_time_req, gss_cred_id_t* output_cred_handle,
                        gss_OID_set* actual_mechs, OM_uint32* initiator_time_rec, OM_uint32* acceptor_time_rec) {
  return mechglue().gss_add_cred(minor_status, input_cred_handle, desired_name, past_us(desired_mech), cred_usage, initiator_time_req, acceptor_time_req,
                                 output_cred_handle, actual_mechs, initiator_time_rec, acceptor_time_rec);
}

OM_uint32 gssi_add_cred_impersonate_name(OM_uint32* minor_status, gss_cred_id_t input_cred_handle, const gss_cred_id_t impersonator_cred_handle,
                                         const gss_name_t desired_name, const gss_OID desired_mech, gss_cred_usage_t cred_usage,
                                         OM_uint32 initiator_time_req, OM_uint32 acceptor_time_req, gss_cred_id_t* output_cred_handle,
                                         gss_OID_set* actual_mechs, OM_uint32* initiator_time_rec, OM_uint32* acceptor_time_rec) {
  return mechglue().gss_add_cred_impersonate_name(minor_status, input_cred_handle, impersonator_cred_handle, desired_name, past_us(desired_mech),
                                                  cred_usage, initiator_time_req, acceptor_time_req, output_cred_handle, actual_mechs,
                                                  initiator_time_rec, acceptor_time_rec);
}

OM_uint32 gssi_release_cred(OM_uint32* minor_status, gss_cred_id_t* cred_handle) { return mechglue().gss_release_cred(minor_status, cred_handle); }

OM_uint32 gssi_inquire_cred(OM_uint32* minor_status, gss_cred_id_t cred_handle, gss_name_t* name, OM_uint32* lifetime, gss_cred_usage_t* cred_usage,
                            gss_OID_set* mechanisms) {
  return mechglue().gss_inquire_cred(minor_status, cred_handle, name, lifetime, cred_usage, mechanisms);
}

OM_uint32 gssi_inquire_cred_by_mech(OM_uint32* minor_status, gss_cred_id_t cred_handle, gss_OID mech_type, gss_name_t* name,
                                    OM_uint32* initiator_lifetime, OM_uint32* acceptor_lifetime, gss_cred_usage_t* cred_usage) {
  return mechglue().gss_inquire_cred_by_mech(minor_status, cred_handle, past_us(mech_type), name, initiator_lifetime, acceptor_lifetime, cred_usage);
}

OM_uint32 gssi_inquire_cred_by_oid(OM_uint32* minor_status, const gss_cred_id_t cred_handle, const gss_OID desired_object, gss_buffer_set_t* data_set) {
  return mechglue().gss_inquire_cred_by_oid(minor_status, cred_handle, desired_object, data_set);
}

OM_uint32 gssi_set_cred_option(OM_uint32* minor_status, gss_cred_id_t* cred_handle, const gss_OID desired_object, const gss_buffer_t value) {
  return mechglue().gss_set_cred_option(minor_status, cred_handle, desired_object, value);
}

OM_uint32 gssi_store_cred_into(OM_uint32* minor_status, gss_cred_id_t input_cred_handle, gss_cred_usage_t input_usage, gss_OID desired_mech,
                               OM_uint32 overwrite_cred, OM_uint32 default_cred, gss_const_key_value_set_t cred_store, gss_OID_set* elements_stored,
                               gss_cred_usage_t* cred_usage_stored) {
  return mechglue().gss_store_cred_into(minor_status, input_cred_handle, input_usage, past_us(desired_mech), overwrite_cred, default_cred, cred_store,
                                        elements_stored, cred_usage_stored);
}

OM_uint32 gssi_store_cred(OM_uint32* minor_status, const gss_cred_id_t input_cred_handle, gss_cred_usage_t input_usage, const gss_OID desired_mech,
                          OM_uint32 overwrite_cred, OM_uint32 default_cred, gss_OID_set* elements_stored, gss_cred_usage_t* cred_usage_stored) {
  return gssi_store_cred_into(minor_status, input_cred_handle, input_usage, desired_mech, overwrite_cred, default_cred, GSS_C_NO_CRED_STORE,
                              elements_stored, cred_usage_stored);
}

OM_uint32 gssi_set_neg_mechs(OM_uint32* minor_status, gss_cred_id_t cred_handle, const gss_OID_set mech_set) {
  return mechglue().gss_set_neg_mechs(minor_status, cred_handle, mech_set);
}

OM_uint32 gssi_export_cred(OM_uint32* minor_status, gss_cred_id_t cred_handle, gss_buffer_t token) {
  return mechglue().gss_export_cred(minor_status, cred_handle, token);
}

// The mechanism named in front is Kerberos, which would lead back here.
OM_uint32 gssi_import_cred_by_mech(OM_uint32* minor_status, gss_OID mech_type, gss_buffer_t token, gss_cred_id_t* cred_handle) {
  return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    const auto inside = inside_of(view_of(token));
    if (!inside) return fail(minor, inside.error());
    base::Bytes renamed = under(past_us(mech_type), *inside);
    gss_buffer_desc buffer = buffer_of(renamed);
    return mechglue().gss_import_cred(minor, &buffer, cred_handle);
  });
}

OM_uint32 gssi_import_cred(OM_uint32* minor_status, gss_buffer_t token, gss_cred_id_t* cred_handle) {
  return gssi_import_cred_by_mech(minor_status, GSS_C_NO_OID, token, cred_handle);
}
