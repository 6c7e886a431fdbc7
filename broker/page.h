// SPDX-License-Identifier: MIT
// The latch page of one client: a sealed memfd that only the broker writes (protocol/latch_page.h). Threads: set() and
// beat() from any; take() and give_back() under the latches' lock; the descriptor is handed out once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "protocol/latch_page.h"

namespace gssipsec::broker {

struct Slot {
  std::uint32_t number = 0, generation = 0;
};

class Page {
 public:
  [[nodiscard]] static base::Result<std::shared_ptr<Page>> create();
  ~Page();
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  // For the client; sealed against shrinking, growing and writing. Closed here after it was sent.
  [[nodiscard]] base::UniqueFd take_descriptor() noexcept { return std::move(file_); }
  void beat(std::uint32_t seconds) noexcept { page_->heartbeat.store(seconds, std::memory_order_release); }
  // Whose it is: set once, by HELLO.
  void set_program(std::string path) { program_ = std::move(path); }
  [[nodiscard]] const std::string& program() const noexcept { return program_; }
  void tell(const protocol::ProgramPolicy& policy) noexcept {
    page_->slots[protocol::kProgramWord].store(protocol::program_word(policy), std::memory_order_release);
  }

  [[nodiscard]] base::Result<Slot> take(protocol::LatchState state);  // LIMIT
  void give_back(const Slot& slot) noexcept;
  void set(const Slot& slot, protocol::LatchState state) noexcept;
  [[nodiscard]] bool holds(const Slot& slot) const noexcept;
  [[nodiscard]] protocol::LatchState state(const Slot& slot) const noexcept;

 private:
  Page(base::UniqueFd file, protocol::LatchPage* page);

  base::UniqueFd file_;
  protocol::LatchPage* page_;
  std::vector<std::uint32_t> generations_;
  std::vector<bool> used_;
  std::uint32_t next_ = 0;
  std::string program_;
};

[[nodiscard]] std::uint32_t heartbeat_now() noexcept;

}  // namespace gssipsec::broker
