// SPDX-License-Identifier: MIT
// The SAD, found by an SA's name, by its reqid and by its two ends, at a cost that does not grow with the number of SAs.
// Holds no keys. Not thread-safe: its owner locks. Pointers to what is held stay good until that SA is removed.
#pragma once

#include <chrono>
#include <functional>
#include <unordered_map>

#include "channel/hash.h"

namespace gssipsec::channel {

// When an SA came. Names of SAs are used again: what somebody says about a name counts only if he was asked after the SA came.
struct Arrival {
  std::uint64_t sequence = 0;  // ascends
  std::chrono::steady_clock::time_point when{};
  bool follows = false;  // one between the same ends, for the same policies, was there: a rekey, of which the other end may not know yet
};

class SadIndex {
 public:
  struct Held {
    Sa sa;
    Arrival arrival;  // the newest of its name

   private:
    friend class SadIndex;
    struct Link {
      Held *before = nullptr, *after = nullptr;
    };
    Link links[2];
  };
  // SAs that share a reqid, or both ends.
  class Chain {
   public:
    class Iterator {
     public:
      Iterator(const Held* held, int which) : held_(held), which_(which) {}
      const Held& operator*() const { return *held_; }
      Iterator& operator++() { return held_ = held_->links[which_].after, *this; }
      bool operator==(const Iterator& other) const { return held_ == other.held_; }

     private:
      const Held* held_;
      int which_;
    };
    Chain(const Held* first, int which) : first_(first), which_(which) {}
    [[nodiscard]] Iterator begin() const { return {first_, which_}; }
    [[nodiscard]] Iterator end() const { return {nullptr, which_}; }
    // Worth a better one.
    [[nodiscard]] bool is_long() const { return longer_than(32); }
    [[nodiscard]] bool longer_than(std::size_t count) const;

   private:
    const Held* first_;
    int which_;
  };
  // Several SAs have one name only if their marks differ.
  struct Found {
    Held* first = nullptr;
    std::size_t count = 0;
  };

  [[nodiscard]] std::size_t size() const noexcept { return held_.size(); }
  void reserve(std::size_t count) { held_.reserve(count), heads_of_pairs_.reserve(count); }
  Held& add(Sa sa, const Arrival& arrival);
  void replace(Held& held, Sa sa);
  void arrive(const SaId& id, const Arrival& arrival);  // this name means another SA from now on
  void remove(const Held& held);
  void remove_if(const std::function<bool(const Sa&)>& gone);

  [[nodiscard]] Found find(const SaId& id);
  [[nodiscard]] Held* find(const SaId& id, const Mark& mark);
  [[nodiscard]] const Held* find(const SaId& id, const Mark& mark) const;
  [[nodiscard]] bool contains(const SaId& id) const { return held_.contains(id); }

  [[nodiscard]] Chain of_reqid(std::uint32_t reqid) const;
  [[nodiscard]] Chain between(const Address& source, const Address& destination) const;
  void each(const std::function<void(const Held&)>& visit) const;

 private:
  enum Which { kReqid, kPair };
  void link(Held& held);
  void unlink(Held& held);
  static void push(Held*& head, Held& held, Which which);
  template <typename Heads, typename Key>
  static void pull(Heads& heads, const Key& key, Held& held, Which which);

  std::unordered_multimap<SaId, Held, Hash> held_;
  std::unordered_map<std::uint32_t, Held*, Hash> heads_of_reqids_;
  std::unordered_map<AddressPair, Held*, Hash> heads_of_pairs_;
};

}  // namespace gssipsec::channel
