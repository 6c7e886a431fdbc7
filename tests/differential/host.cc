// SPDX-License-Identifier: MIT
#include "tests/differential/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace gssipsec::differential {
namespace {

constexpr std::size_t kRoom = 64 * 1024, kAtOnce = 64;
constexpr std::size_t kAnswer = 4096;
// Of what is longer the kernel makes a copy in pages of its own, and each first touch of such a page makes user-mode-linux map
// all of them anew: ten milliseconds.
constexpr std::size_t kAtOnceOctets = 3500;

channel::Address address(const xfrm_address_t& raw, unsigned family) {
  return channel::address_from(family == AF_INET ? channel::Family::ipv4 : channel::Family::ipv6, base::View(reinterpret_cast<const std::byte*>(&raw), sizeof raw));
}

template <typename T>
T head(base::View data) {
  T value{};
  std::memcpy(&value, data.data(), std::min(sizeof value, data.size()));
  return value;
}

channel::Mark mark_in(base::View attributes) {
  while (attributes.size() >= sizeof(nlattr)) {
    const auto header = head<nlattr>(attributes);
    if (header.nla_type == XFRMA_MARK) {
      const auto mark = head<xfrm_mark>(attributes.subspan(sizeof header));
      return {mark.v, mark.m};
    }
    const std::size_t step = (header.nla_len + 3u) & ~3u;
    if (step == 0 || step >= attributes.size()) break;
    attributes = attributes.subspan(step);
  }
  return {};
}

// Adds the SAs of a dump's datagram; false at its end.
bool read_counts(base::View rest, Counts& counts) {
  while (rest.size() >= sizeof(nlmsghdr)) {
    const auto header = head<nlmsghdr>(rest);
    if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) return false;
    const base::View payload = rest.first(header.nlmsg_len).subspan(sizeof header);
    const auto info = head<xfrm_usersa_info>(payload);
    const channel::SaId id{ntohl(info.id.spi), address(info.id.daddr, info.family), info.id.proto};
    counts[{id, mark_in(payload.subspan(sizeof info))}] = info.curlft.packets;
    rest = rest.subspan(std::min<std::size_t>(rest.size(), (header.nlmsg_len + 3u) & ~3u));
  }
  return true;
}

base::UniqueFd open_xfrm() {
  base::UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM));
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) != 0) give_up("netlink socket");
  return fd;
}

void send_all(int fd, base::View datagram) {
  if (::send(fd, datagram.data(), datagram.size(), 0) != static_cast<ssize_t>(datagram.size())) give_up("sending to the kernel");
}

// The acknowledgements of requests `first` to `last`.
class Answers {
 public:
  Answers(std::uint32_t first, std::uint32_t last) : first_(first), left_(last - first + 1), errors_(left_) {}
  bool wanted() const { return left_ > 0; }
  void take(base::View datagram) {
    const auto header = head<nlmsghdr>(datagram);
    if (header.nlmsg_type != NLMSG_ERROR || header.nlmsg_seq < first_ || header.nlmsg_seq - first_ >= errors_.size()) return;
    errors_[header.nlmsg_seq - first_] = -head<int>(datagram.subspan(sizeof header));
    --left_;
  }
  std::vector<int> errors() && { return std::move(errors_); }

 private:
  std::uint32_t first_;
  std::size_t left_;
  std::vector<int> errors_;
};

void receive_many(int fd, Answers& answers) {
  static std::array<std::array<std::byte, kAnswer>, kAtOnce> rooms;
  std::array<mmsghdr, kAtOnce> messages{};
  std::array<iovec, kAtOnce> parts;
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    parts[i] = {rooms[i].data(), kAnswer};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const int got = ::recvmmsg(fd, messages.data(), kAtOnce, MSG_WAITFORONE, nullptr);
  if (got < 0 && errno != EINTR) give_up("the kernel's answers");
  for (int i = 0; i < got; ++i) answers.take(base::View(rooms[static_cast<std::size_t>(i)]).first(messages[static_cast<std::size_t>(i)].msg_len));
}

}  // namespace

void give_up(const std::string& what) {
  std::fprintf(stderr, "differential: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(2);
}

Counts operator-(const Counts& after, const Counts& before) {
  Counts out;
  for (const auto& [name, count] : after) {
    const auto old = before.find(name);
    if (const std::uint64_t rise = count - (old == before.end() ? 0 : old->second); rise != 0) out[name] = rise;
  }
  return out;
}

Statistics operator-(const Statistics& after, const Statistics& before) {
  Statistics out;
  for (const auto& [name, count] : after)
    if (const auto old = before.find(name); old == before.end() || old->second != count) out[name] = count - (old == before.end() ? 0 : old->second);
  return out;
}

std::int64_t total(const Statistics& statistics, std::string_view prefix) {
  std::int64_t sum = 0;
  for (const auto& [name, count] : statistics)
    if (name.starts_with(prefix)) sum += count;
  return sum;
}

Host::Host(const std::string& name) : namespace_(::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC)) {
  if (!namespace_) give_up("namespace " + name);
  enter();
  netlink_ = open_xfrm();
  statistics_.reset(::open("/proc/thread-self/net/xfrm_stat", O_RDONLY | O_CLOEXEC));
  if (!statistics_) give_up("xfrm_stat");
  const unsigned vrf = if_nametoindex("vrf0");
  devices_ = {0, if_nametoindex("lo"), if_nametoindex("eth0"), if_nametoindex("eth1"), vrf != 0 ? vrf : if_nametoindex("eth2")};
}

void Host::enter() const {
  if (::setns(namespace_.get(), CLONE_NEWNET) != 0) give_up("setns");
}

void Host::queue(const Request& request) {
  const base::Bytes message = request.finish(++sequence_);
  if (queued_.size() + message.size() > kAtOnceOctets) send_queued();
  queued_.insert(queued_.end(), message.begin(), message.end());
}

void Host::send_queued() {
  if (!queued_.empty()) send_all(netlink_.get(), queued_);
  queued_.clear();
}

std::vector<int> Host::flush() {
  if (first_ > sequence_) return {};
  send_queued();
  Answers answers(first_, sequence_);
  while (answers.wanted()) receive_many(netlink_.get(), answers);
  first_ = sequence_ + 1;
  return std::move(answers).errors();
}

void Host::clear() {
  queue(flush_policies(false));
  queue(flush_policies(true));
  queue(flush_sas(0));
  queue(defaults_request({}));
  flush();
}

Counts Host::counts() {
  Request request(XFRM_MSG_GETSA, NLM_F_DUMP);
  send_all(netlink_.get(), request.finish(++sequence_));
  first_ = sequence_ + 1;
  Counts counts;
  static std::array<std::byte, kRoom> room;
  for (bool more = true; more;) {
    const ssize_t got = ::recv(netlink_.get(), room.data(), room.size(), 0);
    if (got < 0) give_up("dump of SAs");
    more = read_counts(base::View(room).first(static_cast<std::size_t>(got)), counts);
  }
  return counts;
}

Statistics Host::statistics() const {
  std::array<char, 4096> text;
  const ssize_t got = ::pread(statistics_.get(), text.data(), text.size() - 1, 0);
  if (got <= 0) give_up("xfrm_stat");
  text[static_cast<std::size_t>(got)] = 0;
  Statistics out;
  char name[64];
  long long value;
  int used;
  for (const char* at = text.data(); std::sscanf(at, "%63s %lld%n", name, &value, &used) == 2; at += used) out[name] = value;
  return out;
}

}  // namespace gssipsec::differential
