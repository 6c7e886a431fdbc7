// SPDX-License-Identifier: MIT
// The whole broker in a process of its own, and a client without the library, which may be as odd as a test wants it.
#pragma once

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "broker/daemon.h"
#include "broker/listener.h"
#include "tests/support/recorded_netlink.h"
#include "tests/support/source_dir.h"
#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {

using base::Code;
using protocol::Verb;

// The descriptor that a request hangs on: the write end of a pipe.
inline bool hangs(int fd) {
  struct stat what {};
  return fstat(fd, &what) == 0 && S_ISFIFO(what.st_mode);
}

class BrokerProcess {
 public:
  // `monitor`: a datagram socket whose messages the broker takes for the kernel's; -1: it says nothing. `reload`: SIGHUP.
  BrokerProcess(const std::string& path, Config config, int monitor = -1, std::function<base::Result<Config>()> reload = {}) {
    child_ = fork();
    if (child_ != 0) return;
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    const auto host = std::make_shared<StandHost>();
    host->socket.flow = flow_of_a(22);
    host->socket.cookie = 501;
    host->users[getuid()] = "tester";
    host->make_request_port = [] {
      return std::make_unique<support::ReplayPort>(
          *support::Recording::load(support::source_path("tests/support/recordings/host-a.bin")));
    };
    host->make_monitor_port = [monitor]() -> std::unique_ptr<kernel::NetlinkPort> {
      if (monitor >= 0) return std::make_unique<support::ToldMonitor>(monitor);
      return std::make_unique<support::ReplayMonitor>();
    };
    host->on_read_socket = [](int fd) {
      while (hangs(fd)) pause();
    };
    auto listener = make_listener(path);
    if (!listener) _exit(3);
    const auto status = run({host, std::move(config), std::move(*listener), [](const Config&, const Board&) { return Sources(); }, std::move(reload)});
    _exit(status.ok() ? 0 : 4);
  }
  ~BrokerProcess() {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }
  void signal(int number) const { kill(child_, number); }
  int end() {
    int status = -1;
    kill(child_, SIGTERM);
    for (int i = 0; i < 1000 && waitpid(child_, &status, WNOHANG) == 0; ++i) usleep(5000);
    child_ = -1;
    return status;
  }

 private:
  pid_t child_;
};

class Client {
 public:
  explicit Client(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const timeval patience{5, 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  [[nodiscard]] bool connected() const { return connected_; }
  void send(Verb verb, const base::Bytes& body, int fd = -1) {
    const base::Bytes data = protocol::encode(protocol::Header{protocol::kVersion, verb, ++request_, Code::ok}, body);
    char control[CMSG_SPACE(sizeof(int))] = {};
    iovec part{const_cast<std::byte*>(data.data()), data.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (fd >= 0) {
      header.msg_control = control;
      header.msg_controllen = sizeof control;
      cmsghdr* rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof fd);
      std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    }
    (void)sendmsg(socket_.get(), &header, MSG_NOSIGNAL);
  }
  base::Result<protocol::Frame> receive() {
    base::Bytes data(protocol::kMaxMessage);
    const ssize_t length = recv(socket_.get(), data.data(), data.size(), 0);
    if (length <= 0) return base::fail(Code::BROKER_TIMEOUT);
    return protocol::decode_frame(base::View(data).first(static_cast<std::size_t>(length)));
  }
  Code hello() {
    send(Verb::hello, encode(protocol::HelloRequest{}));
    return status();
  }
  Code status() {
    const auto frame = receive();
    return frame ? frame->header.status : frame.error().code;
  }
  base::UniqueFd hello_page() {
    send(Verb::hello, encode(protocol::HelloRequest{}));
    char control[CMSG_SPACE(sizeof(int))];
    base::Bytes data(1024);
    iovec part{data.data(), data.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    int fd = -1;
    if (recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC) > 0 && CMSG_FIRSTHDR(&header)) std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof fd);
    return base::UniqueFd(fd);
  }
  Code query(int fd) {
    send(Verb::query, encode(protocol::QueryRequest{}), fd);
    return status();
  }
  [[nodiscard]] int fd() const { return socket_.get(); }

 private:
  base::UniqueFd socket_;
  bool connected_ = false;
  std::uint32_t request_ = 0;
};

}  // namespace gssipsec::broker::testing
