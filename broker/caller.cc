// SPDX-License-Identifier: MIT
#include "broker/caller.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>

#include "base/unique_fd.h"

namespace gssipsec::broker {

// gid grants nothing here and may change freely.
base::Status same_caller(const Credentials& connected, const Credentials& sent) {
  if (sent.uid != connected.uid)
    return base::fail(base::Code::CREDENTIALS_CHANGED, "connected as uid " + std::to_string(connected.uid) + ", asked as uid " +
                                                           std::to_string(sent.uid) + "; connect again");
  if (sent.pid != connected.pid)
    return base::fail(base::Code::CREDENTIALS_CHANGED, "connected as process " + std::to_string(connected.pid) +
                                                           ", asked as process " + std::to_string(sent.pid) + "; connect again");
  return {};
}

std::uint32_t overflow_uid() {
  const base::UniqueFd file(open("/proc/sys/kernel/overflowuid", O_RDONLY | O_CLOEXEC));
  char text[16];
  const ssize_t length = file ? read(file.get(), text, sizeof text) : -1;
  std::uint32_t uid = 65534;
  if (length > 0) std::from_chars(text, text + length, uid);
  return uid;
}

}  // namespace gssipsec::broker
