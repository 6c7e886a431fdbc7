// SPDX-License-Identifier: MIT
// Files that somebody else may have named, or may change, for a caller who may be root. Threads: one.
#pragma once

#include <string>

#include "base/result.h"

namespace gssipsec::tools {

// The text of a regular file of ordinary size, 1 MiB. Nothing else is opened: a FIFO would block, and a device may act; so may what the kernel
// shows as files (/proc, /sys and below). SYSTEM.
[[nodiscard]] base::Result<std::string> read_file(const std::string& path);
// One of /proc/PID, of the same size: whose process it is makes it as long as he likes. SYSTEM.
[[nodiscard]] base::Result<std::string> read_of_process(const std::string& path);

// The file, or the nearest folder above it, or link on the way to it, that others than root and ourselves can change; "" where there is none,
// nor a file.
[[nodiscard]] std::string changeable_by_others(const std::string& path);

}  // namespace gssipsec::tools
