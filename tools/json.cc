// SPDX-License-Identifier: MIT
// The only file that knows the JSON library.
#include <nlohmann/json.hpp>

#include "tools/render.h"

namespace gssipsec::tools {
namespace {

using nlohmann::ordered_json;
using protocol::DirectionReport;
using protocol::Report;

// Texts may hold octets that are no UTF-8 (names from IKE); they are replaced, not refused.
std::string dump(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

ordered_json reason(base::Code code, const std::string& detail) {
  return {{"code", base::code_name(code)}, {"number", static_cast<std::uint32_t>(code)}, {"text", base::code_text(code)}, {"detail", detail}};
}

ordered_json why(base::Code code, const std::string& detail) {
  return code == base::Code::ok ? ordered_json(nullptr) : reason(code, detail);
}

ordered_json flow(const channel::Flow& flow) {
  return {{"protocol", flow.protocol}, {"local", channel::format(flow.local)}, {"local_port", flow.local_port},
          {"remote", channel::format(flow.remote)}, {"remote_port", flow.remote_port}, {"mark", flow.mark}, {"if_id", flow.if_id}};
}

ordered_json direction(const DirectionReport& report) {
  return {{"protected", report.is_protected}, {"why_not", why(report.why, report.detail)}, {"suite", report.suite},
          {"mode", report.mode}, {"key_bits", report.key_bits}, {"confidentiality", report.confidentiality},
          {"integrity", report.integrity}, {"replay_protection", report.replay_protection}, {"sas", report.sas}};
}

ordered_json end(const std::string& id, const std::string& method) { return {{"id", id}, {"method", method}}; }

void fill(ordered_json& out, const Report& report) {
  out["protected"] = report.is_protected;
  out["why_not"] = why(report.why, report.detail);
  out["flow"] = flow(report.flow);
  out["out"] = direction(report.out);
  out["in"] = direction(report.in);
  out["local"] = end(report.local_id, report.local_method);
  out["peer"] = end(report.peer_id, report.peer_method);
  out["peer_authenticated"] = report.peer_authenticated;
  out["ike"] = {{"connection", report.ike_connection}, {"source", report.ike_source}};
  out["end_to_end"] = report.end_to_end;
  out["latch"] = protocol::latch_state_name(report.latch);
  out["latchable"] = report.latchable;
  out["why_not_latchable"] = report.why_not_latchable;
  out["since_start"] = report.since_start;
  out["control_packets_protected"] = report.control_packets_protected;
}

ordered_json subject_json(const Subject& subject) {
  ordered_json out;
  if (subject.descriptor >= 0) out["descriptor"] = subject.descriptor;
  if (subject.report.ok()) {
    fill(out, *subject.report);
  } else {
    out["protected"] = false;
    out["why_not"] = reason(subject.report.error().code, subject.report.error().detail);
  }
  return out;
}

}  // namespace

std::string as_json(const std::vector<Subject>& subjects) {
  ordered_json sockets = ordered_json::array();
  for (const Subject& subject : subjects) sockets.push_back(subject_json(subject));
  return dump({{"sockets", std::move(sockets)}});
}

std::string as_json(const base::Error& error) { return dump({{"error", reason(error.code, error.detail)}}); }

std::string as_json(const protocol::MirrorReply& reply) {
  return dump({{"same", reply.same}, {"sas", reply.sas}, {"policies", reply.policies}, {"differences", reply.differences}});
}

std::string name_as_json(const char* key, const std::string& value) { return dump({{key, value}}); }

}  // namespace gssipsec::tools
