// SPDX-License-Identifier: MIT
#include "broker/mirror.h"

#include <algorithm>
#include <utility>

namespace gssipsec::broker {
namespace {

using channel::Policy;

// After this long every source has been asked about an SA, and its arrival is no news.
constexpr auto kArrivalMemory = std::chrono::seconds(30);
constexpr int kMaxDatagrams = 4096;  // one turn of the event loop

bool same_key(const Policy& a, const Policy& b) {
  return a.direction == b.direction && a.selector == b.selector && a.sub_policy == b.sub_policy && a.mark == b.mark && a.if_id == b.if_id;
}

template <typename Match>
std::vector<Policy> those(const channel::Spd& spd, Match match) {
  std::vector<Policy> found;
  std::copy_if(spd.policies.begin(), spd.policies.end(), std::back_inserter(found), match);
  return found;
}

const channel::Sa* find_sa(const channel::Sad& sad, const channel::SaId& id) {
  const auto sa = std::find_if(sad.sas.begin(), sad.sas.end(), [&id](const channel::Sa& s) { return s.id == id; });
  return sa == sad.sas.end() ? nullptr : &*sa;
}

}  // namespace

bool touches_spd(const kernel::Event& event) noexcept {
  return std::holds_alternative<kernel::PolicyAdded>(event) || std::holds_alternative<kernel::PolicyDeleted>(event) ||
         std::holds_alternative<kernel::PolicyExpired>(event) || std::holds_alternative<kernel::PoliciesFlushed>(event) ||
         std::holds_alternative<kernel::DefaultsChanged>(event);
}

SpdChange change_of(const kernel::Event& event, const channel::Spd& before, const channel::Spd& after) {
  if (const auto* added = std::get_if<kernel::PolicyAdded>(&event)) {
    const auto same = [added](const Policy& p) { return same_key(p, added->policy); };
    return {those(before, same), those(after, same)};
  }
  if (const auto* expired = std::get_if<kernel::PolicyExpired>(&event)) {
    const auto same = [expired](const Policy& p) { return p.index == expired->index && p.direction == expired->direction; };
    return {those(before, same), those(after, same)};
  }
  // Deletions: whatever is not there any more.
  std::vector<Policy> gone = those(before, [&after](const Policy& p) {
    return std::none_of(after.policies.begin(), after.policies.end(), [&p](const Policy& q) { return p.index == q.index && same_key(p, q); });
  });
  return {std::move(gone), {}};
}

Mirror::Mirror(std::shared_ptr<Host> host, Board& board, History& history, Listener listener)
    : host_(std::move(host)), board_(board), history_(history), listener_(std::move(listener)) {}

base::Status Mirror::start() {
  const auto now = std::chrono::steady_clock::now();
  base::Status status = reopen();
  if (status.ok()) status = dump(now);
  if (!status.ok()) lose(status.error());
  return status;
}

base::Status Mirror::reopen() {
  if (!monitor_) {
    auto monitor = host_->open_monitor_port();
    if (!monitor) return monitor.error();
    monitor_ = std::move(*monitor);
  }
  if (!requests_) {
    auto requests = host_->open_request_port();
    if (!requests) return requests.error();
    requests_ = std::move(*requests);
  }
  return {};
}

void Mirror::lose(base::Error why) {
  last_error_ = std::move(why);
  if (!fresh_) return;
  fresh_ = false;
  board_.set_stale();
}

// What the monitor queued before and during the dump is applied afterwards: events about what the dump already shows
// either change nothing or do not fit, and then it is dumped once more.
base::Status Mirror::dump(Time now) {
  last_dump_ = now;
  while (true) {  // old news
    const auto datagram = monitor_->receive();
    if (!datagram || datagram->empty()) break;
  }
  auto dumped = kernel::dump(*requests_);
  if (!dumped) {
    requests_.reset();
    return dumped.error();
  }
  const bool same_spd = dumped_once_ && dumped->spd.policies == databases_.spd.policies &&
                        dumped->spd.default_in == databases_.spd.default_in && dumped->spd.default_out == databases_.spd.default_out;
  std::map<channel::SaId, std::uint64_t> known;
  for (const channel::Sa& sa : databases_.sad.sas) known.emplace(sa.id, sa.added);
  databases_ = std::move(*dumped);
  for (const channel::Sa& sa : databases_.sad.sas) {
    const auto old = known.find(sa.id);
    if (old != known.end() && old->second == sa.added) continue;
    arrive(sa.id, old != known.end(), now);
  }
  if (dumped_once_ || !same_spd) epoch_ = history_.reset();
  dumped_once_ = fresh_ = true;
  publish();
  if (listener_.policies_changed) listener_.policies_changed();
  return {};
}

void Mirror::drain() {
  const auto now = std::chrono::steady_clock::now();
  const std::uint64_t old_epoch = epoch_;
  bool changed = false;
  for (int i = 0; i < kMaxDatagrams && monitor_; ++i) {
    const auto datagram = monitor_->receive();
    if (!datagram) {
      lose(datagram.error());
      if (datagram.error().code != base::Code::NETLINK_LOST) monitor_.reset();
      break;
    }
    if (datagram->empty()) break;
    if (!fresh_) continue;
    const auto events = kernel::decode_events(*datagram);
    if (!events) {
      lose(events.error());
      continue;
    }
    for (const kernel::Event& event : *events) {
      if (!take(event, now)) {
        lose(base::fail(base::Code::NETLINK_LOST, "an event does not fit the mirror; dumping anew"));
        break;
      }
      changed = true;
    }
  }
  if (changed && fresh_) publish();
  if (fresh_ && epoch_ != old_epoch && listener_.policies_changed) listener_.policies_changed();
}

bool Mirror::take(const kernel::Event& event, Time now) {
  if (const auto* added = std::get_if<kernel::SaAdded>(&event)) note_arrival(*added, now);
  if (const auto* deleted = std::get_if<kernel::SaDeleted>(&event)) arrivals_.erase(deleted->id);
  if (!touches_spd(event)) return kernel::apply(event, databases_);
  const channel::Spd before = databases_.spd;
  if (!kernel::apply(event, databases_)) return false;
  epoch_ = std::holds_alternative<kernel::DefaultsChanged>(event) ? history_.reset()
                                                                  : history_.changed(change_of(event, before, databases_.spd));
  return true;
}

void Mirror::note_arrival(const kernel::SaAdded& event, Time now) {
  const channel::Sa* known = find_sa(databases_.sad, event.sa.id);
  if (known && event.update && known->added == event.sa.added) return;
  arrive(event.sa.id, known != nullptr, now);
}

void Mirror::arrive(const channel::SaId& id, bool replaces, Time now) {
  if (replaces && listener_.replaced) listener_.replaced(id);
  arrivals_[id] = {++sequence_, now};
  arrived_ = true;
}

// An arrival is news until every source has answered since.
void Mirror::forget_old_arrivals(Time now) {
  const View view = board_.current();
  std::erase_if(arrivals_, [&](const auto& entry) {
    return now - entry.second.when > kArrivalMemory &&
           std::all_of(view.sources.begin(), view.sources.end(),
                       [&entry](const SourceState& s) { return s.answered >= entry.second.sequence; });
  });
}

void Mirror::publish() {
  forget_old_arrivals(std::chrono::steady_clock::now());
  board_.publish_databases(std::make_shared<const kernel::Databases>(databases_), fresh_, epoch_,
                           std::make_shared<const Arrivals>(arrivals_), sequence_);
  if (listener_.changed) listener_.changed();
  if (std::exchange(arrived_, false) && listener_.unknown_sa) listener_.unknown_sa();
}

Time::duration Mirror::tick(Time now) {
  if (fresh_) return std::chrono::seconds(1);
  if (now - last_dump_ < kDumpInterval) return kDumpInterval - (now - last_dump_);
  base::Status status = reopen();
  if (status.ok()) status = dump(now);
  if (!status.ok()) {
    last_dump_ = now;
    lose(status.error());
    return kDumpInterval;
  }
  return std::chrono::seconds(1);
}

}  // namespace gssipsec::broker
