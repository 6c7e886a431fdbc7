// SPDX-License-Identifier: MIT
// Who wants to hear of what, and what there is to say: the kernel's and the IKE daemon's events, and the differences between
// what a subscriber heard last of his socket and what holds now. Holds no descriptor and sends nothing itself: what there is
// to say is collected by the event thread and written by the server, with no lock held.
// Threads: add(), remove() and the figures from any; everything else the event thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "broker/changes.h"
#include "broker/latches.h"
#include "broker/picture.h"
#include "ike/notice.h"

namespace gssipsec::broker {

// One event on its way to one connection.
struct Delivery {
  std::uint64_t connection = 0;
  std::uint32_t request = 0;  // of its SUBSCRIBE
  protocol::Event event;
};

struct Subscription {
  std::uint64_t connection = 0;
  std::uint32_t request = 0, uid = ~0U;
  std::uint32_t types = 0;
  protocol::Scope scope = protocol::Scope::socket;
  bool root = false;  // may know SPIs
  // Of a socket:
  std::uint64_t cookie = 0;
  channel::Flow flow;
  channel::Surroundings around;
  Picture picture;
  Footing footing;
};

class Subscriptions {
 public:
  explicit Subscriptions(const Latches& latches) : latches_(latches) {}

  // Its number on this connection, from 1 on. LIMIT when the user has `most` already.
  [[nodiscard]] base::Result<std::uint32_t> add(Subscription subscription, std::uint32_t most);
  [[nodiscard]] bool remove(std::uint64_t connection, std::uint32_t number);
  void drop(std::uint64_t connection);
  [[nodiscard]] std::vector<std::uint64_t> listening_to_all() const;  // connections
  [[nodiscard]] std::size_t size() const;

  // What happened; it is said by the next collect().
  void note(const kernel::Event& event);
  void note(const ike::Notice& notice);
  void note_broken(const Latches::Broken& broken);
  void note_lost(const std::string& why);  // the kernel's messages
  void touch();                            // any verdict may be another one
  void touch(const Changes& changes);      // those that rest on what changed

  struct Looked {
    Assessment assessment;
    Footing footing;
  };
  using Look = std::function<Looked(const channel::Flow&, const channel::Surroundings&)>;
  // `look` is called for each socket that may have changed. What cannot be known now is looked at again next time.
  [[nodiscard]] std::vector<Delivery> collect(const Look& look, bool fresh);
  // The latches that CHECK restored tell nobody: look at all of them, seldom.
  void touch_changed_latches();

 private:
  using Key = std::pair<std::uint64_t, std::uint32_t>;  // connection, number
  struct Entry : Subscription {
    bool touched = true;  // from the beginning: something may have changed since SUBSCRIBE looked
  };
  [[nodiscard]] static protocol::Event blank(protocol::EventType type, const base::Error& why);
  void say(const Key& key, const Entry& entry, const Change& change);
  void put(const Key& key, const Entry& entry, protocol::Event event, const std::vector<channel::SaId>& sas);
  void say_to_all(const Change& change, const std::string& peer, std::uint64_t cookie, const channel::Flow& flow);
  void say_of_sa(protocol::EventType type, const channel::SaId& id);
  void say_of_peer(protocol::EventType type, const ike::Notice& notice);
  [[nodiscard]] protocol::LatchState latch_of(const Entry& entry) const;
  void look_at(const Key& key, Entry& entry, const Look& look);

  const Latches& latches_;
  mutable std::mutex mutex_;
  std::map<Key, Entry> entries_;
  std::map<std::uint32_t, std::uint32_t> per_user_;
  std::map<std::uint64_t, std::uint32_t> last_number_;  // of each connection
  std::vector<Delivery> ready_;
};

}  // namespace gssipsec::broker
