// SPDX-License-Identifier: MIT
// The file by which MIT krb5 puts the plugin before Kerberos. It is not there unless the administrator wants it: a package may replace
// the mechanism's own file, and leaves this one alone. Threads: one. Failures: SYSTEM.
#pragma once

#include <string>

#include "base/result.h"

namespace gssipsec::tools {

// Where this installation puts it.
[[nodiscard]] std::string installed_plugin();
// Where MIT krb5 looks.
[[nodiscard]] std::string interposer_file();
[[nodiscard]] bool interposer_enabled(const std::string& file);
// Written whole or not at all: a program that begins meanwhile reads the old one or the new one. Not without the plugin that it names.
[[nodiscard]] base::Status enable_interposer(const std::string& file, const std::string& plugin);
[[nodiscard]] base::Status disable_interposer(const std::string& file);

}  // namespace gssipsec::tools
