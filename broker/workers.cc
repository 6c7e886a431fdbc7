// SPDX-License-Identifier: MIT
#include "broker/workers.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>

namespace gssipsec::broker {
namespace {

constexpr std::size_t kStack = 512 * 1024;  // NSS modules run on it

}  // namespace

base::Result<kernel::NetlinkPort*> Bench::xfrm() {
  if (!port_) {
    auto opened = host_.open_request_port();
    if (!opened) return opened.error();
    port_ = std::move(*opened);
  }
  return port_.get();
}

struct Workers::State {
  explicit State(std::shared_ptr<Host> the_host, WorkerLimits the_limits) : host(std::move(the_host)), limits(the_limits) {}

  // Per user: his waiting jobs and how many of his run (abandoned ones too).
  struct User {
    std::deque<Job> waiting;
    std::size_t running = 0;
  };

  struct Worker {
    bool busy = false, abandoned = false;
    std::uint32_t uid = 0;
    Clock::time_point since;
  };

  std::shared_ptr<Host> host;
  const WorkerLimits limits;
  mutable std::mutex mutex;
  std::condition_variable wake, ended;
  std::map<std::uint32_t, User> users;
  std::deque<std::uint32_t> turns;  // users with waiting jobs, each once, in fair order
  std::list<Worker> workers;        // all threads that have not ended
  std::size_t live = 0;             // of them not abandoned
  bool stopping = false;

  // Takes the next job whose user may run one more. The lock is held.
  bool take(Job& job, std::uint32_t& uid);
  void finish(std::uint32_t uid);
  bool may_go_on(Worker& self);
  void work(Worker& self, std::unique_lock<std::mutex>& lock);
};

namespace {

struct Start {
  std::shared_ptr<void> state;
  std::function<void()> body;
};

void* thread_main(void* argument) {
  const std::unique_ptr<Start> start(static_cast<Start*>(argument));
  start->body();
  return nullptr;
}

// Detached: an abandoned thread is never joined.
bool start_thread(std::unique_ptr<Start> start) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStack);
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, thread_main, start.get()) == 0;
  pthread_attr_destroy(&attributes);
  if (started) (void)start.release();
  return started;
}

}  // namespace

bool Workers::State::take(Job& job, std::uint32_t& uid) {
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const std::uint32_t candidate = turns.front();
    turns.pop_front();
    User& user = users[candidate];
    if (user.running >= limits.per_user) {
      turns.push_back(candidate);
      continue;
    }
    job = std::move(user.waiting.front());
    user.waiting.pop_front();
    ++user.running;
    if (!user.waiting.empty()) turns.push_back(candidate);
    uid = candidate;
    return true;
  }
  return false;
}

void Workers::State::finish(std::uint32_t uid) {
  const auto user = users.find(uid);
  if (user == users.end()) return;
  --user->second.running;
  if (user->second.running == 0 && user->second.waiting.empty()) users.erase(user);
}

bool Workers::State::may_go_on(Worker& self) {
  const std::lock_guard lock(mutex);
  if (stopping || self.abandoned || !turns.empty() || users[self.uid].running >= limits.per_user) return false;
  self.since = Clock::now();
  return true;
}

void Workers::State::work(Worker& self, std::unique_lock<std::mutex>& lock) {
  Bench bench(*host);
  bench.on_go_on([this, &self] { return may_go_on(self); });
  while (!self.abandoned) {
    Job job;
    if (!stopping && take(job, self.uid)) {
      self.busy = true;
      self.since = Clock::now();
      lock.unlock();
      job(bench);
      job = nullptr;  // what it owns may block when it goes: outside the lock, still counted
      lock.lock();
      self.busy = false;
      finish(self.uid);
      wake.notify_one();
    } else if (stopping) {
      return;
    } else {
      wake.wait(lock);
    }
  }
}

namespace {

template <typename State>
void spawn(const std::shared_ptr<State>& state) {
  const auto self = state->workers.emplace(state->workers.end());
  auto start = std::make_unique<Start>();
  start->state = state;
  start->body = [state = state.get(), self] {
    std::unique_lock lock(state->mutex);
    state->work(*self, lock);
    if (!self->abandoned) --state->live;
    state->workers.erase(self);
    state->ended.notify_all();
  };
  if (start_thread(std::move(start)))
    ++state->live;
  else
    state->workers.erase(self);
}

}  // namespace

Workers::Workers(std::shared_ptr<Host> host, WorkerLimits limits) : state_(std::make_shared<State>(std::move(host), limits)) {
  const std::lock_guard lock(state_->mutex);
  for (std::uint32_t i = 0; i < limits.workers; ++i) spawn(state_);
}

Workers::~Workers() { stop(); }

void Workers::submit(std::uint32_t uid, Job job) {
  const std::lock_guard lock(state_->mutex);
  State::User& user = state_->users[uid];
  user.waiting.push_back(std::move(job));
  if (user.waiting.size() == 1) state_->turns.push_back(uid);
  state_->wake.notify_one();
}

std::size_t Workers::tick(Clock::time_point now) {
  const std::lock_guard lock(state_->mutex);
  std::size_t count = 0;
  for (State::Worker& worker : state_->workers)
    if (worker.busy && !worker.abandoned && now - worker.since >= state_->limits.stuck_after) {
      worker.abandoned = true;
      --state_->live;
      ++count;
    }
  // A thread that could not be made last time is tried again here.
  for (std::size_t i = state_->live; i < state_->limits.workers && !state_->stopping; ++i) spawn(state_);
  return count;
}

void Workers::stop() {
  std::deque<Job> dropped;
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  for (auto& [uid, user] : state_->users) {
    for (Job& job : user.waiting) dropped.push_back(std::move(job));
    user.waiting.clear();
  }
  state_->turns.clear();
  state_->wake.notify_all();
  state_->ended.wait_for(lock, state_->limits.stuck_after, [this] { return state_->live == 0; });
  lock.unlock();
}

std::size_t Workers::abandoned() const {
  const std::lock_guard lock(state_->mutex);
  return static_cast<std::size_t>(std::count_if(state_->workers.begin(), state_->workers.end(), [](const State::Worker& w) { return w.abandoned; }));
}

std::size_t Workers::running(std::uint32_t uid) const {
  const std::lock_guard lock(state_->mutex);
  const auto user = state_->users.find(uid);
  return user == state_->users.end() ? 0 : user->second.running;
}

std::size_t Workers::waiting() const {
  const std::lock_guard lock(state_->mutex);
  std::size_t count = 0;
  for (const auto& [uid, user] : state_->users) count += user.waiting.size();
  return count;
}

}  // namespace gssipsec::broker
