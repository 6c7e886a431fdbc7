// SPDX-License-Identifier: MIT
#include "broker/mirror.h"

#include <utility>

#include "base/secret.h"
#include "broker/fault.h"

namespace gssipsec::broker {
namespace {

using base::Code;

constexpr int kMaxDatagrams = 4096;  // one turn of the event loop
constexpr int kMostForgotten = 1 << 20;
constexpr int kQuietTries = 3;
constexpr auto kSlice = std::chrono::milliseconds(2);

// Events that tell of the SPD, in the history's words.
std::uint64_t record(History& history, const kernel::Effect& effect, std::uint64_t epoch) {
  if (effect.defaults) return history.reset();
  if (effect.removed.empty() && effect.added.empty()) return epoch;
  return history.changed({effect.removed, effect.added});
}

bool of_sas(const kernel::Event& event) noexcept {
  return std::holds_alternative<kernel::SaAdded>(event) || std::holds_alternative<kernel::SaDeleted>(event) ||
         std::holds_alternative<kernel::SaExpired>(event) || std::holds_alternative<kernel::SasFlushed>(event);
}

}  // namespace

Mirror::Mirror(std::shared_ptr<Host> host, Board& board, History& history, Listener listener)
    : host_(std::move(host)), board_(board), history_(history), listener_(std::move(listener)) {}

base::Status Mirror::start() {
  base::Status status = reopen();
  if (status.ok()) status = begin(now());
  while (status.ok() && reading_)
    if (const auto ended = go_on(kSlice); !ended) status = ended.error();
  if (!status.ok()) give_up(status.error());
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
  if (state_ == State::fresh || state_ == State::reading) leave_fresh(State::doubtful, std::move(why));
}

void Mirror::leave_fresh(State state, base::Error why) {
  last_error_ = std::move(why);
  const bool was_fresh = fresh(), now_lost = state_ != State::lost && state == State::lost;
  state_ = state;
  if (reading_) requests_.reset();  // half of an answer is still to come there
  reading_.reset();
  if (was_fresh) board_.set_stale();
  if (now_lost && listener_.lost) listener_.lost(last_error_);
}

void Mirror::drain() {
  const bool changed = take_queued(now());
  if (changed && fresh()) publish();
}

// True when the monitor said anything. What was lost is not made better by what follows.
bool Mirror::take_queued(Time now) {
  bool any = false;
  for (int i = 0; i < kMaxDatagrams && monitor_; ++i) {
    auto datagram = monitor_->receive();
    if (!datagram) {
      lose(datagram.error());
      if (datagram.error().code != Code::NETLINK_LOST) close_monitor();
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
  odd_counts_.reset();
  if (listener_.happened) listener_.happened(event);
  if (reading_ && of_sas(event)) return hold(event);
  apply(event, now);
}

void Mirror::hold(const kernel::Event& event) {
  if (reading_->held.size() < kMostHeld) return reading_->held.push_back(event);
  lose(base::fail(Code::NETLINK_LOST, "more SAs changed while they were read than can be kept in mind"));
}

void Mirror::apply(const kernel::Event& event, Time now) {
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

void Mirror::close_monitor() {
  foreign_before_ += monitor_->foreign();
  monitor_.reset();
}

// To the last one, whatever is lost on the way: what was said before a loss, applied to a dump that was made after it, would
// undo what nobody heard of.
base::Status Mirror::forget_queued() {
  for (int i = 0; i < kMostForgotten; ++i) {
    auto datagram = monitor_->receive();
    if (!datagram && datagram.error().code != Code::NETLINK_LOST) return close_monitor(), datagram.error();
    if (datagram && datagram->empty()) return {};
    if (datagram) base::wipe(*datagram);
  }
  return base::fail(Code::NETLINK_LOST, "more changes come than can be read");
}

// What the monitor queues while the SPD is read is applied afterwards: events about what the dump already shows either change
// nothing or do not fit, and then it is dumped once more.
base::Status Mirror::begin(Time now) {
  last_dump_ = now;
  auto spd = state_ == State::lost ? read_behind_loss() : read_quietly(now);
  if (!spd) return spd.error();
  adopt(*std::move(spd));
  return begin_sas(now);
}

// A dump into which no event falls: then it differs from the mirror only by what events do not tell, and the history of the
// SPD has no gap. Where events never cease it is lost.
base::Result<channel::Spd> Mirror::read_quietly(Time now) {
  (void)take_queued(now);
  for (int i = 0; i < kQuietTries && state_ == State::doubtful; ++i) {
    auto spd = kernel::dump_spd(*requests_);
    if (!spd || (!take_queued(now) && state_ == State::doubtful)) return spd;
  }
  lose(base::fail(Code::NETLINK_LOST, "changes never cease while the databases are read"));
  if (!monitor_) return base::fail(Code::NETLINK, "the monitor's port broke");
  return read_behind_loss();
}

base::Result<channel::Spd> Mirror::read_behind_loss() {
  if (const base::Status forgotten = forget_queued(); !forgotten.ok()) return forgotten.error();
  return kernel::dump_spd(*requests_);
}

void Mirror::adopt(channel::Spd spd) {
  kernel::Tables fresh = kernel::tables_of({std::move(spd), {}}, {});
  board_.edit([&](kernel::Tables& tables, std::uint64_t epoch) {
    if (state_ == State::doubtful) return record(history_, kernel::bring_to(tables.spd, fresh.spd), epoch);
    std::swap(tables.spd, fresh.spd);
    return history_.reset();
  });
  changes_.everything = true;
  state_ = State::reading;
}

base::Status Mirror::begin_sas(Time now) {
  reading_ = std::make_unique<Reading>();
  reading_->sad.reserve(board_.tables().sad.size());
  const channel::Arrival news{++sequence_, now};
  reading_->dump = std::make_unique<kernel::SadDump>(*requests_, [this, news](channel::Sa sa) {
    const channel::Arrival arrival = arrival_of(sa, news);
    reading_->sad.add(std::move(sa), arrival);
  });
  return reading_->dump->begin();
}

// True at the end.
base::Result<bool> Mirror::go_on(Time::duration budget) {
  const Time until = now() + budget;
  do {
    const auto ended = reading_->dump->go_on();
    if (!ended) return ended.error();
    if (!*ended) continue;
    finish();
    return true;
  } while (now() < until);
  return false;
}

void Mirror::finish() {
  reached(FaultPoint::mirror_dumped);
  const std::unique_ptr<Reading> done = std::exchange(reading_, nullptr);
  board_.edit([&](kernel::Tables& tables, std::uint64_t epoch) {
    std::swap(tables.sad, done->sad);  // the old one goes outside the lock
    return epoch;
  });
  state_ = State::fresh;
  const Time adopted = now();
  for (const kernel::Event& event : done->held) apply(event, adopted);
  reached(FaultPoint::mirror_adopted);
  if (!fresh()) return;
  publish();
  reached(FaultPoint::mirror_published);
}

void Mirror::give_up(const base::Error& why) {
  requests_.reset();
  last_dump_ = now();
  lose(why);
}

channel::Arrival Mirror::arrival_of(const channel::Sa& sa, const channel::Arrival& news) {
  const auto& known = board_.tables().sad;
  const channel::SadIndex::Held* old = known.find(sa.id, sa.mark);
  if (old && old->sa.added == sa.added) return old->arrival;
  if (known.contains(sa.id) && listener_.replaced) listener_.replaced(sa.id);
  arrived_ = true;
  return news;
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
  base::Status status;
  if (!reading_) {
    if (now - last_dump_ < kDumpInterval) return kDumpInterval - (now - last_dump_);
    status = reopen();
    if (status.ok()) status = begin(now);
  }
  const base::Result<bool> ended = status.ok() ? go_on(kSlice) : base::Result<bool>(status.error());
  if (!ended) return give_up(ended.error()), kDumpInterval;
  if (!*ended) return Time::duration::zero();
  return fresh() ? std::chrono::seconds(1) : kDumpInterval;
}

// A kernel without memory for a message says nothing. It counts larval SAs, of which it does not tell either, so more SAs than
// ours say nothing. A difference must last until the next time: a change and its message do not come at one moment.
void Mirror::audit(Time now) {
  drain();
  if (!fresh() || !reopen().ok()) return;
  const auto counts = kernel::read_counts(*requests_);
  if (!counts) return requests_.reset();
  const bool quiet = !take_queued(now);
  if (!quiet && fresh()) publish();
  const kernel::Tables& ours = board_.tables();
  const std::pair found{counts->sas, counts->policies};
  if (!quiet || !fresh()) return odd_counts_.reset();
  if (found.second == ours.spd.size() && found.first >= ours.sad.size()) {
    odd_counts_.reset();
    uncured_.reset();
    return;
  }
  if (std::exchange(odd_counts_, found) != found || uncured_ == found) return;
  uncured_ = found;  // whatever it is that this kernel counts
  lose(base::fail(Code::NETLINK_LOST, "the kernel has " + std::to_string(found.second) + " policies and " + std::to_string(found.first) +
                                          " SAs, the mirror " + std::to_string(ours.spd.size()) + " and " + std::to_string(ours.sad.size())));
}

}  // namespace gssipsec::broker
