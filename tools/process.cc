// SPDX-License-Identifier: MIT
#include "tools/process.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <set>
#include <string_view>

#include "base/directory.h"
#include "client/connect.h"
#include "client/sockets.h"

namespace gssipsec::tools {
namespace {

using base::Code;
using base::UniqueFd;

base::Error refused(int pid, int number) {
  const std::string who = "process " + std::to_string(pid);
  if (number == ESRCH || number == ENOENT || number == EINVAL) return base::fail(Code::BAD_ARGUMENT, who + " does not exist");
  return base::fail(Code::NOT_ALLOWED, "the sockets of " + who + ": " + strerror(number) + "; run this as its user or as root");
}

base::Result<std::vector<int>> descriptors(int pid) {
  const base::Directory directory(opendir(("/proc/" + std::to_string(pid) + "/fd").c_str()));
  if (!directory) return refused(pid, errno);
  std::vector<int> numbers;
  while (const dirent* entry = readdir(directory.get())) {
    const char* end = entry->d_name + strlen(entry->d_name);
    int number = -1;
    const auto [rest, error] = std::from_chars(entry->d_name, end, number);
    if (error == std::errc() && rest == end) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// Nothing else is copied: closing a copy speaks to whoever serves the file (FUSE), and may hang. Who puts one there after this look is met by not
// closing it.
bool is_socket(int pid, int number) {
  std::array<char, 16> link{};
  constexpr std::string_view kSocket = "socket:[";
  const ssize_t length = readlink(("/proc/" + std::to_string(pid) + "/fd/" + std::to_string(number)).c_str(), link.data(), link.size());
  return length > 0 && std::string_view(link.data(), static_cast<std::size_t>(length)).starts_with(kSocket);
}

// Neither listeners nor what is no internet socket; what is connected and unsupported is asked about, to say so.
bool worth_asking(const base::Result<client::FoundSocket>& socket) {
  return socket.ok() || socket.error().code == Code::UNSUPPORTED_SOCKET;
}

}  // namespace

base::Result<UniqueFd> open_process(int pid) {
  UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return refused(pid, errno);
  return process;
}

base::Status each_socket(int pid, const std::function<void(int, int)>& visit) {
  const auto process = open_process(pid);
  if (!process) return process.error();
  const auto numbers = descriptors(pid);
  if (!numbers) return numbers.error();
  std::set<std::uint64_t> seen;
  for (const int number : *numbers) {
    if (!is_socket(pid, number)) continue;
    UniqueFd copy(static_cast<int>(syscall(SYS_pidfd_getfd, process->get(), number, 0)));
    if (!copy && errno == EBADF) continue;  // closed meanwhile
    if (!copy) return refused(pid, errno);
    if (!client::socket_cookie(copy.get())) {
      (void)copy.release();  // it became a file meanwhile, and stays open until this ends
      continue;
    }
    const auto socket = client::named_socket(copy.get());
    if (!worth_asking(socket) || (socket.ok() && !seen.insert(socket->cookie).second)) continue;
    visit(number, copy.get());
  }
  return {};
}

}  // namespace gssipsec::tools
