// SPDX-License-Identifier: MIT
// What the command line said, and the verbs that it may name. Each verb prints its answer to stdout, its complaint to stderr,
// and gives the exit code of ipsec-gss(1). Threads: one.
#pragma once

#include <string>
#include <vector>

namespace gssipsec::tools {

struct Options {
  int pid = -1;
  int fd = -1;
  bool all = false;
  std::vector<std::string> flow;
  bool json = false;
  bool acceptor = false;
  std::string service;
  std::string name;
  std::vector<std::string> program;  // with its arguments
  std::string library;
  std::string change;  // of what is there; "" none
  bool thread = false;
  bool spnego = false;
};

[[nodiscard]] int run_status(const Options& options);
[[nodiscard]] int run_explain(const Options& options);
[[nodiscard]] int run_watch(const Options& options);
[[nodiscard]] int run_doctor(const Options& options);
[[nodiscard]] int run_metrics(const Options& options);
[[nodiscard]] int run_mirror(const Options& options);
[[nodiscard]] int run_latched(const Options& options);
[[nodiscard]] int run_interposer(const Options& options);
[[nodiscard]] int run_localname(const Options& options);
[[nodiscard]] int run_probe(const Options& options);
[[nodiscard]] int run_version(const Options& options);
// Returns only when the program cannot be run.
[[nodiscard]] int run_program(const Options& options);

}  // namespace gssipsec::tools
