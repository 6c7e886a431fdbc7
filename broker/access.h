// SPDX-License-Identifier: MIT
// Who may use which name, by the administrator's configuration alone. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "broker/caller.h"
#include "broker/config.h"
#include "channel/assertion.h"

namespace gssipsec::broker {

// The services that this caller may serve on this port: all of his lines; for root what is asked for. A low port alone
// grants nothing.
[[nodiscard]] std::vector<std::string> granted_services(const Config& config, const Caller& caller, std::uint16_t port,
                                                        const std::vector<std::string>& asked);
// Any port: for PROBE, before there is a connection.
[[nodiscard]] bool may_serve(const Config& config, const Caller& caller, const std::string& service);

// An acceptor with a credential for `own` ("" any) is asked for `wanted` ("" none). SERVICE_DENIED.
[[nodiscard]] base::Status service_allowed(const std::vector<std::string>& granted, const std::string& own, const std::string& wanted);

// The caller's own name under this identity; anonymous when the broker cannot vouch for him.
[[nodiscard]] channel::Name name_of(const channel::Identity& identity, const Caller& caller);
// The peer's name by its broker's word, and by IKE's.
[[nodiscard]] channel::Name name_of(const channel::PeerInfo& peer, const channel::Assertion& assertion);

// Which local user an initiator's name is, by the vouching map. NO_LOCAL_NAME, BAD_NAME.
[[nodiscard]] base::Result<std::string> local_user(const Config& config, const std::string& name);

}  // namespace gssipsec::broker
