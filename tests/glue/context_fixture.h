// SPDX-License-Identifier: MIT
// Tests of a context through the real libgssapi: the brokers of both hosts, and a pair of ends once it has shaken hands.
#pragma once

#include <cppunit/TestFixture.h>

#include <memory>

#include "tests/glue/gss_support.h"
#include "tests/support/twin_broker.h"

namespace gssipsec::tests {

class ContextFixture : public CppUnit::TestFixture {
 public:
  void setUp() override { twin_ = std::make_unique<TwinBroker>(); }
  void tearDown() override {
    pair_.reset();
    twin_.reset();
  }

 protected:
  void shake() {
    pair_ = std::make_unique<Pair>();
    pair_->must_shake();
  }

  std::unique_ptr<TwinBroker> twin_;
  std::unique_ptr<Pair> pair_;
};

}  // namespace gssipsec::tests
