// SPDX-License-Identifier: MIT
#include "client/program.h"

#include <unistd.h>

#include <atomic>

#include "client/connect.h"
#include "client/deadline.h"

namespace gssipsec::client {
namespace {

constexpr std::int64_t kKeptMilliseconds = 60'000;

// Which broker said it, and in one word: milliseconds until it is asked again << 24 | key bits << 8 | seal. Two threads that
// write at once write the same.
constinit std::atomic<std::uint64_t> broker_asked = 0, settings_word = 0;
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace

std::string program_path() {
  std::string path(protocol::kMaxName, '\0');
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  path.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return path;
}

std::optional<protocol::ProgramReply> kept_settings(const std::string& broker) noexcept {
  const std::uint64_t word = settings_word.load();
  if (static_cast<std::int64_t>(word >> 24) <= monotonic_milliseconds() || broker_asked.load() != identity_of(broker)) return std::nullopt;
  return protocol::ProgramReply{static_cast<protocol::Seal>(word & 0xff), static_cast<std::uint16_t>(word >> 8 & 0xffff)};
}

void keep_settings(const std::string& broker, const protocol::ProgramReply& settings) noexcept {
  const auto until = static_cast<std::uint64_t>(monotonic_milliseconds() + kKeptMilliseconds);
  settings_word.store(0);
  broker_asked.store(identity_of(broker));
  settings_word.store(until << 24 | std::uint64_t{settings.min_key_bits} << 8 | static_cast<std::uint64_t>(settings.seal));
}

}  // namespace gssipsec::client
