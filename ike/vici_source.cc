// SPDX-License-Identifier: MIT
#include "ike/vici_source.h"

#include <pwd.h>

#include <algorithm>
#include <charconv>

namespace gssipsec::ike {
namespace {

using base::Code;
using base::fail;

constexpr std::size_t kMaxIkeSas = 200000, kMaxConnections = 100000, kMaxLineage = 4096, kMaxNotices = 4096;
constexpr int kMaxPacketsAtOnce = 1024, kMaxListings = 4;
constexpr const char* kStreamed[] = {"list-conn", "list-sa"};
constexpr const char* kChanges[] = {"ike-updown", "ike-rekey", "child-updown", "child-rekey", "ike-update"};

ViciPacket named(ViciType type, const char* name) { return {type, name, {}}; }

base::Result<uid_t> user_id(const std::string& user) {
  uid_t number = 0;
  const auto [end, error] = std::from_chars(user.data(), user.data() + user.size(), number);
  if (error == std::errc() && end == user.data() + user.size()) return number;
  std::vector<char> room(65536);
  passwd entry{}, *found = nullptr;
  if (getpwnam_r(user.c_str(), &entry, room.data(), room.size(), &found) != 0 || !found)
    return fail(Code::BAD_CONFIG, "vici-owner: wanted a user of this host, found \"" + user + "\"");
  return found->pw_uid;
}

}  // namespace

base::Result<ViciOptions> vici_options(const std::optional<std::string>& path, const std::optional<std::string>& owner) {
  ViciOptions options;
  if (!path)
    options.paths = {"/var/run/charon.vici", "/run/charon.vici"};
  else if (!path->empty())
    options.paths = {path->rfind("unix://", 0) == 0 ? path->substr(7) : *path};
  if (owner) {
    const auto uid = user_id(*owner);
    if (!uid) return uid.error();
    options.owner = *uid;
  }
  return options;
}

Deadline ViciSource::soon(Deadline until) const { return std::min(until, std::chrono::steady_clock::now() + options_.silence); }

base::Status ViciSource::connect_any() {
  base::Error first = fail(Code::IKE_SOURCE, "no vici socket is configured");
  for (const std::string& path : options_.paths) {
    auto made = ViciConnection::connect(path, options_.owner);
    if (made) {
      connection_.emplace(*std::move(made));
      return {};
    }
    if (&path == &options_.paths.front()) first = made.error();
  }
  return first;
}

// Another life of the daemon counts its IKE_SAs from one again.
void ViciSource::recognise_life(const std::string& life) {
  if (!life.empty() && life == memory_->life) return;
  if (memory_->life) ++memory_->lives;
  memory_->life = life;
  memory_->rekeyed_from.clear();
  memory_->first_seen.clear();
}

base::Status ViciSource::subscribe(const char* event, bool required, Deadline until) {
  if (auto sent = connection_->send(named(ViciType::register_event, event), soon(until)); !sent) return sent;
  const auto answered = answer(until, "", [](const ViciSection&) {});
  if (!answered) return answered.error();
  if (answered->type == ViciType::confirm_event) return {};
  if (answered->type == ViciType::unknown_event && !required) return {};  // an older daemon
  return fail(Code::IKE_SOURCE, std::string("the IKE daemon does not offer the event ") + event);
}

base::Status ViciSource::open(Deadline until) {
  if (auto connected = connect_any(); !connected) return connected;
  recognise_life(connection_->life());
  for (const char* event : kChanges)
    if (auto done = subscribe(event, false, until); !done) return done;
  for (const char* event : kStreamed)
    if (auto done = subscribe(event, true, until); !done) return done;
  return {};
}

// The next packet that is no event; events called `event` go to `handle`, others are noted.
template <typename Handle>
base::Result<ViciPacket> ViciSource::answer(Deadline until, const char* event, Handle handle) {
  for (;;) {
    auto packet = connection_->receive(soon(until));
    if (!packet || packet->type != ViciType::event) return packet;
    if (packet->name == event)
      handle(packet->message);
    else
      note_event(*packet);
  }
}

template <typename Handle>
base::Status ViciSource::stream(const char* command, const char* event, Deadline until, Handle handle) {
  if (auto sent = connection_->send(named(ViciType::command, command), soon(until)); !sent) return sent;
  const auto answered = answer(until, event, handle);
  if (!answered) return answered.error();
  if (answered->type != ViciType::response) return fail(Code::IKE_SOURCE, std::string("the IKE daemon does not know the command ") + command);
  if (answered->message.text("success") == "no")
    return fail(Code::IKE_SOURCE, std::string("the IKE daemon refused ") + command);
  return {};
}

base::Result<ViciSource::Listing> ViciSource::list_once(Deadline until) {
  Listing listing;
  ViciConnections after;
  bool too_many = false;
  const auto add_to = [&](ViciConnections& known) {
    return [&known, &too_many](const ViciSection& message) {
      if (known.size() < kMaxConnections) add_connections(message, known);
      else too_many = true;
    };
  };
  if (auto done = stream("list-conns", "list-conn", until, add_to(listing.connections)); !done) return done.error();
  auto done = stream("list-sas", "list-sa", until, [&](const ViciSection& message) {
    for (ViciIkeSa& sa : read_ike_sas(message)) listing.sas.push_back(std::move(sa));
    too_many = too_many || listing.sas.size() > kMaxIkeSas;
    if (too_many) listing.sas.clear();
  });
  if (!done) return done.error();
  // Once more: connections that changed in between would be joined to IKE_SAs that they did not make.
  if (auto again = stream("list-conns", "list-conn", until, add_to(after)); !again) return again.error();
  if (too_many) return fail(Code::IKE_SOURCE, "the IKE daemon has more connections or IKE_SAs than this broker can serve");
  listing.reconfigured = after != listing.connections;
  return listing;
}

// A listing during which no connection and, if that can be had, no SA changed.
base::Result<ViciSource::Listing> ViciSource::list_steadily(Deadline until) {
  for (int tries = 1;; ++tries) {
    changed_ = false;
    auto listing = list_once(until);
    if (!listing || !(changed_ || listing->reconfigured)) return listing;
    if (tries < kMaxListings) continue;
    if (listing->reconfigured) return fail(Code::IKE_SOURCE, "the IKE daemon's connections change all the time");
    return listing;
  }
}

base::Result<Snapshot> ViciSource::refresh() {
  const Deadline until = std::chrono::steady_clock::now() + options_.whole;
  if (!connection_)
    if (auto opened = open(until); !opened) {
      connection_.reset();
      return opened.error();
    }
  const auto listing = list_steadily(until);
  if (!listing) {
    connection_.reset();
    return listing.error();
  }
  return joined(*listing);
}

void ViciSource::note_event(const ViciPacket& packet) {
  if (std::find(std::begin(kChanges), std::end(kChanges), packet.name) == std::end(kChanges)) return;
  changed_ = true;
  if (auto notice = read_notice(packet.name, packet.message); notice && notices_.size() < kMaxNotices) {
    notice->ike_sa = lived(origin(notice->ike_sa));
    notices_.push_back(*std::move(notice));
  }
  if (packet.name != "ike-rekey") return;
  const ViciRekey rekey = read_ike_rekey(packet.message);
  if (rekey.successor == 0) return;
  memory_->rekeyed_from.insert_or_assign(rekey.successor, rekey.predecessor);
  if (memory_->rekeyed_from.size() > kMaxLineage) memory_->rekeyed_from.erase(memory_->rekeyed_from.begin());
}

base::Result<bool> ViciSource::drain() {
  if (!connection_) return fail(Code::IKE_SOURCE, "not connected");
  for (int i = 0; i < kMaxPacketsAtOnce; ++i) {
    const auto packet = connection_->receive_now();
    if (packet && !*packet) break;
    if (packet && (*packet)->type == ViciType::event) {
      note_event(**packet);
      continue;
    }
    connection_.reset();
    return packet ? fail(Code::IKE_MESSAGE, "the IKE daemon answered what was not asked") : packet.error();
  }
  return std::exchange(changed_, false);
}

std::uint64_t ViciSource::origin(std::uint64_t unique_id) const {
  std::size_t steps = 0;
  for (auto link = memory_->rekeyed_from.find(unique_id); link != memory_->rekeyed_from.end() && steps <= kMaxLineage; ++steps) {
    unique_id = link->second;
    link = memory_->rekeyed_from.find(unique_id);
  }
  return unique_id;
}

// Of the nearest predecessor that was ever listed: several rekeys may fall between two listings.
const ViciAuth* ViciSource::inherited_auth(std::uint64_t unique_id) const {
  auto link = memory_->rekeyed_from.find(unique_id);
  for (std::size_t steps = 0; link != memory_->rekeyed_from.end() && steps <= kMaxLineage; ++steps) {
    if (const auto seen = memory_->first_seen.find(link->second); seen != memory_->first_seen.end()) return &seen->second;
    link = memory_->rekeyed_from.find(link->second);
  }
  return nullptr;
}

// How the peer of an IKE_SA was proven. The connection of its name may have been another one when the IKE_SA was made.
ViciAuth ViciSource::auth_of(const ViciIkeSa& sa, const ViciConnections& connections) {
  const auto found = connections.find(sa.connection);
  const ViciAuth now = found == connections.end() ? ViciAuth{} : found->second;
  auto seen = memory_->first_seen.find(sa.unique_id);
  if (seen == memory_->first_seen.end()) {
    const ViciAuth* inherited = inherited_auth(sa.unique_id);
    seen = memory_->first_seen.emplace(sa.unique_id, inherited ? *inherited : now).first;
  }
  if (found == connections.end()) return {};
  if (!(seen->second == now)) seen->second = ViciAuth{};
  return seen->second;
}

// Of what the IKE_SAs of now descend from the origin is kept.
void ViciSource::forget_gone(const std::vector<ViciIkeSa>& sas) {
  std::map<std::uint64_t, std::uint64_t> lineage;
  std::map<std::uint64_t, ViciAuth> seen;
  for (const ViciIkeSa& sa : sas) {
    if (const auto auth = memory_->first_seen.find(sa.unique_id); auth != memory_->first_seen.end()) seen.insert(*auth);
    if (const std::uint64_t first = origin(sa.unique_id); first != sa.unique_id) lineage.emplace(sa.unique_id, first);
  }
  memory_->rekeyed_from = std::move(lineage);
  memory_->first_seen = std::move(seen);
}

Snapshot ViciSource::joined(const Listing& listing) {
  Snapshot snapshot;
  for (const ViciIkeSa& sa : listing.sas) add_peers(sa, auth_of(sa, listing.connections), lived(origin(sa.unique_id)), snapshot.peers);
  forget_gone(listing.sas);
  return snapshot;
}

}  // namespace gssipsec::ike
