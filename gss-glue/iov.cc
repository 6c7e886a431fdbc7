// SPDX-License-Identifier: MIT
#include "gss-glue/iov.h"

#include "gss-glue/boundary.h"

namespace gssipsec::glue {
namespace {

using base::Code;
using base::fail;
using base::Status;

base::Error odd(const char* what) { return fail(Code::BAD_ARGUMENT, what); }

Status once(gss_iov_buffer_t& place, gss_iov_buffer_t buffer) {
  if (place) return odd("a buffer's type stands twice in the array");
  place = buffer;
  return {};
}

void add_data(Iov& iov, gss_iov_buffer_t buffer, IovUse use) {
  iov.data.push_back(buffer);
  if (is_about_mics(use)) iov.signed_only.push_back(octets_of(buffer));
  else iov.pieces.push_back({octets_of(buffer), octets_of(buffer).data()});
}

Status add(Iov& iov, gss_iov_buffer_t buffer, IovUse use) {
  switch (GSS_IOV_BUFFER_TYPE(buffer->type)) {
    case GSS_IOV_BUFFER_TYPE_EMPTY: return {};
    case GSS_IOV_BUFFER_TYPE_HEADER: return once(iov.header, buffer);
    case GSS_IOV_BUFFER_TYPE_PADDING: return once(iov.padding, buffer);
    case GSS_IOV_BUFFER_TYPE_TRAILER: return once(iov.trailer, buffer);
    case GSS_IOV_BUFFER_TYPE_STREAM: return once(iov.stream, buffer);
    case GSS_IOV_BUFFER_TYPE_MIC_TOKEN: return once(iov.mic, buffer);
    case GSS_IOV_BUFFER_TYPE_DATA: return add_data(iov, buffer, use), Status();
    case GSS_IOV_BUFFER_TYPE_SIGN_ONLY: return iov.signed_only.push_back(octets_of(buffer)), Status();
    default: return odd("a buffer of a type that is not known");
  }
}

// Of what the caller filled in; a buffer to be filled by us may have any rest in it.
bool is_input(gss_iov_buffer_t buffer, const Iov& iov) noexcept {
  const OM_uint32 type = GSS_IOV_BUFFER_TYPE(buffer->type);
  return type == GSS_IOV_BUFFER_TYPE_SIGN_ONLY || (type == GSS_IOV_BUFFER_TYPE_DATA && !iov.stream);
}

// What is read of a token; its other buffers are empty or the message.
bool is_token(gss_iov_buffer_t buffer, IovUse use) noexcept {
  const OM_uint32 type = GSS_IOV_BUFFER_TYPE(buffer->type);
  if (use == IovUse::verify_mic) return type == GSS_IOV_BUFFER_TYPE_MIC_TOKEN;
  return use == IovUse::unwrap && (type == GSS_IOV_BUFFER_TYPE_HEADER || type == GSS_IOV_BUFFER_TYPE_STREAM);
}

// Who asks for lengths need not have the message yet.
bool is_read(gss_iov_buffer_t buffer, const Iov& iov, IovUse use) noexcept {
  return is_token(buffer, use) || (is_input(buffer, iov) && use != IovUse::wrap_length && use != IovUse::mic_length);
}

Status bounded(gss_iov_buffer_desc* buffers, int count, const Iov& iov, IovUse use) {
  std::size_t total = 0;
  for (int i = 0; i < count; ++i) {
    const gss_buffer_desc& buffer = buffers[i].buffer;
    if (is_read(&buffers[i], iov, use) && buffer.length != 0 && !buffer.value) return odd("a buffer with a length and no octets");
    if (!is_input(&buffers[i], iov)) continue;
    if (buffer.length > mech::kMaxMessageSize - total) return odd("the message is too long");
    total += buffer.length;
  }
  return {};
}

}  // namespace

std::span<std::byte> octets_of(gss_iov_buffer_t buffer) noexcept { return {static_cast<std::byte*>(buffer->buffer.value), buffer->buffer.length}; }

base::Result<Iov> sort_iov(gss_iov_buffer_desc* buffers, int count, IovUse use) {
  if (!buffers || count < 0) return odd("wanted an array of buffers");
  Iov iov;
  for (int i = 0; i < count; ++i)
    if (const Status added = add(iov, &buffers[i], use); !added) return added.error();
  if (const Status fits = bounded(buffers, count, iov, use); !fits) return fits.error();
  return iov;
}

base::Status make_room(gss_iov_buffer_t buffer, std::size_t size) {
  if (!(buffer->type & GSS_IOV_BUFFER_FLAG_ALLOCATE)) {
    if (buffer->buffer.length < size || (size != 0 && !buffer->buffer.value))
      return fail(Code::BAD_ARGUMENT, "wanted a buffer of " + std::to_string(size) + " octets, found " + std::to_string(buffer->buffer.length));
    buffer->buffer.length = size;
    return {};
  }
  buffer->buffer = {0, nullptr};
  if (size == 0) return {};
  if (!(buffer->buffer.value = malloc(size))) return fail(Code::NO_MEMORY);
  buffer->buffer.length = size;
  buffer->type |= GSS_IOV_BUFFER_FLAG_ALLOCATED;
  return {};
}

void take_back(gss_iov_buffer_t buffer) noexcept {
  if (!(buffer->type & GSS_IOV_BUFFER_FLAG_ALLOCATED)) return;
  free(buffer->buffer.value);
  buffer->buffer = {0, nullptr};
  buffer->type &= ~static_cast<OM_uint32>(GSS_IOV_BUFFER_FLAG_ALLOCATED);
}

}  // namespace gssipsec::glue
