// SPDX-License-Identifier: MIT
// The broker's report on a connected socket of the caller's, which is the same before and after. Threads: any. Failures: as
// client/sockets.h and client/broker.h say.
#pragma once

#include "base/result.h"
#include "protocol/messages.h"

namespace gssipsec::api {

[[nodiscard]] base::Result<protocol::Report> look_at(int fd);

}  // namespace gssipsec::api
