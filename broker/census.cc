// SPDX-License-Identifier: MIT
#include "broker/census.h"

#include <algorithm>
#include <set>

#include "broker/fault.h"
#include "broker/log.h"

namespace gssipsec::broker {
namespace {

constexpr std::uint16_t kTcp = 6, kUdp = 17, kSctp = 132;
constexpr auto kShortestPause = std::chrono::milliseconds(2);
constexpr auto kLongestPause = std::chrono::seconds(1);

}  // namespace

void Census::start() {
  thread_ = std::thread([this] { run(); });
}

void Census::request() {
  {
    const std::lock_guard lock(mutex_);
    requested_ = true;
  }
  wake_.notify_all();
}

void Census::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// A protocol that cannot be listed (SCTP without its module) stays without a list: no connection of it counts as new.
void Census::take() {
  const Time before = now();
  std::set<std::uint16_t> listed;
  for (const std::uint16_t protocol : {kTcp, kUdp, kSctp}) {
    const std::uint64_t begun = history_.begin_list();
    const auto sockets = host_->list_sockets(protocol);
    if (!sockets) continue;
    std::vector<std::uint64_t> cookies;
    cookies.reserve(sockets->size());
    for (const kernel::DiagSocket& socket : *sockets)
      if (socket.cookie != 0) cookies.push_back(socket.cookie);
    history_.end_list(protocol, begun, cookies);
    listed.insert(protocol);
    latches_.close_moved(*sockets, before);
  }
  reached(FaultPoint::census_listed);
  // Who is missing in a list of before may have come since.
  latches_.close_gone([&](std::uint16_t protocol, std::uint64_t cookie) { return !listed.contains(protocol) || history_.listed(protocol, cookie); }, before);
  if (!own_policies_.to_be_listed()) return;
  if (const auto owners = host_->list_policy_owners())
    own_policies_.listed(*owners, before);
  else
    log(Level::warning, "sockets' own policies are not known: " + describe(owners.error()));
}

bool Census::has_cause() const { return requested_ || latches_.size() > 0 || own_policies_.to_be_listed(); }

void Census::run() {
  Time::duration pause{};
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, pause, [this] { return stopping_; });
      wake_.wait_for(lock, kSweep, [this] { return stopping_ || requested_; });
      if (stopping_) return;
      if (!has_cause()) {
        pause = {};
        continue;
      }
      requested_ = false;
    }
    const Time begun = now();
    take();
    pause = std::clamp<Time::duration>(4 * (now() - begun), kShortestPause, kLongestPause);
  }
}

}  // namespace gssipsec::broker
