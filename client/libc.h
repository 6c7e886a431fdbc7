// SPDX-License-Identifier: MIT
// libc's calls that libipsecshim-preload.so stands in front of, as they are behind it: what our libraries call themselves must not come back
// to them as a call of the program. Without that preload: what is linked. Which of them it is the loader settles, so there is nothing to
// look up, lock or hold. Threads: any, and signal handlers.
#pragma once

#include <netdb.h>
#include <sys/socket.h>

#define GSS_IPSEC_LIBC_CALLS(X) \
  X(accept) X(accept4) X(bind) X(connect) X(freeaddrinfo) X(getaddrinfo) X(getpeername) X(getsockname) X(getsockopt) X(setsockopt) X(socket)

namespace gssipsec::client {

struct Libc {
#define GSS_IPSEC_LIBC_MEMBER(name) decltype(&::name) name;
  GSS_IPSEC_LIBC_CALLS(GSS_IPSEC_LIBC_MEMBER)
#undef GSS_IPSEC_LIBC_MEMBER
};
[[nodiscard]] const Libc& libc() noexcept;

}  // namespace gssipsec::client

// The preload's. Another meaning of the structure is another name.
extern "C" const gssipsec::client::Libc* ipsec_shim_libc_1() noexcept;
