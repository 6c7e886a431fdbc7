// SPDX-License-Identifier: MIT
#include "tests/support/twin_broker.h"

#include <netinet/in.h>

#include <span>
#include <stdexcept>

#include "channel/handshake.h"

namespace gssipsec::tests {
namespace {

using base::Bytes;
using base::Code;
using base::Result;
using channel::Assertion;
using channel::Name;
using channel::Role;
using protocol::Verb;

constexpr std::uint32_t kToAcceptor = 0xc0000001, kToInitiator = 0xc0000002;
const std::string kServer = "ipsec:fqdn:server.example.org";
const std::string kAnonymous = "ipsec:anonymous";
const std::string kHashOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

channel::SaKeys keys(std::uint32_t spi, std::byte fill) {
  channel::SaKeys sa;
  sa.id.spi = spi;
  sa.aead = {"rfc4106(gcm(aes))", 288, 128};
  sa.encryption_key = base::Secret(Bytes(36, fill));
  return sa;
}

channel::Exporter make_exporter() {
  auto made = channel::Exporter::make(keys(kToAcceptor, std::byte{7}), keys(kToInitiator, std::byte{9}));
  if (!made) throw std::runtime_error(base::describe(made.error()));
  return *std::move(made);
}

channel::Address address_of(const sockaddr_storage& from, std::uint16_t& port) {
  const auto& four = reinterpret_cast<const sockaddr_in&>(from);
  port = ntohs(four.sin_port);
  return channel::address_from(channel::Family::ipv4, std::as_bytes(std::span(&four.sin_addr, 1)));
}

channel::Flow flow_of(int fd) {
  sockaddr_storage local{}, remote{};
  socklen_t size = sizeof local, other = sizeof remote;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) != 0 || getpeername(fd, reinterpret_cast<sockaddr*>(&remote), &other) != 0)
    throw std::runtime_error("not connected");
  channel::Flow flow;
  flow.protocol = IPPROTO_TCP;
  flow.local = address_of(local, flow.local_port);
  flow.remote = address_of(remote, flow.remote_port);
  return flow;
}

std::uint64_t cookie_of(int fd) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
  return cookie;
}

channel::FlowLabel label_for(int fd, Role role) {
  const bool initiator = role == Role::initiator;
  return channel::label_of(flow_of(fd), role, channel::Mode::transport, initiator ? kToAcceptor : kToInitiator, initiator ? kToInitiator : kToAcceptor);
}

channel::Digest digest_of(std::uint64_t number) {
  channel::Digest digest{};
  for (std::size_t i = 0; i < 8; ++i) digest[i] = static_cast<std::byte>(number >> (8 * i));
  digest[31] = std::byte{1};
  return digest;
}

}  // namespace

TwinBroker::TwinBroker(std::uint16_t version) : exporter_(make_exporter()) {
  FakeBroker::Options options;
  options.handler = [this](FakeBroker&, FakeRequest& request) { serve(request); };
  options.version = version;
  fake_ = std::make_unique<FakeBroker>(std::move(options));
  fake_->say({.kerberos = protocol::KerberosUse::skip});
}

void TwinBroker::set_latches(protocol::LatchState state) {
  for (auto& slot : std::span(fake_->page().slots).first<protocol::kPageSlots>())
    if (slot != 0) slot = (slot & ~0xffu) | static_cast<std::uint32_t>(state);
}

void TwinBroker::serve(FakeRequest& request) {
  const std::lock_guard lock(mutex_);
  const Verb verb = request.frame.header.verb;
  if (verb == Verb::release) return;
  const auto answer = verb == Verb::initiate ? initiate(request) : verb == Verb::accept ? accept(request) : small(request);
  if (answer.ok()) FakeBroker::answer(request, *answer);
  else FakeBroker::send(request.socket, protocol::encode_error(request.frame.header, answer.error()));
}

// Slots are used again, as a broker does, with another generation.
protocol::ChannelInfo TwinBroker::new_latch(const FakeRequest& request) {
  protocol::ChannelInfo info;
  info.slot = latches_ % 1000;
  info.generation = 1 + latches_ / 1000;
  info.latch = knobs.latch;
  ++latches_;
  fake_->page_of(request).slots[info.slot] = protocol::slot_word(info.generation, knobs.page_says);
  return info;
}

std::string TwinBroker::client_of(const FakeRequest& request, Role role) const {
  if (!knobs.names_by_port) return knobs.client_name;
  return "ipsec:fqdn:port-" + std::to_string(label_for(request.fd.get(), role).initiator_port) + ".example.org";
}

