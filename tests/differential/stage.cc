// SPDX-License-Identifier: MIT
#include "tests/differential/stage.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace gssipsec::differential {
namespace {

template <typename... T>
struct Overloaded : T... {
  using T::operator()...;
};
template <typename... T>
Overloaded(T...) -> Overloaded<T...>;

void write_file(const std::string& path, const char* text) {
  const base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd || ::write(fd.get(), text, 1) != 1) give_up(path);
}

std::string named(const Scene& scene) { return "seed " + std::to_string(scene.seed) + " case " + std::to_string(scene.number); }

}  // namespace

Product::Product() {
  auto host = broker::open_host();
  if (!host) give_up(base::describe(host.error()));
  core_ = std::make_unique<broker::Core>(std::shared_ptr<broker::Host>(*std::move(host)), broker::Config{});
  broker::Mirror::Listener listener{[](const broker::Changes&) {}, [] {}, [] {}, [](const channel::SaId&) {}};
  mirror_ = std::make_unique<broker::Mirror>(core_->host, core_->board, core_->history, std::move(listener));
  if (const base::Status started = mirror_->start(); !started.ok()) give_up(base::describe(started.error()));
}

void Product::follow() {
  mirror_->drain();
  if (!mirror_->fresh()) (void)mirror_->tick(std::chrono::steady_clock::now() + broker::Mirror::kDumpInterval);
}

broker::Case Product::ask(int fd, const channel::Flow& flow) {
  broker::Request request;
  request.fd = fd;
  request.caller.privileged = true;
  request.deadline = std::chrono::steady_clock::now();
  auto seen = fd >= 0 ? broker::examine(*core_, request) : broker::examine_flow(*core_, request, flow);
  if (seen) return *std::move(seen);
  broker::Case none;
  none.assessment.verdict.out.why_not = none.assessment.verdict.in.why_not = seen.error();
  return none;
}

Stage::Stage(const std::string& a, const std::string& b, const std::string& aside, bool verbose)
    : verbose_(verbose), marker_(aside), a_(a), b_(b), wire_(), product_((a_.enter(), Product())), peer_(b_) {
  if (a_.devices().back() == 0) give_up("device vrf0");
  a_.clear();
  b_.clear();
  b_.queue(defaults_request({channel::Action::block, channel::Action::allow}));  // B answers nobody
  b_.flush();
}

void Stage::say(const std::string& text) const {
  if (verbose_) std::printf("%s\n", text.c_str());
}

void Stage::set_devices(const Scene& scene, bool back) {
  for (const std::string name : {"eth0", "eth1", "eth2", "vrf0"}) {
    if (scene.no_xfrm) write_file("/proc/sys/net/ipv4/conf/" + name + "/disable_xfrm", back ? "0" : "1");
    for (const std::string family : {"ipv4", "ipv6"})
      if (scene.no_policy) write_file("/proc/sys/net/" + family + "/conf/" + name + "/disable_policy", back ? "0" : "1");
  }
}

void Stage::queue(const Step& step) {
  std::visit(Overloaded{
                 [this](const PutPolicy& put) { a_.queue(policy_request(put, a_.devices())), policies_.push_back(put); },
                 [this](const DropPolicy& drop) { a_.queue(drop_request(policies_[drop.which].policy, a_.devices())); },
                 [this](const PutSa& put) {
                   a_.queue(put.larval ? alloc_request(put.sa) : sa_request(put));
                   sas_.push_back(put);
                   peer_.learn(put);
                 },
                 [this](const DropSa& drop) { a_.queue(drop_request(sas_[drop.which].sa)); },
                 [this](const PutDefaults& put) { a_.queue(defaults_request(put)); },
                 [this](const FlushSas& flush) { a_.queue(flush_sas(flush.protocol)); },
                 [this](const FlushPolicies& flush) { a_.queue(flush_policies(flush.sub)); },
             },
             step);
}

void Stage::put(const Round& round) {
  for (const Step& step : round.steps) queue(step);
  const std::vector<int> errors = a_.flush();
  for (std::size_t i = 0; i < errors.size(); ++i) {
    errors[i] == 0 ? tally_.accepted(round.steps[i]) : tally_.refused(round.steps[i], errors[i]);
    say((errors[i] == 0 ? "put: " : "refused (" + std::to_string(errors[i]) + "): ") + format(round.steps[i]));
  }
  peer_.install();
}

broker::Case Stage::ask(const Scene& scene, std::size_t number, const Ends& ends, std::uint32_t mark) {
  channel::Flow flow = scene.flow;
  flow.mark = mark;
  flow.output_ifindex = a_.devices()[static_cast<std::size_t>(scene.bound)];
  const int fd = mark == scene.flow.mark ? ends.connected(number) : -1;
  if (!scene.rounds[number].dump) return product_.ask(fd, flow);
  Product fresh;
  return fresh.ask(fd, flow);
}

bool Stage::take(const Scene& scene, const channel::OneWay& way, const Finding& finding, const std::string& what) {
  tally_.finding(finding);
  if (verbose_ || !finding.agrees) {
    const std::string verdict = way.is_protected ? "protected" : base::describe(way.why_not);
    std::printf("%s %s: %s | verdict: %s | %s\n", finding.agrees ? "agreed" : "DISAGREED", named(scene).c_str(), finding.text.c_str(), verdict.c_str(), what.c_str());
  }
  return finding.agrees;
}

