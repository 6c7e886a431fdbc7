// SPDX-License-Identifier: MIT
// Runs with libgss-ipsec-preload.so in LD_PRELOAD and tries one thing with it: preload_probe NAME. Exit code 0 when all was seen as it
// should; otherwise it says what was not. Over loopback: which sockets may be used the plugin decides, not the preload.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "client/sockets.h"
#include "preload/interface.h"

// What programs call that were compiled with _FORTIFY_SOURCE; no header declares them.
extern "C" ssize_t __read_chk(int fd, void* data, size_t size, size_t room);
extern "C" ssize_t __recv_chk(int fd, void* data, size_t size, size_t room, int flags);
extern "C" ssize_t __recvfrom_chk(int fd, void* data, size_t size, size_t room, int flags, sockaddr* from, socklen_t* length);

namespace {

using gssipsec::preload::Interface;
using gssipsec::preload::Socket;

const Interface* shown;
int tokens_made = 0;
char room[70000];

void want(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "not so: %s\n", what);
  _exit(1);
}

std::string new_token() {
  std::string token = "token " + std::to_string(++tokens_made) + ":";
  while (token.size() < 100) token += static_cast<char>('a' + (token.size() * 7 + static_cast<std::size_t>(tokens_made)) % 26);
  return token;
}

struct Connection {
  int client = -1, server = -1;
};

Connection connection(const char* where = "127.0.0.1") {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, where, &address.sin_addr);
  socklen_t size = sizeof address;
  auto* at = reinterpret_cast<sockaddr*>(&address);
  Connection made{socket(AF_INET, SOCK_STREAM, 0), -1};
  want(bind(listener, at, size) == 0 && listen(listener, 4) == 0 && getsockname(listener, at, &size) == 0 && connect(made.client, at, size) == 0, "connected");
  made.server = accept(listener, nullptr, nullptr);
  close(listener);
  return made;
}

int last() {
  Socket socket{-1, 0};
  return shown->last_touched(&socket) == 1 ? socket.fd : -1;
}

// The one descriptor on which it was received; -1 none, -2 several.
int receiver(const std::string& token) {
  Socket socket{-1, 0};
  const int count = shown->received_on(token.data(), token.size(), &socket, 1);
  return count == 1 ? socket.fd : count == 0 ? -1 : -2;
}

// Takes what is there, in the way named.
using Reading = ssize_t (*)(int fd);
iovec halves[2] = {{room, 50}, {room + 50, sizeof room - 50}};

ssize_t by_message(int fd) {
  msghdr message{};
  message.msg_iov = halves, message.msg_iovlen = 2;
  return recvmsg(fd, &message, 0);
}

ssize_t by_messages(int fd) {
  mmsghdr messages{};
  messages.msg_hdr.msg_iov = halves, messages.msg_hdr.msg_iovlen = 2;
  return recvmmsg(fd, &messages, 1, 0, nullptr) == 1 ? static_cast<ssize_t>(messages.msg_len) : -1;
}

const struct {
  const char* name;
  Reading read;
} kReadings[] = {
    {"read", [](int fd) { return read(fd, room, sizeof room); }},
    {"__read_chk", [](int fd) { return __read_chk(fd, room, sizeof room, sizeof room); }},
    {"readv", [](int fd) { return readv(fd, halves, 2); }},
    {"preadv2", [](int fd) { return preadv2(fd, halves, 2, -1, 0); }},
    {"preadv64v2", [](int fd) { return preadv64v2(fd, halves, 2, -1, 0); }},
    {"recv", [](int fd) { return recv(fd, room, sizeof room, 0); }},
    {"__recv_chk", [](int fd) { return __recv_chk(fd, room, sizeof room, sizeof room, 0); }},
    {"recvfrom", [](int fd) { return recvfrom(fd, room, sizeof room, 0, nullptr, nullptr); }},
    {"__recvfrom_chk", [](int fd) { return __recvfrom_chk(fd, room, sizeof room, sizeof room, 0, nullptr, nullptr); }},
    {"recvmsg", by_message},
    {"recvmmsg", by_messages},
};