protocol::ChannelInfo TwinBroker::channel_for(FakeRequest& request, Role role, bool initiator_anonymous) {
  protocol::ChannelInfo info = new_latch(request);
  info.integrity = info.replay_protection = true;
  info.confidentiality = knobs.confidentiality;
  info.peer_authenticated = knobs.peer_authenticated;
  info.key_bits = knobs.key_bits;
  info.suite = "AES_GCM_16-128";
  info.lifetime = knobs.lifetime;
  const std::string initiator = initiator_anonymous ? kAnonymous : client_of(request, role), acceptor = knobs.acceptor_anonymous ? kAnonymous : kServer;
  info.local_name = role == Role::initiator ? initiator : acceptor;
  info.peer_name = knobs.bad_names ? "root@client" : role == Role::initiator ? acceptor : initiator;
  info.cookie = cookie_of(request.fd.get());
  if (knobs.other_cookie) info.cookie ^= 1;
  return info;
}

Assertion TwinBroker::vouch(Role role, const channel::FlowLabel& flow) {
  Assertion assertion;
  assertion.role = role;
  assertion.nonce = digest_of(++nonces_);
  assertion.anonymous = role == Role::initiator ? knobs.initiator_anonymous : knobs.acceptor_anonymous;
  assertion.privileged = !assertion.anonymous;
  assertion.flow = flow;
  assertion.latched = assertion.integrity = assertion.replay_protection = assertion.since_start = true;
  assertion.confidentiality = knobs.confidentiality;
  return assertion;
}

Result<Bytes> TwinBroker::initiate(FakeRequest& request) {
  const auto asked = protocol::decode_initiate_request(request.frame.body);
  if (!asked) return asked.error();
  initiated = *asked;
  if (knobs.initiate != Code::ok) return base::fail(knobs.initiate, "as told");
  if (base::to_hex(asked->transcript) == kHashOfNothing) retries_sent_ = 0;
  Assertion own = vouch(Role::initiator, label_for(request.fd.get(), Role::initiator));
  own.anonymous |= (asked->want & protocol::kWantAnonymous) != 0;
  own.wanted = asked->wanted;
  own.wants_mutual = asked->want & protocol::kWantMutual;
  own.bindings = asked->bindings;
  own.transcript = asked->transcript;
  auto sealed = channel::seal(own, exporter_);
  auto key = channel::handshake_key(exporter_, own);
  if (!sealed || !key) return base::fail(Code::INTERNAL);
  protocol::InitiateReply reply{*std::move(sealed), channel_for(request, Role::initiator, own.anonymous), *std::move(key)};
  reply.channel.peer_name = knobs.bad_names ? "root@client" : knobs.peer_authenticated ? kServer : kAnonymous;
  return protocol::encode(reply);
}

Result<Bytes> TwinBroker::accept(FakeRequest& request) {
  const auto asked = protocol::decode_accept_request(request.frame.body);
  if (!asked) return asked.error();
  accepted = *asked;
  acceptor_port_ = flow_of(request.fd.get()).local_port;
  if (knobs.accept != Code::ok) return base::fail(knobs.accept, "as told");
  const auto theirs = channel::open(asked->sealed, exporter_);
  if (!theirs) return theirs.error();
  if (theirs->role != Role::initiator) return base::fail(Code::WRONG_ROLE);
  if (theirs->flow != label_for(request.fd.get(), Role::acceptor)) return base::fail(Code::WRONG_FLOW);
  if (theirs->transcript != asked->transcript) return base::fail(Code::WRONG_TRANSCRIPT);
  if (theirs->anonymous && !(asked->want & protocol::kAllowAnonymous) && !knobs.admits_anybody) return base::fail(Code::ANONYMOUS_REFUSED);
  const auto match = asked->has_bindings ? channel::compare_bindings(asked->bindings, theirs->bindings) : Result<bool>(false);
  if (!match) return match.error();
  protocol::AcceptReply reply;
  if (retries_sent_ < knobs.retries) {
    reply.retry = true;
    ++retries_sent_;
    return protocol::encode(reply);
  }
  Assertion own = vouch(Role::acceptor, theirs->flow);
  own.services = knobs.services;
  own.bindings = asked->has_bindings ? asked->bindings : channel::Digest{};
  own.transcript = asked->next_transcript;
  own.latched = own.since_start = knobs.acceptor_latched;
  const auto handshake = channel::handshake_key(exporter_, *theirs);
  if (!handshake) return handshake.error();
  auto sealed = channel::seal_reply(own, handshake->view());
  auto key = channel::session_key(handshake->view(), own);
  if (!sealed || !key) return base::fail(Code::INTERNAL);
  reply.sealed = *std::move(sealed);
  reply.session_key = *std::move(key);
  reply.initiator_wants = theirs->wants_mutual ? std::uint32_t{protocol::kWantMutual} : 0;
  reply.bindings_match = *match;
  reply.channel = channel_for(request, Role::acceptor, theirs->anonymous);
  return protocol::encode(reply);
}

