// SPDX-License-Identifier: MIT
#include <algorithm>

#include "tools/render.h"

namespace gssipsec::tools {
namespace {

using base::Code;
using protocol::DirectionReport;
using protocol::LatchState;
using protocol::Report;

constexpr std::size_t kColumn = 12;

std::string line(std::string_view label, std::string_view text) {
  std::string out = "  " + std::string(label);
  if (out.size() < 2 + kColumn) out.resize(2 + kColumn, ' ');
  return out + std::string(text) + "\n";
}

std::string heading(const Subject& subject) {
  std::string out = subject.descriptor < 0 ? "" : "descriptor " + std::to_string(subject.descriptor) + ": ";
  if (subject.report.ok() && subject.report->flow.protocol != 0) out += channel::format(subject.report->flow);
  else if (subject.descriptor >= 0) out.resize(out.size() - 2);
  return out.empty() ? "flow\n" : out + "\n";
}

std::string why_not(Code code, const std::string& detail) {
  std::string out = line("why not", base::code_text(code));
  return detail.empty() ? out : out + line("", detail);
}

std::string identity(const std::string& id, const std::string& method) {
  if (id.empty()) return "unknown";
  return method.empty() ? id : id + " (" + method + ")";
}

std::string identities(const Report& report) {
  if (report.local_id.empty() && report.peer_id.empty()) return line("identities", "unknown: no IKE source names them");
  std::string out = line("this end", identity(report.local_id, report.local_method));
  out += line("other end", identity(report.peer_id, report.peer_method) +
                               (report.peer_authenticated ? ", authenticated" : ", not authenticated as one peer"));
  if (!report.ike_connection.empty()) out += line("IKE", report.ike_connection + " (" + report.ike_source + ")");
  return out;
}

// "AES_GCM_16-256, transport mode, encrypted, integrity"
std::string algorithms(const DirectionReport& direction) {
  std::string out = direction.suite.empty() ? "unknown algorithms" : direction.suite;
  if (direction.key_bits) out += ", " + std::to_string(direction.key_bits) + "-bit key";
  if (!direction.mode.empty()) out += ", " + direction.mode + " mode";
  out += direction.confidentiality ? ", encrypted" : ", NOT encrypted";
  out += direction.integrity ? ", integrity" : ", NO integrity";
  return out + (direction.replay_protection ? ", replay protection" : ", no replay protection");
}

std::string direction_text(const char* label, const DirectionReport& direction) {
  std::string out;
  if (direction.is_protected) {
    out = line(label, algorithms(direction));
  } else {
    out = line(label, std::string("not protected: ") + base::code_text(direction.why == Code::ok ? Code::UNKNOWN : direction.why));
    if (!direction.detail.empty()) out += line("", direction.detail);
  }
  for (const std::string& sa : direction.sas) out += line("", sa);
  return out;
}

std::string latch(const Report& report) {
  if (report.latch != LatchState::none) return line("latch", protocol::latch_state_name(report.latch));
  if (report.latchable) return line("latch", "none yet; this connection can be latched");
  return line("latch", "none, cannot be latched" + (report.why_not_latchable.empty() ? "" : ": " + report.why_not_latchable));
}

std::string control_packets(const Report& report) {
  if (report.control_packets_protected) return {};
  return line("note", "control packets unprotected: no SPD rule lies beneath (TIME-WAIT, resets)");
}

std::string remarks(const Report& report) {
  std::string out;
  if (!report.end_to_end) out += line("note", base::code_text(Code::NOT_END_TO_END));
  if (!report.since_start) out += line("note", "not shown to be protected since the connection began");
  return out + control_packets(report);
}

std::string report_text(const Report& report) {
  std::string out = report.is_protected ? "  PROTECTED by IPsec in both directions\n" : "  NOT PROTECTED\n";
  if (!report.is_protected) out += why_not(report.why == Code::ok ? Code::UNKNOWN : report.why, report.detail);
  if (report.is_protected) out += identities(report);
  out += direction_text("out", report.out) + direction_text("in", report.in);
  if (report.is_protected) return out + latch(report) + remarks(report);
  return report.latch == LatchState::none ? out : out + latch(report) + control_packets(report);
}

// Nobody could say is not the same as somebody said no, though neither is protection.
std::string error_text(const base::Error& error) {
  const bool known = exit_code(error.code) == kNotProtected;
  return (known ? "  NOT PROTECTED\n" : "  UNKNOWN, which is not protected\n") + why_not(error.code, error.detail);
}

}  // namespace

std::string as_text(const base::Error& error) { return base::describe(error) + " [" + base::code_name(error.code) + "]\n"; }

std::string as_text(const protocol::MirrorReply& reply) {
  const std::string compared = std::to_string(reply.sas) + " SAs and " + std::to_string(reply.policies) + " policies compared\n";
  if (reply.same) return "the broker knows what the kernel has: " + compared;
  return "THE BROKER'S COPY DIFFERS from the kernel: " + compared + reply.differences;
}

std::string as_text(const std::vector<protocol::HeldLatch>& latches) {
  std::string out;
  for (const protocol::HeldLatch& latch : latches)
    out += channel::format(latch.flow) + "  " + protocol::latch_state_name(latch.state) + ", set by uid " + std::to_string(latch.owner) + "\n";
  return out;
}

std::string as_text(const std::vector<Subject>& subjects) {
  if (subjects.empty()) return "no connected internet sockets\n";
  std::string out;
  for (const Subject& subject : subjects) {
    out += heading(subject);
    if (subject.report.ok()) out += report_text(*subject.report);
    else out += error_text(subject.report.error());
  }
  return out;
}

}  // namespace gssipsec::tools
