// SPDX-License-Identifier: MIT
#include "client/program.h"

#include <unistd.h>

#include "protocol/messages.h"

namespace gssipsec::client {

std::string program_path() {
  std::string path(protocol::kMaxName, '\0');
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  path.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return path;
}

}  // namespace gssipsec::client
