// SPDX-License-Identifier: MIT
#include "client/broker.h"
#include "client/connect.h"
#include "tools/explain.h"
#include "tools/options.h"
#include "tools/print.h"
#include "tools/render.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

namespace gssipsec::tools {
namespace {

template <typename Answers>
int finish(const Answers& answers, const Options& options) {
  print(options.json ? as_json(answers) : as_text(answers));
  return exit_code(answers);
}

// Of one of the three things that a command line may name.
template <typename OfFlow, typename OfDescriptor, typename OfProcess>
int ask(const Options& options, OfFlow of_flow, OfDescriptor of_descriptor, OfProcess of_process) {
  if (!options.flow.empty()) {
    const auto flow = parse_flow(options.flow[0], options.flow[1], options.flow[2]);
    return flow.ok() ? finish(std::vector{of_flow(*flow)}, options) : complain(flow.error(), options.json);
  }
  if (options.pid < 0) return finish(std::vector{of_descriptor(options.fd)}, options);
  const auto answers = of_process(options.pid);
  return answers.ok() ? finish(*answers, options) : complain(answers.error(), options.json);
}

}  // namespace

int run_status(const Options& options) { return ask(options, status_of_flow, status_of_descriptor, status_of_process); }

int run_explain(const Options& options) { return ask(options, explain_flow, explain_descriptor, explain_process); }

int run_version(const Options& options) {
  const std::string protocol = std::to_string(protocol::kOldestVersion) + " to " + std::to_string(protocol::kVersion);
  if (options.json) print(name_as_json("version", PACKAGE_VERSION));
  else print("ipsec-gss " PACKAGE_VERSION "\nbroker protocol " + protocol + "\nbroker socket " + client::broker_path() + "\n");
  return kProtected;
}

int run_metrics(const Options& options) {
  const auto figures = client::Broker::metrics();
  if (!figures) return complain(figures.error(), options.json);
  print(*figures);
  return kProtected;
}

int run_mirror(const Options& options) {
  const auto got = client::Broker::mirror();
  if (!got) return complain(got.error(), options.json);
  print(options.json ? as_json(*got) : as_text(*got));
  return got->same ? kProtected : kNotProtected;
}

int run_latched(const Options& options) {
  std::vector<protocol::HeldLatch> all;
  for (bool more = true; more;) {
    const auto page = client::Broker::latches(all.empty() ? 0 : all.back().cookie);
    if (!page) return complain(page.error(), options.json);
    all.insert(all.end(), page->latches.begin(), page->latches.end());
    more = page->more && !page->latches.empty();
  }
  print(options.json ? as_json(all) : as_text(all));
  return kProtected;
}

int run_localname(const Options& options) {
  const auto user = client::Broker::localname(options.name);
  if (user.ok()) return print(options.json ? name_as_json("user", *user) : *user + "\n"), kProtected;
  const int code = complain(user.error(), options.json);
  return user.error().code == base::Code::NO_LOCAL_NAME ? kNotProtected : code;
}

int run_probe(const Options& options) {
  const auto role = options.acceptor ? channel::Role::acceptor : channel::Role::initiator;
  const auto got = client::Broker::probe({role, options.service});
  if (!got) return complain(got.error(), options.json);
  print(options.json ? name_as_json("name", got->local_name) : got->local_name + "\n");
  if (!got->has_policies && !options.json) print("ipsec-gss: this host has no IPsec policies\n", stderr);
  return got->has_policies ? kProtected : kNotProtected;
}

}  // namespace gssipsec::tools
