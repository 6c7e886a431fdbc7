// SPDX-License-Identifier: MIT
// While it lives, pthread_cancel() of this thread waits: C++ that is noexcept, or catches everything, cannot be unwound by it, and the
// process would end. errno stays.
#pragma once

#include <pthread.h>

namespace gssipsec::base {

class Uncancelled {
 public:
  Uncancelled() noexcept { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  Uncancelled(const Uncancelled&) = delete;
  Uncancelled& operator=(const Uncancelled&) = delete;
  ~Uncancelled() {
    int ours;
    pthread_setcancelstate(before_, &ours);
  }

 private:
  int before_ = PTHREAD_CANCEL_ENABLE;
};

}  // namespace gssipsec::base
