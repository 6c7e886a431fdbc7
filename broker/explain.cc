// SPDX-License-Identifier: MIT
// EXPLAIN: the steps from a socket to the answer of QUERY, in words. Says nothing that QUERY would not: SPIs, and policies'
// selectors, which may be other users' business, only to root.
#include <algorithm>
#include <tuple>

#include "broker/handlers.h"

namespace gssipsec::broker {
namespace {

// Numbered lines, those of a step beneath it.
class Steps {
 public:
  void step(const std::string& what) { out_ += std::to_string(++number_) + ". " + printable(what) + "\n"; }
  void detail(const std::string& what) { out_ += "   - " + printable(what) + "\n"; }
  [[nodiscard]] std::string take() && {
    if (out_.size() > protocol::kMaxDocument) out_.resize(protocol::kMaxDocument);
    return std::move(out_);
  }

 private:
  static std::string printable(std::string text) {
    for (char& c : text)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return text;
  }
  std::string out_;
  int number_ = 0;
};

using channel::Direction;
using channel::Policy;

constexpr std::size_t kMostShown = 16;

std::string text_of(const channel::Selector& selector) {
  return format(selector.source) + " to " + format(selector.destination) + (selector.protocol ? ", protocol " + std::to_string(selector.protocol) : "");
}

std::string text_of(const channel::Template& entry) {
  const char* protocol = entry.protocol == channel::kProtoEsp ? "ESP" : entry.protocol == channel::kProtoAh ? "AH" : "another transform";
  return std::string(protocol) + " in " + mode_name(entry.mode) + " mode, reqid " + std::to_string(entry.reqid) +
         (entry.optional ? ", optional: clear text may pass" : ", required");
}

bool considered(const Policy& policy, const channel::Flow& flow, Direction direction) {
  const bool out = direction == Direction::out;
  return policy.direction == direction && matches(policy.selector, out ? flow.local : flow.remote, out ? flow.remote : flow.local,
                                                  out ? flow.local_port : flow.remote_port, out ? flow.remote_port : flow.local_port,
                                                  static_cast<std::uint8_t>(flow.protocol), flow.output_ifindex);
}

std::vector<const Policy*> candidates(const channel::Spd& spd, const channel::Flow& flow, Direction direction) {
  std::vector<const Policy*> found;
  for (const Policy& policy : spd.policies)
    if (considered(policy, flow, direction)) found.push_back(&policy);
  std::stable_sort(found.begin(), found.end(), [](const Policy* a, const Policy* b) {
    return std::tie(a->priority, a->order) < std::tie(b->priority, b->order);
  });
  return found;
}

void explain_policies(Steps& steps, const Case& seen, const channel::OneWay& way, Direction direction, bool root) {
  const auto found = candidates(seen.view.databases->spd, seen.socket.flow, direction);
  steps.detail(std::to_string(found.size()) + (found.size() == 1 ? " policy matches" : " policies match") + " its addresses and ports");
  if (root)
    for (std::size_t i = 0; i < std::min(found.size(), kMostShown); ++i)
      steps.detail("considered: " + text_of(found[i]->selector) + ", priority " + std::to_string(found[i]->priority) +
                   (found[i]->action == channel::Action::block ? ", blocks" : found[i]->templates.empty() ? ", lets pass in clear" : ", asks for IPsec"));
  if (!way.policy) return;
  steps.detail("the kernel uses the one of priority " + std::to_string(way.policy->priority));
  for (const channel::Template& entry : way.policy->templates) steps.detail("it wants " + text_of(entry));
}

void explain_way(Steps& steps, const Case& seen, const channel::OneWay& way, Direction direction, bool root) {
  steps.step(direction == Direction::out ? "what is sent" : "what is received");
  explain_policies(steps, seen, way, direction, root);
  steps.detail(std::to_string(way.carriers.size()) + (way.carriers.size() == 1 ? " SA" : " SAs") + " can carry it" +
               (way.carriers.empty() ? "" : ": " + way.quality.suite + ", " + std::to_string(way.quality.key_bits) + " bits of key"));
  if (root)
    for (std::size_t i = 0; i < std::min(way.carriers.size(), kMostShown); ++i) steps.detail(format(way.carriers[i].id));
  steps.detail(way.is_protected ? "protected" : "not protected: " + describe(way.why_not));
}

void explain_peer(Steps& steps, const Assessment& assessment) {
  steps.step("the peer");
  if (!assessment.peer) return steps.detail("not known: " + describe(assessment.peer_error));
  const channel::PeerInfo& peer = *assessment.peer;
  steps.detail(format(peer.remote) + ", proven by " + auth_method_name(peer.remote_method) + ", says " + peer.source +
               (peer.connection.empty() ? "" : " (connection " + peer.connection + ")"));
  steps.detail(peer.authenticated() ? "authenticated as this one peer" : "not authenticated as one peer: it can only be anonymous");
}

std::string latch_text(Core& core, const Case& seen) {
  const auto latch = core.latches.find(seen.socket.cookie, seen.socket.flow);
  if (!latch) return "not latched by this broker";
  const std::string state = protocol::latch_state_name(latch->status.state);
  const bool reason = latch->status.state == protocol::LatchState::broken || latch->status.state == protocol::LatchState::stale;
  return reason ? state + ": " + describe(latch->status.why) : state;
}

void explain_latch(Steps& steps, Core& core, const Case& seen) {
  const channel::Verdict& verdict = seen.assessment.verdict;
  steps.step("the latch");
  if (seen.socket.cookie != 0) steps.detail(latch_text(core, seen));
  steps.detail(verdict.latchable ? "can be latched" : "cannot be latched: " + describe(verdict.why_not_latchable));
  if (seen.socket.cookie != 0 && verdict.is_protected)
    steps.detail(protected_since_start(core, seen) ? "protected since the connection began" : "that it was protected from its beginning cannot be shown");
}

const char* knowledge(const View& view) {
  if (view.asked) return "the broker's copy of policies and SAs is behind the kernel, which was asked itself";
  if (view.fresh) return "policies and SAs are known as of now";
  return "the broker's copy of policies and SAs is behind the kernel: nothing counts as protected";
}

void explain_socket(Steps& steps, const Case& seen) {
  steps.step("the connection " + format(seen.socket.flow));
  if (seen.around.same_host) steps.detail("both ends are this host");
  if (seen.around.exempt_out) steps.detail("what leaves by its device is exempt from IPsec (disable_xfrm)");
  if (seen.around.exempt_in) steps.detail("what comes in by its device is exempt from IPsec (disable_policy)");
  if (seen.around.vrf) steps.detail("it belongs to a VRF");
  steps.detail(knowledge(seen.view));
}

std::string explain(Core& core, const Case& seen, bool root) {
  const channel::Verdict& verdict = seen.assessment.verdict;
  Steps steps;
  explain_socket(steps, seen);
  explain_way(steps, seen, verdict.out, Direction::out, root);
  explain_way(steps, seen, verdict.in, Direction::in, root);
  explain_peer(steps, seen.assessment);
  explain_latch(steps, core, seen);
  steps.step(verdict.is_protected ? "so: protected in both directions" : "so: not protected: " + describe(verdict.why_not));
  const base::Status enough = sufficient(seen.assessment, *core.config());
  if (verdict.is_protected) steps.detail(enough.ok() ? "a GSS context can rest on it" : "no GSS context can rest on it: " + describe(enough.error()));
  return std::move(steps).take();
}

}  // namespace

base::Result<Answer> handle_explain(Core& core, Bench& bench, const Request& request) {
  const auto asked = protocol::decode_explain_request(request.body);
  if (!asked) return asked.error();
  const auto seen = asked->flow ? examine_flow(core, request, *asked->flow, &bench) : examine(core, request, &bench);
  if (!seen) return seen.error();
  return Answer{encode(protocol::ExplainReply{seen->assessment.verdict.is_protected, explain(core, *seen, request.caller.privileged)})};
}

}  // namespace gssipsec::broker
