// SPDX-License-Identifier: MIT
// Lines of the broker's log, to stderr (with the journal's priorities when that is where stderr goes). Never secrets,
// never SPIs below debug. Threads: any; one write(2) a line.
#pragma once

#include <string_view>

namespace gssipsec::broker {

enum class Level { error = 3, warning = 4, notice = 5, info = 6 };

void log(Level level, std::string_view text) noexcept;

}  // namespace gssipsec::broker
