// SPDX-License-Identifier: MIT
#include "broker/daemon.h"

#include <signal.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "broker/ike_thread.h"
#include "broker/log.h"
#include "broker/mirror.h"
#include "broker/server.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr auto kTick = milliseconds(250), kBeat = milliseconds(1000);

class Daemon {
 public:
  explicit Daemon(DaemonSetup setup);
  ~Daemon();
  base::Status begin(base::UniqueFd listener);
  int loop() { return sd_event_loop(events_); }
  [[nodiscard]] bool has_stuck_workers() const { return workers_.abandoned() > 0; }

 private:
  template <void (Daemon::*Function)()>
  static int on_timer(sd_event_source*, std::uint64_t, void* self);
  template <void (Daemon::*Function)()>
  static int on_io(sd_event_source*, int, std::uint32_t, void* self) {
    (static_cast<Daemon*>(self)->*Function)();
    return 0;
  }
  static int on_stop(sd_event_source*, const signalfd_siginfo*, void* self) { return sd_event_exit(static_cast<Daemon*>(self)->events_, 0); }
  static int on_reload(sd_event_source*, const signalfd_siginfo*, void* self) {
    static_cast<Daemon*>(self)->reload();
    return 0;
  }

  void add_timer(sd_event_time_handler_t handler, Time::duration first, sd_event_source** source);
  void letters() { mailbox_->run_all(); }
  void drain_mirror();
  void watch_mirror();
  void tick();
  void beat();
  void redump();
  void reevaluate();
  void destroy(const Latches::Broken& broken);
  void reload();
  void start_ike();
  void note_elders();

  std::function<Sources(const Config&, const Board&)> open_sources_;
  std::function<base::Result<Config>()> reload_;
  sd_event* events_ = nullptr;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  std::shared_ptr<Core> core_;
  Workers workers_;
  Mirror mirror_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<IkeThread> ike_;
  std::mutex bell_mutex_;
  sd_event_source *monitor_ = nullptr, *redump_ = nullptr;
  int watched_ = -1;
};

WorkerLimits limits_of(const Config& config) { return {config.workers, config.workers_per_user, std::chrono::seconds(3)}; }

Daemon::Daemon(DaemonSetup setup)
    : open_sources_(std::move(setup.open_sources)),
      reload_(std::move(setup.reload)),
      core_(std::make_shared<Core>(setup.host, setup.config)),
      workers_(setup.host, limits_of(setup.config)),
      mirror_(setup.host, core_->board, core_->history,
              Mirror::Listener{[this](const Changes&) { reevaluate(); }, [this] { core_->census.request(); }, [this] { core_->board.ask_refresh(); },
                               [this](const channel::SaId& id) { core_->exporters.forget(id); }}) {}

Daemon::~Daemon() {
  if (ike_) ike_->stop();
  workers_.stop();
  core_->census.stop();
  server_.reset();
  sd_event_source_disable_unref(monitor_);
  sd_event_source_disable_unref(redump_);
  sd_event_unref(events_);
}

template <void (Daemon::*Function)()>
int Daemon::on_timer(sd_event_source*, std::uint64_t, void* self) {
  (static_cast<Daemon*>(self)->*Function)();
  return 0;
}

void Daemon::add_timer(sd_event_time_handler_t handler, Time::duration first, sd_event_source** source) {
  (void)sd_event_add_time_relative(events_, source, CLOCK_MONOTONIC, static_cast<std::uint64_t>(duration_cast<microseconds>(first).count()), 1000,
                                   handler, this);
}

base::Status Daemon::begin(base::UniqueFd listener) {
  if (sd_event_new(&events_) < 0 || !mailbox_->valid()) return base::fail(Code::SYSTEM, "no event loop");
  core_->board.set_refresh_bell([this] {
    const std::lock_guard lock(bell_mutex_);
    if (ike_) ike_->ring();
  });
  if (sd_event_add_io(events_, nullptr, mailbox_->fd(), EPOLLIN, &Daemon::on_io<&Daemon::letters>, this) < 0 ||
      sd_event_add_signal(events_, nullptr, SIGTERM, &Daemon::on_stop, this) < 0 ||
      sd_event_add_signal(events_, nullptr, SIGINT, &Daemon::on_stop, this) < 0 ||
      sd_event_add_signal(events_, nullptr, SIGHUP, &Daemon::on_reload, this) < 0)
    return base::fail(Code::SYSTEM, "the event loop takes no sources");
  server_ = std::make_unique<Server>(events_, core_, workers_, mailbox_);
  const base::Status mirrored = mirror_.start();
  if (!mirrored.ok()) log(Level::error, "policies and SAs are not known: " + describe(mirrored.error()));
  note_elders();
  watch_mirror();
  core_->census.take();  // whoever is connected now was so before us
  core_->census.start();
  start_ike();
  add_timer(&Daemon::on_timer<&Daemon::redump>, Mirror::kDumpInterval, &redump_);
  add_timer(&Daemon::on_timer<&Daemon::tick>, kTick, nullptr);
  add_timer(&Daemon::on_timer<&Daemon::beat>, kBeat, nullptr);
  return server_->listen(std::move(listener));
}

