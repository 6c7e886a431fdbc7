// SPDX-License-Identifier: MIT
// A thread that makes a call and may be cancelled: what must not be a point of cancellation returns first.
#pragma once

#include <cppunit/extensions/HelperMacros.h>
#include <pthread.h>

#include <atomic>
#include <functional>

namespace gssipsec::tests {

class CancelledThread {
 public:
  explicit CancelledThread(std::function<void()> call) : call_(std::move(call)) { CPPUNIT_ASSERT_EQUAL(0, pthread_create(&thread_, nullptr, run, this)); }
  CancelledThread(const CancelledThread&) = delete;
  CancelledThread& operator=(const CancelledThread&) = delete;

  void cancel() const { CPPUNIT_ASSERT_EQUAL(0, pthread_cancel(thread_)); }
  [[nodiscard]] bool has_returned() const { return returned_; }
  // Behind its call, and not because the call was over.
  void expect_end() {
    void* result = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, pthread_join(thread_, &result));
    CPPUNIT_ASSERT(has_returned() && result == PTHREAD_CANCELED);
  }

 private:
  static void* run(void* self) {
    static_cast<CancelledThread*>(self)->call_();
    static_cast<CancelledThread*>(self)->returned_ = true;
    pthread_testcancel();
    return nullptr;
  }

  std::function<void()> call_;
  std::atomic<bool> returned_{false};
  pthread_t thread_{};
};

}  // namespace gssipsec::tests
