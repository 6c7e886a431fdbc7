// SPDX-License-Identifier: MIT
// The only file that knows the JSON library.
#include <nlohmann/json.hpp>
#include <sstream>

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

void add_descriptor(ordered_json& out, int descriptor) {
  if (descriptor >= 0) out["descriptor"] = descriptor;
}

ordered_json subject_json(const Subject& subject) {
  ordered_json out;
  add_descriptor(out, subject.descriptor);
  if (subject.report.ok()) {
    fill(out, *subject.report);
  } else {
    out["protected"] = false;
    out["why_not"] = reason(subject.report.error().code, subject.report.error().detail);
  }
  return out;
}

ordered_json lines_of(const std::string& text) {
  ordered_json lines = ordered_json::array();
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

ordered_json explained_json(const Explained& one) {
  ordered_json out;
  add_descriptor(out, one.descriptor);
  out["protected"] = one.reply.ok() && one.reply->is_protected;
  out["why_not"] = one.reply.ok() ? ordered_json(nullptr) : reason(one.reply.error().code, one.reply.error().detail);
  out["steps"] = one.reply.ok() ? lines_of(one.reply->steps) : ordered_json::array();
  return out;
}

ordered_json finding_json(const Finding& finding) {
  return {{"check", finding.check}, {"grade", grade_name(finding.grade)}, {"wanted", finding.wanted}, {"found", finding.found}, {"do", finding.advice}};
}

}  // namespace

std::string as_json(const std::vector<Explained>& answers) {
  ordered_json sockets = ordered_json::array();
  for (const Explained& one : answers) sockets.push_back(explained_json(one));
  return dump({{"sockets", std::move(sockets)}});
}

std::string as_json(const Findings& findings) {
  ordered_json list = ordered_json::array();
  for (const Finding& finding : findings) list.push_back(finding_json(finding));
  return dump({{"findings", std::move(list)}});
}

std::string as_json(const Watching& begun) {
  ordered_json out = {{"event", "subscribed"}, {"subscription", begun.reply.subscription}};
  add_descriptor(out, begun.descriptor);
  out["cookie"] = begun.reply.cookie;
  out["protected"] = begun.descriptor < 0 ? ordered_json(nullptr) : ordered_json(begun.reply.is_protected);
  return dump(out);
}

std::string as_json(const Watched& line) {
  const protocol::Event& event = line.event;
  ordered_json out = {{"event", protocol::event_type_name(event.type)}, {"subscription", event.subscription}, {"time", time_text(event.when)}};
  add_descriptor(out, line.descriptor);
  out["cookie"] = event.cookie;
  out["flow"] = event.flow.protocol == 0 ? ordered_json(nullptr) : flow(event.flow);
  out["peer"] = event.peer;
  out["why"] = why(event.code, event.detail);
  out["detail"] = event.detail;
  if (event.type == protocol::EventType::lost) out["missing"] = event.missing;
  out["sas"] = event.sas;
  return dump(out);
}

std::string as_json(const std::vector<Subject>& subjects) {
  ordered_json sockets = ordered_json::array();
  for (const Subject& subject : subjects) sockets.push_back(subject_json(subject));
  return dump({{"sockets", std::move(sockets)}});
}

std::string as_json(const base::Error& error) { return dump({{"error", reason(error.code, error.detail)}}); }

std::string as_json(const protocol::MirrorReply& reply) {
  return dump({{"same", reply.same}, {"sas", reply.sas}, {"policies", reply.policies}, {"differences", reply.differences}});
}

std::string as_json(const std::vector<protocol::HeldLatch>& latches) {
  ordered_json all = ordered_json::array();
  for (const protocol::HeldLatch& latch : latches)
    all.push_back({{"flow", flow(latch.flow)}, {"latch", protocol::latch_state_name(latch.state)}, {"uid", latch.owner}});
  return dump({{"latches", std::move(all)}});
}

std::string name_as_json(const char* key, const std::string& value) { return dump({{key, value}}); }

}  // namespace gssipsec::tools
