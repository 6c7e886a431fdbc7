// SPDX-License-Identifier: MIT
// Per-message calls. The output buffer is the only memory they allocate.
#include <algorithm>
#include <memory>

#include "gss-glue/boundary.h"
#include "gss-glue/handle.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

using mech::Order;

struct Free {
  void operator()(void* room) const noexcept { free(room); }
};

// malloc'ed room that becomes the caller's buffer. An empty one is given as a null pointer: gss_release_buffer() frees
// nothing whose length is 0.
class Room {
 public:
  explicit Room(std::size_t size) : octets_(static_cast<std::byte*>(malloc(std::max<std::size_t>(size, 1)))), size_(size) {
    if (!octets_) throw std::bad_alloc();
  }
  [[nodiscard]] std::span<std::byte> span() const noexcept { return {octets_.get(), size_}; }
  void give_to(gss_buffer_t out) noexcept { *out = {size_, size_ == 0 ? nullptr : octets_.release()}; }

 private:
  std::unique_ptr<std::byte, Free> octets_;
  std::size_t size_;
};

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

OM_uint32 ordered(OM_uint32* minor, Order order) {
  const OM_uint32 bits = supplement(order);
  return bits == 0 ? GSS_S_COMPLETE : fail(minor, base::fail(base::Code::OUT_OF_SEQUENCE, mech::order_name(order)), bits);
}

OM_uint32 wrong_kind(OM_uint32* minor) { return fail(minor, base::fail(base::Code::BAD_TOKEN, "a message token of another kind")); }

}  // namespace

OM_uint32 gss_wrap(OM_uint32* minor_status, gss_ctx_id_t context_handle, int conf_req_flag, gss_qop_t qop_req, gss_buffer_t input_message_buffer,
                   int* conf_state, gss_buffer_t output_message_buffer) {
  clear(output_message_buffer);
  if (conf_state) *conf_state = 0;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!output_message_buffer) return no_output(minor);
    if (!input_message_buffer) return no_input(minor);
    auto* handle = ContextHandle::of(context_handle);
    if (!handle) return no_context(minor);
    const base::View message = view_of(input_message_buffer);
    if (message.size() > mech::kMaxMessageSize) return fail(minor, base::fail(base::Code::BAD_ARGUMENT, "the message is too long"));
    Room token(message.size() + mech::kWrapOverhead);
    const auto confidential = handle->object.wrap(conf_req_flag != 0, qop_req, message, token.span());
    if (!confidential) return fail(minor, confidential.error());
    if (conf_state) *conf_state = *confidential ? 1 : 0;
    token.give_to(output_message_buffer);
    return GSS_S_COMPLETE;
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
    auto* handle = ContextHandle::of(context_handle);
    if (!handle) return no_context(minor);
    const auto token = mech::decode_message(view_of(input_message_buffer));
    if (!token) return fail(minor, token.error());
    if (token->type == mech::MessageType::mic) return wrong_kind(minor);
    Room message(token->body.size());
    const auto got = handle->object.unwrap(*token, message.span());
    if (!got) return fail(minor, got.error());
    if (conf_state) *conf_state = got->confidential ? 1 : 0;
    if (qop_state) *qop_state = got->sealed ? 1 : GSS_C_QOP_DEFAULT;
    message.give_to(output_message_buffer);
    return ordered(minor, got->order);
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
    const base::Status made = handle->object.get_mic(qop_req, view_of(message_buffer), token.span().first<mech::kMicSize>());
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
    const auto token = mech::decode_message(view_of(message_token));
    if (!token) return fail(minor, token.error());
    if (token->type != mech::MessageType::mic) return wrong_kind(minor);
    const auto order = handle->object.verify_mic(*token, view_of(message_buffer));
    return order.ok() ? ordered(minor, *order) : fail(minor, order.error());
  });
}

OM_uint32 gss_wrap_size_limit(OM_uint32* minor_status, gss_ctx_id_t context_handle, int, gss_qop_t, OM_uint32 req_output_size, OM_uint32* max_input_size) {
  if (max_input_size) *max_input_size = 0;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!max_input_size) return no_output(minor);
    const auto* handle = ContextHandle::of(context_handle);
    if (!handle || !handle->object.open()) return no_context(minor);
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
