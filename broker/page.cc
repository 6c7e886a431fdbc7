// SPDX-License-Identifier: MIT
#include "broker/page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>

#include <cerrno>
#include <new>

namespace gssipsec::broker {

using protocol::kPageSlots;
using protocol::LatchPage;

std::uint32_t heartbeat_now() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint32_t>(now.tv_sec);
}

Page::Page(base::UniqueFd file, LatchPage* page) : file_(std::move(file)), page_(page), generations_(kPageSlots, 0), used_(kPageSlots, false) {}

Page::~Page() { munmap(page_, sizeof(LatchPage)); }

// Our own mapping is made before the seal, which then stops every later writable one.
base::Result<std::shared_ptr<Page>> Page::create() {
  base::UniqueFd file(memfd_create("ipsec-gss-latches", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file || ftruncate(file.get(), sizeof(LatchPage)) != 0) return base::system_error(base::Code::SYSTEM, "memfd_create", errno);
  void* memory = mmap(nullptr, sizeof(LatchPage), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return base::system_error(base::Code::SYSTEM, "mmap", errno);
  auto* page = static_cast<LatchPage*>(memory);  // zeros are valid atomics
  page->version.store(protocol::kPageVersion, std::memory_order_relaxed);
  page->heartbeat.store(heartbeat_now(), std::memory_order_release);
  std::shared_ptr<Page> made(new Page(std::move(file), page));
  if (fcntl(made->file_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0)
    return base::system_error(base::Code::SYSTEM, "F_ADD_SEALS", errno);
  return made;
}

base::Result<Slot> Page::take(protocol::LatchState state) {
  for (std::uint32_t i = 0; i < kPageSlots; ++i) {
    const std::uint32_t number = (next_ + i) % kPageSlots;
    if (used_[number]) continue;
    used_[number] = true;
    next_ = (number + 1) % kPageSlots;
    generations_[number] = (generations_[number] + 1) & 0xffffff;
    if (generations_[number] == 0) generations_[number] = 1;
    const Slot slot{number, generations_[number]};
    set(slot, state);
    return slot;
  }
  return base::fail(base::Code::LIMIT, "this process has " + std::to_string(kPageSlots) + " latched contexts; delete some");
}

void Page::give_back(const Slot& slot) noexcept {
  if (!holds(slot)) return;
  set(slot, protocol::LatchState::none);
  used_[slot.number] = false;
}

void Page::set(const Slot& slot, protocol::LatchState state) noexcept {
  page_->slots[slot.number].store(protocol::slot_word(slot.generation, state), std::memory_order_release);
}

bool Page::holds(const Slot& slot) const noexcept {
  return slot.number < kPageSlots && used_[slot.number] && generations_[slot.number] == slot.generation;
}

protocol::LatchState Page::state(const Slot& slot) const noexcept {
  if (slot.number >= kPageSlots) return protocol::LatchState::none;
  return protocol::state_in(page_->slots[slot.number].load(std::memory_order_acquire), slot.generation);
}

}  // namespace gssipsec::broker
