// SPDX-License-Identifier: MIT
#include "broker/daemon.h"

#include <signal.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "broker/closings.h"
#include "broker/fault.h"
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

constexpr std::uint32_t kHouse = ~0U;  // the broker's own jobs among the users'
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
  void broken(const std::vector<Latches::Broken>& latches);
  void changed(const Changes& changes);
  void tell();
  void lost(const base::Error& why);
  void heard(const std::vector<ike::Notice>& notices);
  void destroy(const Latches::Broken& broken);
  void reload();
  void reloaded(base::Result<Config> config, Sources sources);
  void start_ike(Sources sources);
  void measure();
  void export_metrics(Time now);

  std::function<Sources(const Config&, const Board&)> open_sources_;
  std::function<base::Result<Config>()> reload_;
  sd_event* events_ = nullptr;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  std::shared_ptr<Core> core_;
  Workers workers_;
  Mirror mirror_;
  Closings closings_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<IkeThread> ike_;
  std::mutex bell_mutex_;
  sd_event_source *monitor_ = nullptr, *redump_ = nullptr;
  int watched_ = -1;
  bool reloading_ = false, reload_again_ = false;
  Time export_due_{};
  std::uint64_t measured_ = ~0ULL;  // version of the board
  std::shared_ptr<std::atomic<bool>> exporting_ = std::make_shared<std::atomic<bool>>(false);
};

WorkerLimits limits_of(const Config& config) { return {config.workers, config.workers_per_user, std::chrono::seconds(3)}; }

Daemon::Daemon(DaemonSetup setup)
    : open_sources_(std::move(setup.open_sources)),
      reload_(std::move(setup.reload)),
      core_(std::make_shared<Core>(setup.host, setup.config)),
      workers_(setup.host, limits_of(setup.config)),
      mirror_(setup.host, core_->board, core_->history,
              Mirror::Listener{[this](const Changes& changes) { changed(changes); }, [this] { core_->census.request(); },
                               [this] { core_->board.ask_refresh(); }, [this](const channel::SaId& id) { core_->exporters.forget(id); },
                               [this](const kernel::Event& event) { core_->subscriptions.note(event); },
                               [this](const base::Error& why) { lost(why); }}),
      closings_(setup.host, core_->latches, core_->own_policies, [this] { core_->census.request(); }) {}

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
  (void)sd_event_set_watchdog(events_, 1);  // where the service manager wants to hear of us
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
  watch_mirror();
  core_->census.take();  // whoever is connected now was so before us
  core_->census.start();
  start_ike(open_sources_(*core_->config(), core_->board));
  add_timer(&Daemon::on_timer<&Daemon::redump>, Mirror::kDumpInterval, &redump_);
  add_timer(&Daemon::on_timer<&Daemon::tick>, kTick, nullptr);
  add_timer(&Daemon::on_timer<&Daemon::beat>, kBeat, nullptr);
  return server_->listen(std::move(listener));
}

void Daemon::start_ike(Sources sources) {
  auto fresh = std::make_shared<IkeThread>(core_->board, std::move(sources), core_->config()->psks,
                                           [mailbox = mailbox_, this](std::vector<ike::Notice> notices) {
                                             mailbox->post([this, notices = std::move(notices)] { heard(notices); });
                                           });
  {
    const std::lock_guard lock(bell_mutex_);
    ike_ = fresh;
  }
  fresh->start();
}

void Daemon::drain_mirror() {
  mirror_.drain();
  watch_mirror();
  tell();
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
    tell();
  }
  const auto wait = std::min<Time::duration>(next, Mirror::kDumpInterval);
  (void)sd_event_source_set_time_relative(redump_, static_cast<std::uint64_t>(duration_cast<microseconds>(wait).count()));
  (void)sd_event_source_set_enabled(redump_, SD_EVENT_ONESHOT);
}

// In a loop of its own so that a slow second leaves no gap: the next one is set first.
void Daemon::tick() {
  add_timer(&Daemon::on_timer<&Daemon::tick>, kTick, nullptr);
  const Time now = Clock::now();
  if (const std::size_t stuck = workers_.tick(now); stuck > 0) {
    core_->metrics.stuck.fetch_add(stuck, std::memory_order_relaxed);
    log(Level::warning, std::to_string(stuck) + " requests do not come back; their workers were replaced");
  }
  server_->tick(now);
  if (core_->latches.any_stale()) core_->board.ask_refresh();
  broken(core_->latches.reevaluate_unsettled(core_->board, now));
  core_->subscriptions.touch_changed_latches();
  tell();
}

void Daemon::beat() {
  add_timer(&Daemon::on_timer<&Daemon::beat>, kBeat, nullptr);
  server_->beat();
  closings_.adjust(events_);
  mirror_.audit(Clock::now());
  watch_mirror();
  tell();
  measure();
  export_metrics(Clock::now());
  core_->exporters.expire(Clock::now());
}

void Daemon::broken(const std::vector<Latches::Broken>& latches) {
  for (const Latches::Broken& broken : latches) {
    log(Level::warning, "latch broken: " + format(broken.flow) + ": " + describe(broken.why));
    if (!broken.told) {
      core_->metrics.latches_broken.fetch_add(1, std::memory_order_relaxed);
      core_->subscriptions.note_broken(broken);
    }
    reached(FaultPoint::latch_told_broken);
    if (broken.proven) destroy(broken);
  }
}

