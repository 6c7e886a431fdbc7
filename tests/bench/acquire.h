// SPDX-License-Identifier: MIT
// What the plugin costs a program that has nothing to do with it: default credentials of all mechanisms, in a process of its
// own that has loaded the plugin and finds no broker, and in one without the plugin. To be made before this process calls
// GSS-API: what a process has loaded stays. Failures: std::runtime_error.
#pragma once

#include <benchmark/benchmark.h>
#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"

namespace gssipsec::bench {

class Acquirer {
 public:
  // `mechanisms`: the file for GSS_MECH_CONFIG. Kerberos finds its ticket by the environment.
  explicit Acquirer(const std::string& mechanisms);
  ~Acquirer();
  Acquirer(const Acquirer&) = delete;
  Acquirer& operator=(const Acquirer&) = delete;
  void measure(benchmark::State& state) const;

 private:
  base::UniqueFd pipe_;
  pid_t child_ = -1;
};

}  // namespace gssipsec::bench
