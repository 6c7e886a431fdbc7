// SPDX-License-Identifier: MIT
#include "broker/listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <cerrno>
#include <cstring>

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using base::system_error;

constexpr int kBacklog = 512;

base::Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path[0] != '/' || path.size() >= sizeof address.sun_path)
    return fail(Code::BAD_CONFIG, "wanted an absolute socket path of at most 107 characters, found " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

base::UniqueFd new_socket() { return base::UniqueFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

base::Status replaceable(const std::string& path, const sockaddr_un& address) {
  struct stat there {};
  if (lstat(path.c_str(), &there) != 0) return errno == ENOENT ? base::Status() : base::Status(system_error(Code::SYSTEM, path.c_str(), errno));
  if (!S_ISSOCK(there.st_mode)) return fail(Code::SYSTEM, path + " is there and is no socket; remove it");
  const base::UniqueFd probe = new_socket();
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN)
    return fail(Code::SYSTEM, "another broker listens on " + path);
  return {};
}

base::Status make_parent(const std::string& path) {
  const std::string parent = path.substr(0, path.rfind('/'));
  if (parent.empty() || mkdir(parent.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return system_error(Code::SYSTEM, parent.c_str(), errno);
}

}  // namespace

base::Result<base::UniqueFd> inherited_listener() {
  const int count = sd_listen_fds(1);
  if (count < 0) return system_error(Code::SYSTEM, "sd_listen_fds", -count);
  if (count == 0) return base::UniqueFd();
  base::UniqueFd socket(SD_LISTEN_FDS_START);
  if (count > 1 || sd_is_socket_unix(socket.get(), SOCK_SEQPACKET, 1, nullptr, 0) <= 0)
    return fail(Code::SYSTEM, "wanted one listening SOCK_SEQPACKET unix socket from the service manager");
  fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  return socket;
}

base::Result<base::UniqueFd> make_listener(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return address.error();
  base::Status status = make_parent(path);
  if (status.ok()) status = replaceable(path, *address);
  if (!status.ok()) return status.error();
  const std::string fresh = path + ".new";  // bound aside and renamed: the path never disappears
  const auto aside = address_of(fresh);
  if (!aside) return aside.error();
  unlink(fresh.c_str());
  base::UniqueFd socket = new_socket();
  if (!socket || bind(socket.get(), reinterpret_cast<const sockaddr*>(&*aside), sizeof *aside) != 0 ||
      chmod(fresh.c_str(), 0666) != 0 || ::listen(socket.get(), kBacklog) != 0 || rename(fresh.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(fresh.c_str());
    return system_error(Code::SYSTEM, path.c_str(), error);
  }
  return socket;
}

}  // namespace gssipsec::broker
