// SPDX-License-Identifier: MIT
#include "client/program.h"

#include <sys/stat.h>
#include <unistd.h>

#include "protocol/messages.h"

namespace gssipsec::client {
namespace {

constexpr std::string_view kRemoved = " (deleted)";  // what the kernel writes behind such a path

// Whether `path` still names what runs.
bool is_file_of(const std::string& path, const char* link) noexcept {
  struct stat named, running;
  return stat(path.c_str(), &named) == 0 && stat(link, &running) == 0 && named.st_dev == running.st_dev && named.st_ino == running.st_ino;
}

std::string path_of(const char* link) {
  std::string path(protocol::kMaxName + 1, '\0');  // one that fills it is cut, and too long
  const ssize_t length = readlink(link, path.data(), path.size());
  if (length <= 0) return {};
  path.resize(static_cast<std::size_t>(length));
  if (path.ends_with(kRemoved) && !is_file_of(path, link)) path.resize(path.size() - kRemoved.size());
  return protocol::is_name(path) ? path : std::string();
}

}  // namespace

std::string program_path() { return path_of("/proc/self/exe"); }

std::string program_path(int pid) { return path_of(("/proc/" + std::to_string(pid) + "/exe").c_str()); }

}  // namespace gssipsec::client
