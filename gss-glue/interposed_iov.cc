// SPDX-License-Identifier: MIT
// Messages in arrays of buffers, as interposed_messages.cc does whole ones. An offer stands in front of Kerberos' own header, in the
// same buffer.
#include <string.h>

#include <algorithm>
#include <vector>

#include "gss-glue/interposed.h"
#include "gss-glue/iov_messages.h"
#include "gss-glue/message_room.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

using mech::KerberosContext;

struct IovMessage {
  gss_ctx_id_t kerberos;
  int confidential;
  gss_qop_t qop;
  int* state;
  gss_iov_buffer_desc* iov;
  int count;
};

gss_iov_buffer_t first_of(const IovMessage& message, OM_uint32 type) noexcept {
  for (int i = 0; i < message.count; ++i)
    if (GSS_IOV_BUFFER_TYPE(message.iov[i].type) == type) return &message.iov[i];
  return nullptr;
}

// Hides the octets at the beginning of a buffer for the time of a call.
class Behind {
 public:
  Behind(gss_iov_buffer_t buffer, std::size_t octets) noexcept : buffer_(buffer), octets_(octets) {
    buffer_->buffer.value = static_cast<std::byte*>(buffer_->buffer.value) + octets_;
    buffer_->buffer.length -= octets_;
  }
  Behind(const Behind&) = delete;
  Behind& operator=(const Behind&) = delete;
  ~Behind() {
    buffer_->buffer.value = static_cast<std::byte*>(buffer_->buffer.value) - octets_;
    buffer_->buffer.length += octets_;
  }

 private:
  gss_iov_buffer_t buffer_;
  std::size_t octets_;
};

OM_uint32 wrap_pieces_by_kerberos(OM_uint32* minor, const IovMessage& message) {
  return mechglue().gss_wrap_iov(minor, message.kerberos, message.confidential, message.qop, message.state, message.iov, message.count);
}

// A program that asked for the length before there was anything to offer has no room for it, and nothing is offered.
bool has_room_for_offer(const IovMessage& message, gss_iov_buffer_t header) {
  if (!header) return false;
  if (header->type & GSS_IOV_BUFFER_FLAG_ALLOCATE) return true;
  std::vector<gss_iov_buffer_desc> copy(message.iov, message.iov + message.count);
  OM_uint32 ignored;
  const OM_uint32 major =
      mechglue().gss_wrap_iov_length(&ignored, message.kerberos, message.confidential, message.qop, nullptr, copy.data(), message.count);
  return !GSS_ERROR(major) && header->buffer.length >= copy[static_cast<std::size_t>(header - message.iov)].buffer.length + mech::kSwitchHeader;
}

OM_uint32 offer_in_place(OM_uint32* minor, KerberosContext& channel, const IovMessage& message, gss_iov_buffer_t header) {
  OM_uint32 major = GSS_S_COMPLETE;
  {
    const Behind kerberos_part(header, mech::kSwitchHeader);
    major = wrap_pieces_by_kerberos(minor, message);
  }
  if (GSS_ERROR(major)) return major;
  const base::Status put = channel.put_switch(octets_of(header).first<mech::kSwitchHeader>());
  return put.ok() ? major : fail(minor, put.error());
}

OM_uint32 offer_allocated(OM_uint32* minor, KerberosContext& channel, const IovMessage& message, gss_iov_buffer_t header) {
  const OM_uint32 major = wrap_pieces_by_kerberos(minor, message);
  if (GSS_ERROR(major)) return major;
  Room longer(mech::kSwitchHeader + header->buffer.length);
  if (const base::Status put = channel.put_switch(longer.span().first<mech::kSwitchHeader>()); !put) return fail(minor, put.error());
  memcpy(longer.span().subspan(mech::kSwitchHeader).data(), header->buffer.value, header->buffer.length);
  free(header->buffer.value);
  longer.give_to(&header->buffer);
  return major;
}

OM_uint32 wrap_pieces_by_channel(OM_uint32* minor, KerberosContext& channel, const IovMessage& message) {
  const auto buffers = sorted_to_wrap(message.iov, message.count, IovUse::wrap);
  if (!buffers) return fail(minor, buffers.error());
  const auto concealed = wrap_into(channel, *buffers, message.confidential != 0, message.qop);
  if (!concealed) return fail(minor, concealed.error());
  if (message.state) *message.state = *concealed ? 1 : 0;
  return GSS_S_COMPLETE;
}

OM_uint32 wrap_pieces(OM_uint32* minor, KerberosContext& channel, const IovMessage& message) {
  const auto way = channel.way_out();
  if (way == KerberosContext::Way::channel) return wrap_pieces_by_channel(minor, channel, message);
  auto* header = first_of(message, GSS_IOV_BUFFER_TYPE_HEADER);
  if (way == KerberosContext::Way::offer && has_room_for_offer(message, header)) {
    const bool allocated = header->type & GSS_IOV_BUFFER_FLAG_ALLOCATE;
    return allocated ? offer_allocated(minor, channel, message, header) : offer_in_place(minor, channel, message, header);
  }
  const OM_uint32 major = wrap_pieces_by_kerberos(minor, message);
  if (!GSS_ERROR(major)) channel.sent_by_kerberos();
  return major;
}

