// SPDX-License-Identifier: MIT
#include "broker/ike_thread.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "broker/fault.h"

namespace gssipsec::broker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kGather = milliseconds(20);
constexpr auto kAway = seconds(5);
constexpr auto kPresent = seconds(60);  // a second look at a daemon that says nothing

}  // namespace

void apply_psk_rules(const std::vector<PskRule>& rules, ike::Snapshot& snapshot) {
  for (auto& [id, peer] : snapshot.peers) {
    if (peer.remote_method != channel::AuthMethod::psk_group) continue;
    const bool held = std::any_of(rules.begin(), rules.end(), [&peer = peer](const PskRule& rule) {
      return rule.connection == peer.connection && rule.holder == peer.remote;
    });
    if (held) {
      peer.remote_method = channel::AuthMethod::psk_pair;
      peer.remote_fixed = true;
    }
  }
}

IkeThread::IkeThread(Board& board, std::vector<std::unique_ptr<ike::Source>> sources, std::vector<PskRule> psks,
                     Published published)
    : board_(board), psks_(std::move(psks)), published_(std::move(published)), bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (auto& source : sources) {
    SourceState state;
    state.name = source->name();
    state.snapshot = std::make_shared<const ike::Snapshot>();
    entries_.push_back({std::move(source), std::move(state), now()});
  }
}

IkeThread::~IkeThread() { stop(); }

void IkeThread::start() {
  publish();
  thread_ = std::thread([this] { run(); });
}

void IkeThread::ring() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(bell_.get(), &one, sizeof one);
}

void IkeThread::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  ring();
  thread_.join();
}

void IkeThread::run() {
  while (!stopping_) {
    bool refreshed = false;
    for (Entry& entry : entries_)
      if (entry.due <= now() && !stopping_) {
        refresh(entry);
        refreshed = true;
      }
    if (refreshed) publish();
    wait();
  }
}

void IkeThread::refresh(Entry& entry) {
  const std::uint64_t seen = board_.outline().arrivals_seen;
  auto snapshot = entry.source->refresh();
  entry.state.asked = seen;
  entry.state.healthy = snapshot.ok();
  entry.due = now() + (snapshot ? Time::duration(kPresent) : Time::duration(kAway));
  if (!snapshot) return;
  apply_psk_rules(psks_, *snapshot);
  entry.state.answered = seen;
  if (*snapshot != *entry.state.snapshot) entry.state.snapshot = std::make_shared<const ike::Snapshot>(std::move(*snapshot));
}

// After an answer that says nothing new no latch is looked at again, of which there may be many.
void IkeThread::publish() {
  std::vector<SourceState> states;
  std::vector<ike::Notice> notices;
  for (const Entry& entry : entries_) {
    states.push_back(entry.state);
    std::ranges::move(entry.source->take_notices(), std::back_inserter(notices));
  }
  if (notices.empty() && states == board_.outline().sources) return;
  board_.publish_sources(std::move(states));
  reached(FaultPoint::sources_published);
  if (published_) published_(std::move(notices));
}

// Sleeps until a source speaks, the bell rings or something is due.
void IkeThread::wait() {
  std::vector<pollfd> fds{{bell_.get(), POLLIN, 0}};
  Time due = now() + kPresent;
  for (const Entry& entry : entries_) {
    fds.push_back({entry.source->event_fd(), POLLIN, 0});
    due = std::min(due, entry.due);
  }
  const auto left = std::chrono::duration_cast<milliseconds>(due - now()).count() + 1;
  if (poll(fds.data(), fds.size(), static_cast<int>(std::clamp<long>(left, 0, 60000))) <= 0) return;
  if (fds[0].revents) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(bell_.get(), &count, sizeof count);
    for (Entry& entry : entries_) entry.due = std::min(entry.due, now() + kGather);
  }
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (fds[i + 1].revents) listen(entries_[i]);
}

void IkeThread::listen(Entry& entry) {
  const auto due = entry.source->drain();
  if (!due) {
    entry.state.healthy = false;
    entry.due = std::min(entry.due, now() + kGather);
  } else if (*due) {
    entry.due = std::min(entry.due, now() + kGather);
  }
}

}  // namespace gssipsec::broker
