// SPDX-License-Identifier: MIT
// ipsec-gss: the command line. The only file that knows the library for options.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>

#include "client/broker.h"
#include "client/connect.h"
#include "tools/render.h"
#include "tools/status.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

namespace gssipsec::tools {
namespace {

struct Options {
  int pid = -1;
  int fd = -1;
  std::vector<std::string> flow;
  bool json = false;
  bool acceptor = false;
  std::string service;
  std::string name;
};

// A reader that went away (| head) is no failure of ours.
void print(const std::string& text, std::FILE* to = stdout) { std::fwrite(text.data(), 1, text.size(), to); }

int finish(const std::vector<Subject>& subjects, const Options& options) {
  print(options.json ? as_json(subjects) : as_text(subjects));
  return exit_code(subjects);
}

int finish(const base::Error& error, const Options& options) {
  if (options.json) print(as_json(error));
  else print("ipsec-gss: " + as_text(error), stderr);
  return exit_code(error.code);
}

int status(const Options& options) {
  if (!options.flow.empty()) {
    const auto flow = parse_flow(options.flow[0], options.flow[1], options.flow[2]);
    return flow.ok() ? finish({status_of_flow(*flow)}, options) : finish(flow.error(), options);
  }
  if (options.pid < 0) return finish({status_of_descriptor(options.fd)}, options);
  const auto subjects = status_of_process(options.pid);
  return subjects.ok() ? finish(*subjects, options) : finish(subjects.error(), options);
}

int version(const Options& options) {
  const std::string protocol = std::to_string(protocol::kOldestVersion) + " to " + std::to_string(protocol::kVersion);
  if (options.json) print(name_as_json("version", PACKAGE_VERSION));
  else print("ipsec-gss " PACKAGE_VERSION "\nbroker protocol " + protocol + "\nbroker socket " + client::broker_path() + "\n");
  return kProtected;
}

int localname(const Options& options) {
  const auto user = client::Broker::localname(options.name);
  if (user.ok()) return print(options.json ? name_as_json("user", *user) : *user + "\n"), kProtected;
  const int code = finish(user.error(), options);
  return user.error().code == base::Code::NO_LOCAL_NAME ? kNotProtected : code;
}

int probe(const Options& options) {
  const auto role = options.acceptor ? channel::Role::acceptor : channel::Role::initiator;
  const auto got = client::Broker::probe({role, options.service});
  if (!got) return finish(got.error(), options);
  print(options.json ? name_as_json("name", got->local_name) : got->local_name + "\n");
  if (!got->has_policies && !options.json) print("ipsec-gss: this host has no IPsec policies\n", stderr);
  return got->has_policies ? kProtected : kNotProtected;
}

int mirror(const Options& options) {
  const auto got = client::Broker::mirror();
  if (!got) return finish(got.error(), options);
  print(options.json ? as_json(*got) : as_text(*got));
  return got->same ? kProtected : kNotProtected;
}

using Verb = std::function<int(const Options&)>;

CLI::App* verb(CLI::App& app, const char* name, const char* what, Verb run, Verb& chosen) {
  CLI::App* sub = app.add_subcommand(name, what);
  sub->callback([run = std::move(run), &chosen] { chosen = run; });
  return sub;
}

void describe_status(CLI::App& app, Options& options, Verb& chosen) {
  CLI::App* sub = verb(app, "status", "Say what protects sockets, and why not where nothing does", status, chosen);
  CLI::Option_group* which = sub->add_option_group("which", "Exactly one of these");
  which->add_option("--pid", options.pid, "Every connected socket of this process")->check(CLI::PositiveNumber);
  which->add_option("--fd", options.fd, "The inherited descriptor of this number")->check(CLI::NonNegativeNumber);
  which->add_option("--flow", options.flow, "tcp|udp|sctp LOCAL:PORT REMOTE:PORT, for root only")->expected(3);
  which->require_option(1);
  sub->add_flag("--json", options.json, "For programs");
}

void describe(CLI::App& app, Options& options, Verb& chosen) {
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 protected (or yes), 1 not protected (or no), 2 wrong usage, 3 no broker, 4 not allowed or another error.");
  describe_status(app, options, chosen);
  CLI::App* map = verb(app, "localname", "Print the local user that the administrator's map gives a peer's name", localname, chosen);
  map->add_option("name", options.name, "As ipsec:fqdn:host.example/user")->required();
  map->add_flag("--json", options.json, "For programs");
  CLI::App* ask = verb(app, "probe", "Print the name under which this user can act; 1 when no policy is there", probe, chosen);
  ask->add_flag("--acceptor", options.acceptor, "As a server");
  ask->add_option("--service", options.service, "With this service name");
  ask->add_flag("--json", options.json, "For programs");
  verb(app, "mirror", "Compare the broker's copy of policies and SAs with the kernel, for root", mirror, chosen)->add_flag("--json", options.json, "For programs");
  verb(app, "version", "Print the version", version, chosen)->add_flag("--json", options.json, "For programs");
}

int run(int argc, char** argv) {
  CLI::App app("Asks ipsec-gssd what protects connections with IPsec.", "ipsec-gss");
  Options options;
  Verb chosen;
  describe(app, options, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kProtected : kUsage;
  }
  return chosen(options);
}

}  // namespace
}  // namespace gssipsec::tools

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  try {
    const int code = gssipsec::tools::run(argc, argv);
    std::fflush(stdout);
    return code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ipsec-gss: %s\n", error.what());
    return gssipsec::tools::kOther;
  }
}
