// SPDX-License-Identifier: MIT
// ipsec-gssd: see ipsec-gssd(8).
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "broker/daemon.h"
#include "broker/fault.h"
#include "broker/listener.h"
#include "broker/log.h"
#include "broker/options.h"
#include "broker/privileges.h"

namespace {

using namespace gssipsec;
using namespace gssipsec::broker;

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unreleased"
#endif

base::Result<Config> read_config(const Options& options) {
  if (options.config) return load_config(*options.config);
  if (access(kDefaultConfig, F_OK) != 0) return Config{};
  return load_config(kDefaultConfig);
}

// With the users and groups of [access] looked up.
base::Result<Config> read_and_resolve(const Options& options) {
  auto config = read_config(options);
  if (!config) return config;
  std::vector<std::string> unknown;
  config->rights = resolve_rights(config->access, unknown);
  for (const std::string& name : unknown) log(Level::warning, "[access] names " + name + ", whom nobody knows: it grants nothing");
  return config;
}

int check(const Options& options) {
  const auto config = read_config(options);
  if (config) return 0;
  std::fprintf(stderr, "%s\n", config.error().detail.c_str());
  return 1;
}

int complain(const base::Error& error) {
  log(Level::error, describe(error));
  return 1;
}

// Before the first thread, so that all of them leave signals to the event loop.
void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

int serve(const Options& options) {
  auto config = read_and_resolve(options);
  if (!config) return complain(config.error());
  if (options.socket) config->socket = *options.socket;
  block_signals();
  harden(config->max_clients);
  if (!has_net_admin()) log(Level::error, "CAP_NET_ADMIN is missing: policies and SAs cannot be read, nothing can be latched");
  auto listener = inherited_listener();
  if (listener && !*listener) listener = make_listener(config->socket);
  if (!listener) return complain(listener.error());
  const base::Status kept = keep_net_admin_only();
  if (!kept.ok()) return complain(kept.error());
  auto host = open_host();
  if (!host) return complain(host.error());
  const auto sources = [memory = std::make_shared<ike::ViciMemory>()](const Config& now, const Board& board) { return open_sources(now, board, memory); };
  const base::Status served = run({std::move(*host), *config, std::move(*listener), sources, [options] { return read_and_resolve(options); }});
  return served.ok() ? 0 : complain(served.error());
}

}  // namespace

int main(int argc, char** argv) {
  forget_mechanism();
#ifdef GSS_IPSEC_FAULT_POINTS
  if (argc == 2 && std::string_view(argv[1]) == "--fault-points") {
    list_fault_points();
    return 0;
  }
#endif
  const auto options = parse_options({argv + 1, argv + argc});
  if (!options) {
    std::fprintf(stderr, "ipsec-gssd: %s\n%s", options.error().detail.c_str(), usage());
    return 2;
  }
  switch (options->act) {
    case Options::Act::help: std::fputs(usage(), stdout); return 0;
    case Options::Act::version: std::puts("ipsec-gssd " PACKAGE_VERSION); return 0;
    case Options::Act::check: return check(*options);
    case Options::Act::serve: break;
  }
  return serve(*options);
}
