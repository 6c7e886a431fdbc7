// SPDX-License-Identifier: MIT
#include "tests/support/process_commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace {

constexpr const char* kConnection = "GSS_PEER_CONNECTION";

int inbox = -1;

std::string told(int fd) { return "{\"fd\": " + std::to_string(fd) + "}"; }
std::string refused(const char* call) { return std::string("{\"error\": \"") + call + ": " + strerror(errno) + "\"}"; }

// Abstract: any user may write to it.
sockaddr_un address_of(const std::string& name, socklen_t& size) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const size_t length = name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  return address;
}

// The parent's end is the child's, so that who started this program sees how it ends.
std::string go_on_in_child(int connection) {
  const pid_t child = fork();
  if (child == 0) return told(connection);
  int status = 1;
  if (child > 0) waitpid(child, &status, 0);
  _exit(child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

std::string begin_anew(int connection) {
  fcntl(connection, F_SETFD, 0);
  setenv(kConnection, std::to_string(connection).c_str(), 1);
  execlp(program_invocation_name, program_invocation_name, nullptr);
  return refused("exec");
}

std::string open_inbox(const std::string& name) {
  socklen_t size = 0;
  const sockaddr_un address = address_of(name, size);
  inbox = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return bind(inbox, reinterpret_cast<const sockaddr*>(&address), size) == 0 ? told(inbox) : refused("bind");
}

struct Parcel {
  char octet = 'x';
  iovec part{&octet, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  Parcel() {
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
  }
};

std::string give(const std::string& name, int connection) {
  socklen_t size = 0;
  sockaddr_un address = address_of(name, size);
  Parcel parcel;
  parcel.header.msg_name = &address;
  parcel.header.msg_namelen = size;
  cmsghdr* rights = CMSG_FIRSTHDR(&parcel.header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(rights), &connection, sizeof connection);
  const int from = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool sent = sendmsg(from, &parcel.header, 0) == 1;
  std::string outcome = sent ? told(connection) : refused("sendmsg");
  close(from);
  return outcome;
}

std::string take(int& connection) {
  Parcel parcel;
  const ssize_t got = recvmsg(inbox, &parcel.header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  const cmsghdr* rights = got == 1 ? CMSG_FIRSTHDR(&parcel.header) : nullptr;
  if (!rights) return refused("recvmsg");
  memcpy(&connection, CMSG_DATA(rights), sizeof connection);
  return told(connection);
}

}  // namespace

std::optional<std::string> process_command(const std::vector<std::string>& words, int& connection) {
  const std::string verb = words.empty() ? "" : words[0];
  if (verb == "fork") return go_on_in_child(connection);
  if (verb == "exec") return begin_anew(connection);
  if (verb == "take") return take(connection);
  if (words.size() < 2) return std::nullopt;
  if (verb == "inbox") return open_inbox(words[1]);
  if (verb == "give") return give(words[1], connection);
  return std::nullopt;
}

int connection_of_former_program() {
  const char* number = getenv(kConnection);
  return number ? atoi(number) : -1;
}
