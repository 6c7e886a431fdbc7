// SPDX-License-Identifier: MIT
#include "tests/differential/ends.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace gssipsec::differential {
namespace {

struct Name {
  sockaddr_in6 storage{};
  socklen_t length = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Name name_of(const channel::Address& address, std::uint16_t port, bool on_ipv6) {
  Name out;
  if (!on_ipv6) {
    sockaddr_in& plain = reinterpret_cast<sockaddr_in&>(out.storage);
    plain.sin_family = AF_INET;
    plain.sin_port = htons(port);
    std::memcpy(&plain.sin_addr, address.octets.data(), 4);
    out.length = sizeof plain;
    return out;
  }
  out.storage.sin6_family = AF_INET6;
  out.storage.sin6_port = htons(port);
  auto* octets = out.storage.sin6_addr.s6_addr;
  if (address.family == channel::Family::ipv4) {
    octets[10] = octets[11] = 0xff;
    std::memcpy(octets + 12, address.octets.data(), 4);
  } else {
    std::memcpy(octets, address.octets.data(), 16);
  }
  out.length = sizeof out.storage;
  return out;
}

template <typename T>
void set(int fd, int level, int option, T value, const char* what) {
  if (::setsockopt(fd, level, option, &value, sizeof value) != 0) give_up(what);
}

// A socket's filter that takes nothing. Loaded once: the kernel's pages for a program cost ten milliseconds in user-mode-linux.
int no_packets() {
  static const base::UniqueFd program([] {
    const bpf_insn nothing[2] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
    bpf_attr load{};
    load.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    load.insn_cnt = 2;
    load.insns = reinterpret_cast<std::uint64_t>(nothing);
    load.license = reinterpret_cast<std::uint64_t>("");
    return static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load));
  }());
  if (!program) give_up("a filter that takes nothing");
  return program.get();
}

// Control chunks that came to an endpoint or an association, behind all checks.
std::uint64_t sctp_chunks() {
  const base::UniqueFd file(::open("/proc/thread-self/net/sctp/snmp", O_RDONLY | O_CLOEXEC));
  char text[4096];
  const ssize_t got = ::read(file.get(), text, sizeof text - 1);
  if (got <= 0) give_up("SCTP's statistics");
  text[got] = 0;
  unsigned long long count = 0;
  const char* at = std::strstr(text, "SctpInCtrlChunks");
  if (!at || std::sscanf(at, "%*s %llu", &count) != 1) give_up("SCTP's count of control chunks");
  return count;
}

}  // namespace

Ends::Ends(const Scene& scene, const Host& a, const Host& b) : scene_(scene), a_(a), b_(b) {
  for (std::size_t i = 0; i < scene.rounds.size(); ++i) {
    ours_.push_back(scene.flow.protocol == 17 ? bound(a_, true) : base::UniqueFd());
    if (scene.kind == Kind::udp_connected && connect(ours_.back().get(), true) != 0) give_up("connecting a UDP socket");
  }
}

base::UniqueFd Ends::make(const Host& host, bool of_a) const {
  const int type = scene_.flow.protocol == 17 ? SOCK_DGRAM : SOCK_STREAM;
  const bool six = of_a ? scene_.on_ipv6 : scene_.flow.local.family == channel::Family::ipv6;
  base::UniqueFd fd(::socket(six ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, scene_.flow.protocol));
  if (!fd) give_up("socket");
  set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  if (of_a && scene_.flow.mark != 0) set(fd.get(), SOL_SOCKET, SO_MARK, scene_.flow.mark, "SO_MARK");
  if (scene_.bound != Device::none)
    set(fd.get(), SOL_SOCKET, SO_BINDTOIFINDEX, static_cast<int>(host.devices()[static_cast<std::size_t>(scene_.bound)]), "SO_BINDTOIFINDEX");
  return fd;
}

