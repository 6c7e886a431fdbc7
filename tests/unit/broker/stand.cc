// SPDX-License-Identifier: MIT
#include "tests/unit/broker/stand.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>

#include <cstring>
#include <deque>
#include <stdexcept>

namespace gssipsec::broker::testing {
namespace {

using base::Bytes;

template <typename T>
void append(Bytes& out, const T& value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof value);
  std::memcpy(out.data() + at, &value, sizeof value);
}

// AES-GCM-128 with its salt: 160 bits.
Bytes answer_with_key(const xfrm_usersa_id& asked, std::uint32_t sequence, const KeyOnHost& key) {
  xfrm_usersa_info info{};
  info.family = info.sel.family = asked.family;
  info.id.daddr = asked.daddr;
  info.id.spi = asked.spi;
  info.id.proto = asked.proto;
  info.saddr.a4 = htonl(0x0a010063);
  info.reqid = 7;
  info.curlft.add_time = key.added;
  Bytes algorithm(64);
  std::memcpy(algorithm.data(), "rfc4106(gcm(aes))", 17);
  append(algorithm, std::uint32_t{160});
  append(algorithm, std::uint32_t{128});
  for (int i = 0; i < 20; ++i) algorithm.push_back(static_cast<std::byte>(static_cast<int>(key.fill) + i * 7 + static_cast<int>((ntohl(asked.spi) ^ ntohl(asked.spi) >> 3) & 0xff)));
  Bytes payload;
  append(payload, info);
  append(payload, nlattr{static_cast<std::uint16_t>(sizeof(nlattr) + algorithm.size()), XFRMA_ALG_AEAD});
  payload.insert(payload.end(), algorithm.begin(), algorithm.end());
  Bytes out;
  append(out, nlmsghdr{static_cast<std::uint32_t>(sizeof(nlmsghdr) + payload.size()), XFRM_MSG_NEWSA, 0, sequence, 0});
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

Bytes acknowledge(std::uint32_t sequence, int error) {
  Bytes out;
  append(out, nlmsghdr{sizeof(nlmsghdr) + sizeof(nlmsgerr), NLMSG_ERROR, 0, sequence, 0});
  nlmsgerr body{};
  body.error = -error;
  append(out, body);
  return out;
}

// Answers look-ups of single SAs.
class KeyPort final : public kernel::NetlinkPort {
 public:
  explicit KeyPort(StandHost& host) : host_(host) {}
  base::Status send(base::View datagram) override {
    nlmsghdr header{};
    xfrm_usersa_id asked{};
    if (datagram.size() < sizeof header + sizeof asked) return base::fail(base::Code::NETLINK);
    std::memcpy(&header, datagram.data(), sizeof header);
    std::memcpy(&asked, datagram.data() + NLMSG_HDRLEN, sizeof asked);
    const std::lock_guard lock(host_.mutex);
    ++host_.keys_read;
    const auto key = host_.keys.find(ntohl(asked.spi));
    if (key == host_.keys.end()) {
      pending_.push_back(acknowledge(header.nlmsg_seq, ESRCH));
    } else {
      pending_.push_back(answer_with_key(asked, header.nlmsg_seq, key->second));
      pending_.push_back(acknowledge(header.nlmsg_seq, 0));
    }
    return {};
  }
  base::Result<Bytes> receive() override {
    if (pending_.empty()) return Bytes();
    Bytes next = std::move(pending_.front());
    pending_.pop_front();
    return next;
  }
  int fd() const noexcept override { return -1; }

 private:
  StandHost& host_;
  std::deque<Bytes> pending_;
};

}  // namespace

base::Result<kernel::SocketFacts> StandHost::read_socket(int fd) {
  if (on_read_socket) on_read_socket(fd);
  const std::lock_guard lock(mutex);
  ++sockets_read;
  return socket;
}

base::Result<kernel::SocketFacts> StandHost::read_new_socket(int fd) {
  {
    const std::lock_guard lock(mutex);
    if (connected) return base::fail(base::Code::ALREADY_CONNECTED);
  }
  return read_socket(fd);
}

base::Status StandHost::set_latch(int fd, const channel::Flow&, const std::vector<channel::Template>& to, const std::vector<channel::Template>& from,
                                const kernel::PolicyOwner& whose, bool replaces_old) {
  if (on_set_latch) on_set_latch(fd);
  const std::lock_guard lock(mutex);
  if (refuses) return base::fail(base::Code::NOT_LATCHABLE);
  ++latches_set;
  out = to, in = from, owner = whose, replaces = replaces_old;
  return {};
}

base::Status StandHost::clear_latch(int, const channel::Flow&) {
  const std::lock_guard lock(mutex);
  ++latches_cleared;
  return {};
}

base::Result<kernel::RouteFacts> StandHost::read_route(const channel::Flow&) {
  const std::lock_guard lock(mutex);
  return route;
}

base::Result<std::vector<kernel::DiagSocket>> StandHost::list_sockets(std::uint16_t protocol) {
  const std::lock_guard lock(mutex);
  if (unlistable.contains(protocol)) return base::fail(base::Code::NETLINK);
  return sockets[protocol];
}

base::Result<std::vector<kernel::PolicyOwner>> StandHost::list_policy_owners() {
  const std::lock_guard lock(mutex);
  ++owners_listed;
  return owners;
}

base::Result<bool> StandHost::has_listener(const channel::Flow&) {
  const std::lock_guard lock(mutex);
  return listener;
}

base::Status StandHost::destroy_socket(const channel::Flow&, std::uint64_t) {
  const std::lock_guard lock(mutex);
  ++sockets_destroyed;
  return base::fail(base::Code::UNAVAILABLE);
}

base::Result<std::unique_ptr<kernel::NetlinkPort>> StandHost::open_request_port() {
  return make_request_port ? make_request_port() : std::make_unique<KeyPort>(*this);
}

base::Result<std::unique_ptr<kernel::NetlinkPort>> StandHost::open_monitor_port() {
  if (!make_monitor_port) return base::fail(base::Code::NETLINK);
  return make_monitor_port();
}

base::Result<std::unique_ptr<kernel::NetlinkPort>> StandHost::open_closings_port() {
  if (!make_closings_port) return base::fail(base::Code::NETLINK);
  return make_closings_port();
}

std::optional<std::string> StandHost::user_name(std::uint32_t uid) {
  const std::lock_guard lock(mutex);
  ++names_asked;
  const auto user = users.find(uid);
  if (user == users.end()) return std::nullopt;
  return user->second;
}

channel::Address address(const char* text) {
  const auto parsed = channel::parse_address(text);
  if (!parsed) throw std::runtime_error(text);
  return *parsed;
}

channel::Flow flow_of_a(std::uint16_t acceptor_port) {
  channel::Flow flow;
  flow.protocol = 6;
  flow.local = address("10.1.0.1");
  flow.remote = address("10.1.0.2");
  flow.local_port = 40000;
  flow.remote_port = acceptor_port;
  return flow;
}

channel::Flow reversed(const channel::Flow& flow) {
  channel::Flow back = flow;
  std::swap(back.local, back.remote);
  std::swap(back.local_port, back.remote_port);
  return back;
}

channel::Sa esp_sa(std::uint32_t spi, const char* from, const char* to) {
  channel::Sa sa;
  sa.id = {spi, address(to), channel::kProtoEsp};
  sa.source = address(from);
  sa.reqid = 7;
  sa.aead = {"rfc4106(gcm(aes))", 160, 128};
  sa.replay_window = 32;
  sa.added = 1000;
  return sa;
}

channel::Policy transport_policy(channel::Direction direction, const char* from, const char* to) {
  channel::Policy policy;
  policy.direction = direction;
  policy.index = direction == channel::Direction::out ? 9 : 8;
  policy.selector.family = channel::Family::ipv4;
  policy.selector.source = {address(from), 32};
  policy.selector.destination = {address(to), 32};
  policy.priority = 100;
  channel::Template tmpl;
  tmpl.family = channel::Family::ipv4;
  tmpl.source = address(from);
  tmpl.destination = address(to);
  tmpl.reqid = 7;
  policy.templates = {tmpl};
  return policy;
}

channel::PeerInfo certified(const char* local, const char* remote) {
  channel::PeerInfo peer;
  peer.local = *channel::parse_identity(local);
  peer.remote = *channel::parse_identity(remote);
  peer.local_method = peer.remote_method = channel::AuthMethod::certificate;
  peer.remote_fixed = peer.negotiated = true;
  peer.dh_group = 19;
  peer.connection = peer.child = "net";
  peer.ike_sa = 1;
  peer.source = "vici";
  return peer;
}

channel::Digest digest_of(int fill) {
  channel::Digest digest;
  digest.fill(static_cast<std::byte>(fill));
  return digest;
}

End::End(bool is_a, Config config) {
  const char* here = is_a ? "10.1.0.1" : "10.1.0.2";
  const char* there = is_a ? "10.1.0.2" : "10.1.0.1";
  host->socket.flow = is_a ? flow_of_a(22) : reversed(flow_of_a(22));
  host->socket.cookie = is_a ? 501 : 502;
  host->socket.owner_uid = is_a ? 1000 : 0;
  host->listener = !is_a;
  host->keys = {{kSpiToB, {}}, {kSpiToA, {}}};
  databases.sad.sas = {esp_sa(kSpiToB, "10.1.0.1", "10.1.0.2"), esp_sa(kSpiToA, "10.1.0.2", "10.1.0.1")};
  databases.spd.policies = {transport_policy(channel::Direction::out, here, there), transport_policy(channel::Direction::in, there, here)};
  set_peer(is_a ? certified("fqdn:a.example.org", "fqdn:b.example.org") : certified("fqdn:b.example.org", "fqdn:a.example.org"));
  core = std::make_shared<Core>(host, std::move(config));
  bench = std::make_unique<Bench>(*host);
  page = *Page::create();
  caller = core->names.caller(is_a ? 1000 : 0, Clock::now());
  publish();
  core->census.take();  // before the connection: the kernel has no such socket yet
}

void put_on(Board& board, kernel::Databases databases, const kernel::ArrivalOf& arrival_of, std::uint64_t epoch) {
  std::uint32_t index = 0;
  for (channel::Policy& policy : databases.spd.policies) policy.index = ++index;
  board.edit([&](kernel::Tables& tables, std::uint64_t) {
    tables = kernel::tables_of(std::move(databases), arrival_of);
    return epoch;
  });
}

Request End::request(base::View body, int fd) const { return {caller, page, fd, body, Clock::now() + std::chrono::milliseconds(200)}; }

void End::publish() {
  put_on(core->board, databases, [this](const channel::Sa& sa) { return arrivals[sa.id]; }, core->history.epoch());
  core->board.publish(fresh, arrivals_seen);
  SourceState source{"vici", healthy, arrivals_seen, answered, std::make_shared<const ike::Snapshot>(snapshot)};
  core->board.publish_sources({source});
}

channel::Sa& End::sa(std::uint32_t spi) {
  for (channel::Sa& sa : databases.sad.sas)
    if (sa.id.spi == spi) return sa;
  throw std::runtime_error("no such SA");
}

void End::set_peer(const channel::PeerInfo& info) {
  for (const channel::Sa& sa : databases.sad.sas) snapshot.peers[sa.id] = info;
}

}  // namespace gssipsec::broker::testing
