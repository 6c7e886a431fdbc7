// SPDX-License-Identifier: MIT
// Arrays of buffers as a program may hand them in: types, flags and lengths from the input, octets from its rest. What is
// sorted holds each buffer once, and no key opens it.
#include <cstdlib>

#include "base/bytes.h"
#include "gss-glue/iov.h"
#include "mech_ipsec/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gssipsec;
  static auto end = mech::Protection::make(base::Bytes(32), mech::Digest{}, mech::Direction::from_acceptor, *mech::SendCounter::make());
  base::Bytes octets(reinterpret_cast<const std::byte*>(data), reinterpret_cast<const std::byte*>(data) + size);
  base::Reader in(octets);
  std::vector<gss_iov_buffer_desc> buffers(in.u8() % 8);
  for (auto& buffer : buffers) {
    buffer.type = in.u8();
    buffer.type |= (in.u8() & 3u) << 16;
    buffer.buffer = {in.u16(), nullptr};
  }
  for (auto& buffer : buffers) {
    const base::View taken = in.take(std::min<std::size_t>(buffer.buffer.length, in.left()));
    if (taken.size() == buffer.buffer.length) buffer.buffer.value = const_cast<std::byte*>(taken.data());
  }
  for (const glue::IovUse use : {glue::IovUse::wrap, glue::IovUse::unwrap, glue::IovUse::get_mic, glue::IovUse::verify_mic}) {
    const auto iov = glue::sort_iov(buffers.data(), static_cast<int>(buffers.size()), use);
    if (!iov.ok()) continue;
    if (iov->mic && use == glue::IovUse::verify_mic) (void)mech::decode_head(glue::octets_of(iov->mic)).ok();
    if (iov->stream && use == glue::IovUse::unwrap) (void)mech::decode_message(glue::octets_of(iov->stream)).ok();
    if (!iov->header || iov->stream || use != glue::IovUse::unwrap) continue;
    const auto token = mech::decode_head(glue::octets_of(iov->header));
    if (token.ok() && end->open(*token, {iov->signed_only, iov->pieces}).ok()) std::abort();
  }
  return 0;
}
