// SPDX-License-Identifier: MIT
#include "channel/flow.h"

namespace gssipsec::channel {
namespace {

constexpr std::uint8_t kLabelVersion = 1;

std::string end(const Address& address, std::uint16_t port) {
  const std::string text = format(address);
  return (address.family == Family::ipv6 ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

void put(base::Writer& out, const Address& address) {
  out.u8(static_cast<std::uint8_t>(address.family)).raw(address.view());
}

Address take_address(base::Reader& in) {
  const std::uint8_t family = in.u8();
  if (family == 0) return {};
  if (family != 4 && family != 6) {
    in.mark_failed();
    return {};
  }
  return address_from(static_cast<Family>(family), in.take(family == 4 ? 4 : 16));
}

bool has_inner(Mode mode) { return mode == Mode::tunnel || mode == Mode::beet; }

}  // namespace

std::string format(const Flow& flow) {
  const std::string protocol = flow.protocol == 6 ? "tcp" : flow.protocol == 17 ? "udp" : flow.protocol == 132 ? "sctp" : std::to_string(flow.protocol);
  return protocol + " " + end(flow.local, flow.local_port) + " > " + end(flow.remote, flow.remote_port);
}

const char* mode_name(Mode mode) noexcept {
  switch (mode) {
    case Mode::transport: return "transport";
    case Mode::tunnel: return "tunnel";
    case Mode::beet: return "beet";
    case Mode::other: break;
  }
  return "other";
}

base::Bytes encode(const FlowLabel& label) {
  base::Writer out;
  out.u8(kLabelVersion).u16(label.protocol).u8(static_cast<std::uint8_t>(label.mode));
  put(out, label.inner_initiator);
  put(out, label.inner_acceptor);
  out.u16(label.initiator_port).u16(label.acceptor_port).u32(label.spi_to_acceptor).u32(label.spi_to_initiator);
  return std::move(out).take();
}

FlowLabel decode_flow_label(base::Reader& in) noexcept {
  FlowLabel label;
  if (in.u8() != kLabelVersion) in.mark_failed();
  label.protocol = in.u16();
  const std::uint8_t mode = in.u8();
  if (mode != 0 && mode != 1 && mode != 4) in.mark_failed();
  label.mode = static_cast<Mode>(mode);
  label.inner_initiator = take_address(in);
  label.inner_acceptor = take_address(in);
  const bool inner = label.inner_initiator.family != Family::none;
  if (inner != has_inner(label.mode) || label.inner_acceptor.family != label.inner_initiator.family) in.mark_failed();
  label.initiator_port = in.u16();
  label.acceptor_port = in.u16();
  label.spi_to_acceptor = in.u32();
  label.spi_to_initiator = in.u32();
  return label;
}

FlowLabel label_of(const Flow& flow, Role role, Mode mode, std::uint32_t spi_out, std::uint32_t spi_in) {
  const bool initiator = role == Role::initiator;
  FlowLabel label;
  label.protocol = flow.protocol;
  label.mode = mode;
  if (has_inner(mode)) {
    label.inner_initiator = initiator ? flow.local : flow.remote;
    label.inner_acceptor = initiator ? flow.remote : flow.local;
  }
  label.initiator_port = initiator ? flow.local_port : flow.remote_port;
  label.acceptor_port = initiator ? flow.remote_port : flow.local_port;
  label.spi_to_acceptor = initiator ? spi_out : spi_in;
  label.spi_to_initiator = initiator ? spi_in : spi_out;
  return label;
}

}  // namespace gssipsec::channel
