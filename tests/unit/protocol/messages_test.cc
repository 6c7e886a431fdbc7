// SPDX-License-Identifier: MIT
#include "protocol/events.h"

#include <cppunit/extensions/HelperMacros.h>

#include <functional>
#include <stdexcept>

namespace gssipsec::protocol {
namespace {

using base::Bytes;
using base::Code;

Digest digest(int seed) {
  Digest out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(seed + static_cast<int>(i));
  return out;
}

Bytes octets(std::size_t size) { return Bytes(size, std::byte{0xa5}); }

channel::Flow a_flow() {
  channel::Flow flow;
  flow.protocol = 6;
  flow.local = {channel::Family::ipv4, {std::byte{10}, std::byte{1}, std::byte{0}, std::byte{1}}};
  flow.remote = {channel::Family::ipv6, {std::byte{0xfd}, std::byte{7}}};
  flow.local_port = 40000, flow.remote_port = 443, flow.mark = 7, flow.if_id = 8, flow.output_ifindex = 9;
  flow.on_ipv6_socket = true;
  return flow;
}

DirectionReport a_direction() {
  return {true, Code::WEAK, "why", "AES_GCM_16-256", "transport", 256, true, true, false, {"esp 0xc0ffee01 > 10.1.0.2", "b"}};
}

Report a_report() {
  Report r;
  r.is_protected = true, r.why = Code::ONE_DIRECTION, r.detail = "wanted both", r.flow = a_flow();
  r.out = a_direction(), r.in.detail = "in", r.local_id = "fqdn:a.example", r.peer_id = "fqdn:b.example";
  r.local_method = "certificate", r.peer_method = "psk_pair", r.peer_authenticated = true, r.ike_connection = "net";
  r.ike_source = "vici", r.end_to_end = true, r.latchable = true, r.why_not_latchable = "no", r.latch = LatchState::monitored;
  r.since_start = true, r.control_packets_protected = true;
  return r;
}

ChannelInfo a_channel() {
  ChannelInfo c;
  c.integrity = c.confidentiality = c.peer_authenticated = c.breaks_shut = true;
  c.key_bits = 256, c.suite = "AES_GCM_16-256", c.local_name = "ipsec:fqdn:a", c.peer_name = "ipsec:fqdn:b";
  c.peer_services = {"host", "ldap"}, c.latch = LatchState::established, c.slot = 12, c.generation = 34;
  c.cookie = 0x0102030405060708, c.lifetime = 3600, c.statement = octets(7);
  return c;
}

LatchStatement a_statement() {
  LatchStatement s;
  s.broker = 99, s.flow = a_flow(), s.local_id = "fqdn:a.example", s.peer_id = "fqdn:b.example", s.source = "vici", s.ike_sa = 7;
  s.local_method = channel::AuthMethod::raw_key, s.peer_method = channel::AuthMethod::manual, s.peer_fixed = s.negotiated = true;
  s.mode = channel::Mode::other, s.integrity = s.replay_protection = true, s.key_bits = 256, s.suite = "AES_GCM_16-256";
  return s;
}

AcceptReply an_accept_reply() {
  AcceptReply m;
  m.sealed = octets(200), m.session_key = base::Secret(digest(9)), m.initiator_wants = kWantMutual, m.bindings_match = true;
  m.channel = a_channel();
  return m;
}

ContextState a_context() {
  ContextState m;
  m.role = channel::Role::acceptor, m.bound = m.initiator_asked_mutual = true, m.expires = 1, m.id = digest(3), m.sent = 4, m.next = 5, m.seen = 6;
  m.local_name = "ipsec:fqdn:a", m.peer_name = "ipsec:fqdn:b/bob", m.peer_services = {"host", "ldap"}, m.key = base::Secret(digest(7));
  return m;
}

Endpoint an_endpoint() { return {true, true, "fqdn:a.example", {a_flow().local, a_flow().remote}}; }

Event an_event() {
  return {EventType::lost, 3, 1700000000000000000, 501, a_flow(), Code::LATCH_BROKEN, "fqdn:b.example", "why", 7, {"esp 0x1 > 10.1.0.2"}};
}

// One body of each kind, and whether octets decode as that kind and encode to the same octets again.
struct Sample {
  const char* name;
  Bytes body;
  std::function<bool(base::View)> stable;
};

template <typename T>
Sample sample(const char* name, const T& message, base::Result<T> (*decode)(base::View)) {
  return {name, encode(message), [decode](base::View body) {
            const auto got = decode(body);
            return got.ok() && encode(*got) == Bytes(body.begin(), body.end());
          }};
}

std::vector<Sample> samples() {
  const InitiateRequest initiate{Found::sole, kWantMutual, "host@b", digest(1), digest(2)};
  AcceptReply retry;
  retry.retry = true;
  return {
      sample("latch", LatchRequest{a_flow().remote}, decode_latch_request),
      sample("latch reply", LatchReply{a_channel(), Code::NOT_LATCHABLE, "the route goes through a VRF"}, decode_latch_reply),
      sample("require", RequireRequest{a_flow().remote, 443, Strength::high, true, true, true, 256}, decode_require_request),
      sample("require reply", RequireReply{true}, decode_require_reply),
      sample("survey", SurveyRequest{Sight::datagram, a_flow().remote, 53, a_flow().local}, decode_survey_request),
      sample("survey reply", SurveyReply{a_report(), {a_flow().local, a_flow().remote, 4500, 60123}, true, true}, decode_survey_reply),
      sample("endpoint", EndpointRequest{an_endpoint(), Reuse::anybody}, decode_endpoint_request),
      sample("endpoint reply", EndpointReply{0x01020304}, decode_endpoint_reply),
      sample("resolve", ResolveRequest{0x01020304}, decode_resolve_request),
      sample("resolve reply", ResolveReply{an_endpoint()}, decode_resolve_reply),
      sample("locators reply", LocatorsReply{{{a_flow().local, a_flow().remote, 4500, 4501}, {}}}, decode_locators_reply),
      sample("unlatch", UnlatchRequest{0x0102030405060708}, decode_unlatch_request),
      sample("hello", HelloRequest{1, 2, "/usr/bin/psql"}, decode_hello_request),
      sample("hello reply", HelloReply{1, 99, 1022, true}, decode_hello_reply),
      sample("query", QueryRequest{Found::preload}, decode_query_request),
      sample("query flow", QueryFlowRequest{a_flow()}, decode_query_flow_request),
      sample("report", a_report(), decode_report),
      sample("initiate", initiate, decode_initiate_request),
      sample("initiate reply", InitiateReply{octets(kMaxSealed), a_channel(), base::Secret(digest(5))}, decode_initiate_reply),
      sample("accept", AcceptRequest{Found::named, 3, "ldap", octets(9), digest(1), true, digest(2), digest(3)}, decode_accept_request),
      sample("accept reply", an_accept_reply(), decode_accept_reply),
      sample("retry", retry, decode_accept_reply),
      sample("bind", BindRequest{Found::sole, channel::Role::acceptor}, decode_bind_request),
      sample("binding", BindingRequest{channel::Role::acceptor}, decode_binding_request),
      sample("bind reply", BindReply{KerberosUse::bind, Code::WEAK, "wanted 256", a_channel(), base::Secret(digest(6))}, decode_bind_reply),
      sample("bind reply, off", BindReply{}, decode_bind_reply),
      sample("bound", BoundRequest{"/usr/bin/psql"}, decode_bound_request),
      sample("bound reply", BoundReply{KerberosUse::skip, true, false, 192, BoundBefore{channel::Role::acceptor, Found::sole, "/usr/bin/psql", 1700000000000000000,
                                                                                KerberosUse::bind, Code::WEAK, "wanted 256"}}, decode_bound_reply),
      sample("bound reply, never", BoundReply{KerberosUse::off, false, true, 128, {}}, decode_bound_reply),
      sample("statement", a_statement(), decode_latch_statement),
      sample("check", CheckRequest{1, 2, 3, octets(5)}, decode_check_request),
      sample("check reply", CheckReply{LatchState::broken, Code::LATCH_BROKEN, "spd", 4, 5}, decode_check_reply),
      sample("release", ReleaseRequest{1, 2}, decode_release_request),
      sample("probe", ProbeRequest{channel::Role::acceptor, "host"}, decode_probe_request),
      sample("probe reply", ProbeReply{true, "ipsec:fqdn:a"}, decode_probe_reply),
      sample("localname", LocalnameRequest{"ipsec:fqdn:b/bob"}, decode_localname_request),
      sample("localname reply", LocalnameReply{"bob"}, decode_localname_reply),
      sample("hand over", HandOverRequest{501}, decode_hand_over_request),
      sample("hand over reply", HandOverReply{digest(1), base::Secret(digest(2))}, decode_hand_over_reply),
      sample("take over", TakeOverRequest{501, digest(1)}, decode_take_over_request),
      sample("take over reply", TakeOverReply{a_channel(), base::Secret(digest(2))}, decode_take_over_reply),
      sample("context", a_context(), decode_context_state),
      sample("subscribe", SubscribeRequest{event_bit(EventType::rekeyed), Scope::all}, decode_subscribe_request),
      sample("subscribe reply", SubscribeReply{3, 501, true}, decode_subscribe_reply),
      sample("unsubscribe", UnsubscribeRequest{3}, decode_unsubscribe_request),
      sample("event", an_event(), decode_event),
      sample("metrics reply", MetricsReply{"a 1\nb 2\n"}, decode_metrics_reply),
      sample("explain", ExplainRequest{Found::sole, {}}, decode_explain_request),
      sample("explain flow", ExplainRequest{Found::named, a_flow()}, decode_explain_request),
      sample("explain reply", ExplainReply{true, "1. the socket\n"}, decode_explain_reply),
      sample("latches", LatchesRequest{77}, decode_latches_request),
      sample("latches reply", LatchesReply{{{1, LatchState::listener, a_flow(), 0}, {2, LatchState::broken, a_flow(), 1000}}, true}, decode_latches_reply),
      sample("mirror reply", MirrorReply{false, 3, 4, "only in the kernel: esp 0x1 > 10.1.0.2\n"}, decode_mirror_reply),
  };
}

class MessagesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MessagesTest);
  CPPUNIT_TEST(every_field_survives_the_way_there_and_back);
  CPPUNIT_TEST(every_body_is_stable);
  CPPUNIT_TEST(every_truncation_is_refused);
  CPPUNIT_TEST(a_trailing_octet_is_refused);
  CPPUNIT_TEST(every_single_changed_octet_is_refused_or_reads_as_written);
  CPPUNIT_TEST(a_flag_is_zero_or_one);
  CPPUNIT_TEST(enumerations_keep_to_their_range);
  CPPUNIT_TEST(an_unknown_wish_is_refused);
  CPPUNIT_TEST(a_document_may_have_lines_and_nothing_else);
  CPPUNIT_TEST(the_octets_of_an_event_are_as_documented);
  CPPUNIT_TEST(a_name_that_is_too_long_is_neither_sent_nor_read);
  CPPUNIT_TEST(a_list_that_is_too_long_is_neither_sent_nor_read);
  CPPUNIT_TEST(a_sealed_assertion_that_is_too_long_is_neither_sent_nor_read);
  CPPUNIT_TEST(control_characters_are_neither_sent_nor_read);
  CPPUNIT_TEST(text_for_people_is_shortened_not_refused);
  CPPUNIT_TEST(a_retry_carries_no_key);
  CPPUNIT_TEST(a_session_key_has_its_one_length);
  CPPUNIT_TEST(the_largest_report_fits_a_message);
  CPPUNIT_TEST(the_octets_of_a_frame_are_as_documented);
  CPPUNIT_TEST(a_broken_header_is_refused);
  CPPUNIT_TEST(another_version_is_told_apart);
  CPPUNIT_TEST(an_error_answer_says_code_and_detail);
  CPPUNIT_TEST_SUITE_END();

