// SPDX-License-Identifier: MIT
// What the kernel's policy lookup sees of a connection, and the name of a connection inside tokens (FLOW).
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "channel/address.h"

namespace gssipsec::channel {

// One connected socket, from our side. Addresses are those really on the wire (v4-mapped is unmapped).
struct Flow {
  std::uint16_t protocol = 0;  // SO_PROTOCOL: 6 TCP, 17 UDP, 132 SCTP; 262 MPTCP is refused before
  Address local, remote;
  std::uint16_t local_port = 0, remote_port = 0;
  std::uint32_t mark = 0;        // SO_MARK
  std::uint32_t if_id = 0;       // of the xfrm interface it leaves by; 0 is none
  std::uint32_t output_ifindex = 0;  // by the route; 0 is unknown
  bool on_ipv6_socket = false;   // AF_INET6 socket, v4-mapped peers included

  bool operator==(const Flow&) const = default;
};

[[nodiscard]] std::string format(const Flow& flow);

enum class Mode : std::uint8_t { transport = 0, tunnel = 1, beet = 4, other = 255 };
[[nodiscard]] const char* mode_name(Mode mode) noexcept;

enum class Role : std::uint8_t { initiator = 1, acceptor = 2 };

// FLOW of design/binding.md, by roles of the GSS exchange. Inner addresses in tunnel and BEET mode only.
struct FlowLabel {
  std::uint16_t protocol = 0;
  Mode mode = Mode::transport;
  Address inner_initiator, inner_acceptor;
  std::uint16_t initiator_port = 0, acceptor_port = 0;
  std::uint32_t spi_to_acceptor = 0, spi_to_initiator = 0;  // host order

  bool operator==(const FlowLabel&) const = default;
};

[[nodiscard]] base::Bytes encode(const FlowLabel& label);
[[nodiscard]] FlowLabel decode_flow_label(base::Reader& in) noexcept;  // marks `in` failed when it is broken

// The label of a socket's connection seen from `role`'s side.
[[nodiscard]] FlowLabel label_of(const Flow& flow, Role role, Mode mode, std::uint32_t spi_out, std::uint32_t spi_in);

}  // namespace gssipsec::channel
