// SPDX-License-Identifier: MIT
// The calls about credentials.
#include "gss-glue/cred_store.h"
#include "gss-glue/interposed_cred.h"
#include "gss-glue/interposed_spnego.h"
#include "gss-glue/oids.h"
#include "gss-glue/socket_value.h"
#include "gss-glue/union_token.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

base::Result<std::optional<int>> socket_in(gss_const_key_value_set_t store) {
  const auto options = store_options(store);
  if (!options) return options.error();
  return options->socket;
}

}  // namespace

OM_uint32 gssi_acquire_cred_from(OM_uint32* minor_status, gss_name_t desired_name, OM_uint32 time_req, gss_OID_set desired_mechs,
                                 gss_cred_usage_t cred_usage, gss_const_key_value_set_t cred_store, gss_cred_id_t* output_cred_handle,
                                 gss_OID_set* actual_mechs, OM_uint32* time_rec) {
  return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!output_cred_handle) return no_output(minor);
    *output_cred_handle = GSS_C_NO_CREDENTIAL;
    if (is_spnego(desired_mechs))
      return acquire_for_spnego(minor, {desired_name, time_req, cred_usage, cred_store}, output_cred_handle, actual_mechs, time_rec);
    const auto named = socket_in(cred_store);
    if (!named) return fail(minor, named.error(), GSS_S_FAILURE);
    auto wrapper = *named ? InterposedCredentialHandle::make(GSS_C_NO_CREDENTIAL) : nullptr;
    if (wrapper) name_socket(wrapper->object, **named);
    SetPastUs mechs(desired_mechs);
    const OM_uint32 major = mechglue().gss_acquire_cred_from(minor, desired_name, time_req, mechs.get(), cred_usage, cred_store,
                                                             wrapper ? &wrapper->object.real : output_cred_handle, actual_mechs, time_rec);
    if (!GSS_ERROR(major) && wrapper) *output_cred_handle = InterposedCredentialHandle::give(std::move(wrapper));
    if (!has_none(major) || desired_name != GSS_C_NO_NAME || cred_usage != GSS_C_INITIATE) return major;
    *output_cred_handle = acquire_stand_in(cred_store);
    if (*output_cred_handle == GSS_C_NO_CREDENTIAL) return major;  // as Kerberos said it
    if (actual_mechs) *actual_mechs = make_set({kerberos()});
    if (time_rec) *time_rec = GSS_C_INDEFINITE;
    *minor = 0;
    return GSS_S_COMPLETE;
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
    NewCredential made(is_spnego(desired_mechs), output_cred_handle);
    return made.done(mechglue().gss_acquire_cred_with_password(minor, desired_name, password, time_req, mechs.get(), cred_usage, made.place(),
                                                               actual_mechs, time_rec));
  });
}

OM_uint32 gssi_acquire_cred_impersonate_name(OM_uint32* minor_status, const gss_cred_id_t impersonator_cred_handle, const gss_name_t desired_name,
                                             OM_uint32 time_req, const gss_OID_set desired_mechs, gss_cred_usage_t cred_usage,
                                             gss_cred_id_t* output_cred_handle, gss_OID_set* actual_mechs, OM_uint32* time_rec) {
  return interposed(minor_status, [&](OM_uint32* minor) {
    SetPastUs mechs(desired_mechs);
    NewCredential made(is_spnego(desired_mechs), output_cred_handle);
    return made.done(mechglue().gss_acquire_cred_impersonate_name(minor, real_of(impersonator_cred_handle), desired_name, time_req, mechs.get(),
                                                                  cred_usage, made.place(), actual_mechs, time_rec));
  });
}

OM_uint32 gssi_add_cred(OM_uint32* minor_status, gss_cred_id_t input_cred_handle, gss_name_t desired_name, gss_OID desired_mech,
                        gss_cred_usage_t cred_usage, OM_uint32 initiator_time_req, OM_uint32 acceptor_time_req, gss_cred_id_t* output_cred_handle,
                        gss_OID_set* actual_mechs, OM_uint32* initiator_time_rec, OM_uint32* acceptor_time_rec) {
  return mechglue().gss_add_cred(minor_status, real_of(input_cred_handle), desired_name, past_us(desired_mech), cred_usage, initiator_time_req, acceptor_time_req,
                                 output_cred_handle, actual_mechs, initiator_time_rec, acceptor_time_rec);
}

OM_uint32 gssi_add_cred_impersonate_name(OM_uint32* minor_status, gss_cred_id_t input_cred_handle, const gss_cred_id_t impersonator_cred_handle,
                                         const gss_name_t desired_name, const gss_OID desired_mech, gss_cred_usage_t cred_usage,
                                         OM_uint32 initiator_time_req, OM_uint32 acceptor_time_req, gss_cred_id_t* output_cred_handle,
                                         gss_OID_set* actual_mechs, OM_uint32* initiator_time_rec, OM_uint32* acceptor_time_rec) {
  return mechglue().gss_add_cred_impersonate_name(minor_status, real_of(input_cred_handle), real_of(impersonator_cred_handle), desired_name, past_us(desired_mech),
                                                  cred_usage, initiator_time_req, acceptor_time_req, output_cred_handle, actual_mechs,
                                                  initiator_time_rec, acceptor_time_rec);
}

