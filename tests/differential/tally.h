// SPDX-License-Identifier: MIT
// What a run met, counted: by feature, by verdict, by what happened.
#pragma once

#include <map>
#include <string>

#include "tests/differential/judge.h"
#include "tests/differential/scene.h"

namespace gssipsec::differential {

class Tally {
 public:
  void scene(const Scene& scene);
  void refused(const Step& step, int error);  // by the kernel
  void accepted(const Step& step);
  void answer(const char* direction, const channel::OneWay& way);
  void finding(const Finding& finding);
  void count(const std::string& what) { ++events_[what]; }

  [[nodiscard]] std::uint64_t disagreements() const noexcept { return disagreements_; }
  // What a run of this length must have met, and did not: features, verdicts, unknowns that are too many.
  [[nodiscard]] std::vector<std::string> complaints() const;
  [[nodiscard]] std::string report() const;  // lines

 private:
  std::uint64_t scenes_ = 0, disagreements_ = 0, leaks_ = 0, comparisons_ = 0, answers_ = 0;
  std::map<std::string, std::uint64_t> features_, verdicts_, unknowns_, events_;
};

}  // namespace gssipsec::differential
