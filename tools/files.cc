// SPDX-License-Identifier: MIT
#include "tools/files.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "base/unique_fd.h"

namespace gssipsec::tools {
namespace {

namespace fs = std::filesystem;

using base::Code;
using base::UniqueFd;

constexpr std::size_t kMostOctets = 1 << 20;
constexpr int kMostLinks = 40;  // as the kernel

base::Error failed(const std::string& path) { return base::system_error(Code::SYSTEM, path.c_str(), errno); }

base::Result<std::string> read_whole(const std::string& path, const UniqueFd& fd) {
  std::string text;
  std::array<char, 4096> part{};
  while (text.size() <= kMostOctets) {
    const ssize_t length = read(fd.get(), part.data(), part.size());
    if (length < 0) return failed(path);
    if (length == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(length));
  }
  return base::fail(Code::SYSTEM, path + " is longer than " + std::to_string(kMostOctets) + " octets");
}

// Of which some act when they are read: the next of /proc/kmsg is taken from who waits for it.
bool is_the_kernels(const UniqueFd& fd) noexcept {
  constexpr long kKernels[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC};
  struct statfs facts {};
  return fstatfs(fd.get(), &facts) != 0 || std::ranges::find(kKernels, static_cast<long>(facts.f_type)) != std::end(kKernels);
}

// In a sticky folder nobody can touch what is another's. Who owns a link leads it elsewhere, whatever it leads to now; its mode says nothing.
bool others_can_change(const fs::path& path, bool above) {
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) return false;
  if (facts.st_uid != 0 && facts.st_uid != geteuid()) return true;
  if (S_ISLNK(facts.st_mode)) return false;
  return (facts.st_mode & (S_IWGRP | S_IWOTH)) && !(above && (facts.st_mode & S_ISVTX));
}

// Each part of its name, and what those lead to that are links; a way with very many of these is not gone to its end, and counts as one that can
// be changed. `above`: it is a folder on the way.
std::string first_changeable(const fs::path& file, bool above, int& links) {
  for (fs::path part = file;; part = part.parent_path()) {
    const bool folder = above || part != file;
    if (others_can_change(part, folder)) return part;
    std::error_code no_link;
    const fs::path target = fs::read_symlink(part, no_link);
    if (!no_link && --links < 0) return part;
    if (!no_link)
      if (std::string behind = first_changeable(part.parent_path() / target, folder, links); !behind.empty()) return behind;
    if (part == part.parent_path()) return {};
  }
}

}  // namespace

base::Result<std::string> read_file(const std::string& path) {
  const UniqueFd named(open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat facts {};
  if (!named || fstat(named.get(), &facts) != 0) return failed(path);
  if (!S_ISREG(facts.st_mode)) return base::fail(Code::SYSTEM, path + " is no regular file");
  if (is_the_kernels(named)) return base::fail(Code::SYSTEM, path + " is the kernel's, no file");
  // The very file that was looked at; it would wait for whoever holds a lease on it.
  const UniqueFd fd(open(("/proc/self/fd/" + std::to_string(named.get())).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return failed(path);
  return read_whole(path, fd);
}

base::Result<std::string> read_of_process(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return failed(path);
  return read_whole(path, fd);
}

std::string changeable_by_others(const std::string& path) {
  std::error_code none;
  if (!fs::exists(path, none)) return {};
  int links = kMostLinks;
  return first_changeable(fs::absolute(path), false, links);
}

}  // namespace gssipsec::tools