base::UniqueFd Ends::bound(const Host& host, bool of_a) const {
  base::UniqueFd fd = make(host, of_a);
  const channel::Flow& flow = scene_.flow;
  const Name own = of_a ? name_of(flow.local, flow.local_port, scene_.on_ipv6)
                        : name_of(flow.remote, flow.remote_port, flow.remote.family == channel::Family::ipv6);
  if (::bind(fd.get(), own.get(), own.length) != 0) give_up("bind");
  return fd;
}

int Ends::connect(int fd, bool to_b) const {
  const channel::Flow& flow = scene_.flow;
  const Name peer = to_b ? name_of(flow.remote, flow.remote_port, scene_.on_ipv6) : name_of(flow.local, flow.local_port, flow.local.family == channel::Family::ipv6);
  return ::connect(fd, peer.get(), peer.length) == 0 || errno == EINPROGRESS ? 0 : errno;
}

int Ends::connected(std::size_t round) const { return scene_.kind == Kind::udp_connected ? ours_[round].get() : -1; }

base::Bytes Ends::payload() const { return base::Bytes(scene_.compresses ? 600 : 40, std::byte{'z'}); }

int Ends::send_out(std::size_t round) {
  base::UniqueFd& fd = ours_[round];
  if (scene_.flow.protocol != 17) {
    fd = bound(a_, true);
    return connect(fd.get(), true);
  }
  const base::Bytes data = payload();
  const Name peer = name_of(scene_.flow.remote, scene_.flow.remote_port, scene_.on_ipv6);
  const bool connected = scene_.kind == Kind::udp_connected;
  const ssize_t sent = ::sendto(fd.get(), data.data(), data.size(), MSG_NOSIGNAL, connected ? nullptr : peer.get(), connected ? 0 : peer.length);
  return sent >= 0 ? 0 : errno;
}

void Ends::end_round(std::size_t round) {
  ours_[round].reset();
  listener_.reset();
}

void Ends::listen() {
  for (base::UniqueFd& fd : ours_) fd.reset();
  listener_.reset();  // with what it had half accepted
  listener_ = bound(a_, true);
  if (::listen(listener_.get(), 8) != 0) give_up("listen");
  if (is_sctp()) return void(chunks_ = sctp_chunks());  // it counts no packets that a filter took; its answer ends at B, who takes none
  // The SPD is asked before the socket's filter: what passed it ends there, answers nobody and leaves nothing behind.
  set(listener_.get(), SOL_SOCKET, SO_ATTACH_BPF, no_packets(), "SO_ATTACH_BPF");
}

bool Ends::reached() const {
  if (is_sctp()) return sctp_chunks() > chunks_;
  std::uint32_t memory[SK_MEMINFO_VARS]{};
  socklen_t length = sizeof memory;
  if (::getsockopt(listener_.get(), SOL_SOCKET, SO_MEMINFO, memory, &length) != 0) give_up("SO_MEMINFO");
  return memory[SK_MEMINFO_DROPS] > 0;
}

int Ends::send_in() {
  const bool datagrams = counts_datagrams();
  if (!datagrams) listen();
  b_.enter();
  int error = 0;
  if (!datagrams || !theirs_) theirs_ = bound(b_, false);
  if (datagrams) {
    const base::Bytes data = payload();
    const Name peer = name_of(scene_.flow.local, scene_.flow.local_port, scene_.flow.local.family == channel::Family::ipv6);
    if (::sendto(theirs_.get(), data.data(), data.size(), MSG_NOSIGNAL, peer.get(), peer.length) < 0) error = errno;
  } else {
    error = connect(theirs_.get(), false);
    theirs_.reset();
  }
  a_.enter();
  return error;
}

std::size_t Ends::received() {
  std::size_t count = 0;
  std::byte room[1024];
  for (const base::UniqueFd& fd : ours_)
    while (fd && ::recv(fd.get(), room, sizeof room, MSG_DONTWAIT) >= 0) ++count;
  return count;
}

}  // namespace gssipsec::differential