void each_way_of_reading() {
  const Connection one = connection(), two = connection();
  for (const auto& way : kReadings) {
    const std::string token = new_token();
    want(send(one.client, token.data(), token.size(), 0) > 0, "sent");
    socklen_t size = sizeof room;
    getpeername(two.server, reinterpret_cast<sockaddr*>(room), &size);
    want(last() == two.server, "the other one was touched before");
    want(way.read(one.server) == static_cast<ssize_t>(token.size()), way.name);
    want(receiver(token) == one.server, way.name);
    want(last() == one.server, way.name);
  }
}

void each_way_of_writing() {
  const Connection one = connection(), two = connection();
  const int file = open("/proc/self/exe", O_RDONLY);
  iovec part{room, 5};
  msghdr message{};
  message.msg_iov = &part, message.msg_iovlen = 1;
  mmsghdr messages{message, 0};
  socklen_t size = sizeof room;
  auto* address = reinterpret_cast<sockaddr*>(room);
  int value = 1;
  const auto touches = [&](const char* name, auto call) {
    (void)send(two.client, "x", 1, 0);
    want(last() == two.client, "the other one was touched before");
    call();
    want(last() == one.client, name);
  };
  touches("write", [&] { return write(one.client, room, 5); });
  touches("writev", [&] { return writev(one.client, &part, 1); });
  touches("sendto", [&] { return sendto(one.client, room, 5, 0, nullptr, 0); });
  touches("sendmsg", [&] { return sendmsg(one.client, &message, 0); });
  touches("sendmmsg", [&] { return sendmmsg(one.client, &messages, 1, 0); });
  touches("sendfile", [&] { return sendfile(one.client, file, nullptr, 5); });
  touches("sendfile64", [&] { return sendfile64(one.client, file, nullptr, 5); });
  touches("getpeername", [&] { return getpeername(one.client, address, &size); });
  size = sizeof room;
  touches("getsockname", [&] { return getsockname(one.client, address, &size); });
  size = sizeof value;
  touches("getsockopt SO_ERROR", [&] { return getsockopt(one.client, SOL_SOCKET, SO_ERROR, &value, &size); });
  touches("setsockopt", [&] { return setsockopt(one.client, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value); });
  (void)getsockopt(two.client, SOL_SOCKET, SO_TYPE, &value, &size);
  want(last() == one.client, "other options do not count");
}

void what_is_no_stream_is_not_kept() {
  const Connection one = connection();
  for (const int flag : {MSG_PEEK, MSG_TRUNC}) {
    const std::string token = new_token();
    (void)send(one.client, token.data(), token.size(), 0);
    want(recv(one.server, flag == MSG_TRUNC ? nullptr : room, sizeof room, flag) == static_cast<ssize_t>(token.size()), "received");
    want(receiver(token) == -1, "what was peeked at or thrown away does not count");
    if (flag == MSG_PEEK) want(recv(one.server, room, sizeof room, 0) > 0 && receiver(token) == one.server, "but then it does");
  }
}

void descriptors_come_and_go() {
  Connection one = connection();
  const std::string token = new_token();
  const int copies[] = {dup(one.server), fcntl(one.server, F_DUPFD_CLOEXEC, 100), dup2(one.server, 200), dup3(one.server, 201, O_CLOEXEC)};
  for (const int copy : copies) {
    const std::string next = new_token();
    (void)send(one.client, next.data(), next.size(), 0);
    (void)read(copy, room, sizeof room);
    want(receiver(next) == copy && last() == copy, "a copy");
    close(copy);
    want(receiver(next) == -1 && last() != copy, "a copy that was closed");
  }
  (void)send(one.client, token.data(), token.size(), 0);
  (void)read(one.server, room, sizeof room);
  want(receiver(token) == one.server, "received");
  close(one.server);
  const Connection other = connection();
  want(receiver(token) == -1, "the number's next socket has not received it");
  (void)send(other.client, token.data(), token.size(), 0);
  (void)read(other.server, room, sizeof room);
  close_range(static_cast<unsigned>(other.server), ~0u, 0);
  want(receiver(token) == -1 && last() != other.server, "close_range");
}

