// SPDX-License-Identifier: MIT
// Commands of gss_peer about processes. "fork": a child goes on with everything, and the parent waits for its end. "exec": the
// program anew, with the connection and nothing else. "inbox NAME", "give NAME", "take": the connection goes to another process.
#pragma once

#include <optional>
#include <string>
#include <vector>

// One JSON object, or nothing when it is no command of these. `connection` is what the process has afterwards.
[[nodiscard]] std::optional<std::string> process_command(const std::vector<std::string>& words, int& connection);
// What "exec" left behind; -1 nothing.
[[nodiscard]] int connection_of_former_program();
