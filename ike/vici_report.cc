// SPDX-License-Identifier: MIT
#include "ike/vici_report.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "channel/quality.h"
#include "ike/id_text.h"

namespace gssipsec::ike {
namespace {

using channel::AuthMethod;

template <typename T>
std::optional<T> number(std::string_view text, int base) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> choices) {
  return std::find(choices.begin(), choices.end(), text) != choices.end();
}

bool has_items(const ViciList* list) { return list && !list->items.empty(); }

// Raw keys are listed where certificates are, but under an identity; a certificate under its subject, which is a DN.
bool names_raw_keys(const ViciSection& round) {
  const ViciList* const keys = round.list("certs");
  if (!has_items(keys) || has_items(round.list("cacerts"))) return false;
  return std::all_of(keys->items.begin(), keys->items.end(), [](const std::string& item) {
    return !item.empty() && item.find('=') == std::string::npos;
  });
}

AuthMethod method_of(const ViciSection& round) {
  const std::string_view kind = round.text("class");
  if (kind == "public key") return names_raw_keys(round) ? AuthMethod::raw_key : AuthMethod::certificate;
  if (kind == "pre-shared key") return AuthMethod::psk_group;
  if (kind.substr(0, 3) == "EAP") return AuthMethod::eap;
  if (kind == "NULL" || kind == "none") return AuthMethod::null_auth;
  return AuthMethod::unknown;
}

bool starts_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

// The one authentication round of a side ("local", "remote"); null when there is none or there are several.
const ViciSection* only_round(const ViciSection& connection, std::string_view side) {
  const ViciSection* found = nullptr;
  for (const ViciSection& inner : connection.sections) {
    if (!starts_with(inner.name, side)) continue;
    if (found) return nullptr;
    found = &inner;
  }
  return found;
}

ViciAuth auth_of(const ViciSection& connection) {
  ViciAuth auth;
  if (const ViciSection* local = only_round(connection, "local")) auth.local = method_of(*local);
  if (const ViciSection* remote = only_round(connection, "remote")) {
    auth.remote = method_of(*remote);
    auth.remote_id = infer_identity(remote->text("id"));
  }
  return auth;
}

// In REKEYED and DELETING the CHILD_SAs of an IKE_SA are still there; before ESTABLISHED nobody has proven anything.
bool proven(std::string_view state) { return one_of(state, {"ESTABLISHED", "REKEYING", "REKEYED", "DELETING"}); }
// After a rekey strongSwan keeps the old inbound SA for some seconds, as DELETING and DELETED, for packets on their way.
bool in_kernel(std::string_view state) { return one_of(state, {"INSTALLED", "UPDATING", "REKEYING", "REKEYED", "DELETING", "DELETED"}); }
bool leaving(std::string_view state) { return one_of(state, {"REKEYED", "DELETING", "DELETED"}); }

std::optional<std::uint8_t> protocol_of(std::string_view name) {
  if (name == "ESP") return channel::kProtoEsp;
  if (name == "AH") return channel::kProtoAh;
  return std::nullopt;
}

// A child's keys come from the IKE_SA's secret and its own exchange, if it had one: either being weak is said.
std::uint16_t weaker_group(std::string_view ike_name, std::string_view child_name) {
  const std::uint16_t ike = dh_group_of(ike_name);
  return child_name.empty() || channel::weak_dh_group(ike) ? ike : dh_group_of(child_name);
}

struct Ends {
  channel::Address local, remote;
};

std::optional<Ends> ends_of(const ViciSection& sa) {
  const auto local = channel::parse_address(sa.text("local-host")), remote = channel::parse_address(sa.text("remote-host"));
  if (!local || !remote || local->is_any() || remote->is_any()) return std::nullopt;
  return Ends{*local, *remote};
}

std::optional<ViciIkeSa::Child> child_of(const ViciSection& child, const Ends& ends, std::string_view ike_group) {
  const auto protocol = protocol_of(child.text("protocol"));
  const auto in = number<std::uint32_t>(child.text("spi-in"), 16), out = number<std::uint32_t>(child.text("spi-out"), 16);
  if (!in_kernel(child.text("state")) || !protocol || !in || !out || *in == 0 || *out == 0) return std::nullopt;
  return ViciIkeSa::Child{std::string(child.text("name")), {*in, ends.local, *protocol}, {*out, ends.remote, *protocol},
                          weaker_group(ike_group, child.text("dh-group")), leaving(child.text("state"))};
}

std::vector<channel::Address> given_to_peer(const ViciSection& sa) {
  std::vector<channel::Address> out;
  if (const ViciList* given = sa.list("remote-vips"))
    for (const std::string& item : given->items)
      if (const auto address = channel::parse_address(item)) out.push_back(*address);
  return out;
}

std::optional<ViciIkeSa> ike_sa_of(const ViciSection& sa) {
  const auto unique_id = number<std::uint32_t>(sa.text("uniqueid"), 10);
  const auto ends = ends_of(sa);
  if (sa.name.empty() || !unique_id || !ends || !proven(sa.text("state"))) return std::nullopt;
  ViciIkeSa out{sa.name, *unique_id, infer_identity(sa.text("local-id")), infer_identity(sa.text("remote-id")), {}, given_to_peer(sa)};
  if (const ViciSection* children = sa.section("child-sas"))
    for (const ViciSection& child : children->sections)
      if (auto read = child_of(child, *ends, sa.text("dh-group"))) out.children.push_back(*std::move(read));
  return out;
}

// Known to vici, so that no source of lower precedence may speak for it, but nobody's.
channel::PeerInfo nobody() {
  channel::PeerInfo peer;
  peer.negotiated = true;
  peer.source = "vici";
  return peer;
}

// The same SA told twice: while an IKE_SA is rekeyed its children may be seen under both; the newer one has them. Any
// other contradiction makes the SA nobody's, whatever is told later.
void add_peer(const channel::SaId& id, const channel::PeerInfo& peer, Peers& peers) {
  const auto [place, is_new] = peers.emplace(id, peer);
  if (is_new) return;
  channel::PeerInfo other = place->second;
  const std::uint64_t newest = std::max(other.ike_sa, peer.ike_sa);
  other.ike_sa = peer.ike_sa;
  other.leaving = peer.leaving;
  if (other == peer)
    place->second.ike_sa = newest;
  else
    place->second = nobody();
}

}  // namespace

