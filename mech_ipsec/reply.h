// SPDX-License-Identifier: MIT
// What an initiator believes of REPLY. The acceptor's broker made it under the key of this handshake, which only the two
// brokers and this library have; what it says is compared with what this end knows and wants. Pure.
#pragma once

#include <string>

#include "channel/handshake.h"
#include "channel/name.h"
#include "mech_ipsec/seal.h"

namespace gssipsec::mech {

struct Expected {
  channel::FlowLabel flow;     // of this end's HELLO
  Digest transcript{};         // of all tokens up to and with HELLO
  Digest bindings{};           // of the application; zeros: none
  std::string wanted;          // the peer's name, "" any
  bool mutual = false;         // nobody unauthenticated will do
  channel::Name host;          // whom IKE proved, by this end's broker; anonymous: nobody
};

struct Acceptor {
  channel::Name name;
  std::vector<std::string> services;
  bool bindings_match = false;
  base::Secret session_key;
};

// BAD_MAC, WRONG_ROLE, WRONG_FLOW, WRONG_TRANSCRIPT, PEER_NOT_LATCHED, BAD_BINDINGS, WRONG_PEER, SERVICE_DENIED,
// PEER_UNAUTHENTICATED.
[[nodiscard]] base::Result<Acceptor> read_reply(base::View sealed, base::View handshake_key, const Expected& expected);

}  // namespace gssipsec::mech
