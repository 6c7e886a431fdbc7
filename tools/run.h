// SPDX-License-Identifier: MIT
// What `ipsec-gss run` decides before it becomes the program. Threads: one.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace gssipsec::tools {

inline constexpr char kLibraryOption[] = "--library";  // the one that has a word of its own behind it

// Cuts the program's words off the command line, where that begins with `run`: nobody reads them but the program. They begin behind
// "--", or with the first word that is no option.
[[nodiscard]] std::vector<std::string> cut_program(int& argc, char** argv);
// As execvp(3) finds it: by its path, or in one of the folders of `path`.
[[nodiscard]] std::optional<std::string> find_program(const std::string& name, const std::string& path);
// Empty when the loader will preload into it; else why not, and what to do.
[[nodiscard]] std::string why_not_preloaded(const std::string& file);

}  // namespace gssipsec::tools