void Daemon::note_elders() {
  if (!mirror_.fresh()) return;  // later, when the first dump succeeds
  auto elders = std::make_shared<std::vector<channel::SaId>>();
  elders->reserve(core_->board.tables().sad.size());
  core_->board.each_sa([&elders](const channel::Sa& sa) { elders->push_back(sa.id); });
  std::ranges::sort(*elders);
  core_->set_elders(std::move(elders));
}

void Daemon::start_ike() {
  auto fresh = std::make_shared<IkeThread>(core_->board, open_sources_(*core_->config(), core_->board), core_->config()->psks,
                                           [mailbox = mailbox_, this] { mailbox->post([this] { reevaluate(); }); });
  std::shared_ptr<IkeThread> old;
  {
    const std::lock_guard lock(bell_mutex_);
    old = std::exchange(ike_, fresh);
  }
  if (old) old->stop();
  fresh->start();
}

void Daemon::drain_mirror() {
  mirror_.drain();
  watch_mirror();
}

void Daemon::watch_mirror() {
  if (mirror_.fd() == watched_) return;
  sd_event_source_disable_unref(monitor_);
  monitor_ = nullptr;
  watched_ = mirror_.fd();
  if (watched_ >= 0) (void)sd_event_add_io(events_, &monitor_, watched_, EPOLLIN, &Daemon::on_io<&Daemon::drain_mirror>, this);
}

void Daemon::redump() {
  const bool was_fresh = mirror_.fresh();
  const auto next = mirror_.tick(Clock::now());
  watch_mirror();
  if (!was_fresh && mirror_.fresh()) {
    log(Level::notice, "policies and SAs were read anew");
    if (!core_->has_elders()) note_elders();
  }
  const auto wait = std::min<Time::duration>(next, Mirror::kDumpInterval);
  (void)sd_event_source_set_time_relative(redump_, static_cast<std::uint64_t>(duration_cast<microseconds>(wait).count()));
  (void)sd_event_source_set_enabled(redump_, SD_EVENT_ONESHOT);
}

// In a loop of its own so that a slow second leaves no gap: the next one is set first.
void Daemon::tick() {
  add_timer(&Daemon::on_timer<&Daemon::tick>, kTick, nullptr);
  const Time now = Clock::now();
  if (const std::size_t stuck = workers_.tick(now); stuck > 0)
    log(Level::warning, std::to_string(stuck) + " requests do not come back; their workers were replaced");
  server_->tick(now);
  if (!core_->latches.any_stale()) return;
  core_->board.ask_refresh();
  reevaluate();
}

void Daemon::beat() {
  add_timer(&Daemon::on_timer<&Daemon::beat>, kBeat, nullptr);
  server_->beat();
  core_->exporters.expire(Clock::now());
  if (core_->windows.pairs() == 0) return;
  if (mirror_.fresh()) core_->windows.sweep([this](const channel::SaId& id) { return core_->board.holds(id); });
}

void Daemon::reevaluate() {
  for (const Latches::Broken& broken : core_->latches.reevaluate(core_->board, Clock::now())) {
    log(Level::warning, "latch broken: " + format(broken.flow) + ": " + describe(broken.why));
    if (broken.proven) destroy(broken);
  }
}

// Takes the socket's lock, which its owner may hold: a worker of his.
void Daemon::destroy(const Latches::Broken& broken) {
  workers_.submit(broken.owner, [host = core_->host, broken](Bench&) { (void)host->destroy_socket(broken.flow, broken.cookie).ok(); });
}

void Daemon::reload() {
  auto config = reload_ ? reload_() : base::Result<Config>(base::fail(Code::UNAVAILABLE));
  if (!config) {
    log(Level::error, "the configuration stays as it was: " + describe(config.error()));
    return;
  }
  core_->set_config(std::move(*config));
  start_ike();
  log(Level::notice, "configuration read again");
}

}  // namespace

base::Status run(DaemonSetup setup) {
  base::UniqueFd listener = std::move(setup.listener);
  Daemon daemon(std::move(setup));
  const base::Status begun = daemon.begin(std::move(listener));
  if (!begun.ok()) return begun;
  sd_notify(0, "READY=1");
  log(Level::info, "serving");
  const int result = daemon.loop();
  sd_notify(0, "STOPPING=1");
  if (daemon.has_stuck_workers()) _exit(result < 0 ? 1 : 0);  // threads that touch everything below cannot be ended
  if (result < 0) return base::system_error(Code::SYSTEM, "sd_event_loop", -result);
  return {};
}

}  // namespace gssipsec::broker
