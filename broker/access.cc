// SPDX-License-Identifier: MIT
#include "broker/access.h"

#include <algorithm>

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using channel::Name;

bool has(const std::vector<std::string>& list, const std::string& item) { return std::find(list.begin(), list.end(), item) != list.end(); }

void add(std::vector<std::string>& list, const std::string& item) {
  if (!item.empty() && !has(list, item)) list.push_back(item);
}

}  // namespace

std::vector<std::string> granted_services(const Config& config, const Caller& caller, std::uint16_t port, const std::vector<std::string>& asked) {
  std::vector<std::string> granted;
  if (caller.privileged)
    for (const std::string& service : asked) add(granted, service);
  if (caller.anonymous || caller.user.empty()) return granted;
  for (const ServiceRule& rule : config.services)
    if (rule.user == caller.user && rule.port == port) add(granted, rule.service);
  return granted;
}

bool may_serve(const Config& config, const Caller& caller, const std::string& service) {
  if (caller.privileged) return true;
  if (caller.anonymous || caller.user.empty()) return false;
  return std::any_of(config.services.begin(), config.services.end(),
                     [&](const ServiceRule& rule) { return rule.user == caller.user && rule.service == service; });
}

base::Status service_allowed(const std::vector<std::string>& granted, const std::string& own, const std::string& wanted) {
  for (const std::string& service : {own, wanted})
    if (!service.empty() && !has(granted, service))
      return fail(Code::SERVICE_DENIED, "wanted service " + service + "; no [[service]] line names it with this user and port");
  if (!own.empty() && !wanted.empty() && own != wanted)
    return fail(Code::SERVICE_DENIED, "the initiator wants service " + wanted + ", the acceptor's credential is for " + own);
  return {};
}

Name name_of(const channel::Identity& identity, const Caller& caller) {
  return channel::process_name(identity, caller.anonymous, caller.privileged, caller.user);
}

Name name_of(const channel::PeerInfo& peer, const channel::Assertion& assertion) {
  return channel::process_name(peer.remote, assertion.anonymous || !peer.authenticated(), assertion.privileged, assertion.user);
}

base::Result<std::string> local_user(const Config& config, const std::string& text) {
  const auto name = channel::parse_name(text);
  if (!name) return name.error();
  if (name->kind == Name::Kind::user)
    for (const VouchRule& rule : config.vouches) {
      const auto user = rule.users.find(name->user);
      if (rule.peer == name->identity && user != rule.users.end()) return user->second;
    }
  return fail(Code::NO_LOCAL_NAME, "no [[vouch]] line lets this peer speak for this user: " + text);
}

}  // namespace gssipsec::broker
