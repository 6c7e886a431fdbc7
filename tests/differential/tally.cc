// SPDX-License-Identifier: MIT
#include "tests/differential/tally.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "tests/differential/unknowns.h"

namespace gssipsec::differential {
namespace {

constexpr std::uint64_t kEnough = 1000;  // cases after which everything must have been met

constexpr std::array<std::string_view, 55> kFeatures = {
    "ipv4", "ipv6", "v4-mapped", "udp-connected", "udp-unconnected", "tcp", "sctp", "set-mark", "socket-mark", "bound-to-device", "vrf", "disable_xfrm",
    "disable_policy", "default-block", "several-policies", "forward", "prefix", "ports", "port-masks", "protocol", "ifindex", "user",
    "other-family", "block", "sub-policy", "mark", "if_id", "optional", "algorithm-masks", "several-templates", "transport", "tunnel",
    "beet", "esp", "ah", "ipcomp", "cross-family", "open-tunnel-end", "larval", "soft-limit", "hard-limit", "numbers-used-up", "esn",
    "replay-window", "encapsulated", "several-sas", "stray-sa", "sa-selector", "sa-mark", "sa-if_id", "update-policy", "drop-policy",
    "drop-sa", "flush-sas", "flush-policies"};

constexpr std::array<std::string_view, 14> kVerdicts = {
    "out protected", "out NO_POLICY", "out BYPASS", "out OPTIONAL_POLICY", "out BLOCKED", "out NO_SA", "out WEAK",
    "in protected", "in NO_POLICY", "in BYPASS", "in OPTIONAL_POLICY", "in BLOCKED", "in NO_SA", "in WEAK"};

std::string lines(const char* title, const std::map<std::string, std::uint64_t>& counts) {
  std::string out = std::string(title) + ":\n";
  for (const auto& [name, count] : counts) out += "  " + name + " " + std::to_string(count) + "\n";
  return out;
}

std::string kind_of(const Step& step) {
  static constexpr std::array<const char*, 7> kNames = {"policy", "removal of a policy", "SA", "removal of an SA", "defaults", "flush of SAs", "flush of policies"};
  return kNames[step.index()];
}

std::string verdict_of(const channel::OneWay& way) {
  const std::string name = base::code_name(way.why_not.code);
  return way.is_protected ? "protected" : name.substr(name.find("_E_") + 3);
}

}  // namespace

void Tally::scene(const Scene& scene) {
  ++scenes_;
  for (const std::string& feature : scene.features) ++features_[feature];
}

void Tally::refused(const Step& step, int error) { ++events_["kernel refused: " + kind_of(step) + ", " + std::strerror(error)]; }
void Tally::accepted(const Step& step) { ++events_["kernel took: " + kind_of(step)]; }

void Tally::answer(const char* direction, const channel::OneWay& way) {
  ++answers_;
  ++verdicts_[std::string(direction) + " " + verdict_of(way)];
  if (way.is_protected || way.why_not.code != base::Code::UNKNOWN) return;
  const UnknownKind* kind = differential::kind_of(way.why_not);
  if (!kind) return finding({false, false, "unknown for a reason that is not listed: " + way.why_not.detail});
  ++unknowns_[std::string(kind->name)];
}

void Tally::finding(const Finding& finding) {
  ++comparisons_;
  if (finding.agrees) return;
  ++disagreements_;
  if (finding.leak) ++leaks_;
}

std::vector<std::string> Tally::complaints() const {
  std::vector<std::string> out;
  for (const UnknownKind& kind : unknown_kinds()) {
    const auto found = unknowns_.find(std::string(kind.name));
    const double share = found == unknowns_.end() ? 0 : static_cast<double>(found->second) / static_cast<double>(answers_);
    if (scenes_ >= kEnough && share > kind.most) out.push_back("unknown too often: " + found->first);
  }
  if (scenes_ < kEnough) return out;
  for (const std::string_view name : kFeatures)
    if (!features_.contains(std::string(name))) out.push_back("never met: feature " + std::string(name));
  for (const std::string_view name : kVerdicts)
    if (!verdicts_.contains(std::string(name))) out.push_back("never met: verdict " + std::string(name));
  return out;
}

std::string Tally::report() const {
  std::string out = "cases " + std::to_string(scenes_) + ", comparisons " + std::to_string(comparisons_) + ", disagreements " + std::to_string(disagreements_) +
                    ", of them in clear though \"protected\" " + std::to_string(leaks_) + "\n";
  out += lines("verdicts", verdicts_) + "unknown, of " + std::to_string(answers_) + " answers:\n";
  for (const auto& [name, count] : unknowns_) {
    char share[32];
    std::snprintf(share, sizeof share, "%.2f %%", 100.0 * static_cast<double>(count) / static_cast<double>(answers_));
    out += "  " + name + " " + std::to_string(count) + " (" + share + ")\n";
  }
  return out + lines("features, in so many cases", features_) + lines("events", events_);
}

}  // namespace gssipsec::differential
