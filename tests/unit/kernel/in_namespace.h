// SPDX-License-Identifier: MIT
// Runs a piece of a test in a network namespace of its own, in a child process, where that is allowed.
#pragma once

#include <functional>

namespace gssipsec::kernel::testing {

// The failed assertion's text, empty when all went well. Where the machine allows no namespaces the piece is not run;
// the laboratory runs the same calls on a kernel of its own.
void in_namespace(const std::function<void()>& piece);

}  // namespace gssipsec::kernel::testing
