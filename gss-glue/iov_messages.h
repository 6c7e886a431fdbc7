// SPDX-License-Identifier: MIT
// A message in an array of buffers, by whatever makes and opens tokens: `Context` is mech::Context, or what is like it. All that is
// added stands in HEADER, of one size whatever the form, so that what gss_wrap_iov_length said stays right when the latch changes.
// PADDING and TRAILER are empty always; one that came with octets in it is refused, for nothing authenticates them.
#pragma once

#include "gss-glue/iov.h"

namespace gssipsec::glue {

[[nodiscard]] base::Error odd_iov(const char* what);
// For gss_wrap_iov and its length; for the rest.
[[nodiscard]] base::Result<Iov> sorted_to_wrap(gss_iov_buffer_desc* buffers, int count, IovUse use);
[[nodiscard]] base::Result<Iov> sorted(gss_iov_buffer_desc* buffers, int count, IovUse use);
// Makes room for what a message needs around it.
[[nodiscard]] base::Status rooms(const Iov& iov);

template <typename Context>
base::Result<bool> wrap_into(Context& context, const Iov& iov, bool confidential, std::uint32_t qop) {
  if (const base::Status room = rooms(iov); !room) return room.error();
  auto concealed = context.wrap(confidential, qop, {iov.signed_only, iov.pieces}, octets_of(iov.header).first<mech::kWrapOverhead>());
  if (!concealed) take_back(iov.header);
  return concealed;
}

template <typename Context>
base::Result<mech::Unwrapped> unwrap_parts(Context& context, const Iov& iov) {
  for (const gss_iov_buffer_t empty : {iov.padding, iov.trailer})
    if (empty && empty->buffer.length != 0) return base::fail(base::Code::BAD_TOKEN, "found octets in PADDING or TRAILER");
  const auto token = mech::decode_head(octets_of(iov.header));
  if (!token) return token.error();
  return context.unwrap(*token, {iov.signed_only, iov.pieces});
}

// Where the message goes: into memory of its own, or it stays where it is in the stream.
template <typename Context>
base::Result<mech::Unwrapped> unwrap_stream(Context& context, const Iov& iov) {
  if (iov.data.size() != 1 || iov.header) return odd_iov("wanted one DATA buffer beside STREAM, and no HEADER");
  const auto token = mech::decode_message(octets_of(iov.stream));
  if (!token) return token.error();
  const gss_iov_buffer_t data = iov.data.front();
  const std::size_t size = token->body.size();
  if (data->type & GSS_IOV_BUFFER_FLAG_ALLOCATE) {
    if (const base::Status made = make_room(data, size); !made) return made.error();
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

template <typename Context>
base::Result<mech::Unwrapped> unwrap_from(Context& context, const Iov& iov) {
  if (iov.stream) return unwrap_stream(context, iov);
  if (!iov.header) return odd_iov("wanted a HEADER or a STREAM buffer");
  return unwrap_parts(context, iov);
}

}  // namespace gssipsec::glue