// Who asks by an acceptor's socket sees the client at the other end, and the other way round.
protocol::Report TwinBroker::report(const FakeRequest& request) const {
  protocol::Report report;
  report.is_protected = knobs.query == Code::ok;
  report.why = knobs.query;
  report.peer_authenticated = knobs.peer_authenticated;
  report.peer_method = knobs.peer_method;
  report.out.mode = report.in.mode = "transport";
  report.latch = knobs.latch;
  report.since_start = true;
  report.ike_connection = "twins";
  const bool acceptors = flow_of(request.fd.get()).local_port == acceptor_port_;
  report.peer_id = !knobs.report_peer.empty() ? knobs.report_peer : (acceptors ? knobs.client_name : kServer).substr(std::string("ipsec:").size());
  return report;
}

Result<Bytes> TwinBroker::bind(FakeRequest& request) {
  const auto asked = protocol::decode_bind_request(request.frame.body);
  if (!asked) return asked.error();
  if (asked->role == Role::acceptor && knobs.bind_acceptor != Code::ok) return base::fail(knobs.bind_acceptor, "as told");
  const auto use = asked->role == Role::initiator ? knobs.initiator_use : knobs.acceptor_use;
  if (use == protocol::KerberosUse::off) return protocol::encode(protocol::BindReply{});
  auto flow = label_for(request.fd.get(), asked->role);
  if (knobs.man_in_the_middle && asked->role == Role::acceptor) flow.spi_to_acceptor ^= 1;
  auto binding = exporter_.derive("kerberos binding v1", 0, flow, {}, 32);
  if (!binding) return binding.error();
  protocol::BindReply reply{use, Code::ok, {}, channel_for(request, asked->role, false), *std::move(binding)};
  reply.channel.breaks_shut = true;
  return protocol::encode(reply);
}

// A key that says whose it is; used once.
Result<Bytes> TwinBroker::hand_over(const FakeRequest& request) {
  if (knobs.hand_over != Code::ok) return base::fail(knobs.hand_over, "as told");
  const channel::Digest id = digest_of(0x2000u + transfers_.size());
  transfers_[id] = cookie_of(request.fd.get());
  return protocol::encode(protocol::HandOverReply{id, base::Secret(id)});
}

Result<Bytes> TwinBroker::take_over(FakeRequest& request) {
  if (knobs.take_over != Code::ok) return base::fail(knobs.take_over, "as told");
  const auto asked = protocol::decode_take_over_request(request.frame.body);
  if (!asked) return asked.error();
  const auto found = transfers_.find(asked->id);
  if (found == transfers_.end() || found->second == 0) return base::fail(Code::BAD_TOKEN, "unknown or used");
  if (found->second != cookie_of(request.fd.get()) || asked->cookie != found->second) return base::fail(Code::SOCKET_CHANGED);
  found->second = 0;
  protocol::TakeOverReply reply{channel_for(request, Role::initiator, false), base::Secret(asked->id)};
  reply.channel.local_name.clear();
  reply.channel.peer_name.clear();
  return protocol::encode(reply);
}

Result<Bytes> TwinBroker::small(FakeRequest& request) {
  switch (request.frame.header.verb) {
    case Verb::bind: return bind(request);
    case Verb::hand_over: return hand_over(request);
    case Verb::take_over: return take_over(request);
    case Verb::query: {
      if (const auto asked = protocol::decode_query_request(request.frame.body); asked.ok()) queried = *asked;
      return protocol::encode(report(request));
    }
    case Verb::latch: return protocol::encode(protocol::LatchReply{channel_for(request, Role::initiator, false), Code::ok, {}});
    case Verb::probe: {
      const auto asked = protocol::decode_probe_request(request.frame.body);
      if (asked.ok() && asked->service == "forbidden") return base::fail(Code::SERVICE_DENIED, "no line");
      return protocol::encode(protocol::ProbeReply{knobs.has_policies, knobs.local_name});
    }
    case Verb::localname: {
      const auto asked = protocol::decode_localname_request(request.frame.body);
      if (!asked || knobs.map_from.empty() || asked->name != knobs.map_from) return base::fail(Code::NO_LOCAL_NAME, "no line");
      return protocol::encode(protocol::LocalnameReply{knobs.map_to});
    }
    case Verb::check: {
      if (knobs.check != Code::ok) return base::fail(knobs.check, "as told");
      const auto info = new_latch(request);
      if (knobs.breaks_after_check) set_latches(protocol::LatchState::broken);
      return protocol::encode(protocol::CheckReply{info.latch, Code::ok, {}, info.slot, info.generation});
    }
    default: return base::fail(Code::BAD_MESSAGE);
  }
}

}  // namespace gssipsec::tests
