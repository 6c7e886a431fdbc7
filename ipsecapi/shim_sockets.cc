// SPDX-License-Identifier: MIT
#include "ipsecapi/shim_sockets.h"

#include <ipsec/shim.h>
#include <pthread.h>
#include <signal.h>

#include <map>

#include "client/connect.h"
#include "client/sockets.h"
#include "ipsecapi/boundary.h"

namespace gssipsec::api {
namespace {

using Sockets = std::map<std::uint64_t, ShimSocket>;

constexpr std::size_t kFew = 256;

// Never destroyed: a thread may still be in accept() when the program ends.
constinit pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;  // std::mutex brings its errors' objects, which are destroyed at exit
constinit Sockets* sockets = nullptr;
constinit std::size_t many = kFew;
constinit sigset_t interrupted{};  // under the lock: the signals of who holds it

// Without signals: a handler may call accept(2), and so ask for the lock again, or leave by siglongjmp(3).
void lock_all() noexcept {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_mutex_lock(&mutex);
  interrupted = before;
}
void unlock_all() noexcept {
  const sigset_t before = interrupted;
  pthread_mutex_unlock(&mutex);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// Also where the program has no such socket: with the preload it looks for all, and a child must not find locked what another thread looked at.
__attribute__((constructor)) void follow_forks() noexcept { pthread_atfork(lock_all, unlock_all, unlock_all); }

struct Locked {
  Locked() noexcept { lock_all(); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  ~Locked() { unlock_all(); }
};

// Under the lock. Where nobody can say which are left, all are.
void forget_closed() {
  const auto held = client::cookies_held();
  if (held.ok()) std::erase_if(*sockets, [&held](const auto& entry) { return !held->contains(entry.first); });
  many = std::max(kFew, 2 * sockets->size());
}

}  // namespace

void remember(std::uint64_t cookie, ShimSocket socket) {
  const Locked lock;
  if (!sockets) sockets = new Sockets;
  sockets->insert_or_assign(cookie, std::move(socket));
  if (sockets->size() > many) forget_closed();
}

int known_socket(int fd, Known& out) {
  const auto cookie = client::socket_cookie(fd);
  if (!cookie) return fail(base::fail(base::Code::NOT_A_SOCKET, "descriptor " + std::to_string(fd)), fd < 0 || errno == EBADF ? EBADF : ENOTSOCK);
  const Locked lock;
  const auto entry = sockets ? sockets->find(*cookie) : Sockets::iterator();
  if (!sockets || entry == sockets->end()) return bad_argument("wanted a socket of shim_socket()");
  return out = {*cookie, entry->second}, 0;
}

bool is_known(int fd) noexcept {
  const auto cookie = client::socket_cookie(fd);
  const Locked lock;
  return cookie && sockets && sockets->contains(*cookie);
}

}  // namespace gssipsec::api
