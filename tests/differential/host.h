// SPDX-License-Identifier: MIT
// One of the two hosts: its namespace, its XFRM databases as they are written and counted by hand, its statistics.
// Not thread-safe.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/unique_fd.h"
#include "tests/differential/wire_format.h"

namespace gssipsec::differential {

[[noreturn]] void give_up(const std::string& what);  // with errno's text

struct SaName {
  channel::SaId id;
  channel::Mark mark;
  auto operator<=>(const SaName&) const = default;
};
using Counts = std::map<SaName, std::uint64_t>;  // packets that an SA has carried
using Statistics = std::map<std::string, std::int64_t>;

// What rose.
[[nodiscard]] Counts operator-(const Counts& after, const Counts& before);
[[nodiscard]] Statistics operator-(const Statistics& after, const Statistics& before);
// The sum of those whose name begins so.
[[nodiscard]] std::int64_t total(const Statistics& statistics, std::string_view prefix);

class Host {
 public:
  explicit Host(const std::string& namespace_name);  // must be in it afterwards; the caller is

  void enter() const;
  [[nodiscard]] const Ifindexes& devices() const noexcept { return devices_; }

  void queue(const Request& request);
  // Sends what is queued; the errno of each, in order.
  std::vector<int> flush();
  void clear();  // both databases and the default policies

  [[nodiscard]] Counts counts();
  [[nodiscard]] Statistics statistics() const;

 private:
  void send_queued();

  base::UniqueFd namespace_, netlink_, statistics_, clearing_;
  Ifindexes devices_{};
  base::Bytes queued_;
  std::uint32_t sequence_ = 0, first_ = 1;
};

}  // namespace gssipsec::differential
