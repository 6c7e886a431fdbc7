// SPDX-License-Identifier: MIT
#include "ike/vici_connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace gssipsec::ike {
namespace {

using base::Code;
using base::fail;

base::Error source_error(const char* what, int number) { return base::system_error(Code::IKE_SOURCE, what, number); }

base::Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.front() != '/' || path.size() >= sizeof address.sun_path)
    return fail(Code::IKE_SOURCE, "wanted the absolute path of a socket, found \"" + path + "\"");
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// proc_pid_stat(5), field 22: when the process began. A pid alone comes back, in containers at each restart. Process 1
// may listen in the daemon's stead (socket activation) and outlives it.
std::string start_of(pid_t pid) {
  if (pid <= 1) return {};
  const base::UniqueFd fd(open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> text{};
  const ssize_t got = fd ? read(fd.get(), text.data(), text.size()) : -1;
  if (got <= 0) return {};
  std::string_view rest(text.data(), static_cast<std::size_t>(got));
  rest.remove_prefix(std::min(rest.rfind(')'), rest.size()));  // the name before may hold anything
  for (int field = 2; field < 22; ++field) {
    const std::size_t blank = rest.find(' ');
    if (blank == std::string_view::npos) return {};
    rest.remove_prefix(blank + 1);
  }
  return std::to_string(pid) + "@" + std::string(rest.substr(0, rest.find(' ')));
}

base::Result<ucred> listener_of(int fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return source_error("SO_PEERCRED", errno);
  return peer;
}

}  // namespace

base::Result<ViciConnection> ViciConnection::connect(const std::string& path, std::optional<uid_t> owner) {
  const auto address = address_of(path);
  if (!address) return address.error();
  base::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return source_error("socket", errno);
  // A unix socket connects at once or not at all; EAGAIN means that the daemon does not accept.
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) return source_error(path.c_str(), errno);
  const auto peer = listener_of(fd.get());
  if (!peer) return peer.error();
  if (peer->uid != 0 && peer->uid != owner)
    return fail(Code::IKE_SOURCE, "wanted root's daemon at " + path + ", found one of uid " + std::to_string(peer->uid) +
                                      "; name its user as vici-owner if that is meant");
  return ViciConnection(std::move(fd), start_of(peer->pid));
}

base::Status ViciConnection::wait(short events, Deadline until) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0) return fail(Code::IKE_SOURCE, "the IKE daemon did not answer in time");
    pollfd one{fd_.get(), events, 0};
    const int ready = poll(&one, 1, static_cast<int>(std::min<long>(left, 60000)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return source_error("poll", errno);
  }
}

base::Status ViciConnection::send(const ViciPacket& packet, Deadline until) {
  const base::Bytes octets = encode_vici(packet);
  for (std::size_t sent = 0; sent < octets.size();) {
    const ssize_t did = ::send(fd_.get(), octets.data() + sent, octets.size() - sent, MSG_NOSIGNAL);
    if (did >= 0) {
      sent += static_cast<std::size_t>(did);
    } else if (errno == EAGAIN) {
      if (auto ready = wait(POLLOUT, until); !ready) return ready;
    } else if (errno != EINTR) {
      return source_error("vici send", errno);
    }
  }
  return {};
}

base::Result<bool> ViciConnection::read_some() {
  std::array<std::byte, 65536> block;
  for (;;) {
    const ssize_t got = recv(fd_.get(), block.data(), block.size(), 0);
    if (got > 0) {
      stream_.append(base::View(block).first(static_cast<std::size_t>(got)));
      return true;
    }
    if (got == 0) return fail(Code::IKE_SOURCE, stream_.in_segment() ? "the IKE daemon closed its socket in the middle of a message" : "the IKE daemon closed its socket");
    if (errno == EAGAIN) return false;
    if (errno != EINTR) return source_error("vici receive", errno);
  }
}

base::Result<std::optional<ViciPacket>> ViciConnection::buffered() {
  const auto segment = stream_.next();
  if (!segment) return segment.error();
  if (!*segment) return std::optional<ViciPacket>();
  auto packet = decode_vici(**segment);
  if (!packet) return packet.error();
  return std::optional<ViciPacket>(*std::move(packet));
}

base::Result<std::optional<ViciPacket>> ViciConnection::receive_now() {
  for (;;) {
    auto packet = buffered();
    if (!packet || *packet) return packet;
    const auto more = read_some();
    if (!more) return more.error();
    if (!*more) return std::optional<ViciPacket>();
  }
}

base::Result<ViciPacket> ViciConnection::receive(Deadline until) {
  for (;;) {
    auto packet = receive_now();
    if (!packet) return packet.error();
    if (*packet) return **std::move(packet);
    if (auto ready = wait(POLLIN, until); !ready) return ready.error();
  }
}

}  // namespace gssipsec::ike