// Where the token begins: in the stream, or in the header.
gss_iov_buffer_t beginning_of(const IovMessage& message) noexcept {
  auto* stream = first_of(message, GSS_IOV_BUFFER_TYPE_STREAM);
  return stream ? stream : first_of(message, GSS_IOV_BUFFER_TYPE_HEADER);
}

OM_uint32 unwrap_pieces_by_kerberos(OM_uint32* minor, const IovMessage& message, gss_qop_t* qop) {
  return mechglue().gss_unwrap_iov(minor, message.kerberos, message.state, qop, message.iov, message.count);
}

OM_uint32 unwrap_pieces_with_offer(OM_uint32* minor, KerberosContext& channel, const IovMessage& message, gss_qop_t* qop) {
  auto* beginning = beginning_of(message);
  if (const base::Status genuine = channel.check_switch(octets_of(beginning)); !genuine) return fail(minor, genuine.error());
  const Behind kerberos_part(beginning, mech::kSwitchHeader);
  const OM_uint32 major = noted_by_channel(minor, channel, unwrap_pieces_by_kerberos(minor, message, qop));
  if (!GSS_ERROR(major)) channel.accept_switch();
  return major;
}

OM_uint32 unwrap_pieces_by_channel(OM_uint32* minor, KerberosContext& channel, const IovMessage& message) {
  const auto buffers = sorted(message.iov, message.count, IovUse::unwrap);
  if (!buffers) return fail(minor, buffers.error());
  const auto got = unwrap_from(channel, *buffers);
  if (!got) return fail(minor, got.error());
  if (message.state) *message.state = got->confidential ? 1 : 0;
  return ordered(minor, got->order);
}

OM_uint32 unwrap_pieces(OM_uint32* minor, KerberosContext& channel, const IovMessage& message, gss_qop_t* qop) {
  const auto* beginning = beginning_of(message);
  switch (mech::kind_of(beginning ? view_of(&beginning->buffer) : base::View())) {
    case mech::Kind::offer: return unwrap_pieces_with_offer(minor, channel, message, qop);
    case mech::Kind::channel:
      if (qop) *qop = GSS_C_QOP_DEFAULT;  // Kerberos has no other
      return unwrap_pieces_by_channel(minor, channel, message);
    case mech::Kind::kerberos: break;
  }
  return noted_by_channel(minor, channel, unwrap_pieces_by_kerberos(minor, message, qop));
}

}  // namespace

OM_uint32 gssi_wrap_iov(OM_uint32* minor_status, gss_ctx_id_t context_handle, int conf_req_flag, gss_qop_t qop_req, int* conf_state,
                        gss_iov_buffer_desc* iov, int iov_count) {
  return interposed(minor_status, [&](OM_uint32* minor) {
    const IovMessage message{real_of(context_handle), conf_req_flag, qop_req, conf_state, iov, iov_count};
    auto* channel = channel_of(context_handle);
    return channel && qop_req == GSS_C_QOP_DEFAULT && iov ? wrap_pieces(minor, *channel, message) : wrap_pieces_by_kerberos(minor, message);
  });
}

// Room for each way that the message may go by when it is made.
OM_uint32 gssi_wrap_iov_length(OM_uint32* minor_status, gss_ctx_id_t context_handle, int conf_req_flag, gss_qop_t qop_req, int* conf_state,
                               gss_iov_buffer_desc* iov, int iov_count) {
  return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    const IovMessage message{real_of(context_handle), conf_req_flag, qop_req, conf_state, iov, iov_count};
    const OM_uint32 major = mechglue().gss_wrap_iov_length(minor, message.kerberos, conf_req_flag, qop_req, conf_state, iov, iov_count);
    const auto* channel = channel_of(context_handle);
    const auto reserve = channel ? channel->reserve() : std::nullopt;
    if (GSS_ERROR(major) || !reserve) return major;
    if (auto* header = first_of(message, GSS_IOV_BUFFER_TYPE_HEADER))
      header->buffer.length = std::max<std::size_t>(header->buffer.length + *reserve, mech::kWrapOverhead);
    return major;
  });
}

OM_uint32 gssi_unwrap_iov(OM_uint32* minor_status, gss_ctx_id_t context_handle, int* conf_state, gss_qop_t* qop_state, gss_iov_buffer_desc* iov,
                          int iov_count) {
  return interposed(minor_status, [&](OM_uint32* minor) {
    const IovMessage message{real_of(context_handle), 0, 0, conf_state, iov, iov_count};
    auto* channel = channel_of(context_handle);
    return channel && iov ? unwrap_pieces(minor, *channel, message, qop_state) : unwrap_pieces_by_kerberos(minor, message, qop_state);
  });
}