void Daemon::heard(const std::vector<ike::Notice>& notices) {
  for (const ike::Notice& notice : notices) core_->subscriptions.note(notice);
  broken(core_->latches.reevaluate(core_->board, Clock::now()));  // any SA may have another peer now
  core_->subscriptions.touch();
  tell();
}

// What the kernel said may be missing; what a dump shows is told as differences.
void Daemon::lost(const base::Error& why) {
  core_->metrics.mirror_lost.fetch_add(1, std::memory_order_relaxed);
  core_->subscriptions.note_lost(describe(why));
}

void Daemon::changed(const Changes& changes) {
  broken(core_->latches.reevaluate(core_->board, changes, Clock::now()));
  core_->subscriptions.touch(changes);
}

void Daemon::tell() {
  if (core_->subscriptions.size() == 0) return;
  const Time now = Clock::now();
  const auto look = [this, now](const channel::Flow& flow, const channel::Surroundings& around) {
    const View view = core_->board.look(flow);
    return Subscriptions::Looked{assess(flow, around, view, now), footing_of(view)};
  };
  server_->deliver(core_->subscriptions.collect(look, mirror_.fresh()));
}

void Daemon::destroy(const Latches::Broken& broken) {
  workers_.submit(broken.owner, [core = core_, broken](Bench&) { close_broken(*core->host, core->latches, broken); });
}

// Reads files and asks NSS, and waits for the IKE thread's question under way: not here but in a worker. The former sources
// end only when there are new ones.
void Daemon::reload() {
  if (std::exchange(reloading_, true)) {
    reload_again_ = true;
    return;
  }
  reached(FaultPoint::reload_begun);
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
             static_cast<unsigned long long>(now.tv_sec) * 1000000ULL + static_cast<unsigned long long>(now.tv_nsec) / 1000);
  workers_.submit(kHouse, [this, old = ike_, core = core_, mailbox = mailbox_, read = reload_, open = open_sources_](Bench&) {
    auto config = std::make_shared<base::Result<Config>>(read ? read() : base::Result<Config>(base::fail(Code::UNAVAILABLE)));
    auto sources = std::make_shared<Sources>();
    if (config->ok()) {
      *sources = open(**config, core->board);
      old->stop();
    }
    reached(FaultPoint::reload_read);
    mailbox->post([this, config, sources] { reloaded(std::move(*config), std::move(*sources)); });
  });
}

void Daemon::reloaded(base::Result<Config> config, Sources sources) {
  reloading_ = false;
  if (config.ok()) {
    core_->set_config(*std::move(config));
    start_ike(std::move(sources));
    server_->tell_programs();
    server_->end_unentitled();
    core_->metrics.reloads.fetch_add(1, std::memory_order_relaxed);
    log(Level::notice, "configuration read again");
    sd_notify(0, "READY=1\nSTATUS=Serving");
  } else {
    core_->metrics.reloads_failed.fetch_add(1, std::memory_order_relaxed);
    log(Level::error, "the configuration stays as it was: " + describe(config.error()));
    sd_notify(0, "READY=1\nSTATUS=Serving with the former configuration: the new one is wrong");
  }
  reached(FaultPoint::reload_done);
  if (std::exchange(reload_again_, false)) reload();
}

void Daemon::measure() {
  Metrics& metrics = core_->metrics;
  metrics.clients = server_->clients();
  metrics.subscriptions = core_->subscriptions.size();
  metrics.latches = core_->latches.size();
  metrics.sas = core_->board.tables().sad.size();
  const std::uint64_t version = core_->board.outline().version;
  if (std::exchange(measured_, version) != version) count_policies(core_->board.tables().spd, metrics);  // each is looked at
  metrics.mirror_fresh = mirror_.fresh();
  metrics.netlink_foreign = mirror_.foreign();
  metrics.workers_stuck = workers_.abandoned();
  metrics.jobs_waiting = workers_.waiting();
}

// A disk may be slow: a worker writes, and while one does no other begins.
void Daemon::export_metrics(Time now) {
  const auto config = core_->config();
  if (config->metrics_file.empty() || now < export_due_ || exporting_->exchange(true)) return;
  export_due_ = now + std::chrono::seconds(config->metrics_interval);
  workers_.submit(kHouse, [core = core_, path = config->metrics_file, running = exporting_](Bench&) {
    const base::Status written = write_file(path, render(core->metrics, core->started, core->board.outline().sources));
    if (!written.ok()) log(Level::warning, "the figures were not written: " + describe(written.error()));
    running->store(false);
  });
}

}  // namespace

base::Status run(DaemonSetup setup) {
  base::UniqueFd listener = std::move(setup.listener);
  Daemon daemon(std::move(setup));
  const base::Status begun = daemon.begin(std::move(listener));
  if (!begun.ok()) return begun;
  sd_notify(0, "READY=1\nSTATUS=Serving");
  log(Level::info, "serving");
  const int result = daemon.loop();
  sd_notify(0, "STOPPING=1");
  if (daemon.has_stuck_workers()) _exit(result < 0 ? 1 : 0);  // threads that touch everything below cannot be ended
  if (result < 0) return base::system_error(Code::SYSTEM, "sd_event_loop", -result);
  return {};
}

}  // namespace gssipsec::broker