  static void refused(const std::string& what, const std::function<bool()>& decodes) { CPPUNIT_ASSERT_MESSAGE(what, !decodes()); }

  void every_field_survives_the_way_there_and_back() {
    CPPUNIT_ASSERT(*decode_report(encode(a_report())) == a_report());
    CPPUNIT_ASSERT(*decode_event(encode(an_event())) == an_event());
    const auto initiate = decode_initiate_reply(encode(InitiateReply{octets(3), a_channel(), base::Secret(digest(5))}));
    CPPUNIT_ASSERT(initiate->sealed == octets(3) && initiate->channel == a_channel() && base::equal_secret(initiate->handshake_key.view(), digest(5)));
    const AcceptRequest accept{Found::preload, 31, "s", octets(9), digest(1), true, digest(2), digest(3)};
    CPPUNIT_ASSERT(*decode_accept_request(encode(accept)) == accept);
    const auto reply = decode_accept_reply(encode(an_accept_reply()));
    CPPUNIT_ASSERT(reply->channel == a_channel() && reply->sealed == octets(200) && !reply->retry && reply->bindings_match);
    CPPUNIT_ASSERT(base::equal_secret(reply->session_key.view(), digest(9)));
    const CheckReply check{LatchState::stale, Code::LATCH_STALE, "d", 4, 5};
    CPPUNIT_ASSERT(*decode_check_reply(encode(check)) == check);
  }

