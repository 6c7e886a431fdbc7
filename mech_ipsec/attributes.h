// SPDX-License-Identifier: MIT
// What is known of a peer besides its name (RFC 6680): facts of the context, fixed when it was made, and what the broker
// says of the connection now, as long as it still is the same connection with the same peer. A value is authenticated only
// where IKE proved the peer, and never after it was written out and read again. Threads: plain values; attributes_of() may
// ask the broker.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "channel/name.h"
#include "client/sockets.h"
#include "protocol/messages.h"

namespace gssipsec::mech {

struct Attribute {
  std::string name;  // without the prefix
  std::vector<std::string> values;
  bool authenticated = false;
  bool operator==(const Attribute&) const = default;
};

// All attribute names begin with this and a blank, as RFC 6680 section 5 has it.
inline constexpr std::string_view kAttributePrefix = "urn:oid:1.2.840.113556.1.8000.2554.29037.34951.56904.17186.41534.6054741.10980991.7";

// Where a peer's name came from: a context, or octets that somebody wrote.
struct PeerFacts {
  protocol::ChannelInfo channel;
  client::FoundSocket socket;
  std::vector<Attribute> read;  // from an exported composite name; then the rest means nothing
};

[[nodiscard]] std::vector<Attribute> attributes_of(const channel::Name& peer, const PeerFacts& facts);
// The one of this name; the broker is asked only for what the context does not know itself.
[[nodiscard]] std::optional<Attribute> attribute_of(const channel::Name& peer, const PeerFacts& facts, std::string_view name);

// The part of an exported composite name after the name: u16 count | count times (u16 length, name | u16 count | values,
// each u16 length, octets). Whether one was authenticated is not written: whoever reads it cannot know who wrote it.
[[nodiscard]] base::Bytes encode(const std::vector<Attribute>& attributes);
// BAD_TOKEN; nothing of it is authenticated.
[[nodiscard]] base::Result<std::vector<Attribute>> decode_attributes(base::View octets);

}  // namespace gssipsec::mech
