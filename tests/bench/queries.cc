// SPDX-License-Identifier: MIT
#include "tests/bench/queries.h"

#include <malloc.h>

#include <map>
#include <random>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "broker/core.h"
#include "broker/handlers.h"
#include "broker/mirror.h"
#include "tests/support/generated_netlink.h"
#include "tests/support/recorded_netlink.h"

namespace gssipsec::bench {
namespace {

using benchmark::State;
using support::GeneratedKernel;

// Netlink comes from the generator; nothing else is asked.
class GeneratedHost final : public broker::Host {
 public:
  explicit GeneratedHost(const GeneratedKernel& kernel) : kernel_(kernel) {}
  base::Result<kernel::SocketFacts> read_socket(int) override { return none(); }
  base::Result<kernel::SocketFacts> read_new_socket(int) override { return none(); }
  base::Status set_latch(int, const channel::Flow&, const std::vector<channel::Template>&, const std::vector<channel::Template>&,
                         const kernel::PolicyOwner&, bool) override {
    return none();
  }
  base::Status clear_latch(int, const channel::Flow&) override { return none(); }
  base::Result<kernel::RouteFacts> read_route(const channel::Flow&) override { return kernel::RouteFacts{}; }
  base::Result<std::vector<kernel::DiagSocket>> list_sockets(std::uint16_t) override { return none(); }
  base::Result<std::vector<kernel::PolicyOwner>> list_policy_owners() override { return std::vector<kernel::PolicyOwner>(); }
  base::Result<bool> has_listener(const channel::Flow&) override { return none(); }
  base::Status destroy_socket(const channel::Flow&, std::uint64_t) override { return none(); }
  bool destroys_sockets(std::uint16_t) override { return false; }
  base::Result<std::unique_ptr<kernel::NetlinkPort>> open_request_port() override { return kernel_.port(); }
  base::Result<std::unique_ptr<kernel::NetlinkPort>> open_monitor_port() override {
    auto port = std::make_unique<support::ReplayMonitor>();
    monitor = port.get();
    return std::unique_ptr<kernel::NetlinkPort>(std::move(port));
  }
  base::Result<std::unique_ptr<kernel::NetlinkPort>> open_closings_port() override { return none(); }
  std::optional<std::string> user_name(std::uint32_t) override { return std::nullopt; }

  support::ReplayMonitor* monitor = nullptr;  // the mirror's

 private:
  static base::Error none() { return base::fail(base::Code::UNAVAILABLE); }
  const GeneratedKernel& kernel_;
};

std::size_t heap() { return mallinfo2().uordblks; }

// A broker's core with its mirror.
struct Mirrored {
  explicit Mirrored(const GeneratedKernel& kernel)
      : host(std::make_shared<GeneratedHost>(kernel)),
        core(host, {}),
        mirror(host, core.board, core.history, {.changed = [this](const broker::Changes& now) { changes = now; }}) {
    if (!mirror.start().ok()) throw std::runtime_error("the mirror does not start: " + describe(mirror.last_error()));
  }
  // The word of an IKE daemon about every SA.
  void name_peers() {
    ike::Snapshot snapshot;
    channel::PeerInfo peer;
    peer.remote = {channel::IdType::fqdn, "peer.example.org"};
    peer.remote_method = channel::AuthMethod::certificate;
    peer.negotiated = peer.remote_fixed = true;
    core.board.read([&](const kernel::Tables& tables) { tables.sad.each([&](const channel::SadIndex::Held& held) { snapshot.peers[held.sa.id] = peer; }); });
    core.board.publish_sources({{"vici", true, 1, 1, std::make_shared<const ike::Snapshot>(std::move(snapshot))}});
  }

  std::shared_ptr<GeneratedHost> host;
  broker::Core core;
  broker::Changes changes;  // the last ones
  broker::Mirror mirror;
};

// The heap of some mirrors.
double heap_of(const GeneratedKernel& kernel, std::size_t count) {
  const std::size_t before = heap();
  std::vector<std::unique_ptr<Mirrored>> mirrors;
  for (std::size_t i = 0; i < count; ++i) mirrors.push_back(std::make_unique<Mirrored>(kernel));
  return static_cast<double>(heap() - before);
}

// What is kept for each SA beyond what there is with one pair of them and the same policies. Small mirrors are made many
// times, since the allocator counts as used what it keeps at hand.
double bytes_per_sa(std::size_t sas) {
  const GeneratedKernel few(1, sas / 2), all(sas / 2, sas / 2);
  const std::size_t count = std::max<std::size_t>(1, 10000 / sas);
  return (heap_of(all, count) - heap_of(few, count)) / static_cast<double>(count * (sas - few.sas()));
}

// A mirror and what it weighs, made once: a benchmark is called several times before it counts.
struct Stand {
  explicit Stand(std::size_t sas) : weight(bytes_per_sa(sas)), kernel(sas / 2, sas / 2), mirrored(kernel) { mirrored.name_peers(); }
  static Stand& of(std::size_t sas) {
    static std::map<std::size_t, Stand> all;
    return all.try_emplace(sas, sas).first->second;
  }

