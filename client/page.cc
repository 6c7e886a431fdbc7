// SPDX-License-Identifier: MIT
#include "client/page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include <cerrno>

namespace gssipsec::client {
namespace {

using base::Code;
using protocol::LatchPage;
using protocol::LatchState;

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | F_SEAL_FUTURE_WRITE;

base::Status check(int memfd) {
  const int seals = fcntl(memfd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals)
    return base::fail(Code::BAD_MESSAGE, "wanted a latch page with seals against resizing and writing, found none or others");
  struct stat facts{};
  if (fstat(memfd, &facts) != 0 || facts.st_size != static_cast<off_t>(sizeof(LatchPage)))
    return base::fail(Code::BAD_MESSAGE, "wanted a latch page of 4096 octets, found another size");
  return {};
}

}  // namespace

base::Result<Page> Page::map(int memfd) {
  if (const base::Status fit = check(memfd); !fit) return fit.error();
  void* memory = mmap(nullptr, sizeof(LatchPage), PROT_READ, MAP_SHARED, memfd, 0);
  if (memory == MAP_FAILED) return base::system_error(Code::BAD_MESSAGE, "mmap of the latch page", errno);
  Page page(static_cast<const LatchPage*>(memory));
  const std::uint32_t version = page.page_->version.load(std::memory_order_relaxed);
  if (version != protocol::kPageVersion)
    return base::fail(Code::PROTOCOL_VERSION, "a latch page of version " + std::to_string(version));
  return page;
}

Page::~Page() {
  if (page_) munmap(const_cast<LatchPage*>(page_), sizeof(LatchPage));
}

// The coarse clock is at most a tick behind; a heartbeat seconds ahead of it comes from another clock (time namespace).
bool Page::alive() const noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const auto age = static_cast<std::int32_t>(static_cast<std::uint32_t>(now.tv_sec) -
                                             page_->heartbeat.load(std::memory_order_relaxed));
  constexpr auto kLimit = static_cast<std::int32_t>(protocol::kHeartbeatLimit);
  return age >= -kLimit && age <= kLimit;
}

LatchState Page::state(std::uint32_t slot, std::uint32_t generation) const noexcept {
  if (slot >= protocol::kPageWords) return LatchState::none;
  const LatchState state = protocol::state_in(page_->slots[slot].load(std::memory_order_acquire), generation);
  if (state > LatchState::monitored) return LatchState::broken;
  const bool holds = state == LatchState::established || state == LatchState::listener || state == LatchState::monitored;
  return holds && !alive() ? LatchState::stale : state;
}

std::optional<protocol::ProgramPolicy> Page::program() const noexcept {
  return alive() ? protocol::program_in(page_->slots[protocol::kProgramWord].load(std::memory_order_acquire)) : std::nullopt;
}

}  // namespace gssipsec::client
