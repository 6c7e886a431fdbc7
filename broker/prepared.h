// SPDX-License-Identifier: MIT
// A connection that INITIATE latched, ready to be vouched for: never changed once it is made.
#pragma once

#include "broker/bind.h"

namespace gssipsec::broker {

struct Prepared {
  Case seen;
  LatchParameters latched;
  channel::Sa out, in;
  SharedExporter exporter;  // of the two
};

}  // namespace gssipsec::broker
