// SPDX-License-Identifier: MIT
// A latch page of the broker, mapped read-only after its seals are checked: without them the broker's end could shrink
// it under us (SIGBUS in the application) or another holder could write it. Stays mapped over fork.
// Threads: reading from any. Failures: BAD_MESSAGE, PROTOCOL_VERSION.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "base/result.h"
#include "protocol/latch_page.h"

namespace gssipsec::client {

class Page {
 public:
  [[nodiscard]] static base::Result<Page> map(int memfd);

  Page(Page&& other) noexcept : page_(std::exchange(other.page_, nullptr)) {}
  Page& operator=(Page&&) = delete;
  ~Page();

  // The slot's state; stale when the broker has not written for kHeartbeatLimit seconds. One load and, in the usual case,
  // one clock_gettime() from the vDSO.
  [[nodiscard]] protocol::LatchState state(std::uint32_t slot, std::uint32_t generation) const noexcept;
  // None from a broker that does not write any more.
  [[nodiscard]] std::optional<protocol::ProgramPolicy> program() const noexcept;

 private:
  explicit Page(const protocol::LatchPage* page) noexcept : page_(page) {}
  [[nodiscard]] bool alive() const noexcept;

  const protocol::LatchPage* page_;
};

}  // namespace gssipsec::client
