// SPDX-License-Identifier: MIT
// Per-message calls with whole buffers. The output buffer is the only memory they allocate.
#include "gss-glue/handle.h"
#include "gss-glue/message_room.h"
#include "gss-glue/whole_messages.h"
#include "mech_ipsec/decision.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

using mech::Order;

OM_uint32 supplement(Order order) noexcept {
  switch (order) {
    case Order::in_order: break;
    case Order::gap: return GSS_S_GAP_TOKEN;
    case Order::unsequenced: return GSS_S_UNSEQ_TOKEN;
    case Order::duplicate: return GSS_S_DUPLICATE_TOKEN;
    case Order::old: return GSS_S_OLD_TOKEN;
  }
  return GSS_S_COMPLETE;
}

OM_uint32 wrap(OM_uint32* minor, gss_ctx_id_t context, bool confidential, gss_qop_t qop, mech::Views signed_only, base::View message, int* conf_state,
               gss_buffer_t out) {
  auto* handle = ContextHandle::of(context);
  return handle ? wrap_whole(minor, handle->object, confidential, qop, signed_only, message, conf_state, out) : no_context(minor);
}

OM_uint32 unwrap(OM_uint32* minor, gss_ctx_id_t context, base::View octets, mech::Views signed_only, gss_buffer_t out, int* conf_state,
                 gss_qop_t* qop_state) {
  auto* handle = ContextHandle::of(context);
  return handle ? unwrap_whole(minor, handle->object, octets, signed_only, out, conf_state, qop_state) : no_context(minor);
}

// No buffer, no additional data.
bool too_much(gss_buffer_t buffer) noexcept { return buffer && buffer->length > mech::kMaxMessageSize; }

}  // namespace

namespace gssipsec::glue {

OM_uint32 ordered(OM_uint32* minor, Order order) {
  const OM_uint32 bits = supplement(order);
  return bits == 0 ? GSS_S_COMPLETE : fail(minor, base::fail(base::Code::OUT_OF_SEQUENCE, mech::order_name(order)), bits);
}

OM_uint32 too_long(OM_uint32* minor) { return fail(minor, base::fail(base::Code::BAD_ARGUMENT, "the message is too long")); }

}  // namespace gssipsec::glue

OM_uint32 gss_wrap(OM_uint32* minor_status, gss_ctx_id_t context_handle, int conf_req_flag, gss_qop_t qop_req, gss_buffer_t input_message_buffer,
                   int* conf_state, gss_buffer_t output_message_buffer) {
  clear(output_message_buffer);
  if (conf_state) *conf_state = 0;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!output_message_buffer) return no_output(minor);
    if (!input_message_buffer) return no_input(minor);
    return wrap(minor, context_handle, conf_req_flag != 0, qop_req, {}, view_of(input_message_buffer), conf_state, output_message_buffer);
  });
}

OM_uint32 gss_unwrap(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_buffer_t input_message_buffer, gss_buffer_t output_message_buffer,
                     int* conf_state, gss_qop_t* qop_state) {
  clear(output_message_buffer);
  if (conf_state) *conf_state = 0;
  if (qop_state) *qop_state = GSS_C_QOP_DEFAULT;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!output_message_buffer) return no_output(minor);
    if (!input_message_buffer) return no_input(minor);
    return unwrap(minor, context_handle, view_of(input_message_buffer), {}, output_message_buffer, conf_state, qop_state);
  });
}

OM_uint32 gss_wrap_aead(OM_uint32* minor_status, gss_ctx_id_t context_handle, int conf_req_flag, gss_qop_t qop_req, gss_buffer_t input_assoc_buffer,
                        gss_buffer_t input_payload_buffer, int* conf_state, gss_buffer_t output_message_buffer) {
  clear(output_message_buffer);
  if (conf_state) *conf_state = 0;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!output_message_buffer) return no_output(minor);
    if (!input_payload_buffer) return no_input(minor);
    if (too_much(input_assoc_buffer)) return too_long(minor);
    const base::View assoc = view_of(input_assoc_buffer);
    return wrap(minor, context_handle, conf_req_flag != 0, qop_req, {&assoc, 1}, view_of(input_payload_buffer), conf_state, output_message_buffer);
  });
}

