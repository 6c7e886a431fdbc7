// SPDX-License-Identifier: MIT
// gssi_wrap and gssi_unwrap: each message goes by Kerberos, by Kerberos behind an offer to switch, or by the channel. What came says
// in its first octet which it is.
#include "gss-glue/interposed.h"
#include "gss-glue/room.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

using mech::KerberosContext;

struct Message {
  gss_ctx_id_t kerberos;
  int confidential;
  gss_qop_t qop;
  gss_buffer_t input;
  int* state;
  gss_buffer_t output;
};

OM_uint32 wrap_by_kerberos(OM_uint32* minor, const Message& message) {
  return mechglue().gss_wrap(minor, message.kerberos, message.confidential, message.qop, message.input, message.state, message.output);
}

OM_uint32 wrap_with_offer(OM_uint32* minor, KerberosContext& channel, const Message& message) {
  gss_buffer_desc inner = GSS_C_EMPTY_BUFFER;
  const OM_uint32 major = mechglue().gss_wrap(minor, message.kerberos, message.confidential, message.qop, message.input, message.state, &inner);
  if (GSS_ERROR(major)) return major;
  const MechglueBuffer released(inner);
  Room token(mech::kSwitchHeader + inner.length);
  if (const base::Status put = channel.put_switch(token.span().first<mech::kSwitchHeader>()); !put) return fail(minor, put.error());
  memcpy(token.span().subspan(mech::kSwitchHeader).data(), inner.value, inner.length);
  token.give_to(message.output);
  return major;
}

OM_uint32 wrap_by_channel(OM_uint32* minor, KerberosContext& channel, const Message& message) {
  const base::View octets = view_of(message.input);
  if (octets.size() > mech::kMaxMessageSize) return fail(minor, base::fail(base::Code::BAD_ARGUMENT, "the message is too long"));
  Room token(octets.size() + mech::kWrapOverhead);
  const auto confidential = channel.wrap(message.confidential != 0, octets, token.span());
  if (!confidential) return fail(minor, confidential.error());
  if (message.state) *message.state = *confidential ? 1 : 0;
  token.give_to(message.output);
  return GSS_S_COMPLETE;
}

struct Received {
  gss_ctx_id_t kerberos;
  base::View token;
  gss_buffer_t output;
  int* state;
  gss_qop_t* qop;
};

OM_uint32 unwrap_by_kerberos(OM_uint32* minor, KerberosContext& channel, const Received& received, base::View token) {
  gss_buffer_desc input{token.size(), const_cast<std::byte*>(token.data())};
  const OM_uint32 major = mechglue().gss_unwrap(minor, received.kerberos, &input, received.output, received.state, received.qop);
  if (GSS_ERROR(major) || (major & (GSS_S_DUPLICATE_TOKEN | GSS_S_OLD_TOKEN))) return major;
  return major | ordered(minor, channel.received_by_kerberos());
}

OM_uint32 unwrap_with_offer(OM_uint32* minor, KerberosContext& channel, const Received& received) {
  if (const base::Status genuine = channel.check_switch(received.token); !genuine) return fail(minor, genuine.error());
  const OM_uint32 major = unwrap_by_kerberos(minor, channel, received, received.token.subspan(mech::kSwitchHeader));
  if (!GSS_ERROR(major)) channel.accept_switch();
  return major;
}

OM_uint32 unwrap_by_channel(OM_uint32* minor, KerberosContext& channel, const Received& received) {
  const auto token = mech::decode_message(received.token);
  if (!token) return fail(minor, token.error());
  Room message(token->body.size());
  const auto got = channel.unwrap(*token, message.span());
  if (!got) return fail(minor, got.error());
  if (received.state) *received.state = got->confidential ? 1 : 0;
  message.give_to(received.output);
  return ordered(minor, got->order);
}

OM_uint32 unwrap_any(OM_uint32* minor, KerberosContext& channel, const Received& received) {
  switch (received.token.empty() ? 0 : std::to_integer<std::uint8_t>(received.token.front())) {
    case mech::kSwitchType: return unwrap_with_offer(minor, channel, received);
    case static_cast<std::uint8_t>(mech::MessageType::channel):
    case static_cast<std::uint8_t>(mech::MessageType::sealed): return unwrap_by_channel(minor, channel, received);
    default: return unwrap_by_kerberos(minor, channel, received, received.token);
  }
}

}  // namespace

OM_uint32 gssi_wrap(OM_uint32* minor_status, gss_ctx_id_t context_handle, int conf_req_flag, gss_qop_t qop_req, gss_buffer_t input_message_buffer,
                    int* conf_state, gss_buffer_t output_message_buffer) {
  return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    const Message message{kerberos_of(context_handle), conf_req_flag, qop_req, input_message_buffer, conf_state, output_message_buffer};
    auto* channel = channel_of(context_handle);
    if (!channel || qop_req != GSS_C_QOP_DEFAULT) return wrap_by_kerberos(minor, message);
    switch (channel->way_out()) {
      case KerberosContext::Way::channel: return wrap_by_channel(minor, *channel, message);
      case KerberosContext::Way::offer: return wrap_with_offer(minor, *channel, message);
      case KerberosContext::Way::kerberos: break;
    }
    const OM_uint32 major = wrap_by_kerberos(minor, message);
    if (!GSS_ERROR(major)) channel->sent_by_kerberos();
    return major;
  });
}

OM_uint32 gssi_unwrap(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_buffer_t input_message_buffer, gss_buffer_t output_message_buffer,
                      int* conf_state, gss_qop_t* qop_state) {
  return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    auto* channel = channel_of(context_handle);
    const gss_ctx_id_t kerberos = kerberos_of(context_handle);
    if (!channel) return mechglue().gss_unwrap(minor, kerberos, input_message_buffer, output_message_buffer, conf_state, qop_state);
    return unwrap_any(minor, *channel, {kerberos, view_of(input_message_buffer), output_message_buffer, conf_state, qop_state});
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
    const OM_uint32 major = mechglue().gss_wrap_size_limit(minor, kerberos_of(context_handle), conf_req_flag, qop_req, left, max_input_size);
    if (GSS_ERROR(major) || !reserve || !max_input_size) return major;
    const OM_uint32 by_channel = req_output_size > mech::kWrapOverhead ? req_output_size - static_cast<OM_uint32>(mech::kWrapOverhead) : 0;
    *max_input_size = std::min(*max_input_size, by_channel);
    return major;
  });
}
