// SPDX-License-Identifier: MIT
// How a library that programs load by LD_PRELOAD stands in front of a function of libc.
#pragma once

// Defines what the program calls when it calls libc's `name`. By its name in the object file: headers declare these functions with
// attributes, and with inline forms, that would not fit.
#define GSS_IPSEC_WRAP(result, name, ...)                                                                        \
  extern "C" __attribute__((visibility("default"))) result gss_ipsec_wrapped_##name(__VA_ARGS__) __asm__(#name); \
  result gss_ipsec_wrapped_##name(__VA_ARGS__)
