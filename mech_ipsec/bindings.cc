// SPDX-License-Identifier: MIT
#include "mech_ipsec/bindings.h"

namespace gssipsec::mech {
namespace {

constexpr std::size_t kMaxField = 0xffffffff;

}  // namespace

base::Result<Digest> digest_of(const Bindings& bindings) {
  for (const base::View field : {bindings.initiator_address, bindings.acceptor_address, bindings.application_data})
    if (field.size() > kMaxField) return base::fail(base::Code::BAD_ARGUMENT, "channel bindings are too long");
  base::Writer out;
  out.raw("ipsec-gss bindings v1").u32(bindings.initiator_type).block32(bindings.initiator_address);
  out.u32(bindings.acceptor_type).block32(bindings.acceptor_address).block32(bindings.application_data);
  return sha256(out.bytes());
}

}  // namespace gssipsec::mech
