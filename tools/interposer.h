// SPDX-License-Identifier: MIT
// The files by which MIT krb5 puts the plugin before Kerberos, and before SPNEGO. None is there unless the administrator wants it: a
// package may replace the mechanism's own file, and leaves these alone. Threads: one. Failures: SYSTEM.
#pragma once

#include <string>

#include "base/result.h"

namespace gssipsec::tools {

enum class Before { kerberos, spnego };

// Where this installation puts it.
[[nodiscard]] std::string installed_plugin();
// Where MIT krb5 looks.
[[nodiscard]] std::string interposer_file(Before before);
[[nodiscard]] bool interposer_enabled(const std::string& file);
// Written whole or not at all: a program that begins meanwhile reads the old one or the new one. Not without the plugin that it names.
[[nodiscard]] base::Status enable_interposer(Before before, const std::string& file, const std::string& plugin);
[[nodiscard]] base::Status disable_interposer(const std::string& file);

}  // namespace gssipsec::tools
