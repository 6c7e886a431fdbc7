// SPDX-License-Identifier: MIT
// libc's own functions, which the preload stands in front of. Looked up before main(), or by a
// constructor that calls one earlier: one thread, no seccomp filter yet. Threads: constant afterwards.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

namespace gssipsec::preload {

#define GSS_IPSEC_REAL_FUNCTIONS(X)                                                     \
  X(accept, int(int, sockaddr*, socklen_t*))                                            \
  X(accept4, int(int, sockaddr*, socklen_t*, int))                                      \
  X(connect, int(int, const sockaddr*, socklen_t))                                      \
  X(socket, int(int, int, int))                                                         \
  X(socketpair, int(int, int, int, int*))                                               \
  X(close, int(int))                                                                    \
  X(close_range, int(unsigned, unsigned, int))                                          \
  X(closefrom, void(int))                                                               \
  X(dup, int(int))                                                                      \
  X(dup2, int(int, int))                                                                \
  X(dup3, int(int, int, int))                                                           \
  X(fcntl, int(int, int, ...))                                                          \
  X(fcntl64, int(int, int, ...))                                                        \
  X(getsockopt, int(int, int, int, void*, socklen_t*))                                  \
  X(setsockopt, int(int, int, int, const void*, socklen_t))                             \
  X(getpeername, int(int, sockaddr*, socklen_t*))                                       \
  X(getsockname, int(int, sockaddr*, socklen_t*))                                       \
  X(read, ssize_t(int, void*, size_t))                                                  \
  X(__read_chk, ssize_t(int, void*, size_t, size_t))                                    \
  X(readv, ssize_t(int, const iovec*, int))                                             \
  X(preadv2, ssize_t(int, const iovec*, int, off_t, int))                               \
  X(preadv64v2, ssize_t(int, const iovec*, int, off_t, int))                            \
  X(recv, ssize_t(int, void*, size_t, int))                                             \
  X(__recv_chk, ssize_t(int, void*, size_t, size_t, int))                               \
  X(recvfrom, ssize_t(int, void*, size_t, int, sockaddr*, socklen_t*))                  \
  X(__recvfrom_chk, ssize_t(int, void*, size_t, size_t, int, sockaddr*, socklen_t*))    \
  X(recvmsg, ssize_t(int, msghdr*, int))                                                \
  X(recvmmsg, int(int, mmsghdr*, unsigned, int, timespec*))                             \
  X(write, ssize_t(int, const void*, size_t))                                           \
  X(writev, ssize_t(int, const iovec*, int))                                            \
  X(send, ssize_t(int, const void*, size_t, int))                                       \
  X(sendto, ssize_t(int, const void*, size_t, int, const sockaddr*, socklen_t))         \
  X(sendmsg, ssize_t(int, const msghdr*, int))                                          \
  X(sendmmsg, int(int, mmsghdr*, unsigned, int))                                        \
  X(sendfile, ssize_t(int, int, off_t*, size_t))                                        \
  X(sendfile64, ssize_t(int, int, off_t*, size_t))

template <typename Function>
using Pointer = Function*;

struct Real {
#define GSS_IPSEC_MEMBER(name, type) Pointer<type> name;
  GSS_IPSEC_REAL_FUNCTIONS(GSS_IPSEC_MEMBER)
#undef GSS_IPSEC_MEMBER
};
[[nodiscard]] const Real& real() noexcept;

}  // namespace gssipsec::preload
