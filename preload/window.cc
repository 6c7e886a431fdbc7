// SPDX-License-Identifier: MIT
#include "preload/window.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

namespace gssipsec::preload {
namespace {

// Atomics, a word at a time where both ends allow. Released and acquired: who copies an octet that overwrote another sees its place
// reserved, and throws away what was there. (No fences, which ThreadSanitizer does not know.)
using Word [[gnu::may_alias]] = std::uint64_t;

bool aligned(const void* place) noexcept { return reinterpret_cast<std::uintptr_t>(place) % sizeof(Word) == 0; }

void store(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  for (; size != 0 && !aligned(to); --size) __atomic_store_n(reinterpret_cast<unsigned char*>(to++), static_cast<unsigned char>(*from++), __ATOMIC_RELEASE);
  for (; size >= sizeof(Word); size -= sizeof(Word), to += sizeof(Word), from += sizeof(Word)) {
    std::uint64_t word;
    memcpy(&word, from, sizeof word);
    __atomic_store_n(reinterpret_cast<Word*>(to), word, __ATOMIC_RELEASE);
  }
  for (; size != 0; --size) __atomic_store_n(reinterpret_cast<unsigned char*>(to++), static_cast<unsigned char>(*from++), __ATOMIC_RELEASE);
}

void load(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  for (; size != 0 && !aligned(from); --size) *to++ = std::byte{__atomic_load_n(reinterpret_cast<const unsigned char*>(from++), __ATOMIC_ACQUIRE)};
  for (; size >= sizeof(Word); size -= sizeof(Word), to += sizeof(Word), from += sizeof(Word)) {
    const std::uint64_t word = __atomic_load_n(reinterpret_cast<const Word*>(from), __ATOMIC_ACQUIRE);
    memcpy(to, &word, sizeof word);
  }
  for (; size != 0; --size) *to++ = std::byte{__atomic_load_n(reinterpret_cast<const unsigned char*>(from++), __ATOMIC_ACQUIRE)};
}

}  // namespace

Window* Window::make() noexcept {
  void* room = mmap(nullptr, sizeof(Window), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return room == MAP_FAILED ? nullptr : static_cast<Window*>(room);  // all zero, as a new one is
}

void Window::unmake(Window* window) noexcept { munmap(window, sizeof(Window)); }

void Window::append(View octets) noexcept {
  const std::uint64_t whole = octets.size();
  std::uint64_t at = end_.fetch_add(whole, std::memory_order_acq_rel);
  const std::size_t kept = std::min(octets.size(), kSize);
  at += whole - kept;
  octets = octets.last(kept);
  const std::size_t first = std::min(kept, static_cast<std::size_t>(kSize - at % kSize));
  store(octets_ + at % kSize, octets.data(), first);
  store(octets_, octets.data() + first, kept - first);
}

View Window::copy(Copy& out) const noexcept {
  const std::uint64_t end = end_.load(std::memory_order_acquire);
  const std::uint64_t start = std::max(start_.load(std::memory_order_acquire), end - std::min<std::uint64_t>(end, kSize));
  if (start >= end) return {};
  const auto size = static_cast<std::size_t>(end - start);
  const std::size_t first = std::min(size, static_cast<std::size_t>(kSize - start % kSize));
  load(out.data(), octets_ + start % kSize, first);
  load(out.data() + first, octets_, size - first);
  const std::uint64_t later = end_.load(std::memory_order_relaxed);
  const std::uint64_t valid = later - std::min<std::uint64_t>(later, kSize);
  const auto lost = static_cast<std::size_t>(std::min<std::uint64_t>(size, valid > start ? valid - start : 0));
  return View(out.data() + lost, size - lost);
}

void Window::forget() noexcept {
  start_.store(end_.load(std::memory_order_acquire), std::memory_order_release);
  madvise(octets_, kSize, MADV_DONTNEED);
}

}  // namespace gssipsec::preload
