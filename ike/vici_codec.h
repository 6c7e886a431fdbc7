// SPDX-License-Identifier: MIT
// The octets of strongSwan's control interface vici: segments on a stream, packets in segments, a tree of sections,
// values and lists in packets. Knows nothing of what the trees say. Pure and bounded; values are arbitrary octets and
// must be checked by whoever reads them. Failures: IKE_MESSAGE.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace gssipsec::ike {

inline constexpr std::size_t kMaxViciSegment = 512 * 1024;
inline constexpr std::size_t kMaxViciDepth = 12;       // list-sas needs 4
inline constexpr std::size_t kMaxViciElements = 65536;  // an element may be 3 octets and cost 150 in memory

struct ViciList {
  std::string name;
  std::vector<std::string> items;
  bool operator==(const ViciList&) const = default;
};

// Keys and lists are unique in a section; sections need not be.
struct ViciSection {
  std::string name;
  std::vector<std::pair<std::string, std::string>> values;
  std::vector<ViciList> lists;
  std::vector<ViciSection> sections;

  [[nodiscard]] std::optional<std::string_view> value(std::string_view key) const noexcept;
  [[nodiscard]] std::string_view text(std::string_view key) const noexcept { return value(key).value_or(std::string_view()); }
  [[nodiscard]] const ViciList* list(std::string_view key) const noexcept;
  [[nodiscard]] const ViciSection* section(std::string_view key) const noexcept;  // null also when there are several
  bool operator==(const ViciSection&) const = default;
};

enum class ViciType : std::uint8_t {
  command = 0, response = 1, unknown_command = 2, register_event = 3, unregister_event = 4, confirm_event = 5, unknown_event = 6, event = 7
};
[[nodiscard]] bool has_name(ViciType type) noexcept;

struct ViciPacket {
  ViciType type = ViciType::command;
  std::string name;     // of commands and events
  ViciSection message;  // its own name is empty
  bool operator==(const ViciPacket&) const = default;
};

// One segment without its length.
[[nodiscard]] base::Result<ViciPacket> decode_vici(base::View segment);
// With its length, ready for the stream. The caller keeps names below 256 octets and values below 65536.
[[nodiscard]] base::Bytes encode_vici(const ViciPacket& packet);

// Cuts a stream into segments; holds at most one segment's worth and what was appended last.
class ViciStream {
 public:
  void append(base::View octets) { pending_.insert(pending_.end(), octets.begin(), octets.end()); }
  // Nothing yet, or the next segment. After a failure the stream is beyond repair.
  [[nodiscard]] base::Result<std::optional<base::Bytes>> next();
  [[nodiscard]] bool in_segment() const noexcept { return used_ < pending_.size(); }

 private:
  base::Bytes pending_;
  std::size_t used_ = 0;
};

}  // namespace gssipsec::ike
