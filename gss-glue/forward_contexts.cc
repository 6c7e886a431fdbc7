// SPDX-License-Identifier: MIT
// What the channel adds nothing to. MICs stay Kerberos': a MIC is detached by nature.
#include "gss-glue/interposed_cred.h"
#include "gss-glue/union_token.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace gssipsec::glue {

InterposedContext::~InterposedContext() {
  OM_uint32 ignored;
  if (real != GSS_C_NO_CONTEXT) (void)mechglue().gss_delete_sec_context(&ignored, &real, GSS_C_NO_BUFFER);
  (void)InterposedCredentialHandle::take(own_credential);
}

}  // namespace gssipsec::glue

// RFC 4121 has no such token, and Kerberos refuses what it is given here.
OM_uint32 gssi_process_context_token(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_buffer_t token_buffer) {
  return mechglue().gss_process_context_token(minor_status, real_of(context_handle), token_buffer);
}

OM_uint32 gssi_delete_sec_context(OM_uint32* minor_status, gss_ctx_id_t* context_handle, gss_buffer_t output_token) {
  clear(output_token);
  return interposed(minor_status, [&](OM_uint32*) -> OM_uint32 {
    if (context_handle) (void)InterposedHandle::take(*context_handle);
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gssi_context_time(OM_uint32* minor_status, gss_ctx_id_t context_handle, OM_uint32* time_rec) {
  return mechglue().gss_context_time(minor_status, real_of(context_handle), time_rec);
}

OM_uint32 gssi_get_mic(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_qop_t qop_req, gss_buffer_t message_buffer, gss_buffer_t message_token) {
  return mechglue().gss_get_mic(minor_status, real_of(context_handle), qop_req, message_buffer, message_token);
}

OM_uint32 gssi_verify_mic(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_buffer_t message_buffer, gss_buffer_t message_token,
                          gss_qop_t* qop_state) {
  return mechglue().gss_verify_mic(minor_status, real_of(context_handle), message_buffer, message_token, qop_state);
}

OM_uint32 gssi_get_mic_iov(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_qop_t qop_req, gss_iov_buffer_desc* iov, int iov_count) {
  return mechglue().gss_get_mic_iov(minor_status, real_of(context_handle), qop_req, iov, iov_count);
}

OM_uint32 gssi_get_mic_iov_length(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_qop_t qop_req, gss_iov_buffer_desc* iov, int iov_count) {
  return mechglue().gss_get_mic_iov_length(minor_status, real_of(context_handle), qop_req, iov, iov_count);
}

OM_uint32 gssi_verify_mic_iov(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_qop_t* qop_state, gss_iov_buffer_desc* iov, int iov_count) {
  return mechglue().gss_verify_mic_iov(minor_status, real_of(context_handle), qop_state, iov, iov_count);
}

OM_uint32 gssi_pseudo_random(OM_uint32* minor_status, gss_ctx_id_t context, int prf_key, const gss_buffer_t prf_in, ssize_t desired_output_len,
                             gss_buffer_t prf_out) {
  return mechglue().gss_pseudo_random(minor_status, real_of(context), prf_key, prf_in, desired_output_len, prf_out);
}

OM_uint32 gssi_complete_auth_token(OM_uint32* minor_status, const gss_ctx_id_t context_handle, gss_buffer_t input_message_buffer) {
  return mechglue().gss_complete_auth_token(minor_status, real_of(context_handle), input_message_buffer);
}

OM_uint32 gssi_set_sec_context_option(OM_uint32* minor_status, gss_ctx_id_t* context_handle, const gss_OID desired_object, const gss_buffer_t value) {
  auto* handle = context_handle ? InterposedHandle::of(*context_handle) : nullptr;
  gss_ctx_id_t none = GSS_C_NO_CONTEXT;
  return mechglue().gss_set_sec_context_option(minor_status, handle ? &handle->object.real : &none, desired_object, value);
}

// The mechglue imports an interposed context by Kerberos itself; this is for whoever asks for us by name.
OM_uint32 gssi_import_sec_context_by_mech(OM_uint32* minor_status, gss_OID mech_type, gss_buffer_t token, gss_ctx_id_t* context_handle) {
  return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!context_handle) return no_output(minor);
    auto handle = InterposedHandle::make();
    handle->object.inside = named_by(mech_type);
    base::Bytes named = under(past_us(mech_type), view_of(token));
    gss_buffer_desc buffer = buffer_of(named);
    const OM_uint32 major = mechglue().gss_import_sec_context(minor, &buffer, &handle->object.real);
    if (!GSS_ERROR(major)) *context_handle = InterposedHandle::give(std::move(handle));
    return major;
  });
}

OM_uint32 gssi_import_sec_context(OM_uint32* minor_status, gss_buffer_t token, gss_ctx_id_t* context_handle) {
  return gssi_import_sec_context_by_mech(minor_status, GSS_C_NO_OID, token, context_handle);
}
