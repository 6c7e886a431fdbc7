// SPDX-License-Identifier: MIT
// While it lives, errno is the program's: put back when it goes.
#pragma once

#include <cerrno>

namespace gssipsec::preload {

class ErrnoKept {
 public:
  ErrnoKept() noexcept : value_(errno) {}
  ErrnoKept(const ErrnoKept&) = delete;
  ErrnoKept& operator=(const ErrnoKept&) = delete;
  ~ErrnoKept() { errno = value_; }

 private:
  int value_;
};

}  // namespace gssipsec::preload