bool Stage::outbound(const Scene& scene, std::size_t number, const channel::OneWay& way, Ends& ends) {
  (void)wire_.read(scene.flow);
  const Counts before = a_.counts();
  const Statistics statistics = a_.statistics();
  Sent sent;
  sent.larval = std::ranges::any_of(sas_, &PutSa::larval);
  sent.error = ends.send_out(number);
  marker_.settle(1);
  sent.wire = wire_.read(scene.flow);
  sent.carried = a_.counts() - before;
  sent.statistics = a_.statistics() - statistics;
  tally_.answer("out", way);
  return take(scene, way, judge(way, sent), format(sent));
}

std::optional<Received> Stage::receive(const Scene& scene, Received::How how, const std::vector<channel::Sa>& sas, Ends& ends) {
  if (!peer_.use(sas, scene.flow)) {
    tally_.count("the peer cannot send by these SAs together");
    return std::nullopt;
  }
  (void)wire_.read(scene.flow);
  const Statistics before = a_.statistics();
  const int error = ends.send_in();
  marker_.settle(sas.size() + 1);
  Received received;
  received.how = how;
  for (const channel::Sa& sa : sas) received.by.push_back({sa.id, sa.mark});
  received.marked = std::ranges::any_of(sas_, [&received](const PutSa& put) {
    return put.gives.mask != 0 && std::ranges::find(received.by, SaName{put.sa.id, put.sa.mark}) != received.by.end();
  });
  const std::vector<Seen> wire = wire_.read(scene.flow);
  const Seen* from_b = nullptr;
  for (const Seen& seen : wire)
    if (!seen.to_b) from_b = &seen;
  if (error != 0 || !from_b) {
    tally_.count("the peer could not send");
    return std::nullopt;
  }
  received.otherwise = scene.flow.mark != 0 || (scene.bound != Device::none && from_b->ifindex != b_.devices()[static_cast<std::size_t>(scene.bound)]);
  received.fragment = from_b->fragment;
  received.statistics = a_.statistics() - before;
  received.delivered = ends.counts_datagrams() ? ends.received() > 0 : total(received.statistics, "XfrmIn") == 0 && ends.reached();
  if (received.delivered && !sas.empty() && ends.counts_datagrams()) {
    wire_.repeat(*from_b);
    marker_.settle(sas.size() + 1);
    received.again = ends.received() > 0;
  }
  return received;
}

bool Stage::inbound(const Scene& scene, const broker::Case& marked, const broker::Case& plain, Ends& ends) {
  Random random(scene.inbound_seed);
  // A packet on the cable has no mark: what is protected is so whatever the mark, other reasons are those of unmarked ones.
  const channel::OneWay& way = marked.assessment.verdict.in.is_protected ? marked.assessment.verdict.in : plain.assessment.verdict.in;
  tally_.answer("in", way);
  bool well = true;
  const auto compare = [&](Received::How how, const std::vector<channel::Sa>& sas) {
    const std::optional<Received> received = receive(scene, how, sas, ends);
    if (!received) return;
    tally_.count(received->delivered ? "inbound delivered" : "inbound refused");
    well = take(scene, way, judge(way, *received), format(*received)) && well;
  };
  compare(Received::How::clear, {});
  const channel::Packet packet = channel::packet_of(plain.socket.flow, channel::Direction::in);
  // Of a sub policy and a main one together the kernel sorts the templates of IPv6 anew.
  const bool sorted_anew = way.policy && way.policy->sub_policy && scene.flow.local.family == channel::Family::ipv6;
  if (way.policy && !way.policy->templates.empty() && !sorted_anew)
    if (const auto sas = peer_.as_wanted(random, plain.view.databases->sad, *way.policy, packet)) compare(Received::How::as_wanted, *sas);
  if (const auto sas = peer_.otherwise(random, scene.flow.local.family); !sas.empty()) compare(Received::How::otherwise, sas);
  (void)peer_.use({}, scene.flow);
  return well;
}

bool Stage::play_round(const Scene& scene, std::size_t number, Ends& ends) {
  put(scene.rounds[number]);
  product_.follow();
  const broker::Case marked = ask(scene, number, ends, scene.flow.mark);
  const broker::Case plain = scene.flow.mark == 0 ? marked : ask(scene, number, ends, 0);
  const bool out = outbound(scene, number, marked.assessment.verdict.out, ends);
  const bool in = plain.view.databases ? inbound(scene, marked, plain, ends) : true;
  ends.end_round(number);
  product_.follow();
  return out && in;
}

bool Stage::play(const Scene& scene) {
  tally_.scene(scene);
  policies_.clear();
  sas_.clear();
  set_devices(scene, false);
  bool well = true;
  {
    Ends ends(scene, a_, b_);
    for (std::size_t i = 0; i < scene.rounds.size(); ++i) {
      say(named(scene) + " round " + std::to_string(i) + ": " + channel::format(scene.flow) + " mark " + std::to_string(scene.flow.mark) +
          (scene.rounds[i].dump ? ", dumped" : ""));
      well = play_round(scene, i, ends) && well;
    }
  }
  set_devices(scene, true);
  a_.clear();
  peer_.forget();
  product_.follow();
  return well;
}

}  // namespace gssipsec::differential
