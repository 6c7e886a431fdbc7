// SPDX-License-Identifier: MIT
#include "preload/table.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "preload/errno_kept.h"

namespace gssipsec::preload {
namespace {

// A window stays with its number: another thread may be about to append.
struct Slot {
  std::atomic<std::uint64_t> cookie;
  std::atomic<Window*> window;
};

constinit std::array<Slot, kDescriptors> slots{};
constinit std::atomic<int> highest = -1;

// The last ones, so that a closed one uncovers the one before.
constexpr std::size_t kRemembered = 4;
constinit thread_local std::array<Socket, kRemembered> recent{};
constinit thread_local bool overlooking = false;

Slot* slot_of(int fd) noexcept { return fd >= 0 && fd < kDescriptors ? &slots[static_cast<std::size_t>(fd)] : nullptr; }

Window* window_for(Slot& slot) noexcept {
  if (Window* there = slot.window.load(std::memory_order_acquire)) return there;
  Window* made = Window::make();
  Window* other = nullptr;
  if (!made || slot.window.compare_exchange_strong(other, made, std::memory_order_acq_rel)) return made;
  Window::unmake(made);
  return other;
}

void raise_highest(int fd) noexcept {
  int now = highest.load(std::memory_order_relaxed);
  while (fd > now && !highest.compare_exchange_weak(now, fd, std::memory_order_acq_rel)) {}
}

// Room for the search, from the kernel: it may be more than the thread's stack holds.
struct Workspace {
  Needles needles;
  Window::Copy copy;

  static Workspace* make() noexcept {
    void* room = mmap(nullptr, sizeof(Workspace), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return room == MAP_FAILED ? nullptr : static_cast<Workspace*>(room);
  }
};

int search(Workspace& work, Socket* out, int room) noexcept {
  int count = 0;
  for (int fd = 0; fd <= highest.load(std::memory_order_acquire); ++fd) {
    const Slot& slot = slots[static_cast<std::size_t>(fd)];
    const std::uint64_t cookie = slot.cookie.load(std::memory_order_acquire);
    const Window* window = slot.window.load(std::memory_order_acquire);
    if (cookie == 0 || !window || !work.needles.found_in(window->copy(work.copy))) continue;
    if (count < room) out[count] = {fd, cookie};
    ++count;
  }
  return count;
}

}  // namespace

void begin(int fd, std::uint64_t cookie) noexcept {
  const ErrnoKept kept;
  Slot* slot = slot_of(fd);
  if (!slot || slot->cookie.load(std::memory_order_acquire) == cookie) return;
  end(fd);
  Window* window = cookie != 0 ? window_for(*slot) : nullptr;
  if (!window) return;
  raise_highest(fd);
  slot->cookie.store(cookie, std::memory_order_release);
}

void end(int fd) noexcept {
  const ErrnoKept kept;
  Slot* slot = slot_of(fd);
  if (!slot || slot->cookie.exchange(0, std::memory_order_acq_rel) == 0) return;
  if (Window* window = slot->window.load(std::memory_order_acquire)) window->forget();
}

void end_range(unsigned first, unsigned last) noexcept {
  const int top = highest.load(std::memory_order_acquire);
  if (top < 0) return;
  for (unsigned fd = first; fd <= std::min(last, static_cast<unsigned>(top)); ++fd) end(static_cast<int>(fd));
}

std::uint64_t cookie_of(int fd) noexcept {
  const Slot* slot = slot_of(fd);
  return slot ? slot->cookie.load(std::memory_order_acquire) : 0;
}

void touched(int fd) noexcept {
  const std::uint64_t cookie = cookie_of(fd);
  if (cookie == 0 || overlooking || (recent[0].fd == fd && recent[0].cookie == cookie)) return;
  std::size_t at = 0;
  while (at + 1 < kRemembered && !(recent[at].fd == fd && recent[at].cookie == cookie)) ++at;
  for (; at > 0; --at) recent[at] = recent[at - 1];
  recent[0] = {fd, cookie};
}

void overlook(bool touches) noexcept { overlooking = touches; }

void received(int fd, View octets) noexcept {
  Slot* slot = slot_of(fd);
  if (!slot || octets.empty() || slot->cookie.load(std::memory_order_acquire) == 0) return;
  if (Window* window = slot->window.load(std::memory_order_acquire)) window->append(octets);
}

bool last_touched(Socket& out) noexcept {
  for (const Socket& socket : recent) {
    if (socket.cookie == 0 || cookie_of(socket.fd) != socket.cookie) continue;
    out = socket;
    return true;
  }
  return false;
}

int received_on(View token, Socket* out, int room) noexcept {
  const ErrnoKept kept;
  Workspace* work = Workspace::make();
  if (!work) return 0;
  const int count = work->needles.set(token) ? search(*work, out, room) : 0;
  munmap(work, sizeof *work);
  return count;
}

void forget(const Socket& socket) noexcept {
  const ErrnoKept kept;
  Slot* slot = slot_of(socket.fd);
  if (!slot || slot->cookie.load(std::memory_order_acquire) != socket.cookie) return;
  if (Window* window = slot->window.load(std::memory_order_acquire)) window->forget();
}

}  // namespace gssipsec::preload
