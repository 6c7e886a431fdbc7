// SPDX-License-Identifier: MIT
// From a passed descriptor to what protects it: facts of the socket, the route, and an assessment in a View that is as
// good as waiting within the request's time can make it. Workers only: the descriptor may block.
#pragma once

#include <span>

#include "broker/core.h"
#include "broker/verdict.h"
#include "broker/workers.h"
#include "protocol/messages.h"

namespace gssipsec::broker {

// One request as the handlers see it. Everything is borrowed for the time of the call.
struct Request {
  Caller caller;
  std::shared_ptr<Page> page;
  int fd = -1;         // the passed descriptor; -1 none
  base::View body;
  Time deadline;       // to be answered by then
  std::span<const std::uint32_t> groups{};  // the caller's when he connected
  std::uint64_t connection = 0;             // its number
  std::uint32_t number = 0;                 // of the request
};

struct Case {
  kernel::SocketFacts socket;
  channel::Surroundings around;
  View view;
  Assessment assessment;
};

// NO_SOCKET without a descriptor, and all errors of read_socket.
[[nodiscard]] base::Result<kernel::SocketFacts> passed_socket(Core& core, const Request& request);
// One that asked for no peer yet: ALREADY_CONNECTED otherwise.
[[nodiscard]] base::Result<kernel::SocketFacts> passed_new_socket(Core& core, const Request& request);
// NO_SOCKET without a descriptor, and all errors of read_socket and read_route. "Not protected" is no error here.
// `kernel` asks for what the mirror does not know now; without it, it is waited for.
[[nodiscard]] base::Result<Case> examine(Core& core, const Request& request, Bench* kernel = nullptr);
// The same of a flow without a socket, which would be an oracle on other users' traffic: NOT_ALLOWED but for root.
[[nodiscard]] base::Result<Case> examine_flow(Core& core, const Request& request, const channel::Flow& flow, Bench* kernel = nullptr);
// Of a socket that has no peer yet, as if this were he.
[[nodiscard]] base::Result<Case> examine_towards(Core& core, const Request& request, const kernel::SocketFacts& socket, const channel::Address& peer,
                                                 std::uint16_t port = 0, Bench* kernel = nullptr);
[[nodiscard]] base::Result<channel::Surroundings> surroundings(Core& core, channel::Flow& flow);
// Waits for the mirror and the IKE sources while that can help.
void settle(Core& core, const channel::Flow& flow, const channel::Surroundings& around, Time deadline, View& view, Assessment& assessment,
            Bench* kernel = nullptr);
// The same socket on the same connection as before; SOCKET_CHANGED.
[[nodiscard]] base::Status still_the_same(Core& core, int fd, const Case& seen);

// Where what it carries is on the wire: in a tunnel the outer addresses; ports of UDP around ESP, 0 without.
[[nodiscard]] protocol::Locators locators_of(const channel::Sa& sa, channel::Direction direction);

[[nodiscard]] bool protected_since_start(Core& core, const Case& seen);
// The same for a latch about to be made: one made anew proves nothing about the time before it, one that is there was
// enforced by the kernel all the time.
[[nodiscard]] bool latched_since_start(Core& core, const Case& seen);
[[nodiscard]] protocol::Report report_of(Core& core, const Case& seen, bool root);

}  // namespace gssipsec::broker
