// SPDX-License-Identifier: MIT
#include "ipsecapi/facts.h"

#include <algorithm>

namespace gssipsec::api {
namespace {

using base::Code;
using channel::AuthMethod;
using protocol::LatchState;
using protocol::Report;

AuthMethod method_named(const std::string& name) noexcept {
  for (int number = 0; number <= static_cast<int>(AuthMethod::manual); ++number)
    if (name == auth_method_name(static_cast<AuthMethod>(number))) return static_cast<AuthMethod>(number);
  return AuthMethod::unknown;
}

// Of one holder alone.
bool names_one(AuthMethod method) noexcept {
  return method == AuthMethod::certificate || method == AuthMethod::raw_key || method == AuthMethod::psk_pair || method == AuthMethod::manual;
}

Identity identity_from(const std::string& typed, const std::string& method, bool proven) {
  Identity out;
  if (auto id = channel::parse_identity(typed)) out.id = *std::move(id);
  out.method = method_named(method);
  out.proven = proven && out.id.type != channel::IdType::none;
  return out;
}

bool is_latched(LatchState state) noexcept {
  return state == LatchState::established || state == LatchState::listener || state == LatchState::monitored;
}

std::string strength_text(const Report& report) {
  const Wanted strength = strength_of(report);
  return report.out.mode + " mode, " + report.out.suite + (report.in.suite == report.out.suite ? "" : " and " + report.in.suite) + ", " +
         std::to_string(strength.key_bits) + " bits" + (strength.privacy ? ", encrypted" : ", not encrypted") +
         (strength.replay ? "" : ", without replay protection");
}

}  // namespace

bool secured(const Report& report) noexcept { return report.is_protected && report.out.is_protected && report.in.is_protected; }

std::uint32_t flags_of(const Report& report) noexcept {
  if (!secured(report)) return 0;
  const Wanted strength = strength_of(report);
  std::uint32_t flags = IPSEC_INFO_SECURED;
  if (strength.privacy) flags |= IPSEC_INFO_ENCRYPTED;
  if (strength.replay) flags |= IPSEC_INFO_REPLAY;
  if (report.peer_authenticated) flags |= IPSEC_INFO_PEER_AUTHENTICATED;
  if (is_latched(report.latch)) flags |= IPSEC_INFO_LATCHED;
  if (enforcement_of(report.latch) == IPSEC_ENFORCE_KERNEL) flags |= IPSEC_INFO_ENFORCED;
  if (report.end_to_end) flags |= IPSEC_INFO_E2E;
  if (report.since_start) flags |= IPSEC_INFO_SINCE_START;
  return flags;
}

base::Error why_not(const Report& report) {
  if (secured(report)) return {Code::ok, {}};
  if (report.why != Code::ok) return {report.why, report.detail};
  const protocol::DirectionReport& way = report.out.is_protected ? report.in : report.out;
  return {way.why == Code::ok ? Code::UNKNOWN : way.why, way.detail};
}

Wanted strength_of(const Report& report) noexcept {
  if (!secured(report)) return {};
  // Replay is the receiver's business: outbound SAs show no window.
  return {report.out.confidentiality && report.in.confidentiality, report.out.integrity && report.in.integrity, report.in.replay_protection,
          std::min(report.out.key_bits, report.in.key_bits), false, {}, {}};
}

ipsec_mode mode_of(const Report& report) noexcept {
  if (!secured(report) || report.out.mode != report.in.mode) return IPSEC_MODE_ANY;
  if (report.out.mode == mode_name(channel::Mode::transport)) return IPSEC_MODE_TRANSPORT;
  if (report.out.mode == mode_name(channel::Mode::tunnel)) return IPSEC_MODE_TUNNEL;
  return report.out.mode == mode_name(channel::Mode::beet) ? IPSEC_MODE_BEET : IPSEC_MODE_ANY;
}

std::uint32_t enforcement_of(LatchState state) noexcept {
  if (state == LatchState::established || state == LatchState::listener) return IPSEC_ENFORCE_KERNEL;
  return state == LatchState::monitored ? IPSEC_ENFORCE_MONITOR : IPSEC_ENFORCE_NONE;
}

std::uint32_t prospect_of(const Report& report) noexcept {
  const auto is = [](const protocol::DirectionReport& way, Code code) { return !way.is_protected && way.why == code; };
  const auto waits = [&is](const protocol::DirectionReport& way) { return way.is_protected || is(way, Code::NO_SA); };
  if (secured(report)) return IPSEC_PROSPECT_PROTECTED;
  if (is(report.out, Code::BLOCKED) || is(report.in, Code::BLOCKED)) return IPSEC_PROSPECT_BLOCKED;
  return waits(report.out) && waits(report.in) ? IPSEC_PROSPECT_NEGOTIATED : IPSEC_PROSPECT_NONE;
}

Identity local_of(const Report& report) {
  return identity_from(report.local_id, report.local_method, secured(report) && names_one(method_named(report.local_method)));
}
Identity peer_of(const Report& report) { return identity_from(report.peer_id, report.peer_method, secured(report) && report.peer_authenticated); }

std::uint32_t number_of(AuthMethod method) noexcept {
  switch (method) {
    case AuthMethod::null_auth: return IPSEC_API_ATTR_authMeth_NULL;
    case AuthMethod::psk_group: return IPSEC_API_ATTR_authMeth_GROUPKEY;
    case AuthMethod::psk_pair: return IPSEC_API_ATTR_authMeth_PRESHAREDKEY;
    case AuthMethod::certificate: return IPSEC_API_ATTR_authMeth_PKIX_TRUSTED;
    case AuthMethod::raw_key: return IPSEC_API_ATTR_authMeth_RAWKEY;
    case AuthMethod::eap: return IPSEC_API_ATTR_authMeth_EAP;
    case AuthMethod::manual: return IPSEC_API_ATTR_authMeth_MANUAL;
    case AuthMethod::unknown: break;
  }
  return IPSEC_API_ATTR_authMeth_NONE;
}

bool equivalent(const Report& one, const Report& other) {
  if (!secured(one) || !secured(other)) return false;
  return strength_of(one) == strength_of(other) && mode_of(one) == mode_of(other) && one.end_to_end == other.end_to_end &&
         same_identity(local_of(one), local_of(other)) && same_identity(peer_of(one), peer_of(other));
}

std::string information(const Report& report) { return secured(report) ? strength_text(report) : base::describe(why_not(report)); }

std::string audit_line(const Report& report) {
  return format(report.flow) + " " + (secured(report) ? "secured: " : "not secured: ") + information(report) +
         (secured(report) ? "; peer " + audit_line(peer_of(report)) + "; latch " + latch_state_name(report.latch) : "");
}

std::string audit_line(const Identity& identity) {
  const std::string name = identity.id.type == channel::IdType::none ? "unknown" : format(identity.id);
  if (identity.wanted) return name + " (wanted)";
  return name + " (" + auth_method_name(identity.method) + (identity.proven ? ")" : ", not proven)");
}

}  // namespace gssipsec::api
