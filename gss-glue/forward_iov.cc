// SPDX-License-Identifier: MIT
// Messages in pieces: Kerberos'.
#include "gss-glue/interposed.h"

using namespace gssipsec;
using namespace gssipsec::glue;

OM_uint32 gssi_wrap_iov(OM_uint32* minor_status, gss_ctx_id_t context_handle, int conf_req_flag, gss_qop_t qop_req, int* conf_state,
                        gss_iov_buffer_desc* iov, int iov_count) {
  return mechglue().gss_wrap_iov(minor_status, kerberos_of(context_handle), conf_req_flag, qop_req, conf_state, iov, iov_count);
}

OM_uint32 gssi_wrap_iov_length(OM_uint32* minor_status, gss_ctx_id_t context_handle, int conf_req_flag, gss_qop_t qop_req, int* conf_state,
                               gss_iov_buffer_desc* iov, int iov_count) {
  return mechglue().gss_wrap_iov_length(minor_status, kerberos_of(context_handle), conf_req_flag, qop_req, conf_state, iov, iov_count);
}

OM_uint32 gssi_unwrap_iov(OM_uint32* minor_status, gss_ctx_id_t context_handle, int* conf_state, gss_qop_t* qop_state, gss_iov_buffer_desc* iov,
                          int iov_count) {
  return mechglue().gss_unwrap_iov(minor_status, kerberos_of(context_handle), conf_state, qop_state, iov, iov_count);
}