void add_connections(const ViciSection& list_conn, ViciConnections& known) {
  for (const ViciSection& connection : list_conn.sections) {
    const auto [place, is_new] = known.emplace(connection.name, auth_of(connection));
    if (!is_new) place->second = ViciAuth{};
  }
}

std::vector<ViciIkeSa> read_ike_sas(const ViciSection& list_sa) {
  std::vector<ViciIkeSa> out;
  for (const ViciSection& section : list_sa.sections)
    if (auto sa = ike_sa_of(section)) out.push_back(*std::move(sa));
  return out;
}

void add_peers(const ViciIkeSa& sa, const ViciAuth& auth, std::uint64_t ike_sa, Peers& peers) {
  channel::PeerInfo peer;
  peer.local = sa.local;
  peer.remote = sa.remote;
  peer.local_method = auth.local;
  peer.remote_method = auth.remote;
  peer.remote_fixed = auth.remote_id.type != channel::IdType::none && auth.remote_id == sa.remote;
  peer.given = sa.given;
  peer.negotiated = true;
  peer.connection = sa.connection;
  peer.ike_sa = ike_sa;
  peer.source = "vici";
  for (const ViciIkeSa::Child& child : sa.children) {
    peer.child = child.name;
    peer.dh_group = child.dh_group;
    peer.leaving = child.leaving;
    add_peer(child.in, peer, peers);
    add_peer(child.out, peer, peers);
  }
}

ViciRekey read_ike_rekey(const ViciSection& event) {
  for (const ViciSection& sa : event.sections) {
    const ViciSection *before = sa.section("old"), *after = sa.section("new");
    if (!before || !after || before->text("version") == "1") continue;  // IKEv1 has no rekeying without authentication
    const auto from = number<std::uint32_t>(before->text("uniqueid"), 10), to = number<std::uint32_t>(after->text("uniqueid"), 10);
    if (from && to && *from != 0 && *to != 0 && *from != *to) return {*from, *to};
  }
  return {};
}

std::optional<Notice> read_notice(std::string_view name, const ViciSection& event) {
  for (const ViciSection& sa : event.sections) {
    const auto id = number<std::uint32_t>(sa.text("uniqueid"), 10);
    if (!id || *id == 0) continue;
    Notice notice{Notice::Kind::child_rekeyed, *id, infer_identity(sa.text("remote-id")), sa.name};
    if (name == "child-rekey") return notice;
    notice.kind = Notice::Kind::addresses_changed;
    if (name == "ike-update") return notice;
    notice.kind = Notice::Kind::peer_dead;
    const bool alive = sa.text("state") == "ESTABLISHED" || sa.text("state") == "REKEYING";
    if (name == "ike-updown" && event.text("up") != "yes" && alive) return notice;
  }
  return std::nullopt;
}

std::uint16_t dh_group_of(std::string_view name) noexcept {
  static constexpr std::pair<std::string_view, std::uint16_t> kGroups[] = {
      {"MODP_768", 1},      {"MODP_1024", 2},       {"MODP_1536", 5},       {"MODP_2048", 14},   {"MODP_3072", 15},
      {"MODP_4096", 16},    {"MODP_6144", 17},      {"MODP_8192", 18},      {"ECP_256", 19},     {"ECP_384", 20},
      {"ECP_521", 21},      {"MODP_1024_160", 22},  {"MODP_2048_224", 23},  {"MODP_2048_256", 24}, {"ECP_192", 25},
      {"ECP_224", 26},      {"ECP_224_BP", 27},     {"ECP_256_BP", 28},     {"ECP_384_BP", 29},  {"ECP_512_BP", 30},
      {"CURVE_25519", 31},  {"CURVE_448", 32}};
  for (const auto& [known, group] : kGroups)
    if (known == name) return group;
  return 0;
}

}  // namespace gssipsec::ike
