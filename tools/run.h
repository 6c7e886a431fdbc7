// SPDX-License-Identifier: MIT
// What `ipsec-gss run` decides before it becomes the program. Threads: one.
#pragma once

#include <optional>
#include <string>

namespace gssipsec::tools {

// As execvp(3) finds it: by its path, or in one of the folders of `path`.
[[nodiscard]] std::optional<std::string> find_program(const std::string& name, const std::string& path);
// Empty when the loader will preload into it; else why not, and what to do.
[[nodiscard]] std::string why_not_preloaded(const std::string& file);

}  // namespace gssipsec::tools
