// SPDX-License-Identifier: MIT
#include "broker/core.h"

#include <sys/random.h>
#include <time.h>

#include <stdexcept>

namespace gssipsec::broker {

std::uint64_t realtime() noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000000000ULL + static_cast<std::uint64_t>(now.tv_nsec);
}

Core::Core(std::shared_ptr<Host> the_host, Config the_config)
    : host(std::move(the_host)),
      names(host, overflow_uid()),
      census(host, history, latches, own_policies),
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

channel::Digest random_digest() {
  channel::Digest digest;
  if (getrandom(digest.data(), digest.size(), 0) != static_cast<ssize_t>(digest.size())) throw std::runtime_error("getrandom");
  return digest;
}

}  // namespace gssipsec::broker
