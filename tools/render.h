// SPDX-License-Identifier: MIT
// Answers as text for people and as JSON for programs. Pure; no colour. Threads: any. Nothing fails.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "protocol/events.h"
#include "tools/status.h"

namespace gssipsec::tools {

[[nodiscard]] std::string as_text(const std::vector<Subject>& subjects);
[[nodiscard]] std::string as_text(const base::Error& error);
[[nodiscard]] std::string as_text(const protocol::MirrorReply& reply);
// One object: {"sockets": [...]}, one line, as ipsec-gss(1) describes it.
[[nodiscard]] std::string as_json(const std::vector<Subject>& subjects);
[[nodiscard]] std::string as_json(const base::Error& error);
[[nodiscard]] std::string as_json(const protocol::MirrorReply& reply);
[[nodiscard]] std::string name_as_json(const char* key, const std::string& value);

}  // namespace gssipsec::tools
