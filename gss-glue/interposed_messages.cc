// SPDX-License-Identifier: MIT
// gssi_wrap, gssi_unwrap and what has additional data beside the message: each message goes by Kerberos, by Kerberos behind an offer
// to switch, or by the channel. What came says in its first octet which it is.
#include <string.h>

#include <algorithm>

#include "gss-glue/interposed.h"
#include "gss-glue/whole_messages.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

using mech::KerberosContext;

// One call's arguments. `associated` null: gss_wrap and gss_unwrap.
struct WholeMessage {
  gss_ctx_id_t kerberos;
  gss_buffer_t associated, input;
  int* state;
  gss_buffer_t output;
};

struct Wished {
  int confidential;
  gss_qop_t qop;
};

// No view where there is no additional data.
class Associated {
 public:
  explicit Associated(gss_buffer_t buffer) : view_(view_of(buffer)), size_(buffer ? 1 : 0) {}
  [[nodiscard]] mech::Views views() const noexcept { return {&view_, size_}; }

 private:
  base::View view_;
  std::size_t size_;
};

OM_uint32 wrap_by_kerberos(OM_uint32* minor, const WholeMessage& message, const Wished& how, gss_buffer_t output) {
  if (message.associated)
    return mechglue().gss_wrap_aead(minor, message.kerberos, how.confidential, how.qop, message.associated, message.input, message.state, output);
  return mechglue().gss_wrap(minor, message.kerberos, how.confidential, how.qop, message.input, message.state, output);
}

OM_uint32 wrap_with_offer(OM_uint32* minor, KerberosContext& channel, const WholeMessage& message, const Wished& how) {
  MechglueBuffer inner;
  const OM_uint32 major = wrap_by_kerberos(minor, message, how, &inner);
  if (GSS_ERROR(major)) return major;
  Room token(mech::kSwitchHeader + inner.length);
  if (const base::Status put = channel.put_switch(token.span().first<mech::kSwitchHeader>()); !put) return fail(minor, put.error());
  memcpy(token.span().subspan(mech::kSwitchHeader).data(), inner.value, inner.length);
  token.give_to(message.output);
  return major;
}

OM_uint32 wrap_any(OM_uint32* minor, gss_ctx_id_t context, const WholeMessage& message, const Wished& how) {
  auto* channel = channel_of(context);
  if (!channel || how.qop != GSS_C_QOP_DEFAULT || !message.input || !message.output) return wrap_by_kerberos(minor, message, how, message.output);
  switch (channel->way_out()) {
    case KerberosContext::Way::channel:
      return wrap_whole(minor, *channel, how.confidential != 0, how.qop, Associated(message.associated).views(), view_of(message.input), message.state,
                        message.output);
    case KerberosContext::Way::offer: return wrap_with_offer(minor, *channel, message, how);
    case KerberosContext::Way::kerberos: break;
  }
  const OM_uint32 major = wrap_by_kerberos(minor, message, how, message.output);
  if (!GSS_ERROR(major)) channel->sent_by_kerberos();
  return major;
}

OM_uint32 unwrap_by_kerberos(OM_uint32* minor, const WholeMessage& message, gss_buffer_t token, gss_qop_t* qop) {
  if (message.associated) return mechglue().gss_unwrap_aead(minor, message.kerberos, token, message.associated, message.output, message.state, qop);
  return mechglue().gss_unwrap(minor, message.kerberos, token, message.output, message.state, qop);
}

OM_uint32 unwrap_with_offer(OM_uint32* minor, KerberosContext& channel, const WholeMessage& message, gss_qop_t* qop) {
  const base::View token = view_of(message.input);
  if (const base::Status genuine = channel.check_switch(token); !genuine) return fail(minor, genuine.error());
  gss_buffer_desc behind{token.size() - mech::kSwitchHeader, const_cast<std::byte*>(token.data()) + mech::kSwitchHeader};
  const OM_uint32 major = noted_by_channel(minor, channel, unwrap_by_kerberos(minor, message, &behind, qop));
  if (!GSS_ERROR(major)) channel.accept_switch();
  return major;
}

