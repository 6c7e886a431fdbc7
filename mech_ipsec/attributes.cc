// SPDX-License-Identifier: MIT
#include "mech_ipsec/attributes.h"

#include <algorithm>
#include <iterator>

#include "client/broker.h"

namespace gssipsec::mech {
namespace {

using channel::IdType;
using protocol::LatchState;

constexpr std::size_t kMaxAttributes = 64, kMaxText = 1024;

class List {
 public:
  explicit List(bool authenticated) : authenticated_(authenticated) {}
  void add(const char* name, std::vector<std::string> values) {
    std::erase(values, std::string());
    if (!values.empty()) all_.push_back({name, std::move(values), authenticated_});
  }
  void add(const char* name, std::string value) { add(name, std::vector<std::string>{std::move(value)}); }
  void add(const char* name, bool value) { add(name, std::string(value ? "true" : "false")); }
  [[nodiscard]] std::vector<Attribute> take() && { return std::move(all_); }

 private:
  bool authenticated_;
  std::vector<Attribute> all_;
};

void identity(List& list, const channel::Name& peer) {
  if (peer.kind != channel::Name::Kind::host && peer.kind != channel::Name::Kind::user) return;
  list.add("identity-type", std::string(channel::id_type_name(peer.identity.type)));
  list.add("identity", peer.identity.value);
  list.add("user", peer.user);
  if (peer.identity.type == IdType::key_sha256) list.add("public-key-sha256", peer.identity.value);
}

void channel_facts(List& list, const protocol::ChannelInfo& channel) {
  list.add("services", channel.peer_services);
  list.add("algorithms", channel.suite);
  list.add("key-bits", std::to_string(channel.key_bits));
  list.add("integrity", channel.integrity);
  list.add("confidentiality", channel.confidentiality);
  list.add("replay-protection", channel.replay_protection);
}

// IKE daemons take an identity of these types from the certificate itself: its subject, or one of its alternative names.
void certificate(List& list, const channel::Name& peer, const protocol::Report& report) {
  if (report.peer_method != channel::auth_method_name(channel::AuthMethod::certificate)) return;
  const IdType type = peer.identity.type;
  if (type == IdType::dn) list.add("certificate-subject", peer.identity.value);
  if (type == IdType::fqdn || type == IdType::rfc822 || type == IdType::ipv4 || type == IdType::ipv6)
    list.add("certificate-alternative-name", channel::format(peer.identity));
}

// Of the context, fixed when it was made; or what was read.
std::vector<Attribute> lasting(const channel::Name& peer, const PeerFacts& facts) {
  if (!facts.read.empty()) return facts.read;
  List list(facts.channel.peer_authenticated);
  identity(list, peer);
  channel_facts(list, facts.channel);
  return std::move(list).take();
}

// The connection may be gone, or another, or another peer's by now: then there are none.
std::vector<Attribute> present(const channel::Name& peer, const PeerFacts& facts) {
  if (!facts.read.empty() || !client::same_socket(facts.socket)) return {};
  const auto report = client::Broker::query(facts.socket.fd, {facts.socket.found});
  if (!report || !report->is_protected || report->peer_id != channel::format(peer.identity)) return {};
  List list(facts.channel.peer_authenticated);
  list.add("authentication-method", report->peer_method);
  certificate(list, peer, *report);
  list.add("mode", report->out.mode);
  list.add("latched", report->latch == LatchState::established);
  list.add("protected-since-start", report->since_start);
  list.add("ike-connection", report->ike_connection);
  return std::move(list).take();
}

}  // namespace

std::vector<Attribute> attributes_of(const channel::Name& peer, const PeerFacts& facts) {
  std::vector<Attribute> all = lasting(peer, facts);
  std::ranges::move(present(peer, facts), std::back_inserter(all));
  return all;
}

std::optional<Attribute> attribute_of(const channel::Name& peer, const PeerFacts& facts, std::string_view name) {
  for (const auto part : {lasting, present})
    for (Attribute& attribute : part(peer, facts))
      if (attribute.name == name) return std::move(attribute);
  return std::nullopt;
}

base::Bytes encode(const std::vector<Attribute>& attributes) {
  base::Writer out;
  out.u16(static_cast<std::uint16_t>(attributes.size()));
  for (const Attribute& attribute : attributes) {
    out.block16(attribute.name).u16(static_cast<std::uint16_t>(attribute.values.size()));
    for (const std::string& value : attribute.values) out.block16(value);
  }
  return std::move(out).take();
}

base::Result<std::vector<Attribute>> decode_attributes(base::View octets) {
  base::Reader in(octets);
  std::vector<Attribute> attributes(std::min<std::size_t>(in.u16(), kMaxAttributes + 1));
  for (Attribute& attribute : attributes) {
    attribute.name = in.text16(kMaxText);
    attribute.values.resize(std::min<std::size_t>(in.u16(), kMaxAttributes + 1));
    for (std::string& value : attribute.values) value = in.text16(kMaxText);
    if (attribute.name.empty() || attribute.values.empty() || attribute.values.size() > kMaxAttributes) in.mark_failed();
  }
  if (!in.done() || attributes.size() > kMaxAttributes)
    return base::fail(base::Code::BAD_TOKEN, "attributes of an exported name, " + std::to_string(octets.size()) + " octets");
  return attributes;
}

}  // namespace gssipsec::mech
