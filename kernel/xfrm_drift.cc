// SPDX-License-Identifier: MIT
#include <unordered_set>

#include "kernel/xfrm_mirror.h"

namespace gssipsec::kernel {

namespace {

using channel::Policy;
using channel::Sa;
using Held = channel::SadIndex::Held;

constexpr std::size_t kExamples = 16;

class Comparison {
 public:
  explicit Comparison(const Tables& copy) : copy_(copy) {}

  void sas(const channel::Sad& truth) {
    std::unordered_set<channel::SaId, channel::Hash> there;
    for (const Sa& sa : truth.sas) {
      there.insert(sa.id);
      if (mature(sa)) compare(sa);
    }
    copy_.sad.each([&](const Held& held) {
      if (mature(held.sa) && !there.contains(held.sa.id)) differs("only in the copy: ", format(held.sa.id));
    });
  }

  void policies(const channel::Spd& truth) {
    std::unordered_set<std::uint64_t> there;
    for (const Policy& policy : truth.policies) {
      there.insert(name_of(policy));
      compare(policy);
    }
    copy_.spd.each([&](const Policy& policy) {
      if (!there.contains(name_of(policy))) differs("only in the copy: ", text_of(policy));
    });
    if (copy_.spd.default_in != truth.default_in || copy_.spd.default_out != truth.default_out) differs("different: ", "default policies");
  }

  [[nodiscard]] Drift take() && { return std::move(drift_); }

 private:
  static bool mature(const Sa& sa) noexcept { return sa.state == channel::SaState::valid; }
  static std::uint64_t name_of(const Policy& policy) noexcept { return std::uint64_t{policy.index} << 8 | static_cast<std::uint64_t>(policy.direction); }
  static std::string text_of(const Policy& policy) {
    return "policy " + std::to_string(policy.index) + " from " + format(policy.selector.source) + " to " + format(policy.selector.destination);
  }

  void compare(const Sa& sa) {
    ++drift_.sas;
    const Held* held = copy_.sad.find(sa.id, sa.mark);
    if (!held) return differs("only in the kernel: ", format(sa.id));
    Sa known = held->sa;
    known.dying = sa.dying;
    if (known != sa) differs("different: ", format(sa.id));
  }

  void compare(const Policy& policy) {
    ++drift_.policies;
    const Policy* known = copy_.spd.find(policy.index, policy.direction);
    if (!known) return differs("only in the kernel: ", text_of(policy));
    if (!same_but_order(*known, policy)) differs("different: ", text_of(policy));
  }

  void differs(const char* how, const std::string& what) {
    ++drift_.count;
    if (drift_.examples.size() < kExamples) drift_.examples.push_back(how + what);
  }

  const Tables& copy_;
  Drift drift_;
};

}  // namespace

Drift drift_of(const Tables& copy, const Databases& truth) {
  Comparison comparison(copy);
  comparison.sas(truth.sad);
  comparison.policies(truth.spd);
  return std::move(comparison).take();
}

}  // namespace gssipsec::kernel
