// SPDX-License-Identifier: MIT
#pragma once

#include <dirent.h>

#include <memory>

namespace gssipsec::tools {

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

}  // namespace gssipsec::tools
