// SPDX-License-Identifier: MIT
#include "broker/examine.h"

#include <algorithm>

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;
using std::chrono::milliseconds;

constexpr auto kAskAgain = milliseconds(50);
constexpr auto kListWait = milliseconds(300);

Time now() { return std::chrono::steady_clock::now(); }

// On a latched socket the kernel enforces the templates whatever the route is now: what was read when it was latched will do.
base::Status route(Core& core, Case& seen) {
  const auto latch = core.latches.find(seen.socket.cookie, seen.socket.flow);
  if (latch && latch->status.state == protocol::LatchState::established && latch->flow.mark == seen.socket.flow.mark) {
    seen.socket.flow = latch->flow;
    seen.around = latch->around;
    return {};
  }
  const auto around = surroundings(core, seen.socket.flow);
  if (!around) return around.error();
  seen.around = *around;
  return {};
}

}  // namespace

base::Result<channel::Surroundings> surroundings(Core& core, channel::Flow& flow) {
  const auto route = core.host->read_route(flow);
  if (!route) return route.error();
  flow.output_ifindex = route->output_ifindex;
  flow.if_id = route->if_id;
  channel::Surroundings around;
  around.same_host = route->same_host;
  around.vrf = route->vrf;
  around.device_exempt = route->device_exempt;
  return around;
}

void settle(Core& core, const channel::Flow& flow, const channel::Surroundings& around, Time deadline, View& view, Assessment& assessment) {
  while (true) {
    view = core.board.look(flow);
    assessment = assess(flow, around, view, now());
    if (!assessment.may_improve || now() >= deadline) return;
    if (view.fresh) core.board.ask_refresh();
    core.board.wait_newer(view.version, std::min(deadline, now() + kAskAgain));
  }
}

base::Result<kernel::SocketFacts> read_descriptor(Core& core, const Request& request) {
  if (request.fd < 0) return fail(Code::NO_SOCKET, "wanted one descriptor with this request, found none");
  auto socket = core.host->read_socket(request.fd);
  if (socket.ok() && socket->listening) return fail(Code::NOT_CONNECTED, "the socket listens; pass a connected one");
  return socket;
}

base::Result<Case> examine(Core& core, const Request& request, const kernel::SocketFacts& socket) {
  Case seen;
  seen.socket = socket;
  const base::Status routed = route(core, seen);
  if (!routed.ok()) return routed.error();
  settle(core, seen.socket.flow, seen.around, request.deadline, seen.view, seen.assessment);
  return seen;
}

base::Result<Case> examine(Core& core, const Request& request) {
  const auto socket = read_descriptor(core, request);
  if (!socket) return socket.error();
  return examine(core, request, *socket);
}

base::Result<Case> examine_flow(Core& core, const Request& request, const channel::Flow& flow) {
  if (!request.caller.privileged) return fail(Code::NOT_ALLOWED, "wanted root for a question without a socket; pass the socket itself");
  if (request.fd >= 0) return fail(Code::BAD_MESSAGE, "wanted a socket or a flow, found both");
  Case seen;
  seen.socket.flow = flow;
  const auto around = surroundings(core, seen.socket.flow);
  if (!around) return around.error();
  seen.around = *around;
  settle(core, seen.socket.flow, seen.around, request.deadline, seen.view, seen.assessment);
  return seen;
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
  if (core.latches.holds(seen.socket.cookie, seen.socket.flow)) return true;
  core.history.wait_list(seen.socket.flow.protocol, seen.view.epoch, now() + kListWait);
  return core.history.since_start(seen.socket.cookie, seen.socket.flow, seen.view.databases->spd, seen.view.epoch);
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
  report.control_packets_protected = verdict.is_protected;
  const auto latch = core.latches.find(seen.socket.cookie, seen.socket.flow);
  if (latch) report.latch = latch->status.state;
  report.since_start = verdict.is_protected && seen.socket.cookie != 0 && protected_since_start(core, seen);
  return report;
}

}  // namespace gssipsec::broker
