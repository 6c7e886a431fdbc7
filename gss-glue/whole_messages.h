// SPDX-License-Identifier: MIT
// A message and its token in one buffer each, by whatever makes and opens tokens: `Context` is mech::Context, or what is like it.
#pragma once

#include "gss-glue/message_room.h"
#include "mech_ipsec/protection.h"

namespace gssipsec::glue {

template <typename Context>
OM_uint32 wrap_whole(OM_uint32* minor, Context& context, bool confidential, gss_qop_t qop, mech::Views signed_only, base::View message, int* conf_state,
                     gss_buffer_t out) {
  if (message.size() > mech::kMaxMessageSize) return too_long(minor);
  Room token(message.size() + mech::kWrapOverhead);
  const mech::Piece piece{message, token.span().subspan(mech::kWrapOverhead).data()};
  const auto concealed = context.wrap(confidential, qop, {signed_only, {&piece, 1}}, token.span().template first<mech::kWrapOverhead>());
  if (!concealed) return fail(minor, concealed.error());
  if (conf_state) *conf_state = *concealed ? 1 : 0;
  token.give_to(out);
  return GSS_S_COMPLETE;
}

template <typename Context>
OM_uint32 unwrap_whole(OM_uint32* minor, Context& context, base::View octets, mech::Views signed_only, gss_buffer_t out, int* conf_state,
                       gss_qop_t* qop_state) {
  const auto token = mech::decode_message(octets);
  if (!token) return fail(minor, token.error());
  Room message(token->body.size());
  const mech::Piece piece{token->body, message.span().data()};
  const auto got = context.unwrap(token->head, {signed_only, {&piece, 1}});
  if (!got) return fail(minor, got.error());
  if (conf_state) *conf_state = got->confidential ? 1 : 0;
  if (qop_state) *qop_state = got->sealed ? 1 : GSS_C_QOP_DEFAULT;
  message.give_to(out);
  return ordered(minor, got->order);
}

}  // namespace gssipsec::glue
