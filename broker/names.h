// SPDX-License-Identifier: MIT
// User names of uids, cached for 60 s. Asking may block for long (NSS), so only workers ask. Threads: any.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "broker/board.h"
#include "broker/caller.h"
#include "broker/host.h"

namespace gssipsec::broker {

class Names {
 public:
  Names(std::shared_ptr<Host> host, std::uint32_t overflow) : host_(std::move(host)), overflow_(overflow) {}
  [[nodiscard]] Caller caller(std::uint32_t uid, Time now);

  static constexpr auto kLifetime = std::chrono::seconds(60);
  static constexpr std::size_t kLimit = 4096;

 private:
  struct Entry {
    std::optional<std::string> name;
    Time when;
  };
  std::shared_ptr<Host> host_;
  const std::uint32_t overflow_;
  std::mutex mutex_;
  std::unordered_map<std::uint32_t, Entry> cache_;
};

}  // namespace gssipsec::broker
