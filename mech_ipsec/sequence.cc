// SPDX-License-Identifier: MIT
#include "mech_ipsec/sequence.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
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

base::Result<SendCounter> SendCounter::make(std::uint64_t first) {
  void* page = mmap(nullptr, sizeof(Value), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return base::system_error(base::Code::NO_MEMORY, "mmap", errno);
  return SendCounter(::new (page) Value(first));
}

SendCounter::~SendCounter() {
  if (value_) munmap(value_, sizeof(Value));
}

base::Result<std::uint64_t> SendCounter::next() noexcept {
  const std::uint64_t sequence = value_->fetch_add(1, std::memory_order_relaxed);
  if (sequence < kMaxSequence) return sequence;
  value_->store(kMaxSequence, std::memory_order_relaxed);
  return base::Error{base::Code::LIMIT, {}};
}

std::uint64_t SendCounter::close() noexcept { return std::min(value_->exchange(kMaxSequence), kMaxSequence); }

}  // namespace gssipsec::mech
