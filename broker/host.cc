// SPDX-License-Identifier: MIT
#include "broker/host.h"

#include <netinet/in.h>
#include <pwd.h>
#include <unistd.h>

#include "kernel/routes.h"

namespace gssipsec::broker {
namespace {

constexpr int kRequestTimeoutMs = 1000;
constexpr std::size_t kMaxPasswdEntry = 64 * 1024;

class RealHost final : public Host {
 public:
  explicit RealHost(std::uint64_t netns) : netns_(netns) {}

  base::Result<kernel::SocketFacts> read_socket(int fd) override { return kernel::read_socket(fd, netns_); }
  base::Result<kernel::SocketFacts> read_new_socket(int fd) override { return kernel::read_new_socket(fd, netns_); }
  base::Status set_latch(int fd, const channel::Flow& flow, const std::vector<channel::Template>& out,
                         const std::vector<channel::Template>& in, const kernel::PolicyOwner& owner, bool replaces) override {
    return kernel::set_latch(fd, flow, out, in, owner, replaces);
  }
  base::Status clear_latch(int fd, const channel::Flow& flow) override { return kernel::clear_latch(fd, flow); }
  base::Result<kernel::RouteFacts> read_route(const channel::Flow& flow) override;
  base::Result<std::vector<kernel::DiagSocket>> list_sockets(std::uint16_t protocol) override {
    return kernel::list_sockets(protocol);
  }
  base::Result<std::vector<kernel::PolicyOwner>> list_policy_owners() override {
    const auto port = open_request_port();
    if (!port) return port.error();
    return kernel::dump_policy_owners(**port);
  }
  base::Result<bool> has_listener(const channel::Flow& flow) override { return kernel::has_listener(flow); }
  base::Status destroy_socket(const channel::Flow& flow, std::uint64_t cookie) override {
    return kernel::destroy_socket(flow, cookie);
  }
  bool destroys_sockets(std::uint16_t protocol) override {
    static const bool tcp = kernel::destroys_sockets(IPPROTO_TCP), udp = kernel::destroys_sockets(IPPROTO_UDP);
    return protocol == IPPROTO_TCP ? tcp : protocol == IPPROTO_UDP && udp;
  }
  base::Result<std::unique_ptr<kernel::NetlinkPort>> open_request_port() override {
    return kernel::open_request_port(kRequestTimeoutMs);
  }
  base::Result<std::unique_ptr<kernel::NetlinkPort>> open_monitor_port() override { return kernel::open_monitor_port(); }
  base::Result<std::unique_ptr<kernel::NetlinkPort>> open_closings_port() override { return kernel::open_closings_port(); }
  std::optional<std::string> user_name(std::uint32_t uid) override;

 private:
  std::uint64_t netns_;
};

// Each thread keeps its own.
base::Result<kernel::RouteFacts> RealHost::read_route(const channel::Flow& flow) {
  thread_local std::unique_ptr<kernel::Routes> kept;
  if (!kept) {
    auto opened = kernel::Routes::open(kRequestTimeoutMs);
    if (!opened) return opened.error();
    kept = *std::move(opened);
  }
  auto facts = kept->read(flow);
  if (!facts) kept.reset();
  return facts;
}

std::optional<std::string> RealHost::user_name(std::uint32_t uid) {
  std::vector<char> buffer(1024);
  passwd entry{};
  passwd* found = nullptr;
  while (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == ERANGE && buffer.size() < kMaxPasswdEntry)
    buffer.resize(buffer.size() * 4);
  if (!found || !found->pw_name || !*found->pw_name) return std::nullopt;
  return std::string(found->pw_name);
}

}  // namespace

base::Result<std::unique_ptr<Host>> open_host() {
  const auto netns = kernel::own_netns_cookie();
  if (!netns) return netns.error();
  return std::unique_ptr<Host>(std::make_unique<RealHost>(*netns));
}

}  // namespace gssipsec::broker
