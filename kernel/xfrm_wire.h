// SPDX-License-Identifier: MIT
// The octets of XFRM messages: a bounds-checked walk of attributes, and the structures that SAs and policies share.
// Private to kernel/. Trusts no length inside a message. Pure, any thread.
#pragma once

#include <linux/netlink.h>
#include <linux/xfrm.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "channel/policy.h"

namespace gssipsec::kernel::wire {

// Attributes that younger kernels have than the header this is built with (numbers are ABI).
inline constexpr std::uint16_t kSaDir = 33;         // 6.10
inline constexpr std::uint16_t kNatKeepalive = 34;  // 6.11
inline constexpr std::uint16_t kSaPcpu = 35;        // 6.13: every mature SA counts as a carrier anyway
inline constexpr std::uint16_t kLastKnown = kSaPcpu;

inline constexpr std::size_t kMaxTemplates = 6;  // XFRM_MAX_DEPTH

[[nodiscard]] inline base::Error broken(std::string what) { return base::fail(base::Code::NETLINK_MESSAGE, std::move(what)); }

// The first sizeof(T) octets as T; nothing when there are fewer.
template <typename T>
[[nodiscard]] std::optional<T> head(base::View data) noexcept {
  if (data.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, data.data(), sizeof value);
  return value;
}

// What lies behind a fixed structure of `size` octets, with netlink's padding; empty when there is nothing.
[[nodiscard]] base::View behind(base::View payload, std::size_t size) noexcept;

class Attributes {
 public:
  // An attribute that is cut off, overlaps the end, or comes twice makes the whole message broken.
  [[nodiscard]] static base::Result<Attributes> walk(base::View data);

  [[nodiscard]] bool has(std::uint16_t type) const noexcept { return present_[type]; }
  [[nodiscard]] base::View raw(std::uint16_t type) const noexcept { return values_[type]; }
  [[nodiscard]] bool has_unknown() const noexcept { return unknown_; }
  // Absent: `value` is left. False: there, but too short.
  template <typename T>
  [[nodiscard]] bool read(std::uint16_t type, T& value) const noexcept {
    if (!has(type)) return true;
    const std::optional<T> got = head<T>(raw(type));
    if (got) value = *got;
    return got.has_value();
  }

 private:
  base::Status add(std::uint16_t type, base::View value);

  std::array<base::View, kLastKnown + 1> values_{};
  std::array<bool, kLastKnown + 1> present_{};
  bool unknown_ = false;
};

[[nodiscard]] channel::Family family_of(unsigned af) noexcept;  // none for anything but AF_INET, AF_INET6
[[nodiscard]] unsigned af_of(channel::Family family) noexcept;
[[nodiscard]] channel::Address address_of(const xfrm_address_t& address, channel::Family family) noexcept;
[[nodiscard]] xfrm_address_t to_kernel(const channel::Address& address) noexcept;
[[nodiscard]] channel::Mode mode_of(std::uint8_t mode) noexcept;
[[nodiscard]] std::uint8_t to_kernel(channel::Mode mode) noexcept;
[[nodiscard]] base::Result<channel::Selector> selector_of(const xfrm_selector& selector);
[[nodiscard]] bool read_mark(const Attributes& attributes, channel::Mark& mark) noexcept;

// One message of a datagram.
struct Message {
  nlmsghdr header{};
  base::View payload;
};
// Takes the next message off `rest`. Nothing when `rest` is used up; `broken` is set when it does not hold a whole message.
[[nodiscard]] std::optional<Message> next_message(base::View& rest, bool& broken) noexcept;

}  // namespace gssipsec::kernel::wire