// A socket that came in a message, and one that was inherited over exec.
void handed_over() {
  int pair[2];
  const Connection one = connection();
  want(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec part{room, 1};
  msghdr message{};
  message.msg_iov = &part, message.msg_iovlen = 1, message.msg_control = control, message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS, header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &one.server, sizeof(int));
  want(sendmsg(pair[0], &message, 0) == 1 && recvmsg(pair[1], &message, 0) == 1, "passed");
  int came = -1;
  memcpy(&came, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
  const std::string token = new_token();
  (void)send(one.client, token.data(), token.size(), 0);
  (void)read(came, room, sizeof room);
  want(receiver(token) == came && came != one.server, "a socket that came in a message");
  dup2(one.server, 50), dup2(one.client, 51);
  execl("/proc/self/exe", "preload_probe", "inherited", nullptr);
}

void inherited() {
  const std::string token = new_token();
  (void)send(51, token.data(), token.size(), 0);
  want(last() == 51, "an inherited one is touched");
  (void)read(50, room, sizeof room);
  want(receiver(token) == 50, "an inherited one receives");
}

int status_of(pid_t child) {
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

void children() {
  const Connection one = connection();
  const std::string token = new_token();
  (void)send(one.client, token.data(), token.size(), 0);
  (void)read(one.server, room, sizeof room);
  pid_t child = fork();
  if (child == 0) {
    want(receiver(token) == one.server && last() == one.server, "a child knows what its parent received");
    close(one.server);
    want(receiver(token) == -1, "and what it closed");
    const Connection own = connection();
    const std::string next = new_token();
    (void)send(own.client, next.data(), next.size(), 0);
    (void)read(own.server, room, sizeof room);
    want(receiver(next) == own.server, "and its own");
    _exit(0);
  }
  want(status_of(child) == 0, "the child");
  child = vfork();
  if (child == 0) {
    close(one.server);
    close_range(3, ~0u, 0);
    _exit(0);
  }
  want(status_of(child) == 0, "the child of vfork");
  want(receiver(token) == one.server, "what a child of vfork closes is still there for its parent");
}

// Strict mode kills for anything but read, write and exit.
void no_system_calls() {
  const Connection one = connection();
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    const std::string token(100, 'x');
    (void)write(one.client, token.data(), token.size());
    (void)read(one.server, room, sizeof room);
    syscall(SYS_exit, 0);
  }
  want(status_of(child) == 0, "reading and writing made other calls");
}

void errno_is_the_calls() {
  const Connection one = connection();
  errno = 0;
  want(recv(one.server, room, sizeof room, MSG_DONTWAIT) == -1 && errno == EAGAIN, "EAGAIN");
  errno = 77;
  want(close(dup(one.server)) == 0 && errno == 77, "errno stays");
}

// The plugin's search looks at all of them; the thread's stays the one that the program touched.
void search() {
  const Connection one = connection("10.9.9.1"), two = connection("10.9.9.2");
  for (const int fd : {one.client, two.client, one.server, two.server}) {
    socklen_t size = sizeof room;
    (void)getpeername(fd, reinterpret_cast<sockaddr*>(room), &size);
    for (int i = 0; i < 2; ++i) {
      const auto found = gssipsec::client::find_socket(false, {});
      want(found.ok() && found->fd == fd, "the search finds the one that was touched");
    }
    want(last() == fd, "the search touches nothing");
  }
}

const struct {
  const char* name;
  void (*run)();
} kTrials[] = {
    {"each-way-of-reading", each_way_of_reading}, {"each-way-of-writing", each_way_of_writing}, {"no-stream", what_is_no_stream_is_not_kept},
    {"descriptors", descriptors_come_and_go},     {"handed-over", handed_over},                 {"inherited", inherited},
    {"children", children},                       {"no-system-calls", no_system_calls},         {"errno", errno_is_the_calls},
    {"search", search},
};

}  // namespace

int main(int argc, char** argv) {
  shown = static_cast<const Interface*>(dlsym(RTLD_DEFAULT, gssipsec::preload::kSymbol));
  want(shown && shown->version == gssipsec::preload::kVersion, "the preload is loaded");
  for (const auto& trial : kTrials)
    if (argc == 2 && strcmp(argv[1], trial.name) == 0) return trial.run(), 0;
  std::fprintf(stderr, "usage: preload_probe NAME\n");
  return 2;
}
