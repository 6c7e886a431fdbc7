// SPDX-License-Identifier: MIT
#include "mech_ipsec/reply.h"

namespace gssipsec::mech {
namespace {

using base::Code;
using base::fail;
using channel::Assertion;
using channel::Name;

base::Status is_ours(const Assertion& said, const Expected& expected) {
  if (said.role != channel::Role::acceptor) return fail(Code::WRONG_ROLE, "wanted an acceptor's token");
  if (said.flow != expected.flow) return fail(Code::WRONG_FLOW);
  if (!base::equal_secret(said.transcript, expected.transcript)) return fail(Code::WRONG_TRANSCRIPT);
  if (!said.latched || !said.since_start) return fail(Code::PEER_NOT_LATCHED);
  return {};
}

// A service's process is vouched for by its services; any other by its own name.
Name acceptor_name(const Assertion& said, const Name& host) {
  const bool proven = host.kind == Name::Kind::host;
  if (proven && !said.services.empty()) return host;
  return channel::process_name(host.identity, said.anonymous || !proven, said.privileged, said.user);
}

base::Status is_wanted(const Assertion& said, const Name& actual, const Expected& expected) {
  if (expected.wanted.empty()) return {};
  if (expected.host.kind != Name::Kind::host) {
    if (!expected.mutual) return {};
    return fail(Code::PEER_UNAUTHENTICATED, "wanted " + expected.wanted + ", but IKE authenticated nobody");
  }
  const auto wanted = channel::parse_wanted(expected.wanted);
  if (!wanted) return wanted.error();
  return channel::satisfies(*wanted, actual, said.services);
}

}  // namespace

base::Result<Acceptor> read_reply(base::View sealed, base::View handshake_key, const Expected& expected) {
  auto said = channel::open_reply(sealed, handshake_key);
  if (!said) return said.error();
  if (const base::Status ours = is_ours(*said, expected); !ours) return ours.error();
  Acceptor out;
  out.name = acceptor_name(*said, expected.host);
  if (const base::Status wanted = is_wanted(*said, out.name, expected); !wanted) return wanted.error();
  const auto match = channel::compare_bindings(expected.bindings, said->bindings);
  if (!match) return match.error();
  out.bindings_match = *match;
  auto key = channel::session_key(handshake_key, *said);
  if (!key) return key.error();
  out.session_key = *std::move(key);
  out.services = std::move(said->services);
  return out;
}

}  // namespace gssipsec::mech
