// SPDX-License-Identifier: MIT
// Which mutant runs of those that weave.py wove into the sources: the one whose number the environment tells, or none.
#pragma once

#include <cstdlib>

namespace woven {

// Without what a function's static variable needs of libstdc++, which not all have.
inline int known = -1;
inline int chosen() noexcept {
  int number = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (number < 0) {
    const char* text = std::getenv("IPSEC_TEST_MUTANT");
    number = text ? std::atoi(text) : 0;
    __atomic_store_n(&known, number, __ATOMIC_RELAXED);
  }
  return number;
}

// What is computed while compiling has no mutants.
constexpr bool is(int number) noexcept { return !__builtin_is_constant_evaluated() && chosen() == number; }

}  // namespace woven
