// SPDX-License-Identifier: MIT
// The real broker on a kernel without ESP, for benchmarks and interactive work: SPD, SAD and keys come from a recording
// (record_netlink.sh: 10.1.0.1 and 10.1.0.2), the IKE daemon's word from the command line; sockets, routes and sock_diag
// are this namespace's own. Latches do not enforce: with the kernel's real templates and no ESP nothing would flow. They
// cost their two setsockopt(2) all the same, with policies that ask for nothing. Where standard input is a datagram socket, what comes
// there is taken for the kernel's word of what changes.
//
//   native_broker RECORDING SOCKET LOCAL-ID REMOTE-ID [CONFIG]      (fqdn:a.example.org fqdn:b.example.org)
#include <linux/xfrm.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "broker/daemon.h"
#include "broker/listener.h"
#include "broker/log.h"
#include "kernel/latch.h"
#include "kernel/xfrm_wire.h"
#include "tests/support/recorded_netlink.h"

namespace {

using namespace gssipsec;
using broker::Config;
using broker::Host;

base::Status allow_everything(int fd, const channel::Flow& flow, channel::Direction direction, const kernel::PolicyOwner& owner) {
  xfrm_userpolicy_info info{};
  info.sel.family = static_cast<std::uint16_t>(kernel::wire::af_of(flow.local.family));
  const kernel::PolicyLimits limits = kernel::limits_of(owner);
  info.lft.soft_byte_limit = limits.octets, info.lft.soft_packet_limit = limits.packets;
  info.lft.hard_byte_limit = info.lft.hard_packet_limit = XFRM_INF;
  info.dir = static_cast<std::uint8_t>(direction);
  info.action = XFRM_POLICY_ALLOW;
  const kernel::LatchOption option = kernel::latch_option(flow);
  if (setsockopt(fd, option.level, option.name, &info, sizeof info) == 0) return {};
  return base::system_error(base::Code::NOT_LATCHABLE, "setting the socket's policy", errno);
}

class NativeHost final : public Host {
 public:
  NativeHost(std::unique_ptr<Host> real, support::Recording recording) : real_(std::move(real)), recording_(std::move(recording)) {}

  base::Result<kernel::SocketFacts> read_socket(int fd) override { return real_->read_socket(fd); }
  base::Result<kernel::SocketFacts> read_new_socket(int fd) override { return real_->read_new_socket(fd); }
  base::Status set_latch(int fd, const channel::Flow& flow, const std::vector<channel::Template>&, const std::vector<channel::Template>&,
                         const kernel::PolicyOwner& owner, bool) override {
    const base::Status out = allow_everything(fd, flow, channel::Direction::out, owner);
    return out.ok() ? allow_everything(fd, flow, channel::Direction::in, owner) : out;
  }
  base::Status clear_latch(int fd, const channel::Flow& flow) override { return real_->clear_latch(fd, flow); }
  base::Result<kernel::RouteFacts> read_route(const channel::Flow& flow) override { return real_->read_route(flow); }
  base::Result<std::vector<kernel::DiagSocket>> list_sockets(std::uint16_t protocol) override { return real_->list_sockets(protocol); }
  base::Result<std::vector<kernel::PolicyOwner>> list_policy_owners() override { return real_->list_policy_owners(); }
  base::Result<bool> has_listener(const channel::Flow& flow) override { return real_->has_listener(flow); }
  base::Status destroy_socket(const channel::Flow& flow, std::uint64_t cookie) override { return real_->destroy_socket(flow, cookie); }
  bool destroys_sockets(std::uint16_t protocol) override { return real_->destroys_sockets(protocol); }
  base::Result<std::unique_ptr<kernel::NetlinkPort>> open_request_port() override {
    return std::unique_ptr<kernel::NetlinkPort>(std::make_unique<support::ReplayPort>(recording_));
  }
  base::Result<std::unique_ptr<kernel::NetlinkPort>> open_monitor_port() override {
    struct stat input {};
    const bool told = fstat(STDIN_FILENO, &input) == 0 && S_ISSOCK(input.st_mode);
    std::unique_ptr<kernel::NetlinkPort> monitor = std::make_unique<support::ReplayMonitor>();
    if (told) monitor = std::make_unique<support::ToldMonitor>(STDIN_FILENO);
    return monitor;
  }
  base::Result<std::unique_ptr<kernel::NetlinkPort>> open_closings_port() override { return real_->open_closings_port(); }
  std::optional<std::string> user_name(std::uint32_t uid) override { return real_->user_name(uid); }

 private:
  std::unique_ptr<Host> real_;
  const support::Recording recording_;
};

// Every SA of the mirror was negotiated with certificates between the two.
class ToldSource final : public ike::Source {
 public:
  ToldSource(channel::PeerInfo peer, const broker::Board& board) : peer_(std::move(peer)), board_(board) {}
  base::Result<ike::Snapshot> refresh() override {
    ike::Snapshot snapshot;
    board_.read([&](const kernel::Tables& tables) { tables.sad.each([&](const channel::SadIndex::Held& held) { snapshot.peers[held.sa.id] = peer_; }); });
    return snapshot;
  }
  int event_fd() const noexcept override { return -1; }
  base::Result<bool> drain() override { return false; }
  const char* name() const noexcept override { return "told"; }

 private:
  const channel::PeerInfo peer_;
  const broker::Board& board_;
};

base::Result<channel::PeerInfo> peer_of(const std::string& local, const std::string& remote) {
  const auto here = channel::parse_identity(local), there = channel::parse_identity(remote);
  if (!here) return here.error();
  if (!there) return there.error();
  channel::PeerInfo peer;
  peer.local = *here;
  peer.remote = *there;
  peer.local_method = peer.remote_method = channel::AuthMethod::certificate;
  peer.remote_fixed = peer.negotiated = true;
  peer.dh_group = 19;
  peer.connection = peer.child = "recorded";
  peer.ike_sa = 1;
  peer.source = "told";
  return peer;
}

base::Status serve(const std::vector<std::string>& arguments) {
  auto recording = support::Recording::load(arguments[0]);
  if (!recording) return recording.error();
  const auto peer = peer_of(arguments[2], arguments[3]);
  if (!peer) return peer.error();
  auto config = arguments.size() > 4 ? broker::load_config(arguments[4]) : base::Result<Config>(Config{});
  if (!config) return config.error();
  auto listener = broker::make_listener(arguments[1]);
  if (!listener) return listener.error();
  auto real = broker::open_host();
  if (!real) return real.error();
  const auto sources = [peer = *peer](const Config&, const broker::Board& board) {
    broker::Sources list;
    list.push_back(std::make_unique<ToldSource>(peer, board));
    return list;
  };
  return broker::run({std::make_shared<NativeHost>(std::move(*real), std::move(*recording)), *config, std::move(*listener), sources, {}});
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 4) {
    std::fputs("usage: native_broker RECORDING SOCKET LOCAL-ID REMOTE-ID [CONFIG]\n", stderr);
    return 2;
  }
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  const base::Status served = serve(arguments);
  if (!served.ok()) broker::log(broker::Level::error, describe(served.error()));
  return served.ok() ? 0 : 1;
}
