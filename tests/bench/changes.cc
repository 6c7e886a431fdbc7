// SPDX-License-Identifier: MIT
#include "tests/bench/changes.h"

#include <filesystem>
#include <memory>

#include "tests/unit/broker/broker_process.h"
#include "tests/unit/kernel/messages.h"

namespace gssipsec::bench {
namespace {

namespace testing = broker::testing;

constexpr int kBurst = 32;  // fewer than the broker keeps for a subscriber that does not read

// A broker whose netlink this process writes, and a client that hears everything.
struct Listening {
  Listening() {
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, monitor) != 0) throw std::runtime_error("socketpair");
    broker = std::make_unique<testing::BrokerProcess>(path, broker::Config{}, monitor[0]);
    for (int tries = 0; tries < 500 && access(path.c_str(), F_OK) != 0; ++tries) usleep(10000);
    client = std::make_unique<testing::Client>(path);
    if (client->hello() != base::Code::ok) throw std::runtime_error("no HELLO");
    client->send(protocol::Verb::subscribe, encode(protocol::SubscribeRequest{protocol::kAllEvents, protocol::Scope::all}));
    if (client->status() != base::Code::ok) throw std::runtime_error("no subscription");
  }
  ~Listening() {
    for (const int fd : monitor) close(fd);
    unlink(path.c_str());
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  const std::string path = (std::filesystem::temp_directory_path() / ("gss-ipsec-bench-events." + std::to_string(getpid()))).string();
  int monitor[2] = {-1, -1};
  std::unique_ptr<testing::BrokerProcess> broker;
  std::unique_ptr<testing::Client> client;
};

}  // namespace

void events(benchmark::State& state) {
  Listening listening;
  xfrm_user_expire expire{};
  expire.state = kernel::testing::sa_info(0x100);
  const base::Bytes datagram = kernel::testing::message(XFRM_MSG_EXPIRE, kernel::testing::octets_of(expire));
  for (auto _ : state) {
    for (int i = 0; i < kBurst; ++i) (void)send(listening.monitor[1], datagram.data(), datagram.size(), 0);
    for (int i = 0; i < kBurst; ++i) {
      const auto frame = listening.client->receive();
      if (!frame || frame->header.verb != protocol::Verb::event || protocol::decode_event(frame->body)->type != protocol::EventType::expiring)
        return state.SkipWithError("an event did not come");
    }
  }
  state.SetItemsProcessed(state.iterations() * kBurst);
}

}  // namespace gssipsec::bench
