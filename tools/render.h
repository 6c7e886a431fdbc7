// SPDX-License-Identifier: MIT
// Answers as text for people and as JSON for programs. Pure; no colour. Threads: any. Nothing fails.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "protocol/events.h"
#include "tools/doctor.h"
#include "tools/explain.h"
#include "tools/status.h"
#include "tools/watch.h"

namespace gssipsec::tools {

[[nodiscard]] std::string as_text(const std::vector<Subject>& subjects);
[[nodiscard]] std::string as_text(const base::Error& error);
// One object: {"sockets": [...]}, one line, as ipsec-gss(1) describes it.
[[nodiscard]] std::string as_json(const std::vector<Subject>& subjects);
[[nodiscard]] std::string as_json(const base::Error& error);

[[nodiscard]] std::string as_text(const std::vector<Explained>& answers);
[[nodiscard]] std::string as_json(const std::vector<Explained>& answers);
[[nodiscard]] std::string as_text(const Findings& findings);
[[nodiscard]] std::string as_json(const Findings& findings);
[[nodiscard]] std::string as_text(const protocol::MirrorReply& reply);
[[nodiscard]] std::string as_json(const protocol::MirrorReply& reply);
[[nodiscard]] std::string as_text(const std::vector<protocol::HeldLatch>& latches);
[[nodiscard]] std::string as_json(const std::vector<protocol::HeldLatch>& latches);

// One line each.
[[nodiscard]] std::string as_text(const Watching& begun);
[[nodiscard]] std::string as_json(const Watching& begun);
[[nodiscard]] std::string as_text(const Watched& line);
[[nodiscard]] std::string as_json(const Watched& line);
// UTC, as "2026-11-25T23:31:08.123456789Z".
[[nodiscard]] std::string time_text(std::uint64_t nanoseconds);

[[nodiscard]] std::string name_as_json(const char* key, const std::string& value);

}  // namespace gssipsec::tools
