// SPDX-License-Identifier: MIT
#include "broker/examine.h"

#include <algorithm>

#include "broker/ask_kernel.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using std::chrono::milliseconds;

constexpr auto kAskAgain = milliseconds(50);
constexpr auto kListWait = milliseconds(300);

base::Error no_socket() { return fail(Code::NO_SOCKET, "wanted one descriptor with this request, found none"); }

// On a latched socket the kernel enforces the templates whatever the route is now: what was read when it was latched will do.
base::Status route(Core& core, Case& seen) {
  const auto latch = core.latches.find(seen.socket.cookie, seen.socket.flow);
  if (latch && latch->status.state == protocol::LatchState::established && latch->flow.mark == seen.socket.flow.mark) {
    seen.socket.flow = latch->flow;
    seen.around = latch->around;
    return {};
  }
  // A bound socket's packets leave by its device, whatever other routes there are.
  seen.socket.flow.output_ifindex = seen.socket.input_ifindex;
  const auto around = surroundings(core, seen.socket.flow);
  if (!around) return around.error();
  seen.around = *around;
  return {};
}

void ask(Core& core, Bench& kernel, const channel::Flow& flow, View& view) {
  auto told = ask_kernel(core.board, kernel, flow);
  if (!told) return;
  core.metrics.kernel_asked.fetch_add(1, std::memory_order_relaxed);
  view = *std::move(told);
}

base::Result<Case> by_its_flow(Core& core, const Request& request, Case seen, Bench* kernel) {
  const auto around = surroundings(core, seen.socket.flow);
  if (!around) return around.error();
  seen.around = *around;
  settle(core, seen.socket.flow, seen.around, request.deadline, seen.view, seen.assessment, kernel);
  return seen;
}

}  // namespace

base::Result<channel::Surroundings> surroundings(Core& core, channel::Flow& flow) {
  const auto route = core.host->read_route(flow);
  if (!route) return route.error();
  flow.output_ifindex = route->vrf ? 0 : route->output_ifindex;  // which of the two look-ups a VRF's packets go through asks the SPD differs
  flow.if_id = route->if_id;
  channel::Surroundings around;
  around.same_host = route->same_host;
  around.vrf = route->vrf;
  around.exempt_out = route->exempt_out;
  around.exempt_in = route->exempt_in;
  return around;
}

void settle(Core& core, const channel::Flow& flow, const channel::Surroundings& around, Time deadline, View& view, Assessment& assessment,
            Bench* kernel) {
  while (true) {
    view = core.board.look(flow);
    if (!view.fresh && kernel) ask(core, *kernel, flow, view);
    assessment = assess(flow, around, view, now());
    if (!assessment.may_improve || now() >= deadline) return;
    if (view.fresh) core.board.ask_refresh();
    core.board.wait_newer(view.version, std::min(deadline, now() + kAskAgain));
  }
}

base::Result<kernel::SocketFacts> passed_socket(Core& core, const Request& request) {
  if (request.fd < 0) return no_socket();
  return core.host->read_socket(request.fd);
}

base::Result<kernel::SocketFacts> passed_new_socket(Core& core, const Request& request) {
  if (request.fd < 0) return no_socket();
  return core.host->read_new_socket(request.fd);
}

base::Result<Case> examine(Core& core, const Request& request, Bench* kernel) {
  const auto socket = passed_socket(core, request);
  if (!socket) return socket.error();
  if (socket->listening) return fail(Code::NOT_CONNECTED, "the socket listens; pass a connected one");
  Case seen;
  seen.socket = *socket;
  const base::Status routed = route(core, seen);
  if (!routed.ok()) return routed.error();
  settle(core, seen.socket.flow, seen.around, request.deadline, seen.view, seen.assessment, kernel);
  return seen;
}

base::Result<Case> examine_flow(Core& core, const Request& request, const channel::Flow& flow, Bench* kernel) {
  if (!request.caller.privileged) return fail(Code::NOT_ALLOWED, "wanted root for a question without a socket; pass the socket itself");
  if (request.fd >= 0) return fail(Code::BAD_MESSAGE, "wanted a socket or a flow, found both");
  Case seen;
  seen.socket.flow = flow;
  return by_its_flow(core, request, std::move(seen), kernel);
}

base::Result<Case> examine_towards(Core& core, const Request& request, const kernel::SocketFacts& socket, const channel::Address& peer,
                                   std::uint16_t port, Bench* kernel) {
  Case seen;
  seen.socket = socket;
  channel::Flow& flow = seen.socket.flow;
  flow.remote = peer;
  flow.remote_port = port;
  const auto route = core.host->read_route(flow);
  if (!route) return route.error();
  if (flow.local.is_any()) flow.local = route->source;
  return by_its_flow(core, request, std::move(seen), kernel);
}

