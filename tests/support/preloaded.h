// SPDX-License-Identifier: MIT
// The built libraries in front of libc, in a program of their own. They cannot be loaded before a sanitizer that stands in front of libc
// itself: not run there.
#pragma once

#include <string>
#include <vector>

namespace gssipsec::support {

// Runs `program TRIAL` (of tests/support) with the libraries in LD_PRELOAD, in their order. What it said; empty when all was well.
[[nodiscard]] std::string run_preloaded(const std::string& program, const std::string& trial, const std::vector<std::string>& libraries,
                                        const std::vector<std::string>& environment = {});

}  // namespace gssipsec::support
