// SPDX-License-Identifier: MIT
#include "broker/core.h"

#include <time.h>

#include <algorithm>
#include <stdexcept>

#include "base/random.h"

namespace gssipsec::broker {

std::uint64_t Counter::realtime() noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000000000ULL + static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t Counter::next(std::uint64_t clock) noexcept {
  std::uint64_t last = last_.load();
  std::uint64_t value = 0;
  do {
    value = std::max(last + 1, clock);
  } while (!last_.compare_exchange_weak(last, value));
  return value;
}

Core::Core(std::shared_ptr<Host> the_host, Config the_config)
    : host(std::move(the_host)),
      names(host, overflow_uid()),
      census(host, history, latches),
      config_(std::make_shared<const Config>(std::move(the_config))) {}

std::shared_ptr<const Config> Core::config() const {
  const std::lock_guard lock(mutex_);
  return config_;
}

void Core::set_config(Config config) {
  auto next = std::make_shared<const Config>(std::move(config));
  const std::lock_guard lock(mutex_);
  config_.swap(next);
}

void Core::set_elders(std::shared_ptr<const std::vector<channel::SaId>> elders) {
  const std::lock_guard lock(mutex_);
  elders_ = std::move(elders);
}

void Core::note_elders() {
  std::size_t count = 0;
  board.each_sa([&count](const channel::Sa&) { ++count; });
  auto elders = std::make_shared<std::vector<channel::SaId>>();
  elders->reserve(count);
  board.each_sa([&elders](const channel::Sa& sa) { elders->push_back(sa.id); });
  std::ranges::sort(*elders);
  set_elders(std::move(elders));
}

bool Core::has_elders() const {
  const std::lock_guard lock(mutex_);
  return elders_ != nullptr;
}

bool Core::elder(const channel::SaId& id) const {
  const std::lock_guard lock(mutex_);
  return !elders_ || std::ranges::binary_search(*elders_, id);  // not known yet: suppose the worst
}

channel::Digest random_digest() {
  channel::Digest digest;
  if (!base::fill_random(digest)) throw std::runtime_error("getrandom");
  return digest;
}

}  // namespace gssipsec::broker
