// SPDX-License-Identifier: MIT
// What stands before every body: magic, version, verb, request, status.
#include "protocol/layout.h"

namespace gssipsec::protocol {
namespace {

bool known_verb(std::uint16_t verb) noexcept {
  constexpr std::uint16_t kUnused = 6;
  return verb >= static_cast<std::uint16_t>(Verb::hello) && verb <= static_cast<std::uint16_t>(kLastVerb) && verb != kUnused;
}

base::Error other_version(std::uint16_t found) {
  return base::fail(base::Code::PROTOCOL_VERSION,
                    "wanted " + std::to_string(kOldestVersion) + " to " + std::to_string(kVersion) + ", found " +
                        std::to_string(found) + "; restart the program after the upgrade");
}

}  // namespace

base::Bytes encode(const Header& header, base::View body) {
  if (body.size() > kMaxMessage - kHeaderSize) throw std::length_error("broker message");
  base::Writer out;
  out.reserve(kHeaderSize + body.size());
  out.u32(kMagic).u16(header.version).u16(static_cast<std::uint16_t>(header.verb)).u32(header.request);
  out.u32(static_cast<std::uint32_t>(header.status)).raw(body);
  return std::move(out).take();
}

base::Result<Frame> decode_frame(base::View datagram) {
  if (datagram.size() > kMaxMessage) return broken_body("message of at most 64 KiB");
  base::Reader in(datagram);
  const std::uint32_t magic = in.u32();
  Frame frame;
  frame.header.version = in.u16();
  const std::uint16_t verb = in.u16();
  frame.header.request = in.u32();
  frame.header.status = static_cast<base::Code>(in.u32());
  if (in.failed() || magic != kMagic) return broken_body("header");
  if (frame.header.version < kOldestVersion || frame.header.version > kVersion) return other_version(frame.header.version);
  if (!known_verb(verb)) return broken_body("verb");
  frame.header.verb = static_cast<Verb>(verb);
  if (frame.header.version < first_version(frame.header.verb)) return other_version(frame.header.version);
  const base::View body = in.take(in.left());
  frame.body.assign(body.begin(), body.end());
  return frame;
}

base::Bytes encode_error(const Header& request, const base::Error& error) {
  Header header = request;
  header.status = error.code == base::Code::ok ? base::Code::INTERNAL : error.code;
  Out body;
  body.prose(error.detail);
  return encode(header, std::move(body).take());
}

base::Error error_of(const Frame& frame) {
  std::string detail;
  In in(frame.body);
  in.prose(detail);
  if (!in.done() || frame.header.status == base::Code::ok) return broken_body("error answer");
  return base::fail(frame.header.status, std::move(detail));
}

const char* latch_state_name(LatchState state) noexcept {
  switch (state) {
    case LatchState::none: return "none";
    case LatchState::listener: return "listener";
    case LatchState::established: return "established";
    case LatchState::broken: return "broken";
    case LatchState::closed: return "closed";
    case LatchState::stale: return "stale";
    case LatchState::monitored: return "monitored";
  }
  return "unknown";
}

}  // namespace gssipsec::protocol
