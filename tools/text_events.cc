// SPDX-License-Identifier: MIT
#include <time.h>

#include <algorithm>

#include "tools/render.h"

namespace gssipsec::tools {
namespace {

std::string digits(std::uint64_t value, std::size_t width) {
  std::string text = std::to_string(value);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

std::string which(int descriptor) { return descriptor < 0 ? "the namespace" : "descriptor " + std::to_string(descriptor); }

// Names and details come from IKE and others: a line stays one line, and a terminal is told nothing.
std::string plain(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

std::string reason_of(const protocol::Event& event) {
  std::string out = event.code == base::Code::ok ? event.detail : base::describe({event.code, event.detail});
  if (event.type == protocol::EventType::protection && event.code == base::Code::ok) out = "protected";
  if (event.type == protocol::EventType::lost && event.missing > 0) out += " (" + std::to_string(event.missing) + " events)";
  return out;
}

}  // namespace

std::string time_text(std::uint64_t nanoseconds) {
  constexpr std::uint64_t kSecond = 1000000000;
  const auto seconds = static_cast<time_t>(nanoseconds / kSecond);
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &parts);
  return text + digits(nanoseconds % kSecond, 9) + "Z";
}

std::string as_text(const Watching& begun) {
  if (begun.descriptor < 0) return "watching " + which(begun.descriptor) + "\n";
  return "watching " + which(begun.descriptor) + ": " + (begun.reply.is_protected ? "protected" : "not protected") + "\n";
}

std::string as_text(const Watched& line) {
  const protocol::Event& event = line.event;
  std::string out = time_text(event.when) + " " + protocol::event_type_name(event.type);
  if (event.subscription != 0) out += " " + which(line.descriptor);
  if (event.flow.protocol != 0) out += ", " + channel::format(event.flow);
  if (!event.peer.empty()) out += ", peer " + event.peer;
  if (const std::string why = reason_of(event); !why.empty()) out += ": " + why;
  for (const std::string& sa : event.sas) out += " [" + sa + "]";
  return plain(out) + "\n";
}

std::string as_text(const std::vector<Explained>& answers) {
  if (answers.empty()) return "no connected internet sockets\n";
  std::string out;
  for (const Explained& one : answers) {
    if (one.descriptor >= 0) out += "descriptor " + std::to_string(one.descriptor) + "\n";
    out += one.reply.ok() ? one.reply->steps : "not explained: " + as_text(one.reply.error());
  }
  return out;
}

std::string as_text(const Findings& findings) {
  std::string out;
  for (const Finding& finding : findings) {
    std::string grade = grade_name(finding.grade);
    grade.resize(9, ' ');
    out += grade + finding.check + ": " + plain(finding.found) + "\n";
    if (finding.grade == Grade::ok) continue;
    out += "         wanted: " + plain(finding.wanted) + "\n";
    if (!finding.advice.empty()) out += "         do: " + plain(finding.advice) + "\n";
  }
  const auto count = [&findings](Grade grade) { return std::ranges::count(findings, grade, &Finding::grade); };
  return out + std::to_string(count(Grade::problem)) + " problems, " + std::to_string(count(Grade::warning)) + " warnings\n";
}

}  // namespace gssipsec::tools
