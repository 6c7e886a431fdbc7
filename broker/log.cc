// SPDX-License-Identifier: MIT
#include "broker/log.h"

#include <stdlib.h>
#include <unistd.h>

#include <string>

namespace gssipsec::broker {

void log(Level level, std::string_view text) noexcept {
  static const bool journal = getenv("JOURNAL_STREAM") != nullptr;
  try {
    std::string line = journal ? "<" + std::to_string(static_cast<int>(level)) + ">" : "ipsec-gssd: ";
    for (const char c : text) line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    line += '\n';
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
  } catch (...) {  // out of memory: the line is lost, nothing else
  }
}

}  // namespace gssipsec::broker
