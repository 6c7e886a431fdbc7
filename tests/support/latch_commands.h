// SPDX-License-Identifier: MIT
// Commands of gss_peer about latches without a context, through the library's client: "latch [listener] [peer=ADDRESS]",
// "unlatch [listener]", "latched [listener]" (the word on the page) and "unhold [listener]" (gives the word back).
#pragma once

#include <optional>
#include <string>
#include <vector>

// One JSON object, or nothing when it is no command of these. "code" is the library's error, 0 for none.
[[nodiscard]] std::optional<std::string> latch_command(const std::vector<std::string>& words, int connected, int listener);
