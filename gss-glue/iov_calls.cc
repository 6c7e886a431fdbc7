// SPDX-License-Identifier: MIT
// Per-message calls on arrays of buffers. The octets are those of gss_wrap: all that the mechanism adds stands in HEADER, of
// one size whatever the quality of protection, so that what gss_wrap_iov_length said stays right when the latch changes.
// PADDING and TRAILER are empty always; one that came with octets in it is refused, for nothing authenticates them.
#include "gss-glue/handle.h"
#include "gss-glue/iov.h"
#include "gss-glue/message_room.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

using base::Code;
using base::Result;
using base::Status;

base::Error odd(const char* what) { return base::fail(Code::BAD_ARGUMENT, what); }

Result<Iov> sorted(gss_iov_buffer_desc* buffers, int count, IovUse use) {
  auto iov = sort_iov(buffers, count, use);
  if (!iov) return iov;
  if (use == IovUse::mic && (!iov->mic || iov->header || iov->padding || iov->trailer || iov->stream))
    return odd("wanted one MIC_TOKEN buffer, DATA and SIGN_ONLY");
  if (use == IovUse::wrap && iov->mic) return odd("a MIC_TOKEN buffer has no place in a wrap token");
  return iov;
}

Result<Iov> to_wrap(gss_iov_buffer_desc* buffers, int count) {
  auto iov = sorted(buffers, count, IovUse::wrap);
  if (iov.ok() && (!iov->header || iov->stream)) return odd("wanted one HEADER buffer and no STREAM");
  return iov;
}

// The empty ones first: they can only succeed.
Status rooms(const Iov& iov) {
  for (const gss_iov_buffer_t empty : {iov.padding, iov.trailer})
    if (empty)
      if (const Status made = make_room(empty, 0); !made) return made;
  return make_room(iov.header, mech::kWrapOverhead);
}

Result<bool> wrap_into(mech::Context& context, const Iov& iov, bool confidential, std::uint32_t qop) {
  if (const Status room = rooms(iov); !room) return room.error();
  auto concealed = context.wrap(confidential, qop, {iov.signed_only, iov.pieces}, octets_of(iov.header).first<mech::kWrapOverhead>());
  if (!concealed) take_back(iov.header);
  return concealed;
}

Result<mech::Unwrapped> unwrap_parts(mech::Context& context, const Iov& iov) {
  for (const gss_iov_buffer_t empty : {iov.padding, iov.trailer})
    if (empty && empty->buffer.length != 0) return base::fail(Code::BAD_TOKEN, "found octets in PADDING or TRAILER");
  const auto token = mech::decode_head(octets_of(iov.header));
  if (!token) return token.error();
  return context.unwrap(*token, {iov.signed_only, iov.pieces});
}

// Where the message goes: into memory of its own, or it stays where it is in the stream.
Result<mech::Unwrapped> unwrap_stream(mech::Context& context, const Iov& iov) {
  if (iov.data.size() != 1 || iov.header) return odd("wanted one DATA buffer beside STREAM, and no HEADER");
  const auto token = mech::decode_message(octets_of(iov.stream));
  if (!token) return token.error();
  const gss_iov_buffer_t data = iov.data.front();
  const std::size_t size = token->body.size();
  if (data->type & GSS_IOV_BUFFER_FLAG_ALLOCATE) {
    if (const Status made = make_room(data, size); !made) return made.error();
  } else {
    data->buffer = {size, const_cast<std::byte*>(token->body.data())};
  }
  const mech::Piece piece{token->body, static_cast<std::byte*>(data->buffer.value)};
  auto got = context.unwrap(token->head, {iov.signed_only, {&piece, 1}});
  if (got.ok()) return got;
  take_back(data);
  data->buffer = {0, nullptr};
  return got;
}

Result<mech::Unwrapped> unwrap_from(mech::Context& context, const Iov& iov) {
  if (iov.stream) return unwrap_stream(context, iov);
  if (!iov.header) return odd("wanted a HEADER or a STREAM buffer");
  return unwrap_parts(context, iov);
}

Result<Iov> to_unwrap(gss_iov_buffer_desc* buffers, int count) { return sorted(buffers, count, IovUse::wrap); }
Result<Iov> for_mic(gss_iov_buffer_desc* buffers, int count) { return sorted(buffers, count, IovUse::mic); }

using Sort = Result<Iov> (*)(gss_iov_buffer_desc*, int);

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
  return on_buffers(minor_status, context_handle, to_wrap, iov, iov_count, [&](OM_uint32* minor, auto& context, const Iov& buffers) -> OM_uint32 {
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
    if (const Status room = make_room(buffers.mic, mech::kMicSize); !room) return fail(minor, room.error());
    const Status made = context.get_mic(qop_req, buffers.signed_only, octets_of(buffers.mic).first<mech::kMicSize>());
    if (made.ok()) return GSS_S_COMPLETE;
    take_back(buffers.mic);
    return fail(minor, made.error());
  });
}

OM_uint32 gss_get_mic_iov_length(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_qop_t qop_req, gss_iov_buffer_desc* iov, int iov_count) {
  return on_buffers(minor_status, context_handle, for_mic, iov, iov_count, [&](OM_uint32* minor, auto& context, const Iov& buffers) -> OM_uint32 {
    if (const auto usable = context.would_conceal(false, qop_req); !usable) return fail(minor, usable.error());
    buffers.mic->buffer.length = mech::kMicSize;
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_verify_mic_iov(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_qop_t* qop_state, gss_iov_buffer_desc* iov, int iov_count) {
  if (qop_state) *qop_state = GSS_C_QOP_DEFAULT;
  return on_buffers(minor_status, context_handle, for_mic, iov, iov_count, [&](OM_uint32* minor, auto& context, const Iov& buffers) -> OM_uint32 {
    const auto token = mech::decode_head(octets_of(buffers.mic));
    if (!token) return fail(minor, token.error());
    const auto order = context.verify_mic(*token, buffers.signed_only);
    return order.ok() ? ordered(minor, *order) : fail(minor, order.error());
  });
}
