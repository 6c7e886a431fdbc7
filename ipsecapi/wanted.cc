// SPDX-License-Identifier: MIT
#include "ipsecapi/wanted.h"

#include <algorithm>

#include "channel/name.h"
#include "client/broker.h"
#include "ipsecapi/facts.h"

namespace gssipsec::api {

using base::Code;
using protocol::ChannelInfo;
using protocol::Strength;

base::Result<Wanted> wanted_of(const Protection* protection) {
  if (!protection) return Wanted{};
  if (!protection->found) return protection->wanted;
  if (!secured(protection->found->report)) return base::fail(Code::BAD_ARGUMENT, "the protection that is wanted is none");
  return strength_of(protection->found->report);
}

base::Status strong_enough(const Wanted& wanted, const ChannelInfo& channel) {
  if (wanted.privacy && !channel.confidentiality) return base::fail(Code::WEAK, "wanted encryption, found " + channel.suite);
  if (wanted.integrity && !channel.integrity) return base::fail(Code::WEAK, "wanted integrity, found " + channel.suite);
  if (wanted.replay && !channel.replay_protection) return base::fail(Code::WEAK, "wanted replay protection");
  if (wanted.authenticated && !channel.peer_authenticated)
    return base::fail(Code::PEER_UNAUTHENTICATED, "wanted a peer that IKE authenticated");
  if (channel.key_bits >= wanted.key_bits) return {};
  return base::fail(Code::WEAK, "wanted " + std::to_string(wanted.key_bits) + " bits, found " + std::to_string(channel.key_bits));
}

// The broker names none but a proven peer.
base::Status right_peer(const Identity* wanted, const ChannelInfo& channel) {
  if (!wanted) return {};
  const auto name = channel::parse_name(channel.peer_name);
  Identity found;
  if (name.ok() && channel.peer_authenticated) found = Identity{name->identity, channel::AuthMethod::unknown, true, false};
  if (same_identity(*wanted, found)) return {};
  return base::fail(Code::WRONG_PEER, "wanted " + audit_line(*wanted) + ", found " + (found.proven ? format(found.id) : "nobody who is proven"));
}

protocol::RequireRequest request_of(const Wanted& wanted) noexcept {
  return {{}, 0, std::max(wanted.privacy_level, wanted.integrity_level), wanted.privacy, wanted.replay, wanted.authenticated, wanted.key_bits};
}

base::Status strong_by_configuration(const Wanted& wanted, int fd) {
  const protocol::RequireRequest request = request_of(wanted);
  if (request.level == Strength::any) return {};
  const auto reply = client::Broker::require(fd, request);
  return reply ? base::Status() : reply.error();
}

}  // namespace gssipsec::api
