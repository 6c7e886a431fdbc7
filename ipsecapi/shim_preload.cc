// SPDX-License-Identifier: MIT
// libipsecshim-preload.so: stands in front of libc's names where a user puts it in LD_PRELOAD, and gives what is about PF_SHIM to libipsecapi;
// all else goes on to libc. It remembers nothing of a call: what libipsecapi and the like of it call themselves goes past it, by
// client/libc.h, so that a signal handler, or who leaves a call by siglongjmp(3), finds it as it was. What goes past libc's names it does
// not see: shim(3) says what holds there.
#include <dlfcn.h>
#include <ipsec/shim.h>
#include <poll.h>

#include <atomic>
#include <cerrno>

#include "client/libc.h"
#include "preload/errno_kept.h"
#include "preload/wrap.h"

namespace gssipsec::api {
namespace {

constinit client::Libc table{};
constinit std::atomic<bool> looked_up = false;

__attribute__((constructor(101))) void look_up() noexcept {
#define IPSEC_SHIM_LOOK_UP(name) table.name = reinterpret_cast<decltype(&::name)>(dlsym(RTLD_NEXT, #name));
  GSS_IPSEC_LIBC_CALLS(IPSEC_SHIM_LOOK_UP)
#undef IPSEC_SHIM_LOOK_UP
  looked_up.store(true, std::memory_order_release);
}

// Another library's constructor may come first.
const client::Libc& real() noexcept {
  if (!looked_up.load(std::memory_order_acquire)) look_up();
  return table;
}

bool is_shim(int fd) noexcept {
  const preload::ErrnoKept kept;
  int domain = 0;
  socklen_t size = sizeof domain;
  return shim_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == PF_SHIM;
}

bool is_end(const sockaddr* address, socklen_t size) noexcept { return address && size >= sizeof(sa_family_t) && address->sa_family == AF_SHIM; }

// A program that knows nothing of IKE takes EAGAIN for a failure: it waits, also with O_NONBLOCK, as long as connect(2) would. In between
// the thread may be cancelled.
int connect_patiently(int fd, const sockaddr* address, socklen_t size) {
  constexpr int kAgainMs = 50, kTimes = 600;
  int result = shim_connect(fd, address, size);
  for (int i = 1; i < kTimes && result != 0 && errno == EAGAIN; ++i) poll(nullptr, 0, kAgainMs), result = shim_connect(fd, address, size);
  return result;
}

}  // namespace
}  // namespace gssipsec::api

using namespace gssipsec;
using namespace gssipsec::api;

#pragma GCC visibility push(default)
const client::Libc* ipsec_shim_libc_1() noexcept { return &real(); }
#pragma GCC visibility pop

GSS_IPSEC_WRAP(int, socket, int domain, int type, int protocol) {
  return domain == PF_SHIM ? shim_socket(domain, type, protocol) : real().socket(domain, type, protocol);
}

GSS_IPSEC_WRAP(int, bind, int fd, const sockaddr* address, socklen_t size) {
  return is_shim(fd) ? shim_bind(fd, address, size) : real().bind(fd, address, size);
}

GSS_IPSEC_WRAP(int, connect, int fd, const sockaddr* address, socklen_t size) {
  return is_end(address, size) || is_shim(fd) ? connect_patiently(fd, address, size) : real().connect(fd, address, size);
}

GSS_IPSEC_WRAP(int, accept4, int fd, sockaddr* address, socklen_t* size, int flags) {
  return is_shim(fd) ? shim_accept4(fd, address, size, flags) : real().accept4(fd, address, size, flags);
}

GSS_IPSEC_WRAP(int, accept, int fd, sockaddr* address, socklen_t* size) {
  return is_shim(fd) ? shim_accept(fd, address, size) : real().accept(fd, address, size);
}

GSS_IPSEC_WRAP(int, getsockname, int fd, sockaddr* address, socklen_t* size) {
  return is_shim(fd) ? shim_getsockname(fd, address, size) : real().getsockname(fd, address, size);
}

GSS_IPSEC_WRAP(int, getpeername, int fd, sockaddr* address, socklen_t* size) {
  return is_shim(fd) ? shim_getpeername(fd, address, size) : real().getpeername(fd, address, size);
}

// The functions of the library give on what is not theirs.
GSS_IPSEC_WRAP(int, getsockopt, int fd, int level, int name, void* value, socklen_t* size) { return shim_getsockopt(fd, level, name, value, size); }

GSS_IPSEC_WRAP(int, setsockopt, int fd, int level, int name, const void* value, socklen_t size) { return shim_setsockopt(fd, level, name, value, size); }

GSS_IPSEC_WRAP(int, getaddrinfo, const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  return shim_getaddrinfo(node, service, hints, found);
}

GSS_IPSEC_WRAP(void, freeaddrinfo, addrinfo* list) { shim_freeaddrinfo(list); }