OM_uint32 unwrap_any(OM_uint32* minor, gss_ctx_id_t context, const WholeMessage& message, gss_qop_t* qop) {
  auto* channel = channel_of(context);
  if (!channel || !message.output) return unwrap_by_kerberos(minor, message, message.input, qop);
  switch (mech::kind_of(view_of(message.input))) {
    case mech::Kind::offer: return unwrap_with_offer(minor, *channel, message, qop);
    case mech::Kind::channel:
      if (qop) *qop = GSS_C_QOP_DEFAULT;  // Kerberos has no other
      return unwrap_whole(minor, *channel, view_of(message.input), Associated(message.associated).views(), message.output, message.state, nullptr);
    case mech::Kind::kerberos: break;
  }
  return noted_by_channel(minor, *channel, unwrap_by_kerberos(minor, message, message.input, qop));
}

}  // namespace

namespace gssipsec::glue {

OM_uint32 noted_by_channel(OM_uint32* minor, KerberosContext& channel, OM_uint32 major) {
  if (GSS_ERROR(major) || (major & (GSS_S_DUPLICATE_TOKEN | GSS_S_OLD_TOKEN))) return major;
  return major | ordered(minor, channel.received_by_kerberos());
}

}  // namespace gssipsec::glue

OM_uint32 gssi_wrap(OM_uint32* minor_status, gss_ctx_id_t context_handle, int conf_req_flag, gss_qop_t qop_req, gss_buffer_t input_message_buffer,
                    int* conf_state, gss_buffer_t output_message_buffer) {
  return interposed(minor_status, [&](OM_uint32* minor) {
    return wrap_any(minor, context_handle, {real_of(context_handle), nullptr, input_message_buffer, conf_state, output_message_buffer},
                    {conf_req_flag, qop_req});
  });
}

OM_uint32 gssi_wrap_aead(OM_uint32* minor_status, gss_ctx_id_t context_handle, int conf_req_flag, gss_qop_t qop_req, gss_buffer_t input_assoc_buffer,
                         gss_buffer_t input_payload_buffer, int* conf_state, gss_buffer_t output_message_buffer) {
  return interposed(minor_status, [&](OM_uint32* minor) {
    return wrap_any(minor, context_handle,
                    {real_of(context_handle), input_assoc_buffer, input_payload_buffer, conf_state, output_message_buffer}, {conf_req_flag, qop_req});
  });
}

OM_uint32 gssi_unwrap(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_buffer_t input_message_buffer, gss_buffer_t output_message_buffer,
                      int* conf_state, gss_qop_t* qop_state) {
  return interposed(minor_status, [&](OM_uint32* minor) {
    return unwrap_any(minor, context_handle, {real_of(context_handle), nullptr, input_message_buffer, conf_state, output_message_buffer}, qop_state);
  });
}

OM_uint32 gssi_unwrap_aead(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_buffer_t input_message_buffer, gss_buffer_t input_assoc_buffer,
                           gss_buffer_t output_payload_buffer, int* conf_state, gss_qop_t* qop_state) {
  return interposed(minor_status, [&](OM_uint32* minor) {
    return unwrap_any(minor, context_handle,
                      {real_of(context_handle), input_assoc_buffer, input_message_buffer, conf_state, output_payload_buffer}, qop_state);
  });
}

// Of both ways the one that leaves less: a program asks once, and sends by either.
OM_uint32 gssi_wrap_size_limit(OM_uint32* minor_status, gss_ctx_id_t context_handle, int conf_req_flag, gss_qop_t qop_req, OM_uint32 req_output_size,
                               OM_uint32* max_input_size) {
  return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    const auto* channel = channel_of(context_handle);
    const auto reserve = channel ? channel->reserve() : std::nullopt;
    const OM_uint32 taken = static_cast<OM_uint32>(reserve.value_or(0));
    const OM_uint32 left = req_output_size > taken ? req_output_size - taken : 0;
    const OM_uint32 major = mechglue().gss_wrap_size_limit(minor, real_of(context_handle), conf_req_flag, qop_req, left, max_input_size);
    if (GSS_ERROR(major) || !reserve || !max_input_size) return major;
    const OM_uint32 by_channel = req_output_size > mech::kWrapOverhead ? req_output_size - static_cast<OM_uint32>(mech::kWrapOverhead) : 0;
    *max_input_size = std::min(*max_input_size, by_channel);
    return major;
  });
}