  void every_body_is_stable() {
    for (const Sample& s : samples()) CPPUNIT_ASSERT_MESSAGE(s.name, s.stable(s.body));
  }

  void every_truncation_is_refused() {
    for (const Sample& s : samples())
      for (std::size_t size = 0; size < s.body.size(); ++size)
        refused(s.name, [&] { return s.stable(base::View(s.body).first(size)); });
  }

  void a_trailing_octet_is_refused() {
    for (Sample& s : samples()) {
      s.body.push_back(std::byte{0});
      CPPUNIT_ASSERT_MESSAGE(s.name, !s.stable(s.body));
    }
    CPPUNIT_ASSERT(decode_release_request(encode(ReleaseRequest{})).ok());
    Bytes longer = encode(ReleaseRequest{});
    longer.push_back(std::byte{0});
    const auto got = decode_release_request(longer);
    CPPUNIT_ASSERT(!got.ok() && got.error().code == Code::BAD_MESSAGE);
  }

  // What decodes must encode to the same octets: no two wire forms of one message.
  template <typename T>
  static void flip_all(const T& message, base::Result<T> (*decode)(base::View)) {
    Bytes body = encode(message);
    for (std::size_t i = 0; i < body.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        body[i] ^= static_cast<std::byte>(1 << bit);
        const auto got = decode(body);
        CPPUNIT_ASSERT(!got.ok() || encode(*got) == body);
        body[i] ^= static_cast<std::byte>(1 << bit);
      }
    }
  }
  void every_single_changed_octet_is_refused_or_reads_as_written() {
    flip_all(a_report(), decode_report);
    flip_all(LatchesReply{{{1, LatchState::listener, a_flow(), 0}}, true}, decode_latches_reply);
    flip_all(HelloRequest{1, 1, "/bin/x"}, decode_hello_request);
    flip_all(QueryFlowRequest{a_flow()}, decode_query_flow_request);
    flip_all(InitiateRequest{Found::sole, 1, "w", digest(1), digest(2)}, decode_initiate_request);
    flip_all(an_accept_reply(), decode_accept_reply);
    flip_all(CheckReply{LatchState::broken, Code::LATCH_BROKEN, "spd", 4, 5}, decode_check_reply);
    flip_all(ProbeRequest{channel::Role::acceptor, "host"}, decode_probe_request);
    flip_all(an_event(), decode_event);
    flip_all(TakeOverRequest{501, digest(1)}, decode_take_over_request);
    flip_all(a_context(), decode_context_state);
    flip_all(ExplainRequest{Found::named, a_flow()}, decode_explain_request);
  }

  void a_flag_is_zero_or_one() {
    Bytes body = encode(ProbeReply{true, ""});
    CPPUNIT_ASSERT(decode_probe_reply(body)->has_policies);
    body[0] = std::byte{2};
    CPPUNIT_ASSERT(!decode_probe_reply(body).ok());
  }

  void enumerations_keep_to_their_range() {
    for (int value = 0; value < 256; ++value) {
      const Bytes found{static_cast<std::byte>(value)};
      CPPUNIT_ASSERT_EQUAL(value >= 1 && value <= 3, decode_query_request(found).ok());
      Bytes probe = encode(ProbeRequest{});
      probe[0] = static_cast<std::byte>(value);
      CPPUNIT_ASSERT_EQUAL(value == 1 || value == 2, decode_probe_request(probe).ok());
      Bytes check = encode(CheckReply{});
      check[0] = static_cast<std::byte>(value);
      CPPUNIT_ASSERT_EQUAL(value <= 6, decode_check_reply(check).ok());
      Bytes event = encode(Event{});
      event[0] = static_cast<std::byte>(value);
      CPPUNIT_ASSERT_EQUAL(value >= 1 && value <= 10, decode_event(event).ok());
      Bytes scope = encode(SubscribeRequest{});
      scope[4] = static_cast<std::byte>(value);
      CPPUNIT_ASSERT_EQUAL(value == 1 || value == 2, decode_subscribe_request(scope).ok());
    }
    Bytes flow = encode(QueryFlowRequest{});
    flow[2] = std::byte{5};
    CPPUNIT_ASSERT(!decode_query_flow_request(flow).ok());
  }

  void an_unknown_wish_is_refused() {
    CPPUNIT_ASSERT(decode_initiate_request(encode(InitiateRequest{Found::named, 31, "", {}, {}})).ok());
    CPPUNIT_ASSERT(!decode_initiate_request(encode(InitiateRequest{Found::named, 32, "", {}, {}})).ok());
    CPPUNIT_ASSERT(decode_subscribe_request(encode(SubscribeRequest{kAllEvents, Scope::all})).ok());
    CPPUNIT_ASSERT(!decode_subscribe_request(encode(SubscribeRequest{kAllEvents | 1, Scope::all})).ok());
    CPPUNIT_ASSERT(!decode_subscribe_request(encode(SubscribeRequest{kAllEvents << 1, Scope::all})).ok());
  }

  void a_document_may_have_lines_and_nothing_else() {
    const std::string longest(kMaxDocument, 'n');
    CPPUNIT_ASSERT(decode_metrics_reply(encode(MetricsReply{longest})).ok());
    CPPUNIT_ASSERT(decode_frame(encode(Header{}, encode(ExplainReply{true, longest}))).ok());
    CPPUNIT_ASSERT(!decode_metrics_reply(base::Writer().block16(longest + "n").bytes()).ok());
    CPPUNIT_ASSERT(!decode_metrics_reply(base::Writer().block16("a\x1b[2J").bytes()).ok());
    CPPUNIT_ASSERT_THROW((void)encode(MetricsReply{"a\tb"}), std::length_error);
  }

  void the_octets_of_an_event_are_as_documented() {
    const Event event{EventType::rekeyed, 1, 2, 0, {}, Code::ok, "x", "", 0, {}};
    const Bytes body = encode(event);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1 + 4 + 8 + 8 + 21 + 4 + 3 + 2 + 4 + 2}, body.size());
    CPPUNIT_ASSERT(body[0] == std::byte{1} && body[4] == std::byte{1} && body[12] == std::byte{2} && body[48] == std::byte{'x'});
  }

  static Bytes long_text(std::size_t size) {
    return base::Writer().block16(std::string(size, 'n')).bytes();
  }
  void a_name_that_is_too_long_is_neither_sent_nor_read() {
    CPPUNIT_ASSERT(decode_localname_request(long_text(kMaxName)).ok());
    CPPUNIT_ASSERT(!decode_localname_request(long_text(kMaxName + 1)).ok());
    CPPUNIT_ASSERT_THROW((void)encode(LocalnameRequest{std::string(kMaxName + 1, 'n')}), std::length_error);
  }

  void a_list_that_is_too_long_is_neither_sent_nor_read() {
    ChannelInfo channel = a_channel();
    channel.peer_services.assign(kMaxList, std::string(kMaxService, 's'));
    Bytes body = encode(InitiateReply{{}, channel, base::Secret(32)});
    CPPUNIT_ASSERT(decode_initiate_reply(body).ok());
    channel.peer_services.emplace_back("one more");
    CPPUNIT_ASSERT_THROW((void)encode(InitiateReply{{}, channel, base::Secret(32)}), std::length_error);
    // 65 empty services in place of two names, by hand.
    channel.peer_services.assign(2, "");
    body = encode(InitiateReply{{}, channel, base::Secret(32)});
    const std::size_t count_at = 2 + 7 + 2 + channel.suite.size() + 2 + channel.local_name.size() + 2 + channel.peer_name.size();
    CPPUNIT_ASSERT(body[count_at + 1] == std::byte{2});
    body[count_at + 1] = std::byte{65};
    body.insert(body.begin() + static_cast<std::ptrdiff_t>(count_at) + 2, 2 * 63, std::byte{0});
    CPPUNIT_ASSERT(!decode_initiate_reply(body).ok());
    body[count_at + 1] = std::byte{64};
    body.erase(body.begin() + static_cast<std::ptrdiff_t>(count_at) + 2, body.begin() + static_cast<std::ptrdiff_t>(count_at) + 4);
    CPPUNIT_ASSERT(decode_initiate_reply(body).ok());
  }

  void a_sealed_assertion_that_is_too_long_is_neither_sent_nor_read() {
    CPPUNIT_ASSERT_THROW((void)encode(InitiateReply{octets(kMaxSealed + 1), {}, base::Secret(32)}), std::length_error);
    Bytes body = base::Writer().block16(octets(kMaxSealed + 1)).bytes();
    const Bytes rest = encode(InitiateReply{{}, a_channel(), base::Secret(32)});
    body.insert(body.end(), rest.begin() + 2, rest.end());
    CPPUNIT_ASSERT(!decode_initiate_reply(body).ok());
  }

  void control_characters_are_neither_sent_nor_read() {
    CPPUNIT_ASSERT_THROW((void)encode(LocalnameReply{std::string("bob\0root", 8)}), std::length_error);
    CPPUNIT_ASSERT(!decode_localname_reply(base::Writer().block16(std::string("bob\0root", 8)).bytes()).ok());
    CPPUNIT_ASSERT(!decode_localname_reply(base::Writer().block16("a\x1b[2J").bytes()).ok());
    CPPUNIT_ASSERT_EQUAL(std::string("/a?b"), decode_hello_request(encode(HelloRequest{1, 1, "/a\nb"}))->program);
  }

  void text_for_people_is_shortened_not_refused() {
    const auto got = decode_check_reply(encode(CheckReply{LatchState::none, Code::ok, std::string(5000, 'd'), 0, 0}));
    CPPUNIT_ASSERT_EQUAL(kMaxName, got->detail.size());
    Report report = a_report();
    report.out.sas.assign(1000, std::string(1000, 's'));
    CPPUNIT_ASSERT_EQUAL(kMaxList, decode_report(encode(report))->out.sas.size());
  }

  void a_retry_carries_no_key() {
    AcceptReply reply = an_accept_reply();
    reply.retry = true;
    const auto got = decode_accept_reply(encode(reply));
    CPPUNIT_ASSERT(got->retry && got->session_key.empty() && got->sealed.empty());
  }

  void a_session_key_has_its_one_length() {
    AcceptReply reply = an_accept_reply();
    reply.session_key = base::Secret(31);
    CPPUNIT_ASSERT_THROW((void)encode(reply), std::length_error);
  }

  void the_largest_report_fits_a_message() {
    Report r = a_report();
    const std::string text(kMaxName, 'x');
    r.detail = r.local_id = r.peer_id = r.local_method = r.peer_method = r.ike_connection = r.ike_source = r.why_not_latchable = text;
    r.out.detail = r.out.suite = r.out.mode = text;
    r.out.sas.assign(kMaxList, std::string(kMaxLine, 's'));
    r.in = r.out;
    CPPUNIT_ASSERT(decode_frame(encode(Header{}, encode(r))).ok());
  }

  void the_octets_of_a_frame_are_as_documented() {
    const Bytes datagram = encode(Header{1, Verb::check, 0x01020304, Code::BUSY}, octets(1));
    CPPUNIT_ASSERT_EQUAL(std::string("49504753" "0001" "0007" "01020304" "00000131" "a5"),
                         base::to_hex(datagram));
    const auto frame = decode_frame(datagram);
    CPPUNIT_ASSERT(frame->header.verb == Verb::check && frame->header.request == 0x01020304 && frame->header.status == Code::BUSY);
    CPPUNIT_ASSERT(frame->body == octets(1));
  }

  void a_broken_header_is_refused() {
    const Bytes good = encode(Header{}, {});
    for (std::size_t size = 0; size < good.size(); ++size) CPPUNIT_ASSERT(!decode_frame(base::View(good).first(size)).ok());
    Bytes magic = good, verb = good;
    magic[0] ^= std::byte{1};
    CPPUNIT_ASSERT(decode_frame(magic).error().code == Code::BAD_MESSAGE);
    verb[7] = static_cast<std::byte>(static_cast<int>(kLastVerb) + 1);
    CPPUNIT_ASSERT(decode_frame(verb).error().code == Code::BAD_MESSAGE);
    for (const int unused : {0, 6}) {
      verb[7] = static_cast<std::byte>(unused);
      CPPUNIT_ASSERT(!decode_frame(verb).ok());
    }
    CPPUNIT_ASSERT(!decode_frame(Bytes(kMaxMessage + 1)).ok());
    CPPUNIT_ASSERT_THROW((void)encode(Header{}, Bytes(kMaxMessage)), std::length_error);
  }

  void another_version_is_told_apart() {
    for (const int version : {0, kVersion + 1, 0xff}) {
      Bytes datagram = encode(Header{}, {});
      datagram[5] = static_cast<std::byte>(version);
      CPPUNIT_ASSERT(decode_frame(datagram).error().code == Code::PROTOCOL_VERSION);
    }
    CPPUNIT_ASSERT(decode_frame(encode(Header{1, Verb::mirror}, {})).ok());
    for (const Verb newer : {Verb::bind, Verb::binding}) CPPUNIT_ASSERT(decode_frame(encode(Header{2, newer}, {})).ok());
    CPPUNIT_ASSERT(decode_frame(encode(Header{1, Verb::bind}, {})).error().code == Code::PROTOCOL_VERSION);
  }

  void an_error_answer_says_code_and_detail() {
    const Header request{1, Verb::accept, 77, Code::ok};
    auto frame = decode_frame(encode_error(request, base::fail(Code::WRONG_FLOW, "seen\nbefore")));
    CPPUNIT_ASSERT(frame->header.request == 77 && frame->header.verb == Verb::accept);
    CPPUNIT_ASSERT(error_of(*frame).code == Code::WRONG_FLOW && error_of(*frame).detail == "seen?before");
    frame->body.push_back(std::byte{0});
    CPPUNIT_ASSERT(error_of(*frame).code == Code::BAD_MESSAGE);
    // An error without a code must not read as success.
    CPPUNIT_ASSERT(decode_frame(encode_error(request, base::fail(Code::ok)))->header.status == Code::INTERNAL);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MessagesTest);

}  // namespace
}  // namespace gssipsec::protocol
