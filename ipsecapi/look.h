// SPDX-License-Identifier: MIT
// What the broker says of a socket of the caller's, which is the same before and after. Threads: any. Failures: as client/sockets.h and
// client/broker.h say.
#pragma once

#include "base/result.h"
#include "protocol/messages.h"

namespace gssipsec::api {

// Of a connected one.
[[nodiscard]] base::Result<protocol::Report> look_at(int fd);
[[nodiscard]] base::Result<protocol::SurveyReply> survey_at(int fd);
// Of any.
[[nodiscard]] base::Result<protocol::SurveyReply> survey_of(int fd, const protocol::SurveyRequest& request);

}  // namespace gssipsec::api