protocol::Locators locators_of(const channel::Sa& sa, channel::Direction direction) {
  protocol::Locators ends{sa.source, sa.id.destination, sa.encap_source_port, sa.encap_destination_port};
  if (direction == channel::Direction::in) std::swap(ends.local, ends.peer), std::swap(ends.local_port, ends.peer_port);
  return ends;
}

base::Status still_the_same(Core& core, int fd, const Case& seen) {
  const auto socket = core.host->read_socket(fd);
  if (!socket) return socket.error();
  if (socket->cookie != seen.socket.cookie || !same_connection(socket->flow, seen.socket.flow))
    return fail(Code::SOCKET_CHANGED, "was " + format(seen.socket.flow) + ", is " + format(socket->flow));
  return {};
}

// An earlier latch that never broke proves it too: nothing could pass in clear since.
bool protected_since_start(Core& core, const Case& seen) {
  const auto latch = core.latches.find(seen.socket.cookie, seen.socket.flow);
  if (latch && latch->since_start && latch->status.state == protocol::LatchState::established) return true;
  if (seen.view.asked) return false;
  core.history.wait_list(seen.socket.flow.protocol, seen.view.epoch, now() + kListWait);
  return core.history.since_start(seen.socket.cookie, seen.socket.flow, seen.view.databases->spd, seen.view.epoch);
}

bool latched_since_start(Core& core, const Case& seen) {
  const auto known = core.latches.find(seen.socket.cookie, seen.socket.flow);
  return known && enforced(known->parameters) ? known->since_start : protected_since_start(core, seen);
}

namespace {

protocol::DirectionReport direction_report(const channel::OneWay& way, channel::Mode mode, bool root) {
  protocol::DirectionReport report;
  report.is_protected = way.is_protected;
  if (!way.is_protected) {
    report.why = way.why_not.code;
    report.detail = way.why_not.detail;
  }
  report.suite = way.quality.suite;
  if (!way.carriers.empty()) report.mode = mode_name(mode);
  report.key_bits = way.quality.key_bits;
  report.confidentiality = way.quality.confidentiality;
  report.integrity = way.quality.integrity;
  report.replay_protection = way.quality.replay_protection;
  constexpr std::size_t kMostShown = 16;
  if (root)
    for (std::size_t i = 0; i < std::min(way.carriers.size(), kMostShown); ++i) report.sas.push_back(format(way.carriers[i].id));
  return report;
}

void report_peer(const Assessment& assessment, protocol::Report& report) {
  if (!assessment.peer) return;
  const channel::PeerInfo& peer = *assessment.peer;
  report.local_id = format(peer.local);
  report.peer_id = format(peer.remote);
  report.local_method = auth_method_name(peer.local_method);
  report.peer_method = auth_method_name(peer.remote_method);
  report.peer_authenticated = peer.authenticated();
  report.ike_connection = peer.connection;
  report.ike_source = peer.source;
}

// Packets that no socket carries (of TIME-WAIT, resets) follow the SPD alone; resets have no mark, whatever the socket's is.
bool control_packets_covered(Core& core, const Case& seen) {
  const auto closed = [](const channel::OneWay& way) {
    return way.is_protected || way.why_not.code == Code::BLOCKED || way.why_not.code == Code::NO_SA;
  };
  if (!closed(seen.assessment.verdict.out) || seen.socket.flow.mark == 0) return closed(seen.assessment.verdict.out);
  channel::Flow unmarked = seen.socket.flow;
  unmarked.mark = 0;
  return closed(assess(unmarked, seen.around, core.board.look(unmarked), now()).verdict.out);
}

}  // namespace

protocol::Report report_of(Core& core, const Case& seen, bool root) {
  const channel::Verdict& verdict = seen.assessment.verdict;
  protocol::Report report;
  report.is_protected = verdict.is_protected;
  const base::Error why = verdict.is_protected ? seen.assessment.peer_error : verdict.why_not;
  if (!verdict.is_protected || !seen.assessment.peer) {
    report.why = why.code;
    report.detail = why.detail;
  }
  report.flow = seen.socket.flow;
  report.out = direction_report(verdict.out, verdict.mode, root);
  report.in = direction_report(verdict.in, verdict.mode, root);
  report_peer(seen.assessment, report);
  report.end_to_end = verdict.end_to_end;
  report.latchable = verdict.latchable;
  if (!verdict.latchable) report.why_not_latchable = describe(verdict.why_not_latchable);
  report.control_packets_protected = control_packets_covered(core, seen);
  const auto latch = core.latches.find(seen.socket.cookie, seen.socket.flow);
  if (latch) report.latch = latch->status.state;
  report.since_start = verdict.is_protected && seen.socket.cookie != 0 && protected_since_start(core, seen);
  return report;
}

}  // namespace gssipsec::broker
