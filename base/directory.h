// SPDX-License-Identifier: MIT
// A directory being read, closed with its owner.
#pragma once

#include <dirent.h>

#include <memory>

namespace gssipsec::base {

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

}  // namespace gssipsec::base
