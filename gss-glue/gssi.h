// SPDX-License-Identifier: MIT
// What the mechglue looks up in an interposer: for each function of a mechanism one of the same type. No header of MIT krb5 declares
// them.
#pragma once

#include "gss-glue/gss.h"

#pragma GCC visibility push(default)
extern "C" {
gss_OID_set gss_mech_interposer(gss_OID mech_type);
decltype(gss_accept_sec_context) gssi_accept_sec_context;
decltype(gss_acquire_cred) gssi_acquire_cred;
decltype(gss_acquire_cred_from) gssi_acquire_cred_from;
decltype(gss_acquire_cred_impersonate_name) gssi_acquire_cred_impersonate_name;
decltype(gss_acquire_cred_with_password) gssi_acquire_cred_with_password;
decltype(gss_add_cred) gssi_add_cred;
decltype(gss_add_cred_impersonate_name) gssi_add_cred_impersonate_name;
decltype(gss_compare_name) gssi_compare_name;
decltype(gss_complete_auth_token) gssi_complete_auth_token;
decltype(gss_context_time) gssi_context_time;
decltype(gss_delete_name_attribute) gssi_delete_name_attribute;
decltype(gss_delete_sec_context) gssi_delete_sec_context;
decltype(gss_display_name) gssi_display_name;
decltype(gss_display_name_ext) gssi_display_name_ext;
decltype(gss_display_status) gssi_display_status;
decltype(gss_duplicate_name) gssi_duplicate_name;
decltype(gss_export_cred) gssi_export_cred;
decltype(gss_export_name) gssi_export_name;
decltype(gss_export_name_composite) gssi_export_name_composite;
decltype(gss_export_sec_context) gssi_export_sec_context;
decltype(gss_get_mic) gssi_get_mic;
decltype(gss_get_mic_iov) gssi_get_mic_iov;
decltype(gss_get_mic_iov_length) gssi_get_mic_iov_length;
decltype(gss_get_name_attribute) gssi_get_name_attribute;
decltype(gss_import_cred) gssi_import_cred;
decltype(gss_import_name) gssi_import_name;
decltype(gss_import_sec_context) gssi_import_sec_context;
decltype(gss_indicate_mechs) gssi_indicate_mechs;
decltype(gss_init_sec_context) gssi_init_sec_context;
decltype(gss_inquire_attrs_for_mech) gssi_inquire_attrs_for_mech;
decltype(gss_inquire_context) gssi_inquire_context;
decltype(gss_inquire_cred) gssi_inquire_cred;
decltype(gss_inquire_cred_by_mech) gssi_inquire_cred_by_mech;
decltype(gss_inquire_cred_by_oid) gssi_inquire_cred_by_oid;
decltype(gss_inquire_mech_for_saslname) gssi_inquire_mech_for_saslname;
decltype(gss_inquire_name) gssi_inquire_name;
decltype(gss_inquire_names_for_mech) gssi_inquire_names_for_mech;
decltype(gss_inquire_saslname_for_mech) gssi_inquire_saslname_for_mech;
decltype(gss_inquire_sec_context_by_oid) gssi_inquire_sec_context_by_oid;
decltype(gss_internal_release_oid) gssi_internal_release_oid;
decltype(gss_localname) gssi_localname;
decltype(gss_map_name_to_any) gssi_map_name_to_any;
decltype(gss_process_context_token) gssi_process_context_token;
decltype(gss_pseudo_random) gssi_pseudo_random;
decltype(gss_release_any_name_mapping) gssi_release_any_name_mapping;
decltype(gss_release_cred) gssi_release_cred;
decltype(gss_release_name) gssi_release_name;
decltype(gss_set_name_attribute) gssi_set_name_attribute;
decltype(gss_set_neg_mechs) gssi_set_neg_mechs;
decltype(gss_set_sec_context_option) gssi_set_sec_context_option;
decltype(gss_store_cred) gssi_store_cred;
decltype(gss_store_cred_into) gssi_store_cred_into;
decltype(gss_unwrap) gssi_unwrap;
decltype(gss_unwrap_aead) gssi_unwrap_aead;
decltype(gss_unwrap_iov) gssi_unwrap_iov;
decltype(gss_verify_mic) gssi_verify_mic;
decltype(gss_verify_mic_iov) gssi_verify_mic_iov;
decltype(gss_wrap) gssi_wrap;
decltype(gss_wrap_aead) gssi_wrap_aead;
decltype(gss_wrap_iov) gssi_wrap_iov;
decltype(gss_wrap_iov_length) gssi_wrap_iov_length;
decltype(gss_wrap_size_limit) gssi_wrap_size_limit;
decltype(gssspi_authorize_localname) gssi_authorize_localname;
decltype(gssspi_set_cred_option) gssi_set_cred_option;
decltype(gssspi_mech_invoke) gssi_mech_invoke;
OM_uint32 gssi_import_cred_by_mech(OM_uint32* minor_status, gss_OID mech_type, gss_buffer_t token, gss_cred_id_t* cred_handle);
OM_uint32 gssi_import_name_by_mech(OM_uint32* minor_status, gss_OID mech_type, gss_buffer_t input_name_buffer, gss_OID input_name_type,
                                   gss_name_t* output_name);
OM_uint32 gssi_import_sec_context_by_mech(OM_uint32* minor_status, gss_OID mech_type, gss_buffer_t token, gss_ctx_id_t* context_handle);
}
#pragma GCC visibility pop
