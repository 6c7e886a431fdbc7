// SPDX-License-Identifier: MIT
#include "client/libc.h"

#pragma weak ipsec_shim_libc_1

namespace gssipsec::client {
namespace {

constexpr Libc kLinked = {
#define GSS_IPSEC_LIBC_LINKED(name) &::name,
    GSS_IPSEC_LIBC_CALLS(GSS_IPSEC_LIBC_LINKED)
#undef GSS_IPSEC_LIBC_LINKED
};

}  // namespace

const Libc& libc() noexcept { return &ipsec_shim_libc_1 != nullptr ? *ipsec_shim_libc_1() : kLinked; }

}  // namespace gssipsec::client
