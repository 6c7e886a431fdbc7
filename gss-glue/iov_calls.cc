// SPDX-License-Identifier: MIT
// Per-message calls on arrays of buffers.
#include "gss-glue/handle.h"
#include "gss-glue/iov_messages.h"
#include "gss-glue/message_room.h"

namespace gssipsec::glue {

using base::Code;
using base::Result;
using base::Status;

base::Error odd_iov(const char* what) { return base::fail(Code::BAD_ARGUMENT, what); }

Result<Iov> sorted(gss_iov_buffer_desc* buffers, int count, IovUse use) {
  auto iov = sort_iov(buffers, count, use);
  if (!iov) return iov;
  if (is_about_mics(use) && (!iov->mic || iov->header || iov->padding || iov->trailer || iov->stream))
    return odd_iov("wanted one MIC_TOKEN buffer, DATA and SIGN_ONLY");
  if (!is_about_mics(use) && iov->mic) return odd_iov("a MIC_TOKEN buffer has no place in a wrap token");
  return iov;
}

Result<Iov> sorted_to_wrap(gss_iov_buffer_desc* buffers, int count, IovUse use) {
  auto iov = sorted(buffers, count, use);
  if (iov.ok() && (!iov->header || iov->stream)) return odd_iov("wanted one HEADER buffer and no STREAM");
  return iov;
}

// The empty ones first: they can only succeed.
Status rooms(const Iov& iov) {
  for (const gss_iov_buffer_t empty : {iov.padding, iov.trailer})
    if (empty)
      if (const base::Status made = make_room(empty, 0); !made) return made;
  return make_room(iov.header, mech::kWrapOverhead);
}

}  // namespace gssipsec::glue

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

base::Result<Iov> to_wrap(gss_iov_buffer_desc* buffers, int count) { return sorted_to_wrap(buffers, count, IovUse::wrap); }
base::Result<Iov> to_measure(gss_iov_buffer_desc* buffers, int count) { return sorted_to_wrap(buffers, count, IovUse::wrap_length); }
base::Result<Iov> to_unwrap(gss_iov_buffer_desc* buffers, int count) { return sorted(buffers, count, IovUse::unwrap); }
base::Result<Iov> for_mic(gss_iov_buffer_desc* buffers, int count) { return sorted(buffers, count, IovUse::get_mic); }
base::Result<Iov> to_measure_mic(gss_iov_buffer_desc* buffers, int count) { return sorted(buffers, count, IovUse::mic_length); }
base::Result<Iov> to_verify(gss_iov_buffer_desc* buffers, int count) { return sorted(buffers, count, IovUse::verify_mic); }

using Sort = base::Result<Iov> (*)(gss_iov_buffer_desc*, int);

// What each call begins with: a context, and an array that is good for the call.
OM_uint32 on_buffers(OM_uint32* minor_status, gss_ctx_id_t context, Sort sort, gss_iov_buffer_desc* iov, int count, const auto& work) {
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    auto* handle = ContextHandle::of(context);
    if (!handle) return no_context(minor);
    const auto buffers = sort(iov, count);
    return buffers.ok() ? work(minor, handle->object, *buffers) : fail(minor, buffers.error());
  });
}

}  // namespace

OM_uint32 gss_wrap_iov(OM_uint32* minor_status, gss_ctx_id_t context_handle, int conf_req_flag, gss_qop_t qop_req, int* conf_state,
                       gss_iov_buffer_desc* iov, int iov_count) {
  if (conf_state) *conf_state = 0;
  return on_buffers(minor_status, context_handle, to_wrap, iov, iov_count, [&](OM_uint32* minor, auto& context, const Iov& buffers) -> OM_uint32 {
    const auto concealed = wrap_into(context, buffers, conf_req_flag != 0, qop_req);
    if (!concealed) return fail(minor, concealed.error());
    if (conf_state) *conf_state = *concealed ? 1 : 0;
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_wrap_iov_length(OM_uint32* minor_status, gss_ctx_id_t context_handle, int conf_req_flag, gss_qop_t qop_req, int* conf_state,
                              gss_iov_buffer_desc* iov, int iov_count) {
  if (conf_state) *conf_state = 0;
  return on_buffers(minor_status, context_handle, to_measure, iov, iov_count, [&](OM_uint32* minor, auto& context, const Iov& buffers) -> OM_uint32 {
    const auto concealed = context.would_conceal(conf_req_flag != 0, qop_req);
    if (!concealed) return fail(minor, concealed.error());
    buffers.header->buffer.length = mech::kWrapOverhead;
    for (const gss_iov_buffer_t empty : {buffers.padding, buffers.trailer})
      if (empty) empty->buffer.length = 0;
    if (conf_state) *conf_state = *concealed ? 1 : 0;
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_unwrap_iov(OM_uint32* minor_status, gss_ctx_id_t context_handle, int* conf_state, gss_qop_t* qop_state, gss_iov_buffer_desc* iov,
                         int iov_count) {
  if (conf_state) *conf_state = 0;
  if (qop_state) *qop_state = GSS_C_QOP_DEFAULT;
  return on_buffers(minor_status, context_handle, to_unwrap, iov, iov_count, [&](OM_uint32* minor, auto& context, const Iov& buffers) -> OM_uint32 {
    const auto got = unwrap_from(context, buffers);
    if (!got) return fail(minor, got.error());
    if (conf_state) *conf_state = got->confidential ? 1 : 0;
    if (qop_state) *qop_state = got->sealed ? 1 : GSS_C_QOP_DEFAULT;
    return ordered(minor, got->order);
  });
}

OM_uint32 gss_get_mic_iov(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_qop_t qop_req, gss_iov_buffer_desc* iov, int iov_count) {
  return on_buffers(minor_status, context_handle, for_mic, iov, iov_count, [&](OM_uint32* minor, auto& context, const Iov& buffers) -> OM_uint32 {
    if (const base::Status room = make_room(buffers.mic, mech::kMicSize); !room) return fail(minor, room.error());
    const base::Status made = context.get_mic(qop_req, buffers.signed_only, octets_of(buffers.mic).first<mech::kMicSize>());
    if (made.ok()) return GSS_S_COMPLETE;
    take_back(buffers.mic);
    return fail(minor, made.error());
  });
}

OM_uint32 gss_get_mic_iov_length(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_qop_t qop_req, gss_iov_buffer_desc* iov, int iov_count) {
  return on_buffers(minor_status, context_handle, to_measure_mic, iov, iov_count, [&](OM_uint32* minor, auto& context, const Iov& buffers) -> OM_uint32 {
    if (const auto usable = context.would_conceal(false, qop_req); !usable) return fail(minor, usable.error());
    buffers.mic->buffer.length = mech::kMicSize;
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_verify_mic_iov(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_qop_t* qop_state, gss_iov_buffer_desc* iov, int iov_count) {
  if (qop_state) *qop_state = GSS_C_QOP_DEFAULT;
  return on_buffers(minor_status, context_handle, to_verify, iov, iov_count, [&](OM_uint32* minor, auto& context, const Iov& buffers) -> OM_uint32 {
    const auto token = mech::decode_head(octets_of(buffers.mic));
    if (!token) return fail(minor, token.error());
    const auto order = context.verify_mic(*token, buffers.signed_only);
    return order.ok() ? ordered(minor, *order) : fail(minor, order.error());
  });
}
