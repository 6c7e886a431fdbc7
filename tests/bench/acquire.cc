// SPDX-License-Identifier: MIT
#include "tests/bench/acquire.h"

#include <gssapi/gssapi.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace gssipsec::bench {
namespace {

using std::chrono::steady_clock;

constexpr int kAtOnce = 20;

bool acquire() {
  OM_uint32 minor;
  gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
  const OM_uint32 major =
      gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, GSS_C_NO_OID_SET, GSS_C_INITIATE, &credential, nullptr, nullptr);
  gss_release_cred(&minor, &credential);
  return major == GSS_S_COMPLETE;
}

// For each octet that comes, the seconds of one acquisition; negative where it failed.
[[noreturn]] void serve(int pipe) {
  char go;
  while (read(pipe, &go, 1) == 1) {
    bool all = true;
    const auto begin = steady_clock::now();
    for (int i = 0; i < kAtOnce; ++i) all = acquire() && all;
    const double seconds = std::chrono::duration<double>(steady_clock::now() - begin).count() / kAtOnce;
    const double answer = all ? seconds : -1;
    if (write(pipe, &answer, sizeof answer) != sizeof answer) break;
  }
  _exit(0);
}

}  // namespace

Acquirer::Acquirer(const std::string& mechanisms) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("socketpair");
  pipe_.reset(ends[0]);
  const base::UniqueFd other(ends[1]);
  child_ = fork();
  if (child_ < 0) throw std::runtime_error("fork");
  if (child_ > 0) return;
  setenv("GSS_MECH_CONFIG", mechanisms.c_str(), 1);
  setenv("GSS_IPSEC_BROKER", "/nonexistent/gssd.sock", 1);
  pipe_.reset();
  serve(other.get());
}

Acquirer::~Acquirer() {
  pipe_.reset();
  waitpid(child_, nullptr, 0);
}

void Acquirer::measure(benchmark::State& state) const {
  for (auto _ : state) {
    double seconds = -1;
    if (write(pipe_.get(), "g", 1) != 1 || read(pipe_.get(), &seconds, sizeof seconds) != sizeof seconds || seconds < 0)
      return state.SkipWithError("no credential");
    state.SetIterationTime(seconds);
  }
}

}  // namespace gssipsec::bench
