// SPDX-License-Identifier: MIT
#include "tests/support/preloaded.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <stdexcept>

#include "base/unique_fd.h"
#include "tests/support/source_dir.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GSS_IPSEC_CANNOT_PRELOAD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GSS_IPSEC_CANNOT_PRELOAD 1
#endif
#endif
#ifndef GSS_IPSEC_CANNOT_PRELOAD
#define GSS_IPSEC_CANNOT_PRELOAD 0
#endif

namespace gssipsec::support {
namespace {

// Of what is linked with another of them.
std::vector<std::string> whole_environment(const std::vector<std::string>& libraries, const std::vector<std::string>& more) {
  std::vector<std::string> all = more;
  std::string preloaded = "LD_PRELOAD=";
  for (const std::string& library : libraries) preloaded += built_path(".libs/" + library) + " ";
  all.push_back(preloaded);
  all.push_back("LD_LIBRARY_PATH=" + built_path(".libs"));
  if (const char* mutant = getenv("IPSEC_TEST_MUTANT")) all.push_back(std::string("IPSEC_TEST_MUTANT=") + mutant);
  return all;
}

std::string trial_of(const std::string& program, const std::string& trial, std::vector<std::string> environment) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const base::UniqueFd output(ends[0]);
  base::UniqueFd writer(ends[1]);
  const std::string path = built_path("tests/support/" + program);
  std::vector<char*> variables;
  for (std::string& variable : environment) variables.push_back(variable.data());
  variables.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(writer.get(), 2);
    alarm(20);
    execle(path.c_str(), program.c_str(), trial.c_str(), nullptr, variables.data());
    _exit(127);
  }
  writer.reset();
  std::string said;
  std::array<char, 512> buffer{};
  for (ssize_t size; (size = read(output.get(), buffer.data(), buffer.size())) > 0;) said.append(buffer.data(), static_cast<std::size_t>(size));
  int status = -1;
  waitpid(child, &status, 0);
  return status == 0 ? said : "status " + std::to_string(status) + ": " + said;
}

}  // namespace

std::string run_preloaded(const std::string& program, const std::string& trial, const std::vector<std::string>& libraries,
                          const std::vector<std::string>& environment) {
  if (!GSS_IPSEC_CANNOT_PRELOAD) return trial_of(program, trial, whole_environment(libraries, environment));
  std::cout << "skipped: sanitizer\n";
  return {};
}

}  // namespace gssipsec::support
