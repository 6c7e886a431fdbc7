// SPDX-License-Identifier: MIT
#include "broker/rights.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <optional>

namespace gssipsec::broker {
namespace {

using protocol::Verb;

constexpr std::size_t kRoom = 65536;

std::optional<std::uint32_t> user_number(const std::string& name) {
  std::vector<char> room(kRoom);
  passwd entry{}, *found = nullptr;
  if (getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 || !found) return std::nullopt;
  return found->pw_uid;
}

std::optional<std::uint32_t> group_number(const std::string& name) {
  std::vector<char> room(kRoom);
  group entry{}, *found = nullptr;
  if (getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 || !found) return std::nullopt;
  return found->gr_gid;
}

Grant resolve(const std::vector<std::string>& names, std::vector<std::string>& unknown) {
  Grant grant;
  for (const std::string& name : names) {
    const bool is_group = name.starts_with('@');
    if (name == "*")
      grant.anybody = true;
    else if (const auto number = is_group ? group_number(name.substr(1)) : user_number(name))
      (is_group ? grant.groups : grant.users).push_back(*number);
    else
      unknown.push_back(name);
  }
  return grant;
}

std::optional<Action> action_of(Verb verb) noexcept {
  switch (verb) {
    case Verb::query:
    case Verb::query_flow:
    case Verb::locators:
    case Verb::bound:
    case Verb::survey:
    case Verb::explain: return Action::query;
    case Verb::initiate:
    case Verb::accept:
    case Verb::bind:
    case Verb::binding:
    case Verb::latch:
    case Verb::unlatch:
    case Verb::check:
    case Verb::hand_over:
    case Verb::take_over:
    case Verb::endpoint:
    case Verb::resolve:
    case Verb::require: return Action::latch;
    case Verb::metrics: return Action::metrics;
    default: return std::nullopt;
  }
}

}  // namespace

const char* action_name(Action action) noexcept {
  static constexpr const char* kNames[kActions] = {"query", "latch", "subscribe", "subscribe-all", "metrics"};
  return kNames[static_cast<std::size_t>(action)];
}

Access default_access() { return {{{"*"}, {"*"}, {"*"}, {}, {}}}; }

Rights::Rights() {
  for (const Action action : {Action::query, Action::latch, Action::subscribe}) grants_[static_cast<std::size_t>(action)].anybody = true;
}

bool Rights::allows(Action action, std::uint32_t uid, std::span<const std::uint32_t> groups) const noexcept {
  const Grant& grant = grants_[static_cast<std::size_t>(action)];
  if (uid == 0 || grant.anybody || std::ranges::find(grant.users, uid) != grant.users.end()) return true;
  return std::ranges::any_of(groups, [&grant](std::uint32_t gid) { return std::ranges::find(grant.groups, gid) != grant.groups.end(); });
}

Rights resolve_rights(const Access& access, std::vector<std::string>& unknown) {
  std::array<Grant, kActions> grants;
  for (std::size_t i = 0; i < kActions; ++i) grants[i] = resolve(access[i], unknown);
  return Rights(std::move(grants));
}

base::Status may(const Rights& rights, Action action, std::uint32_t uid, std::span<const std::uint32_t> groups) {
  if (rights.allows(action, uid, groups)) return {};
  return base::fail(base::Code::NOT_ALLOWED, std::string("uid ") + std::to_string(uid) + " and its groups are not in " + action_name(action) +
                                                 " of [access] in the broker's configuration");
}

base::Status may_ask(const Rights& rights, Verb verb, std::uint32_t uid, std::span<const std::uint32_t> groups) {
  const auto action = action_of(verb);
  return action ? may(rights, *action, uid, groups) : base::Status();
}

}  // namespace gssipsec::broker
