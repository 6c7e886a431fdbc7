// SPDX-License-Identifier: MIT
#include "broker/metrics.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/unique_fd.h"
#include "broker/handlers.h"

namespace gssipsec::broker {
namespace {

constexpr const char* kVerbNames[Metrics::kVerbs] = {"",      "hello",   "query", "query_flow", "initiate",  "accept",      "",  "check",
                                                     "release", "probe", "localname",  "subscribe", "unsubscribe", "event", "metrics", "explain",
                                                     "latch",   "unlatch", "mirror", "bind", "latches", "binding", "hand_over", "take_over", "survey", "bound",
                                                     "require", "endpoint", "resolve", "locators"};
static_assert(kVerbNames[Metrics::kVerbs - 1] != nullptr);

class Text {
 public:
  void family(const char* name, const char* type, const char* help) {
    out_ += std::string("# HELP ipsec_gssd_") + name + " " + help + "\n# TYPE ipsec_gssd_" + name + " " + type + "\n";
  }
  void sample(const char* name, const std::string& labels, std::uint64_t value) {
    out_ += std::string("ipsec_gssd_") + name + labels + " " + std::to_string(value) + "\n";
  }
  void one(const char* name, const char* type, const char* help, const Figure& value) {
    family(name, type, help);
    sample(name, "", value.load(std::memory_order_relaxed));
  }
  [[nodiscard]] std::string take() && { return std::move(out_); }

 private:
  std::string out_;
};

void requests(Text& text, const Metrics& m) {
  text.family("requests_total", "counter", "Requests of clients by verb and outcome.");
  for (std::size_t verb = 1; verb < Metrics::kVerbs; ++verb) {
    if (verb == static_cast<std::size_t>(protocol::Verb::event) || !*kVerbNames[verb]) continue;
    const std::string label = std::string("{verb=\"") + kVerbNames[verb] + "\",outcome=\"";
    text.sample("requests_total", label + "ok\"}", m.answered[verb].load(std::memory_order_relaxed));
    text.sample("requests_total", label + "error\"}", m.refused[verb].load(std::memory_order_relaxed));
  }
}

void counters(Text& text, const Metrics& m) {
  text.one("connections_total", "counter", "Clients that connected.", m.connections);
  text.one("connections_refused_total", "counter", "Clients beyond a limit.", m.connections_refused);
  text.one("busy_total", "counter", "Requests answered BUSY because earlier ones of the user do not come back.", m.busy);
  text.one("stuck_total", "counter", "Requests that did not come back; their workers were replaced.", m.stuck);
  text.one("events_sent_total", "counter", "Events given to subscribers.", m.events_sent);
  text.one("events_dropped_total", "counter", "Events that slow subscribers lost.", m.events_dropped);
  text.one("latches_broken_total", "counter", "Latches that broke.", m.latches_broken);
  text.one("mirror_lost_total", "counter", "Times that the kernel's messages were lost and all was read anew.", m.mirror_lost);
  text.one("kernel_asked_total", "counter", "Times that the kernel itself was asked for one question, while the mirror was stale.", m.kernel_asked);
  text.one("netlink_foreign_total", "counter", "Datagrams dropped because a process sent them where the kernel should.", m.netlink_foreign);
  text.one("reloads_total", "counter", "Configurations taken over.", m.reloads);
  text.one("reloads_failed_total", "counter", "Configurations that were refused; the former one stayed.", m.reloads_failed);
}

void gauges(Text& text, const Metrics& m, std::uint64_t started) {
  text.one("clients", "gauge", "Connected clients.", m.clients);
  text.one("subscriptions", "gauge", "Subscriptions to events.", m.subscriptions);
  text.one("latches", "gauge", "Latched sockets.", m.latches);
  text.one("sas", "gauge", "Security associations in the mirror.", m.sas);
  text.one("policies", "gauge", "Policies in the mirror.", m.policies);
  text.one("policies_blocking", "gauge", "Of these, policies that block.", m.policies_blocking);
  text.one("policies_without_reqid", "gauge", "Of these, policies with a template of reqid 0: sockets under them cannot be latched.", m.policies_without_reqid);
  text.one("mirror_fresh", "gauge", "1 while the mirror is in step with the kernel.", m.mirror_fresh);
  text.one("workers_stuck", "gauge", "Workers that hang in what a client passed.", m.workers_stuck);
  text.one("jobs_waiting", "gauge", "Requests that wait for a worker.", m.jobs_waiting);
  text.family("start_time_seconds", "gauge", "When the broker started, since 1970.");
  text.sample("start_time_seconds", "", started / 1000000000);
}

// In the same folder, under a name that nobody can have put there as a link.
base::Status write_beside(const std::string& aside, const std::string& text) {
  (void)unlink(aside.c_str());
  const base::UniqueFd file(open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) return base::system_error(base::Code::SYSTEM, aside.c_str(), errno);
  if (fchmod(file.get(), 0644) != 0 || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return base::system_error(base::Code::SYSTEM, aside.c_str(), errno);
  return {};
}

}  // namespace

void count_policies(const channel::SpdIndex& spd, Metrics& metrics) {
  std::uint64_t blocking = 0, without_reqid = 0;
  spd.each([&](const channel::Policy& policy) {
    blocking += policy.action == channel::Action::block;
    without_reqid += std::ranges::any_of(policy.templates, [](const channel::Template& entry) { return entry.reqid == 0; });
  });
  metrics.policies = spd.size();
  metrics.policies_blocking = blocking;
  metrics.policies_without_reqid = without_reqid;
}

void Metrics::count(protocol::Verb verb, base::Code outcome) noexcept {
  const auto index = static_cast<std::size_t>(verb);
  if (index < kVerbs) (outcome == base::Code::ok ? answered : refused)[index].fetch_add(1, std::memory_order_relaxed);
}

std::string render(const Metrics& metrics, std::uint64_t started, const std::vector<SourceState>& sources) {
  Text text;
  requests(text, metrics);
  counters(text, metrics);
  gauges(text, metrics, started);
  text.family("ike_source_up", "gauge", "1 while the source of identities answers.");
  for (const SourceState& source : sources) text.sample("ike_source_up", "{source=\"" + source.name + "\"}", source.healthy);
  return std::move(text).take();
}

base::Status write_file(const std::string& path, const std::string& text) {
  const std::string aside = path + ".new";
  base::Status written = write_beside(aside, text);
  if (!written.ok()) return written;
  if (rename(aside.c_str(), path.c_str()) != 0) return base::system_error(base::Code::SYSTEM, path.c_str(), errno);
  return {};
}

base::Result<Answer> handle_metrics(Core& core, const Request& request) {
  if (!request.body.empty()) return base::fail(base::Code::BAD_MESSAGE, "METRICS has no body");
  return Answer{encode(protocol::MetricsReply{render(core.metrics, core.started, core.board.outline().sources)})};
}

}  // namespace gssipsec::broker
