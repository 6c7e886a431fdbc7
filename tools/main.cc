// SPDX-License-Identifier: MIT
// ipsec-gss: the command line. The only file that knows the library for options.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "tools/options.h"
#include "tools/run.h"
#include "tools/status.h"

namespace gssipsec::tools {
namespace {

using Verb = int (*)(const Options&);

CLI::App* verb(CLI::App& app, const char* name, const char* what, Verb run, Verb& chosen) {
  CLI::App* sub = app.add_subcommand(name, what);
  sub->callback([run, &chosen] { chosen = run; });
  return sub;
}

void may_print_json(CLI::App& sub, Options& options) { sub.add_flag("--json", options.json, "For programs"); }

CLI::Option_group* one_of(CLI::App& sub, Options& options) {
  CLI::Option_group* which = sub.add_option_group("which", "Exactly one of these");
  which->add_option("--pid", options.pid, "Every connected socket of this process")->check(CLI::PositiveNumber);
  which->add_option("--fd", options.fd, "The inherited descriptor of this number")->check(CLI::NonNegativeNumber);
  which->require_option(1);
  return which;
}

void may_name_flow(CLI::Option_group& which, Options& options) {
  which.add_option("--flow", options.flow, "tcp|udp|sctp LOCAL:PORT REMOTE:PORT, for root only")->expected(3);
}

void describe_sockets(CLI::App& app, Options& options, Verb& chosen) {
  CLI::App* status = verb(app, "status", "Say what protects sockets, and why not where nothing does", run_status, chosen);
  CLI::App* explain = verb(app, "explain", "Say step by step how the broker comes to that", run_explain, chosen);
  for (CLI::App* sub : {status, explain}) {
    may_name_flow(*one_of(*sub, options), options);
    may_print_json(*sub, options);
  }
  CLI::App* watch = verb(app, "watch", "Print what changes about sockets, a line an event, until interrupted", run_watch, chosen);
  one_of(*watch, options)->add_flag("--all", options.all, "All of this network namespace, for root or whom the administrator names");
  may_print_json(*watch, options);
}

void describe_host(CLI::App& app, Options& options, Verb& chosen) {
  CLI::App* doctor = verb(app, "doctor", "Look at everything that protected contexts need, and say what to do", run_doctor, chosen);
  doctor->add_option("--pid", options.pid, "And at this running program")->check(CLI::PositiveNumber);
  may_print_json(*doctor, options);
  verb(app, "metrics", "Print the broker's figures in Prometheus' text format", run_metrics, chosen);
  may_print_json(*verb(app, "mirror", "Compare the broker's copy of policies and SAs with the kernel, for root", run_mirror, chosen), options);
  may_print_json(*verb(app, "latched", "List the sockets that the broker knows to be latched, for root", run_latched, chosen), options);
}

void describe_interposer(CLI::App& app, Options& options, Verb& chosen) {
  CLI::App* sub = verb(app, "interposer", "Say whether the plugin stands before Kerberos (or SPNEGO) in programs that begin now, or change it, for root", run_interposer, chosen);
  sub->add_option("change", options.change, "enable, or disable: both where --spnego is not given")->check(CLI::IsMember({"enable", "disable"}));
  sub->add_flag("--spnego", options.spnego, "Before SPNEGO, by a file of its own");
}

void describe_names(CLI::App& app, Options& options, Verb& chosen) {
  CLI::App* map = verb(app, "localname", "Print the local user that the administrator's map gives a peer's name", run_localname, chosen);
  map->add_option("name", options.name, "As ipsec:fqdn:host.example/user")->required();
  may_print_json(*map, options);
  CLI::App* ask = verb(app, "probe", "Print the name under which this user can act; 1 when no policy is there", run_probe, chosen);
  ask->add_flag("--acceptor", options.acceptor, "As a server");
  ask->add_option("--service", options.service, "With this service name");
  may_print_json(*ask, options);
}

// The program and its words are none of the library's business: it would take [a,b] for a list, and -x for an option.
void describe_run(CLI::App& app, Options& options, Verb& chosen) {
  CLI::App* sub = verb(app, "run", "Run PROGRAM with libgss-ipsec-preload.so, so that contexts find its sockets", run_program, chosen);
  sub->add_flag("--thread", options.thread, "Acceptors take the socket that the thread touched last where the token is not seen (TLS, HTTP/2)");
  sub->add_option(kLibraryOption, options.library, "Another preload library")->check(CLI::ExistingFile);
  sub->footer("Behind the options: [--] PROGRAM [ARGUMENT...]");
  sub->parse_complete_callback([&options] {
    if (options.program.empty()) throw CLI::RequiredError("PROGRAM");
  });
}

void describe(CLI::App& app, Options& options, Verb& chosen) {
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 protected (or yes, or no problem), 1 not protected (or no, or a problem), 2 wrong usage, 3 no broker, 4 not allowed or another error.");
  describe_sockets(app, options, chosen);
  describe_host(app, options, chosen);
  describe_names(app, options, chosen);
  describe_interposer(app, options, chosen);
  describe_run(app, options, chosen);
  may_print_json(*verb(app, "version", "Print the version", run_version, chosen), options);
}

int run(int argc, char** argv) {
  CLI::App app("Asks ipsec-gssd what protects connections with IPsec.", "ipsec-gss");
  Options options;
  Verb chosen = nullptr;
  describe(app, options, chosen);
  options.program = cut_program(argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kProtected : kUsage;
  }
  if (chosen != run_program) signal(SIGPIPE, SIG_IGN);  // a program that is run would inherit it
  return chosen(options);
}

}  // namespace
}  // namespace gssipsec::tools

int main(int argc, char** argv) {
  try {
    return gssipsec::tools::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ipsec-gss: %s\n", error.what());
    return gssipsec::tools::kOther;
  }
}
