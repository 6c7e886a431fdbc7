// SPDX-License-Identifier: MIT
#include "broker/mirror.h"

#include <utility>

#include "base/secret.h"
#include "broker/fault.h"

namespace gssipsec::broker {
namespace {

using base::Code;

constexpr int kMaxDatagrams = 4096;  // one turn of the event loop
constexpr int kQuietTries = 3;

// Events that tell of the SPD, in the history's words.
std::uint64_t record(History& history, const kernel::Effect& effect, std::uint64_t epoch) {
  if (effect.defaults) return history.reset();
  if (effect.removed.empty() && effect.added.empty()) return epoch;
  return history.changed({effect.removed, effect.added});
}

}  // namespace

Mirror::Mirror(std::shared_ptr<Host> host, Board& board, History& history, Listener listener)
    : host_(std::move(host)), board_(board), history_(history), listener_(std::move(listener)) {}

base::Status Mirror::start() {
  base::Status status = reopen();
  if (status.ok()) status = dump(std::chrono::steady_clock::now());
  if (!status.ok()) lose(status.error());
  return status;
}

base::Status Mirror::reopen() {
  if (!monitor_) {
    auto monitor = host_->open_monitor_port();
    if (!monitor) return monitor.error();
    monitor_ = std::move(*monitor);
    if (state_ == State::doubtful) state_ = State::lost;
  }
  if (!requests_) {
    auto requests = host_->open_request_port();
    if (!requests) return requests.error();
    requests_ = std::move(*requests);
  }
  return {};
}

void Mirror::lose(base::Error why) { leave_fresh(State::lost, std::move(why)); }

void Mirror::doubt(base::Error why) {
  if (state_ == State::fresh) leave_fresh(State::doubtful, std::move(why));
}

void Mirror::leave_fresh(State state, base::Error why) {
  last_error_ = std::move(why);
  const bool was_fresh = fresh(), now_lost = state_ != State::lost && state == State::lost;
  state_ = state;
  if (was_fresh) board_.set_stale();
  if (now_lost && listener_.lost) listener_.lost(last_error_);
}

void Mirror::drain() {
  const bool changed = take_queued(std::chrono::steady_clock::now());
  if (changed && fresh()) publish();
}

// True when the monitor said anything. What was lost is not made better by what follows.
bool Mirror::take_queued(Time now) {
  bool any = false;
  for (int i = 0; i < kMaxDatagrams && monitor_; ++i) {
    auto datagram = monitor_->receive();
    if (!datagram) {
      lose(datagram.error());
      if (datagram.error().code != Code::NETLINK_LOST) monitor_.reset();
      return true;
    }
    if (datagram->empty()) return any;
    any = true;
    if (state_ != State::lost) take_datagram(*datagram, now);
    base::wipe(*datagram);
  }
  return any;
}

void Mirror::take_datagram(base::View datagram, Time now) {
  const auto events = kernel::decode_events(datagram);
  if (!events) return lose(events.error());
  for (const kernel::Event& event : *events) take(event, now);
}

void Mirror::take(const kernel::Event& event, Time now) {
  if (listener_.happened) listener_.happened(event);
  const channel::Arrival arrival{sequence_ + 1, now};
  kernel::Effect effect;
  board_.edit([&](kernel::Tables& tables, std::uint64_t epoch) {
    effect = kernel::apply(event, tables, arrival);
    return record(history_, effect, epoch);
  });
  if (effect.arrived) arrive(*effect.arrived, effect.replaced);
  if (!effect.fits) doubt(base::fail(Code::NETLINK_LOST, "an event does not fit the mirror; dumping anew"));
  changes_.add(std::move(effect));
}

void Mirror::arrive(const channel::SaId& id, bool replaces) {
  ++sequence_;
  if (replaces && listener_.replaced) listener_.replaced(id);
  arrived_ = true;
}

void Mirror::forget_queued() {
  while (true) {
    auto datagram = monitor_->receive();
    if (!datagram || datagram->empty()) return;
    base::wipe(*datagram);
  }
}

// What the monitor queues during a dump is applied afterwards: events about what the dump already shows either change
// nothing or do not fit, and then it is dumped once more.
base::Status Mirror::dump(Time now) {
  last_dump_ = now;
  if (state_ == State::lost) forget_queued();
  auto dumped = state_ == State::lost ? kernel::dump(*requests_) : read_quietly(now);
  if (!dumped) {
    requests_.reset();
    return dumped.error();
  }
  reached(FaultPoint::mirror_dumped);
  adopt(*std::move(dumped), now);
  reached(FaultPoint::mirror_adopted);
  publish();
  reached(FaultPoint::mirror_published);
  return {};
}

// A dump into which no event falls: then it differs from the mirror only by what events do not tell, and the history of the
// SPD has no gap. Where events never cease it is lost.
base::Result<kernel::Databases> Mirror::read_quietly(Time now) {
  (void)take_queued(now);
  for (int i = 0; i < kQuietTries && state_ == State::doubtful; ++i) {
    auto dumped = kernel::dump(*requests_);
    if (!dumped || (!take_queued(now) && state_ == State::doubtful)) return dumped;
  }
  lose(base::fail(Code::NETLINK_LOST, "changes never cease while the databases are read"));
  if (!monitor_) return base::fail(Code::NETLINK, "the monitor's port broke");
  forget_queued();
  return kernel::dump(*requests_);
}

channel::Arrival Mirror::arrival_of(const channel::Sa& sa, const channel::Arrival& news) {
  const auto& known = board_.tables().sad;
  const channel::SadIndex::Held* old = known.find(sa.id, sa.mark);
  if (old && old->sa.added == sa.added) return old->arrival;
  if (known.contains(sa.id) && listener_.replaced) listener_.replaced(sa.id);
  arrived_ = true;
  return news;
}

void Mirror::adopt(kernel::Databases databases, Time now) {
  const channel::Arrival news{++sequence_, now};
  kernel::Tables fresh = kernel::tables_of(std::move(databases), [&](const channel::Sa& sa) { return arrival_of(sa, news); });
  board_.edit([&](kernel::Tables& tables, std::uint64_t epoch) {
    std::swap(tables.sad, fresh.sad);  // the old one goes outside the lock
    if (state_ == State::doubtful) return record(history_, kernel::bring_to(tables.spd, fresh.spd), epoch);
    std::swap(tables.spd, fresh.spd);
    return history_.reset();
  });
  changes_.everything = true;
  state_ = State::fresh;
}

void Mirror::publish() {
  board_.publish(fresh(), sequence_);
  if (listener_.changed) listener_.changed(std::exchange(changes_, {}));
  if (std::exchange(arrived_, false) && listener_.unknown_sa) listener_.unknown_sa();
  const std::uint64_t epoch = history_.epoch();
  if (std::exchange(published_epoch_, epoch) != epoch && listener_.policies_changed) listener_.policies_changed();
}

Time::duration Mirror::tick(Time now) {
  if (fresh()) return std::chrono::seconds(1);
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
