// SPDX-License-Identifier: MIT
// The brokers of both hosts in one, for tests of the mechanism: no kernel, no IKE, no latches, but real assertions under
// fixed keys. It checks what a broker checks of a token (MAC, role, flow, transcript, bindings), so that a fault of the mechanism
// shows. Threads: knobs are set before or between calls.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "channel/assertion.h"
#include "channel/name.h"
#include "tests/support/fake_broker.h"

namespace gssipsec::tests {

struct TwinKnobs {
  int retries = 0;                     // how many HELLOs of a context are answered by RETRY
  bool confidentiality = true;
  bool initiator_anonymous = false;
  bool acceptor_anonymous = false;
  bool admits_anybody = false;         // whether the acceptor gave leave or not
  bool acceptor_latched = true;
  bool peer_authenticated = true;      // to the initiator
  bool other_cookie = false;           // of the broker's answers
  bool bad_names = false;
  bool has_policies = true;
  std::uint16_t key_bits = 128;
  std::uint32_t lifetime = 3600;
  base::Code query = base::Code::ok;   // why a socket is not protected
  base::Code initiate = base::Code::ok, accept = base::Code::ok, check = base::Code::ok;
  bool breaks_after_check = false;     // the latch, once it was confirmed
  protocol::LatchState latch = protocol::LatchState::established;
  protocol::LatchState page_says = protocol::LatchState::established;  // of each latch, from its beginning on
  std::string local_name = "ipsec:fqdn:client.example.org";
  protocol::KerberosUse initiator_use = protocol::KerberosUse::off, acceptor_use = protocol::KerberosUse::off;
  bool man_in_the_middle = false;      // each end has SAs of its own with him
  base::Code bind_acceptor = base::Code::ok;
  std::string map_from, map_to;        // the administrator's map, one line
  std::vector<std::string> services = {"test", "host"};
  std::string peer_method = "certificate", report_peer;  // of QUERY; "": the other end
  std::string client_name = "ipsec:fqdn:client.example.org";
  bool names_by_port = false;          // each client is called by its port instead
  base::Code hand_over = base::Code::ok, take_over = base::Code::ok;
};

class TwinBroker {
 public:
  explicit TwinBroker(std::uint16_t version = protocol::kVersion);

  TwinKnobs knobs;
  [[nodiscard]] FakeBroker& fake() { return *fake_; }
  [[nodiscard]] int requests(protocol::Verb verb) const { return fake_->requests(verb); }
  // All slots of the newest page.
  void set_latches(protocol::LatchState state);
  void stop_heart() { FakeBroker::beat(fake_->page(), 3600); }
  void beat() { FakeBroker::beat(fake_->page()); }

  // What the last requests asked for.
  std::optional<protocol::InitiateRequest> initiated;
  std::optional<protocol::AcceptRequest> accepted;
  std::optional<protocol::QueryRequest> queried;

 private:
  void serve(FakeRequest& request);
  base::Result<base::Bytes> initiate(FakeRequest& request);
  base::Result<base::Bytes> accept(FakeRequest& request);
  base::Result<base::Bytes> bind(FakeRequest& request);
  base::Result<base::Bytes> small(FakeRequest& request);
  base::Result<base::Bytes> hand_over(const FakeRequest& request);
  base::Result<base::Bytes> take_over(FakeRequest& request);
  protocol::Report report(const FakeRequest& request) const;
  protocol::ChannelInfo new_latch(const FakeRequest& request);
  std::string client_of(const FakeRequest& request, channel::Role role) const;
  protocol::ChannelInfo channel_for(FakeRequest& request, channel::Role role, bool initiator_anonymous);
  channel::Assertion vouch(channel::Role role, const channel::FlowLabel& flow);

  channel::Exporter exporter_;
  std::map<channel::Digest, std::uint64_t> transfers_;  // id and cookie; 0: taken
  std::uint64_t nonces_ = 0;
  std::uint32_t latches_ = 0;
  int retries_sent_ = 0;
  std::uint16_t acceptor_port_ = 0;  // of the last ACCEPT
  std::mutex mutex_;
  std::unique_ptr<FakeBroker> fake_;  // last: its threads use the rest
};

}  // namespace gssipsec::tests
