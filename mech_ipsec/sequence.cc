// SPDX-License-Identifier: MIT
#include "mech_ipsec/sequence.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <new>

#include "mech_ipsec/message.h"

namespace gssipsec::mech {

const char* order_name(Order order) noexcept {
  switch (order) {
    case Order::in_order: break;
    case Order::gap: return "gap";
    case Order::unsequenced: return "late";
    case Order::duplicate: return "duplicate";
    case Order::old: return "too old to tell";
  }
  return "in order";
}

Order ReceiveWindow::note(std::uint64_t sequence) noexcept {
  if (sequence >= next_) {
    const std::uint64_t ahead = sequence - next_;
    seen_ = ahead >= 63 ? 1 : seen_ << (ahead + 1) | 1;
    next_ = sequence + 1;
    return ahead == 0 ? Order::in_order : Order::gap;
  }
  const std::uint64_t behind = next_ - 1 - sequence;
  if (behind >= 64) return Order::old;
  const std::uint64_t bit = std::uint64_t{1} << behind;
  if (seen_ & bit) return Order::duplicate;
  seen_ |= bit;
  return Order::unsequenced;
}

// The values are shared with children, all else is each process's own.
struct SendCounter::Page {
  static constexpr std::size_t kSize = 4096, kPlaces = kSize / sizeof(Value);
  Value* values = nullptr;
  pid_t maker = 0;
  std::size_t used = 0;
  std::atomic<std::uint32_t> users = 1;  // the counters on it, and `present_`
};

constinit std::atomic<SendCounter::Page*> SendCounter::present_ = nullptr;

base::Result<SendCounter::Page*> SendCounter::make_page() {
  void* values = mmap(nullptr, Page::kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (values == MAP_FAILED) return base::system_error(base::Code::NO_MEMORY, "mmap", errno);
  auto page = std::make_unique<Page>();
  page->values = static_cast<Value*>(values);
  for (std::size_t i = 0; i < Page::kPlaces; ++i) ::new (page->values + i) Value(0);
  page->maker = getpid();
  return page.release();
}

void SendCounter::leave(Page* page) noexcept {
  if (!page || page->users.fetch_sub(1) != 1) return;
  munmap(page->values, Page::kSize);
  delete page;
}

// A child would give the places to other contexts than its parent does, so it begins a page of its own. (Where its number does
// not tell, two contexts count together: that leaves gaps, and uses no number of either twice.)
base::Result<SendCounter> SendCounter::make(std::uint64_t first) {
  Page* page = present_.exchange(nullptr);
  if (page && (page->used == Page::kPlaces || page->maker != getpid())) leave(std::exchange(page, nullptr));
  if (!page) {
    auto made = make_page();
    if (!made) return made.error();
    page = *made;
  }
  Value* value = page->values + page->used++;
  value->store(first);
  page->users.fetch_add(1);
  leave(present_.exchange(page));
  return SendCounter(page, value);
}

base::Result<std::uint64_t> SendCounter::next() noexcept {
  const std::uint64_t sequence = value_->fetch_add(1, std::memory_order_relaxed);
  if (sequence < kMaxSequence) return sequence;
  value_->store(kMaxSequence, std::memory_order_relaxed);
  return base::Error{base::Code::LIMIT, {}};
}

std::uint64_t SendCounter::close() noexcept { return std::min(value_->exchange(kMaxSequence), kMaxSequence); }

}  // namespace gssipsec::mech