  const double weight;
  const GeneratedKernel kernel;
  Mirrored mirrored;
};

std::vector<base::Bytes> questions(std::size_t pairs) {
  std::vector<base::Bytes> out;
  std::mt19937 engine(1);
  for (int i = 0; i < 1024; ++i) out.push_back(encode(protocol::QueryFlowRequest{GeneratedKernel::flow(engine() % pairs)}));
  return out;
}

}  // namespace

// What a worker of the broker does for a question without a socket, all but its system calls. A thousand peers in no order; the
// first question about one, with cold caches, takes longer.
void query_sas(State& state, std::size_t sas) {
  Stand& stand = Stand::of(sas);
  Mirrored& mirrored = stand.mirrored;
  broker::Bench bench(*mirrored.host);
  broker::Request request;
  request.caller.privileged = true;
  request.deadline = broker::Time::max();
  const auto asked = questions(sas / 2);
  std::size_t next = 0;
  for (auto _ : state) {
    request.body = asked[next++ % asked.size()];
    const auto answer = broker::handle_query_flow(mirrored.core, bench, request);
    if (!answer) return state.SkipWithError(describe(answer.error()).c_str());
  }
  const auto report = protocol::decode_report(broker::handle_query_flow(mirrored.core, bench, request)->body);
  if (!report || !report->is_protected || report->peer_id.empty()) return state.SkipWithError("the answer is not \"protected\"");
  state.counters["bytes_per_sa"] = stand.weight;
}

// From the loss to the next answer.
void resync_sas(State& state, std::size_t sas) {
  Mirrored& mirrored = Stand::of(sas).mirrored;
  for (auto _ : state)
    if (!mirrored.mirror.start().ok()) return state.SkipWithError(describe(mirrored.mirror.last_error()).c_str());
}

// A latch on a connection to each peer.
struct LatchStand {
  explicit LatchStand(std::size_t latches) : kernel(latches, latches), mirrored(kernel) {
    mirrored.name_peers();
    for (std::size_t pair = 0; pair < latches; ++pair) latch(pair);
    (void)mirrored.core.latches.reevaluate(mirrored.core.board, broker::Clock::now());
  }
  static LatchStand& of(std::size_t latches) {
    static std::map<std::size_t, LatchStand> all;
    return all.try_emplace(latches, latches).first->second;
  }
  void latch(std::size_t pair) {
    const channel::Flow flow = GeneratedKernel::flow(pair);
    const auto now = broker::Clock::now();
    const auto parameters = parameters_of(assess(flow, {}, mirrored.core.board.look(flow), now), flow);
    if (!parameters) throw std::runtime_error("no latch: " + describe(parameters.error()));
    if (pages.empty() || pair % 1000 == 0) pages.push_back(*broker::Page::create());
    if (!mirrored.core.latches.establish({pair + 1, flow, {}, 0, *parameters, true}, pages.back(), now)) throw std::runtime_error("no room for a latch");
  }

  const GeneratedKernel kernel;
  Mirrored mirrored;
  std::vector<std::shared_ptr<broker::Page>> pages;
};

// From the kernel's message that one SA of a pair was updated until every latch that rests on it was looked at again.
void latches(State& state, std::size_t count) {
  LatchStand& stand = LatchStand::of(count);
  Mirrored& mirrored = stand.mirrored;
  std::vector<base::Bytes> news;
  for (std::size_t i = 0; i < 256; ++i) news.push_back(GeneratedKernel::pair_changes(i * 7919 % count));
  std::size_t next = 0;
  for (auto _ : state) {
    mirrored.host->monitor->push(news[next++ % news.size()]);
    mirrored.mirror.drain();
    if (!mirrored.core.latches.reevaluate(mirrored.core.board, std::exchange(mirrored.changes, {}), broker::Clock::now()).empty())
      return state.SkipWithError("a latch broke");
  }
  if (!mirrored.mirror.fresh() || mirrored.core.latches.any_stale()) state.SkipWithError("the mirror or a latch is stale");
}

// The whole text once: the policies of both directions, the reqids they ask for, and the SAs that have these.
void query_ip_xfrm(State& state, std::size_t sas) {
  const std::string text = GeneratedKernel(sas / 2, sas / 2).text();
  const channel::Flow flow = GeneratedKernel::flow(sas / 4);
  const std::string ends = "src " + format(flow.local) + "/32 dst " + format(flow.remote) + "/32", back = "src " + format(flow.remote) + "/32 dst " + format(flow.local) + "/32";
  for (auto _ : state) {
    std::istringstream in(text);
    std::string line, reqid;
    int found = 0;
    for (bool ours = false; std::getline(in, line);) {
      if (line.starts_with("src ")) ours = line.starts_with(ends) || line.starts_with(back);
      const auto at = line.find("reqid ");
      if (at == std::string::npos) continue;
      const std::string named = line.substr(at + 6, line.find(' ', at + 6) - at - 6);
      if (ours) reqid = named;
      else if (line.find(" spi ") != std::string::npos && named == reqid) ++found;
    }
    if (found != 2) return state.SkipWithError("the text does not show the SAs");
  }
}

}  // namespace gssipsec::bench
