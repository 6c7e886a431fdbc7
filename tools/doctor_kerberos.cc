// SPDX-License-Identifier: MIT
// Why a program's Kerberos contexts are bound to the channel and rest on it, or are not. Both ends have to want it: of the other one
// nothing can be seen from here.
#include "client/broker.h"
#include "tools/doctor.h"
#include "tools/process.h"

namespace gssipsec::tools {
namespace {

using base::Code;
using protocol::BoundBefore;
using protocol::Found;
using protocol::KerberosUse;


std::string wanted_of(const std::string& mechanism, const std::string& program) {
  return "what the administrator wants of " + mechanism + " in " + (program.empty() ? "a program whose path cannot be told" : program);
}

std::string line_in_words(const protocol::BoundReply& line) {
  std::string words = line.kerberos == KerberosUse::skip   ? "bound to the channel, and rest on it where it has " + std::to_string(line.min_key_bits) + " bits"
                      : line.kerberos == KerberosUse::bind ? "bound to the channel"
                                                           : "Kerberos' alone";
  return words + (line.without_ticket ? "; mechanism ipsec without a ticket" : "");
}

const char* how_found(Found found) noexcept {
  switch (found) {
    case Found::named: return "the program named it";
    case Found::sole: return "its only one";
    case Found::preload: break;
  }
  return "the preload saw it";
}

std::string context_in_words(const BoundBefore& before) {
  return std::string(before.role == channel::Role::initiator ? "an initiator's" : "an acceptor's") + " context of " + before.program + " (" +
         how_found(before.found) + "): ";
}

// The broker knows what it told this end, no more: bindings are compared and offers made in the processes, which ask nobody about a message.
const char* if_the_other_end_agrees(channel::Role role) noexcept {
  return role == channel::Role::acceptor
             ? "this end gives its bindings and offers that messages rest on the channel; whether the initiator gave the same and agreed only the program's trace tells (GSS_IPSEC_TRACE: \"the peer switched\")"
             : "this end gives its bindings and agrees that messages rest on the channel; whether the acceptor gave the same and offered it only the program's trace tells (GSS_IPSEC_TRACE: \"SWITCH believed\")";
}

// What to do beyond what the detail says.
std::string advice_for(Code why) {
  switch (why) {
    case Code::STARTED_IN_CLEAR: return "a policy that is there before the connection begins, or a latch on the listener";
    case Code::NOT_LATCHABLE: return "a kernel with SOCK_DESTROY, or a connection that is pinned to its SAs; ipsec-gss explain tells more";
    case Code::WEAK: return "a stronger proposal, or min-key-bits in the [[program]] line";
    case Code::NOT_OWNER:
    case Code::WRONG_SIDE: return "let the program name its socket (ipsec-socket)";
    default: return "ipsec-gss explain tells the steps";
  }
}

// A line for the program does nothing where the plugin does not stand before the mechanism.
void judge_place(Finding& finding, Interposer interposer, const std::string& mechanism, const std::string& option) {
  if (interposer == Interposer::absent) {
    finding.grade = Grade::problem;
    finding.found += "; but the plugin does not stand before " + mechanism;
    finding.advice = "ipsec-gss interposer enable" + option + ", and start the program again";
  } else if (interposer == Interposer::behind_another) {
    finding.grade = Grade::warning;
    finding.found += "; another interposer is named first and may have taken " + mechanism;
    finding.advice = "only one can stand before " + mechanism + ": decide between it (gssproxy?) and this one";
  } else if (interposer == Interposer::unseen) {
    finding.grade = Grade::warning;
    finding.found += "; whether the plugin stands before " + mechanism + " is not seen from here";
    finding.advice = "see program-files";
  }
}

Finding finding_of(int descriptor) {
  return {"kerberos-" + std::to_string(descriptor), Grade::ok, "a Kerberos context that is bound and may rest on this connection", {}, {}};
}

}  // namespace

Finding judge_program(const std::string& program, const protocol::BoundReply& line, Interposer interposer) {
  Finding finding{"program-kerberos", Grade::ok, wanted_of("Kerberos", program), line_in_words(line), {}};
  if (line.kerberos != KerberosUse::off || line.without_ticket) {
    judge_place(finding, interposer, "Kerberos", "");
  } else {
    finding.found += ", as for every program without a line";
    finding.advice = "a [[program]] line in gssd.conf where that is not enough";
  }
  return finding;
}

Finding judge_negotiation(const std::string& program, const protocol::BoundReply& line, Interposer interposer) {
  Finding finding{"program-spnego", Grade::ok, wanted_of("SPNEGO", program), "the mechanisms in the library's order, or the program's", {}};
  if (!line.ipsec_first) return finding;
  finding.found = "mechanism ipsec before all others where it begins";
  judge_place(finding, interposer, "SPNEGO", " --spnego");
  return finding;
}

Finding judge_bound(int descriptor, const base::Result<protocol::BoundReply>& reply) {
  Finding finding = finding_of(descriptor);
  if (!reply) return finding.grade = Grade::warning, finding.found = describe(reply.error()), finding;
  if (!reply->before) {
    finding.grade = Grade::warning;
    finding.found = "no context has asked about it";
    finding.advice = "there was none yet; or its socket was not found (see program-sockets); or the program gives bindings of its own, or uses DCE style";
    return finding;
  }
  const BoundBefore& before = *reply->before;
  finding.found = context_in_words(before);
  if (before.use == KerberosUse::skip) {
    finding.found += if_the_other_end_agrees(before.role);
    return finding;
  }
  // The broker's word for a port that no line wants it on.
  if (before.use == KerberosUse::off && before.why == Code::UNAVAILABLE) return finding.found += "not bound: " + before.detail, finding;
  finding.grade = before.use == KerberosUse::off ? Grade::problem : before.why == Code::ok ? Grade::ok : Grade::warning;
  finding.found += before.use == KerberosUse::off ? "not bound: " : "this end gives its bindings, and Kerberos protects the messages: ";
  if (before.why == Code::ok) return finding.found += "the line leaves them to it", finding;
  finding.found += base::code_text(before.why);
  finding.advice = (before.detail.empty() ? "" : before.detail + "; ") + advice_for(before.why);
  return finding;
}

void examine_kerberos(int pid, const std::string& program, Interposers interposers, Findings& findings) {
  const auto line = client::Broker::bound(-1, program);
  if (!line) return findings.push_back({"program-kerberos", Grade::warning, wanted_of("Kerberos", program), describe(line.error()), {}});
  findings.push_back(judge_program(program, *line, interposers.kerberos));
  findings.push_back(judge_negotiation(program, *line, interposers.spnego));
  if (line->kerberos == KerberosUse::off) return;
  // Who may see the process's sockets was said above.
  (void)each_socket(pid, [&](int number, int copy) { findings.push_back(judge_bound(number, client::Broker::bound(copy, program))); }).ok();
}

}  // namespace gssipsec::tools
