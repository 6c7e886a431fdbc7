// SPDX-License-Identifier: MIT
// The wire messages between libraries and broker: one SOCK_SEQPACKET datagram each, big endian, bounded. A request may
// carry one descriptor (SCM_RIGHTS) and always carries SCM_CREDENTIALS. Pure encode and decode; docs/protocol.md is the
// octet-level description. Unknown versions are PROTOCOL_VERSION, anything broken is BAD_MESSAGE, trailing octets too.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "channel/assertion.h"
#include "channel/flow.h"
#include "channel/identity.h"

namespace gssipsec::protocol {

// The body of a verb never changes: what needs another body is another verb of a later version. HELLO and events are sent under
// the oldest version, which every peer reads; all else under the one that HELLO agreed on.
inline constexpr std::uint16_t kVersion = 2, kOldestVersion = 1;
inline constexpr std::size_t kMaxMessage = 65536;
inline constexpr std::uint32_t kMagic = 0x49504753;  // "IPGS"
inline constexpr std::size_t kHeaderSize = 16;
// Bounds that decoding enforces. Encoding throws std::length_error when a name, list or sealed assertion exceeds them
// (a shortened name would be another name); texts for people are shortened.
inline constexpr std::size_t kMaxName = 1024, kMaxService = 255, kMaxLine = 128, kMaxList = 64, kMaxSealed = 8192;
// Whether a message carries it unchanged: at most kMaxName octets, no control characters.
[[nodiscard]] bool is_name(std::string_view text) noexcept;

enum class Verb : std::uint16_t {
  hello = 1,       // no descriptor; answer carries the latch page (memfd)
  query = 2,       // descriptor: what protects it -> Report; changes nothing
  query_flow = 3,  // root only: a bare 5-tuple -> Report
  initiate = 4,    // descriptor: latch it, seal the initiator's assertion
  accept = 5,      // descriptor: open the initiator's, latch, seal the acceptor's
  check = 7,       // descriptor: is the latch still what it was? -> LatchState
  release = 8,     // a latch slot is not used any more; never answered
  probe = 9,       // no descriptor: may this caller act in this role with this service?
  localname = 10,  // no descriptor: local user of a peer name by the administrator's map
  subscribe = 11,    // events.h: from now on the broker sends events on this connection; a descriptor where they are of a socket
  unsubscribe = 12,  // no descriptor; events that were under way may still come
  event = 13,        // from the broker only, unasked
  metrics = 14,      // no descriptor: the broker's figures
  explain = 15,      // descriptor, or for root a bare flow: how the broker comes to what QUERY answers
  latch = 16,        // descriptor: latch it without a context -> state, and a slot on the page
  unlatch = 17,      // descriptor: remove the latch from the kernel; by who set it, when no context rests on it
  mirror = 18,       // no descriptor, root only: is the broker's copy of the SPD and SAD what the kernel has?
  bind = 19,         // descriptor: latch it, give what another mechanism's context is bound to the SAs by
  latches = 20,      // no descriptor, root only: the latches that the broker knows
  binding = 21,      // descriptor: the same for whoever holds it -> BindReply, always bound and latched
  hand_over = 22,    // descriptor: a key for a context that leaves this process
  take_over = 23,    // descriptor: latch it for whoever goes on with that context, give the key, once
  survey = 24,       // descriptor: QUERY and more; also of one that is not connected yet, and of a datagram that came
  bound = 25,        // descriptor or none: what BIND answered last about it, and what it would be guided by for a program
  require = 26,      // descriptor, not connected yet: it is to speak with this peer under IPsec alone; connected: is it as strong as wanted?
  endpoint = 27,     // no descriptor: the broker keeps what an endpoint descriptor stands for -> its value
  resolve = 28,      // no descriptor: what a value stands for, told to those it is for
  locators = 29,     // descriptor: the outer addresses that its SAs have now
};
inline constexpr Verb kLastVerb = Verb::locators;
// The version of the protocol that brought it.
[[nodiscard]] constexpr std::uint16_t first_version(Verb verb) noexcept { return verb > Verb::mirror ? 2 : 1; }

struct Header {
  std::uint16_t version = kVersion;
  Verb verb = Verb::hello;
  std::uint32_t request = 0;  // echoed in the answer
  base::Code status = base::Code::ok;  // requests: ok. Otherwise the body is block16 detail
};

struct Frame {
  Header header;
  base::Bytes body;
};

[[nodiscard]] base::Bytes encode(const Header& header, base::View body);
[[nodiscard]] base::Result<Frame> decode_frame(base::View datagram);
[[nodiscard]] base::Bytes encode_error(const Header& request, const base::Error& error);
// The error that an answer with a status carries; BAD_MESSAGE when its body is broken.
[[nodiscard]] base::Error error_of(const Frame& frame);

using Digest = channel::Digest;

struct HelloRequest {
  std::uint16_t oldest = kOldestVersion, newest = kVersion;
  std::string program;  // its /proc/self/exe: convenience only, never a right
  bool operator==(const HelloRequest&) const = default;
};
struct HelloReply {
  std::uint16_t version = kVersion;
  std::uint64_t broker_started = 0;  // nanoseconds since 1970
  std::uint32_t slots = 0;           // of the latch page
  bool has_policies = false;
  bool operator==(const HelloReply&) const = default;
};

// How the library found the socket (design/socket.md): decides which checks apply and how a mismatch is told.
enum class Found : std::uint8_t { named = 1, sole = 2, preload = 3 };

enum Want : std::uint32_t {
  kWantIntegrity = 1, kWantConfidentiality = 2, kWantMutual = 4, kAllowAnonymous = 8, kWantAnonymous = 16,
};

// What protects a socket, for people and programs. SPIs only for root (spis empty otherwise).
struct DirectionReport {
  bool is_protected = false;
  base::Code why = base::Code::ok;
  std::string detail;
  std::string suite;       // "AES_GCM_16-256"
  std::string mode;        // "transport"
  std::uint16_t key_bits = 0;
  bool confidentiality = false, integrity = false, replay_protection = false;
  std::vector<std::string> sas;  // for root: "esp 0xc0ffee01 > 10.1.0.2"
  bool operator==(const DirectionReport&) const = default;
};

enum class LatchState : std::uint8_t { none = 0, listener = 1, established = 2, broken = 3, closed = 4, stale = 5, monitored = 6 };
[[nodiscard]] const char* latch_state_name(LatchState state) noexcept;

struct Report {
  bool is_protected = false;
  base::Code why = base::Code::ok;
  std::string detail;
  channel::Flow flow;
  DirectionReport out, in;
  std::string local_id, peer_id;            // channel::format(Identity), "" unknown
  std::string local_method, peer_method;    // auth_method_name
  bool peer_authenticated = false;
  std::string ike_connection, ike_source;
  bool end_to_end = false;
  bool latchable = false;
  std::string why_not_latchable;
  LatchState latch = LatchState::none;
  bool since_start = false;
  bool control_packets_protected = false;   // an SPD rule lies beneath
  bool operator==(const Report&) const = default;
};

// What the channel gives to a context.
struct ChannelInfo {
  bool integrity = false, confidentiality = false, replay_protection = false;
  bool peer_authenticated = false;
  bool breaks_shut = false;                 // nothing more leaves once it breaks: pinned to its SAs, or the kernel closes the socket
  std::uint16_t key_bits = 0;
  std::string suite;
  std::string local_name, peer_name;        // channel::format(Name)
  std::vector<std::string> peer_services;
  LatchState latch = LatchState::none;
  std::uint32_t slot = 0, generation = 0;   // on this client's page
  std::uint64_t cookie = 0;                 // SO_COOKIE
  std::uint32_t lifetime = 0;               // seconds; administrator's cap
  base::Bytes statement;                    // a LatchStatement that the client keeps for CHECK; nothing to read for it
  bool operator==(const ChannelInfo&) const = default;
};

struct QueryRequest { Found found = Found::named; bool operator==(const QueryRequest&) const = default; };
struct QueryFlowRequest { channel::Flow flow; bool operator==(const QueryFlowRequest&) const = default; };

struct InitiateRequest {
  Found found = Found::named;
  std::uint32_t want = 0;
  std::string wanted;                       // channel::format(Name) or service@host; "" any
  Digest bindings{}, transcript{};
  bool operator==(const InitiateRequest&) const = default;
};
struct InitiateReply {
  base::Bytes sealed;
  ChannelInfo channel;                      // peer_name: the host, whoever speaks there
  base::Secret handshake_key;               // 32 octets, of this HELLO
};

struct AcceptRequest {
  Found found = Found::named;
  std::uint32_t want = 0;
  std::string service;                      // "" any that the caller may use
  base::Bytes sealed;                       // the initiator's
  Digest bindings{};                        // ours
  bool has_bindings = false;                // ours are to be compared
  Digest transcript{};                      // of the tokens before HELLO: compared with the assertion's
  Digest next_transcript{};                 // of all tokens up to and with HELLO: goes into our assertion
  bool operator==(const AcceptRequest&) const = default;
};
struct AcceptReply {
  bool retry = false;                       // send RETRY; nothing else is set
  base::Bytes sealed;
  base::Secret session_key;                 // 32 octets
  std::uint32_t initiator_wants = 0;        // kWantMutual...
  bool bindings_match = false;
  ChannelInfo channel;
};

// What the administrator allows a program's Kerberos contexts: nothing, to be bound to the channel, or to rest on it.
enum class KerberosUse : std::uint8_t { off = 0, bind = 1, skip = 2 };

// Whether the mechanism encrypts in its tokens what the channel could carry as it is.
enum class Seal : std::uint8_t {
  never = 0,                // only where a message asks for QOP 1, or the latch cannot be confirmed
  unless_confidential = 1,  // also where confidentiality is asked and the channel gives none
  always = 2,
};

struct BindRequest { Found found = Found::named; channel::Role role = channel::Role::initiator; bool operator==(const BindRequest&) const = default; };
struct BindingRequest { channel::Role role = channel::Role::initiator; bool operator==(const BindingRequest&) const = default; };
struct BindReply {
  KerberosUse use = KerberosUse::off;       // off: nothing else is set
  base::Code why = base::Code::ok;          // of bind, where the administrator allows more: why not skip
  std::string detail;
  ChannelInfo channel;                      // state none: the socket was left alone
  base::Secret binding;                     // 32 octets, the same at both ends of this connection under these SAs
};

// What BIND answered last about a socket, for people.
struct BoundBefore {
  channel::Role role = channel::Role::initiator;
  Found found = Found::named;
  std::string program;
  std::uint64_t time = 0;                   // nanoseconds since 1970
  KerberosUse use = KerberosUse::off;       // off: it was refused, or the line says so (UNAVAILABLE)
  base::Code why = base::Code::ok;
  std::string detail;
  bool operator==(const BoundBefore&) const = default;
};
struct BoundRequest { std::string program; bool operator==(const BoundRequest&) const = default; };
struct BoundReply {
  KerberosUse kerberos = KerberosUse::off;  // this and the next three: the administrator's line about this socket, or all of that program
  bool without_ticket = false, ipsec_first = false;
  std::uint16_t min_key_bits = 0;
  std::optional<BoundBefore> before;
  bool operator==(const BoundReply&) const = default;
};

// What a latch was when its context was made. The broker gives it to the client, which returns it with CHECK, perhaps to
// a later life of the broker. It is a wish, not a proof: what it says can only make CHECK fail (docs/decisions/0004).
struct LatchStatement {
  std::uint16_t version = 1;
  std::uint64_t broker = 0;                 // HelloReply::broker_started of who made it
  channel::Flow flow;
  std::string local_id, peer_id;            // channel::format(Identity), "" none
  channel::AuthMethod local_method = channel::AuthMethod::unknown, peer_method = channel::AuthMethod::unknown;
  bool peer_fixed = false, negotiated = false;
  std::uint64_t ike_sa = 0;                 // means something to the same life of the broker only
  std::string source;
  channel::Mode mode = channel::Mode::transport;
  bool integrity = false, confidentiality = false, replay_protection = false;
  std::uint16_t key_bits = 0;
  std::string suite;
  bool operator==(const LatchStatement&) const = default;
};

// Generation 0 means no slot of this connection's page (a broker never gives generation 0): found by the cookie then.
struct CheckRequest { std::uint32_t slot = 0, generation = 0; std::uint64_t cookie = 0; base::Bytes statement{}; bool operator==(const CheckRequest&) const = default; };
struct CheckReply { LatchState state = LatchState::none; base::Code why = base::Code::ok; std::string detail; std::uint32_t slot = 0, generation = 0; bool operator==(const CheckReply&) const = default; };
// `peer`: whose SAs a listening or unconnected socket is latched to; none for a connected one.
struct LatchRequest { channel::Address peer; bool operator==(const LatchRequest&) const = default; };
// Latched: `channel.latch` is listener or established. Monitored: the socket is left alone, `why` and `detail` say why.
struct LatchReply { ChannelInfo channel; base::Code why = base::Code::ok; std::string detail; bool operator==(const LatchReply&) const = default; };
// The administrator's words for how strong; what they mean is in the broker's configuration.
enum class Strength : std::uint8_t { any = 0, low = 1, medium = 2, high = 3 };
// `peer`: who it is to be connected to; none for a connected socket, which is judged and left alone.
struct RequireRequest {
  channel::Address peer;
  std::uint16_t port = 0;
  Strength level = Strength::any;
  bool privacy = false, replay = false, authenticated = false;  // wanted: encrypted; replayed packets are dropped; one proven peer
  std::uint16_t key_bits = 0;
  bool operator==(const RequireRequest&) const = default;
};
struct RequireReply { bool ready = false; bool operator==(const RequireReply&) const = default; };  // SAs are there, as wanted
// What is asked about: the socket's own connection; what one with `peer` would have; a datagram that came from `peer` to `local`; the SAs
// that a listener is latched to.
enum class Sight : std::uint8_t { connection = 0, prospect = 1, datagram = 2, listener = 3 };
struct SurveyRequest {
  Sight sight = Sight::connection;
  channel::Address peer;
  std::uint16_t port = 0;
  channel::Address local;                   // none: the socket's own
  bool operator==(const SurveyRequest&) const = default;
};
// On the wire, outside of a tunnel. Ports: of UDP, where ESP is in it.
struct Locators {
  channel::Address local, peer;
  std::uint16_t local_port = 0, peer_port = 0;
  bool operator==(const Locators&) const = default;
};
struct SurveyReply {
  Report report;
  Locators outer;                           // of the SAs; none where they have several
  bool compressed = false, options_covered = false;  // IPComp is in the bundle; what is proven has the IP options in it
  bool operator==(const SurveyReply&) const = default;
};
// What an endpoint descriptor stands for: an end of connections to come.
struct Endpoint {
  bool local = false;                       // this end: to be bound to; otherwise a peer
  bool proven = true;                       // IKE must have authenticated the peer
  std::string identity;                     // channel::format(Identity) of that end; "" any
  std::vector<channel::Address> addresses;  // none: any of this host's
  bool operator==(const Endpoint&) const = default;
};
// Who may use it besides its maker's user.
enum class Reuse : std::uint8_t { user = 0, group = 1, anybody = 2 };
struct EndpointRequest { Endpoint endpoint; Reuse reuse = Reuse::user; bool operator==(const EndpointRequest&) const = default; };
struct EndpointReply { std::uint32_t value = 0; bool operator==(const EndpointReply&) const = default; };
struct ResolveRequest { std::uint32_t value = 0; bool operator==(const ResolveRequest&) const = default; };
struct ResolveReply { Endpoint endpoint; bool operator==(const ResolveReply&) const = default; };
struct LocatorsReply { std::vector<Locators> pairs; bool operator==(const LocatorsReply&) const = default; };  // of the packets that leave
struct UnlatchRequest { std::uint64_t cookie = 0; bool operator==(const UnlatchRequest&) const = default; };
struct ReleaseRequest { std::uint32_t slot = 0, generation = 0; bool operator==(const ReleaseRequest&) const = default; };
struct ProbeRequest { channel::Role role = channel::Role::initiator; std::string service; bool operator==(const ProbeRequest&) const = default; };
struct ProbeReply { bool has_policies = false; std::string local_name; bool operator==(const ProbeReply&) const = default; };
struct LocalnameRequest { std::string name; bool operator==(const LocalnameRequest&) const = default; };
struct LocalnameReply { std::string user; bool operator==(const LocalnameReply&) const = default; };

struct HandOverRequest { std::uint64_t cookie = 0; bool operator==(const HandOverRequest&) const = default; };
struct HandOverReply { Digest id{}; base::Secret key; };
struct TakeOverRequest { std::uint64_t cookie = 0; Digest id{}; bool operator==(const TakeOverRequest&) const = default; };
struct TakeOverReply { ChannelInfo channel; base::Secret key; };  // without names

// What a library writes of an established context, and encrypts under the key of HAND_OVER. The broker never sees it.
struct ContextState {
  channel::Role role = channel::Role::initiator;
  bool bound = false, initiator_asked_mutual = false;
  std::uint64_t expires = 0;                // milliseconds of the monotonic clock; 0 never
  Digest id{};                              // of the context
  std::uint64_t sent = 0, next = 0, seen = 0;  // the number of the next message out; the window of those that came
  std::string local_name, peer_name;        // channel::format(Name)
  std::vector<std::string> peer_services;
  base::Secret key;                         // 32 octets, which all others come from
};

// One pair for each body: encode(const X&) -> Bytes, decode_<x>(View) -> Result<X>. What encode() makes of an InitiateReply, AcceptReply,
// BindReply, HandOverReply, TakeOverReply or ContextState holds a key: base::wipe() it, and the datagram made of it, after use.
#define GSS_IPSEC_MESSAGE(Type, function)                   \
  [[nodiscard]] base::Bytes encode(const Type& message);    \
  [[nodiscard]] base::Result<Type> function(base::View body);
GSS_IPSEC_MESSAGE(HelloRequest, decode_hello_request)
GSS_IPSEC_MESSAGE(HelloReply, decode_hello_reply)
GSS_IPSEC_MESSAGE(QueryRequest, decode_query_request)
GSS_IPSEC_MESSAGE(QueryFlowRequest, decode_query_flow_request)
GSS_IPSEC_MESSAGE(Report, decode_report)
GSS_IPSEC_MESSAGE(InitiateRequest, decode_initiate_request)
GSS_IPSEC_MESSAGE(InitiateReply, decode_initiate_reply)
GSS_IPSEC_MESSAGE(AcceptRequest, decode_accept_request)
GSS_IPSEC_MESSAGE(AcceptReply, decode_accept_reply)
GSS_IPSEC_MESSAGE(BindRequest, decode_bind_request)
GSS_IPSEC_MESSAGE(BindReply, decode_bind_reply)
GSS_IPSEC_MESSAGE(BindingRequest, decode_binding_request)
GSS_IPSEC_MESSAGE(BoundRequest, decode_bound_request)
GSS_IPSEC_MESSAGE(BoundReply, decode_bound_reply)
GSS_IPSEC_MESSAGE(LatchStatement, decode_latch_statement)
GSS_IPSEC_MESSAGE(CheckRequest, decode_check_request)
GSS_IPSEC_MESSAGE(CheckReply, decode_check_reply)
GSS_IPSEC_MESSAGE(LatchRequest, decode_latch_request)
GSS_IPSEC_MESSAGE(LatchReply, decode_latch_reply)
GSS_IPSEC_MESSAGE(UnlatchRequest, decode_unlatch_request)
GSS_IPSEC_MESSAGE(RequireRequest, decode_require_request)
GSS_IPSEC_MESSAGE(RequireReply, decode_require_reply)
GSS_IPSEC_MESSAGE(SurveyRequest, decode_survey_request)
GSS_IPSEC_MESSAGE(SurveyReply, decode_survey_reply)
GSS_IPSEC_MESSAGE(EndpointRequest, decode_endpoint_request)
GSS_IPSEC_MESSAGE(EndpointReply, decode_endpoint_reply)
GSS_IPSEC_MESSAGE(ResolveRequest, decode_resolve_request)
GSS_IPSEC_MESSAGE(ResolveReply, decode_resolve_reply)
GSS_IPSEC_MESSAGE(LocatorsReply, decode_locators_reply)
GSS_IPSEC_MESSAGE(ReleaseRequest, decode_release_request)
GSS_IPSEC_MESSAGE(ProbeRequest, decode_probe_request)
GSS_IPSEC_MESSAGE(ProbeReply, decode_probe_reply)
GSS_IPSEC_MESSAGE(LocalnameRequest, decode_localname_request)
GSS_IPSEC_MESSAGE(LocalnameReply, decode_localname_reply)
GSS_IPSEC_MESSAGE(HandOverRequest, decode_hand_over_request)
GSS_IPSEC_MESSAGE(HandOverReply, decode_hand_over_reply)
GSS_IPSEC_MESSAGE(TakeOverRequest, decode_take_over_request)
GSS_IPSEC_MESSAGE(TakeOverReply, decode_take_over_reply)
GSS_IPSEC_MESSAGE(ContextState, decode_context_state)
#undef GSS_IPSEC_MESSAGE

}  // namespace gssipsec::protocol