OM_uint32 gss_unwrap_aead(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_buffer_t input_message_buffer, gss_buffer_t input_assoc_buffer,
                          gss_buffer_t output_payload_buffer, int* conf_state, gss_qop_t* qop_state) {
  clear(output_payload_buffer);
  if (conf_state) *conf_state = 0;
  if (qop_state) *qop_state = GSS_C_QOP_DEFAULT;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!output_payload_buffer) return no_output(minor);
    if (!input_message_buffer) return no_input(minor);
    if (too_much(input_assoc_buffer)) return too_long(minor);
    const base::View assoc = view_of(input_assoc_buffer);
    return unwrap(minor, context_handle, view_of(input_message_buffer), {&assoc, 1}, output_payload_buffer, conf_state, qop_state);
  });
}

OM_uint32 gss_get_mic(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_qop_t qop_req, gss_buffer_t message_buffer, gss_buffer_t message_token) {
  clear(message_token);
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!message_token) return no_output(minor);
    if (!message_buffer) return no_input(minor);
    auto* handle = ContextHandle::of(context_handle);
    if (!handle) return no_context(minor);
    Room token(mech::kMicSize);
    const base::View message = view_of(message_buffer);
    const base::Status made = handle->object.get_mic(qop_req, {&message, 1}, token.span().first<mech::kMicSize>());
    if (!made) return fail(minor, made.error());
    token.give_to(message_token);
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_verify_mic(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_buffer_t message_buffer, gss_buffer_t message_token,
                         gss_qop_t* qop_state) {
  if (qop_state) *qop_state = GSS_C_QOP_DEFAULT;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!message_buffer || !message_token) return no_input(minor);
    auto* handle = ContextHandle::of(context_handle);
    if (!handle) return no_context(minor);
    const auto token = mech::decode_head(view_of(message_token));
    if (!token) return fail(minor, token.error());
    const base::View message = view_of(message_buffer);
    const auto order = handle->object.verify_mic(*token, {&message, 1});
    return order.ok() ? ordered(minor, *order) : fail(minor, order.error());
  });
}

// One size for both qualities of protection: what is asked here need not be what the latch allows later.
OM_uint32 gss_wrap_size_limit(OM_uint32* minor_status, gss_ctx_id_t context_handle, int, gss_qop_t qop_req, OM_uint32 req_output_size,
                              OM_uint32* max_input_size) {
  if (max_input_size) *max_input_size = 0;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!max_input_size) return no_output(minor);
    const auto* handle = ContextHandle::of(context_handle);
    if (!handle) return no_context(minor);
    if (!handle->object.open()) return fail(minor, base::fail(base::Code::NO_CONTEXT));
    if (const base::Status known = mech::known_qop(qop_req); !known) return fail(minor, known.error());
    const std::size_t limit = req_output_size > mech::kWrapOverhead ? req_output_size - mech::kWrapOverhead : 0;
    *max_input_size = static_cast<OM_uint32>(std::min(limit, mech::kMaxMessageSize));
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_pseudo_random(OM_uint32* minor_status, gss_ctx_id_t context, int prf_key, const gss_buffer_t prf_in, ssize_t desired_output_len,
                            gss_buffer_t prf_out) {
  clear(prf_out);
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!prf_out) return no_output(minor);
    auto* handle = ContextHandle::of(context);
    if (!handle) return no_context(minor);
    constexpr ssize_t kMost = 1 << 20;
    if ((prf_key != GSS_C_PRF_KEY_FULL && prf_key != GSS_C_PRF_KEY_PARTIAL) || desired_output_len < 0 || desired_output_len > kMost)
      return fail(minor, base::fail(base::Code::BAD_ARGUMENT, "PRF key or length"));
    Room out(static_cast<std::size_t>(desired_output_len));
    const base::Status made = handle->object.pseudo_random(prf_key == GSS_C_PRF_KEY_FULL, view_of(prf_in), out.span());
    if (!made) return fail(minor, made.error());
    out.give_to(prf_out);
    return GSS_S_COMPLETE;
  });
}
