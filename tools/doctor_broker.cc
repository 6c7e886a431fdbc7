// SPDX-License-Identifier: MIT
// What the broker answers, and its figures (METRICS), which it tells to root and to those whom the administrator names.
#include <map>
#include <sstream>

#include "client/broker.h"
#include "client/connect.h"
#include "tools/doctor.h"

namespace gssipsec::tools {
namespace {

using base::Code;
using Figures = std::map<std::string, double>;  // by name with labels

constexpr const char* kPrefix = "ipsec_gssd_";

Figures figures_of(const std::string& text) {
  Figures figures;
  std::istringstream in(text);
  std::string name;
  for (std::string line; std::getline(in, line);) {
    const std::size_t blank = line.rfind(' ');
    if (line.starts_with(kPrefix) && blank != std::string::npos) figures[line.substr(strlen(kPrefix), blank - strlen(kPrefix))] = atof(line.c_str() + blank);
  }
  return figures;
}

double value(const Figures& figures, const std::string& name) {
  const auto found = figures.find(name);
  return found == figures.end() ? 0 : found->second;
}

std::string number(double value) { return std::to_string(static_cast<long>(value)); }

void examine_mirror(const Figures& figures, Findings& findings) {
  const std::string wanted = "a broker that knows the kernel's policies and SAs";
  if (value(figures, "mirror_fresh") == 1)
    return findings.push_back({"mirror", Grade::ok, wanted, number(value(figures, "policies")) + " policies, " + number(value(figures, "sas")) + " SAs", {}});
  findings.push_back({"mirror", Grade::problem, wanted, "its copy is behind the kernel", "look into its log: does it have CAP_NET_ADMIN?"});
}

void examine_sources(const Figures& figures, Findings& findings) {
  const std::string start = "ike_source_up{source=\"";
  const std::string wanted = "an IKE daemon (or [[static]] lines) that says who the peers are";
  bool any = false;
  for (const auto& [name, up] : figures) {
    if (!name.starts_with(start)) continue;
    any = true;
    const std::string source = name.substr(start.size(), name.find('"', start.size()) - start.size());
    if (up == 1) findings.push_back({"ike-" + source, Grade::ok, wanted, source + " answers", {}});
    else findings.push_back({"ike-" + source, Grade::problem, wanted, source + " does not answer", "start the IKE daemon; look at vici of [ike] in the broker's configuration"});
  }
  if (!any) findings.push_back({"ike", Grade::problem, wanted, "the broker asks nobody", "set vici of [ike], or write [[static]] lines"});
}

void examine_rules(const Figures& figures, Findings& findings) {
  const std::string beneath = "a rule beneath the IKE daemon's policies that blocks what they no longer protect";
  if (value(figures, "policies_blocking") > 0)
    findings.push_back({"block-rule", Grade::ok, beneath, number(value(figures, "policies_blocking")) + " blocking policies", {}});
  else
    findings.push_back({"block-rule", Grade::warning, beneath, "no policy blocks: when the others go, resets and TIME-WAIT of latched sockets leave in clear",
                        "ip xfrm policy add dir out (and in) for these peers, action block, of lower precedence than the IKE daemon's"});
  const std::string reqids = "policies whose templates name a reqid";
  const double loose = value(figures, "policies_without_reqid");
  if (loose == 0) return findings.push_back({"reqid", Grade::ok, reqids, "all do", {}});
  findings.push_back({"reqid", Grade::warning, reqids, number(loose) + " policies take any SA (reqid 0): connections under them are not latched",
                      "give their templates a reqid, and their SAs the same"});
}

void examine_workers(const Figures& figures, Findings& findings) {
  const double stuck = value(figures, "workers_stuck");
  const std::string wanted = "no request that hangs in what a client passed";
  if (stuck == 0) return findings.push_back({"workers", Grade::ok, wanted, "none does", {}});
  findings.push_back({"workers", Grade::warning, wanted, number(stuck) + " do", "find the users whose requests are answered BUSY in the broker's log"});
}

}  // namespace

void examine_figures(const std::string& text, Findings& findings) {
  const Figures figures = figures_of(text);
  examine_mirror(figures, findings);
  examine_sources(figures, findings);
  examine_rules(figures, findings);
  examine_workers(figures, findings);
}

void examine_broker(Findings& findings) {
  const std::string wanted = "a broker of root's that answers on " + client::broker_path();
  const auto probed = client::Broker::probe({channel::Role::initiator, {}});
  if (!probed) {
    findings.push_back({"broker", Grade::problem, wanted, describe(probed.error()), "systemctl status ipsec-gssd.socket ipsec-gssd.service"});
    return;
  }
  findings.push_back({"broker", Grade::ok, wanted, "it answers; this user's name is " + (probed->local_name.empty() ? "not known before there is a connection" : probed->local_name), {}});
  const std::string policies = "policies that ask for IPsec";
  if (probed->has_policies) findings.push_back({"policies", Grade::ok, policies, "there are some", {}});
  else findings.push_back({"policies", Grade::problem, policies, "there are none", "add them to the SPD or load the IKE daemon's connections"});
  const auto figures = client::Broker::metrics();
  if (figures) return examine_figures(*figures, findings);
  findings.push_back({"figures", Grade::warning, "what the broker says of IKE daemon, mirror and rules", describe(figures.error()),
                      figures.error().code == Code::NOT_ALLOWED ? "run this as root" : ""});
}

}  // namespace gssipsec::tools
