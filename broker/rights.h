// SPDX-License-Identifier: MIT
// Who may do what, by [access] of the configuration. Users and groups are looked up once, when the configuration is read; a
// decision compares numbers that the kernel vouches for (SO_PEERCRED, SO_PEERGROUPS) and asks nobody. Root may everything.
// A name that nobody has grants nothing. Pure but for resolve_rights().
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "protocol/events.h"

namespace gssipsec::broker {

enum class Action : std::uint8_t { query, latch, subscribe, subscribe_all, metrics };
inline constexpr std::size_t kActions = 5;
// Its key in [access].
[[nodiscard]] const char* action_name(Action action) noexcept;

// As written: "*", "user", "@group".
using Access = std::array<std::vector<std::string>, kActions>;
// Whoever holds a socket may ask about it, latch it and hear of it; the rest is root's.
[[nodiscard]] Access default_access();

struct Grant {
  bool anybody = false;
  std::vector<std::uint32_t> users, groups;
};

class Rights {
 public:
  Rights();  // of default_access()
  explicit Rights(std::array<Grant, kActions> grants) : grants_(std::move(grants)) {}
  [[nodiscard]] bool allows(Action action, std::uint32_t uid, std::span<const std::uint32_t> groups) const noexcept;

 private:
  std::array<Grant, kActions> grants_;
};

// Asks NSS, which may take long: at the start, and in a worker. `unknown`: names that nobody has.
[[nodiscard]] Rights resolve_rights(const Access& access, std::vector<std::string>& unknown);

// NOT_ALLOWED. SUBSCRIBE is judged by its handler, which knows the scope.
[[nodiscard]] base::Status may_ask(const Rights& rights, protocol::Verb verb, std::uint32_t uid, std::span<const std::uint32_t> groups);
[[nodiscard]] base::Status may(const Rights& rights, Action action, std::uint32_t uid, std::span<const std::uint32_t> groups);

}  // namespace gssipsec::broker