OM_uint32 gssi_release_cred(OM_uint32* minor_status, gss_cred_id_t* cred_handle) {
  if (!cred_handle || !InterposedCredentialHandle::of(*cred_handle)) return mechglue().gss_release_cred(minor_status, cred_handle);
  return interposed(minor_status, [&](OM_uint32*) -> OM_uint32 {
    (void)InterposedCredentialHandle::take(*cred_handle);
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gssi_inquire_cred(OM_uint32* minor_status, gss_cred_id_t cred_handle, gss_name_t* name, OM_uint32* lifetime, gss_cred_usage_t* cred_usage,
                            gss_OID_set* mechanisms) {
  return mechglue().gss_inquire_cred(minor_status, real_of(cred_handle), name, lifetime, cred_usage, mechanisms);
}

OM_uint32 gssi_inquire_cred_by_mech(OM_uint32* minor_status, gss_cred_id_t cred_handle, gss_OID mech_type, gss_name_t* name,
                                    OM_uint32* initiator_lifetime, OM_uint32* acceptor_lifetime, gss_cred_usage_t* cred_usage) {
  return mechglue().gss_inquire_cred_by_mech(minor_status, real_of(cred_handle), inside_mechanism(cred_handle, mech_type), name, initiator_lifetime,
                                             acceptor_lifetime, cred_usage);
}

OM_uint32 gssi_inquire_cred_by_oid(OM_uint32* minor_status, const gss_cred_id_t cred_handle, const gss_OID desired_object, gss_buffer_set_t* data_set) {
  return mechglue().gss_inquire_cred_by_oid(minor_status, real_of(cred_handle), desired_object, data_set);
}

OM_uint32 gssi_set_cred_option(OM_uint32* minor_status, gss_cred_id_t* cred_handle, const gss_OID desired_object, const gss_buffer_t value) {
  auto* handle = cred_handle ? InterposedCredentialHandle::of(*cred_handle) : nullptr;
  // SPNEGO hands the socket on to its mechanisms' credentials.
  if (!cred_handle || !same(desired_object, set_credential_socket()) || is_spnegos(*cred_handle))
    return mechglue().gss_set_cred_option(minor_status, handle ? &handle->object.real : cred_handle, desired_object, value);
  return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    const auto fd = socket_of(view_of(value));
    if (!fd) return fail(minor, fd.error(), GSS_S_FAILURE);
    if (stands_in(*cred_handle)) return mechglue().gss_set_cred_option(minor, &handle->object.real, desired_object, value);
    name_socket(wrapped(*cred_handle), *fd);
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gssi_store_cred_into(OM_uint32* minor_status, gss_cred_id_t input_cred_handle, gss_cred_usage_t input_usage, gss_OID desired_mech,
                               OM_uint32 overwrite_cred, OM_uint32 default_cred, gss_const_key_value_set_t cred_store, gss_OID_set* elements_stored,
                               gss_cred_usage_t* cred_usage_stored) {
  return mechglue().gss_store_cred_into(minor_status, real_of(input_cred_handle), input_usage, past_us(desired_mech), overwrite_cred, default_cred, cred_store,
                                        elements_stored, cred_usage_stored);
}

OM_uint32 gssi_store_cred(OM_uint32* minor_status, const gss_cred_id_t input_cred_handle, gss_cred_usage_t input_usage, const gss_OID desired_mech,
                          OM_uint32 overwrite_cred, OM_uint32 default_cred, gss_OID_set* elements_stored, gss_cred_usage_t* cred_usage_stored) {
  return gssi_store_cred_into(minor_status, input_cred_handle, input_usage, desired_mech, overwrite_cred, default_cred, GSS_C_NO_CRED_STORE,
                              elements_stored, cred_usage_stored);
}

// Kerberos negotiates nothing. Who says so ends the mechglue's walk over the credential's elements before it comes to SPNEGO's.
OM_uint32 gssi_set_neg_mechs(OM_uint32* minor_status, gss_cred_id_t cred_handle, const gss_OID_set mech_set) {
  const OM_uint32 major = mechglue().gss_set_neg_mechs(minor_status, real_of(cred_handle), mech_set);
  return cred_handle != GSS_C_NO_CREDENTIAL && major == GSS_S_UNAVAILABLE ? GSS_S_COMPLETE : major;
}

// Kerberos' credential alone: another process has other descriptors, and may have a ticket.
OM_uint32 gssi_export_cred(OM_uint32* minor_status, gss_cred_id_t cred_handle, gss_buffer_t token) {
  if (!stands_in(cred_handle)) return mechglue().gss_export_cred(minor_status, real_of(cred_handle), token);
  return interposed(minor_status, [](OM_uint32* minor) { return unavailable(minor); });
}

// The mechanism named in front is Kerberos or SPNEGO, which would lead back here.
OM_uint32 gssi_import_cred_by_mech(OM_uint32* minor_status, gss_OID mech_type, gss_buffer_t token, gss_cred_id_t* cred_handle) {
  return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    const auto inside = inside_of(view_of(token));
    if (!inside) return fail(minor, inside.error());
    base::Bytes renamed = under(past_us(mech_type), *inside);
    gss_buffer_desc buffer = buffer_of(renamed);
    NewCredential made(named_by(mech_type) == Inside::spnego, cred_handle);
    return made.done(mechglue().gss_import_cred(minor, &buffer, made.place()));
  });
}

OM_uint32 gssi_import_cred(OM_uint32* minor_status, gss_buffer_t token, gss_cred_id_t* cred_handle) {
  return gssi_import_cred_by_mech(minor_status, GSS_C_NO_OID, token, cred_handle);
}
