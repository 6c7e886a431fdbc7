// SPDX-License-Identifier: MIT
// The exchange of context tokens, through libgssapi and the built plugin, with a broker that really opens assertions.
#include <cppunit/extensions/HelperMacros.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>

#include "tests/glue/gss_support.h"
#include "tests/support/twin_broker.h"

namespace gssipsec::tests {
namespace {

using base::Code;
using protocol::Verb;

constexpr OM_uint32 kMost = GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG | GSS_C_TRANS_FLAG;

class HandshakeTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HandshakeTest);
  CPPUNIT_TEST(three_tokens_make_a_context);
  CPPUNIT_TEST(names_flags_and_lifetime_are_told);
  CPPUNIT_TEST(a_retry_is_answered_by_another_hello);
  CPPUNIT_TEST(two_retries_are_answered_and_a_third_is_not);
  CPPUNIT_TEST(every_octet_of_the_first_token_counts);
  CPPUNIT_TEST(every_octet_of_a_retry_counts);
  CPPUNIT_TEST(every_octet_of_a_second_hello_counts);
  CPPUNIT_TEST(every_octet_of_the_reply_counts);
  CPPUNIT_TEST(every_octet_of_the_confirmation_counts);
  CPPUNIT_TEST(a_hello_that_is_sent_again_leads_to_no_context);
  CPPUNIT_TEST(an_acceptor_that_is_not_latched_is_refused);
  CPPUNIT_TEST(tokens_cut_short_or_prolonged_are_refused);
  CPPUNIT_TEST(tokens_in_the_wrong_place_are_refused);
  CPPUNIT_TEST(a_failed_context_stays_failed);
  CPPUNIT_TEST(the_initiator_learns_why_the_acceptor_refused);
  CPPUNIT_TEST(the_peer_does_not_learn_what_is_wrong_with_this_host);
  CPPUNIT_TEST(equal_bindings_are_bound);
  CPPUNIT_TEST(different_bindings_are_refused);
  CPPUNIT_TEST(bindings_of_one_side_alone_bind_nothing);
  CPPUNIT_TEST(the_wanted_name_is_asked_for_and_compared);
  CPPUNIT_TEST(a_service_that_the_acceptor_may_not_use_is_refused);
  CPPUNIT_TEST(an_anonymous_initiator_is_refused_unless_allowed);
  CPPUNIT_TEST(an_acceptor_tells_the_broker_its_leave);
  CPPUNIT_TEST(an_acceptor_without_leave_refuses_although_the_broker_does_not);
  CPPUNIT_TEST(anonymity_can_be_asked_for);
  CPPUNIT_TEST(mutual_authentication_that_was_asked_for_is_given_or_refused);
  CPPUNIT_TEST(a_socket_that_became_another_is_refused);
  CPPUNIT_TEST(a_socket_that_is_connected_elsewhere_is_refused);
  CPPUNIT_TEST(an_acceptors_socket_that_became_another_is_refused);
  CPPUNIT_TEST(a_latch_that_broke_before_the_confirmation_is_refused);
  CPPUNIT_TEST(a_stale_latch_is_confirmed_before_the_end);
  CPPUNIT_TEST(nobody_is_named_before_the_end);
  CPPUNIT_TEST(an_acceptor_goes_on_with_its_socket);
  CPPUNIT_TEST(a_broker_that_saw_another_socket_is_refused);
  CPPUNIT_TEST(a_name_that_reads_as_a_principal_is_refused);
  CPPUNIT_TEST(a_latch_that_broke_before_the_end_is_refused);
  CPPUNIT_TEST(a_token_of_another_connection_is_refused);
  CPPUNIT_TEST(a_credential_for_the_other_role_is_refused);
  CPPUNIT_TEST(the_first_call_fails_without_leaving_a_context);
  CPPUNIT_TEST_SUITE_END();

  // A fixture is made long before its test runs.
  std::unique_ptr<TwinBroker> twin_;

 public:
  void setUp() override { twin_ = std::make_unique<TwinBroker>(); }
  void tearDown() override { twin_.reset(); }

  void three_tokens_make_a_context() {
    Pair pair;
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, pair.tokens.size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{34}, pair.tokens[2].size());
    CPPUNIT_ASSERT_EQUAL(1, twin_->requests(Verb::initiate));
    CPPUNIT_ASSERT_EQUAL(1, twin_->requests(Verb::accept));
    CPPUNIT_ASSERT(twin_->initiated->found == protocol::Found::named);
  }

  void names_flags_and_lifetime_are_told() {
    Pair pair;
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(kMost | GSS_C_MUTUAL_FLAG | GSS_C_PROT_READY_FLAG, pair.initiator.flags);
    CPPUNIT_ASSERT_EQUAL(kMost | GSS_C_MUTUAL_FLAG | GSS_C_PROT_READY_FLAG, pair.acceptor.flags);
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:client.example.org"), pair.acceptor.source.text());
    for (const End* end : {&pair.initiator, &pair.acceptor}) {
      GssName source, target;
      OM_uint32 minor, lifetime = 0, flags = 0;
      int local = -1, open = -1;
      gss_OID oid = GSS_C_NO_OID;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_context(&minor, end->context, source.out(), target.out(), &lifetime, &oid, &flags, &local, &open));
      CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:client.example.org"), source.text());
      CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:server.example.org"), target.text());
      CPPUNIT_ASSERT(lifetime > 3590 && lifetime <= 3600 && open == 1 && local == (end == &pair.initiator));
      CPPUNIT_ASSERT(oid->length == mech()->length);
      CPPUNIT_ASSERT_EQUAL(end->flags, flags);
    }
  }

  void a_retry_is_answered_by_another_hello() {
    twin_->knobs.retries = 1;
    Pair pair;
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, pair.tokens.size());
    CPPUNIT_ASSERT_EQUAL(char{2}, pair.tokens[1][0]);
    CPPUNIT_ASSERT(twin_->initiated->transcript == twin_->accepted->transcript);
  }

  void two_retries_are_answered_and_a_third_is_not() {
    twin_->knobs.retries = 2;
    Pair pair;
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(std::size_t{7}, pair.tokens.size());
    twin_->knobs.retries = 3;
    Pair more;
    const Status status = more.shake();
    expect(status, GSS_S_DEFECTIVE_TOKEN, Code::TOO_MANY_RETRIES);
  }

  // Each single octet of the token that `leg` sends, changed. Nobody may come to a context with it, and nothing breaks.
  void flip(int leg, int retries) {
    twin_->knobs.retries = retries;
    std::size_t size = 1;
    for (std::size_t at = 0; at < size; ++at) {
      Pair pair;
      std::string token;
      for (int i = 0; i <= leg; ++i) {
        const Status well = step(pair, i, token);
        CPPUNIT_ASSERT_MESSAGE(message_of(well), !GSS_ERROR(well.major) && !token.empty());
      }
      size = token.size();
      token[at] = static_cast<char>(token[at] ^ (at % 2 == 0 ? 0x01 : 0x80));
      Status status = step(pair, leg + 1, token);
      CPPUNIT_ASSERT_MESSAGE("octet " + std::to_string(at) + ": " + message_of(status), GSS_ERROR(status.major));
    }
    CPPUNIT_ASSERT(size >= 2);
  }

  static Status step(Pair& pair, int leg, std::string& token) {
    return leg % 2 == 0 ? pair.initiator.init(pair.target.get(), pair.request, token) : pair.acceptor.accept(token);
  }

  void every_octet_of_the_first_token_counts() { flip(0, 0); }
  void every_octet_of_a_retry_counts() { flip(1, 1); }
  void every_octet_of_a_second_hello_counts() { flip(2, 1); }
  void every_octet_of_the_reply_counts() { flip(1, 0); }
  void every_octet_of_the_confirmation_counts() { flip(2, 0); }

  // Whoever kept HELLO has what was on the wire, and not the key that only its maker was given.
  void a_hello_that_is_sent_again_leads_to_no_context() {
    Pair pair;
    std::string token;
    step(pair, 0, token);
    const std::string hello = token;
    step(pair, 1, token);
    step(pair, 2, token);
    const std::string confirm = token;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_COMPLETE}, step(pair, 3, token).major);
    End again;
    std::swap(*again.credential.out(), *pair.acceptor.credential.out());
    token = hello;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_CONTINUE_NEEDED}, again.accept(token).major);
    token = confirm;
    expect(again.accept(token), GSS_S_DEFECTIVE_TOKEN, Code::NOT_CONFIRMED);
  }

  void an_acceptor_that_is_not_latched_is_refused() {
    twin_->knobs.acceptor_latched = false;
    Pair pair;
    expect(pair.shake(), GSS_S_FAILURE, Code::PEER_NOT_LATCHED);
  }

  void tokens_cut_short_or_prolonged_are_refused() {
    for (const int leg : {0, 1, 2}) {
      for (const int change : {-1, -20, 1}) {
        Pair pair;
        std::string token;
        for (int i = 0; i <= leg; ++i) step(pair, i, token);
        token.resize(static_cast<std::size_t>(static_cast<int>(token.size()) + change));
        const Status status = step(pair, leg + 1, token);
        CPPUNIT_ASSERT_MESSAGE(message_of(status), GSS_ROUTINE_ERROR(status.major) == GSS_S_DEFECTIVE_TOKEN);
      }
    }
  }

  void tokens_in_the_wrong_place_are_refused() {
    Pair whole;
    whole.must_shake();
    Pair pair;
    std::string hello;
    step(pair, 0, hello);
    // Its own HELLO, unframed, comes back to the initiator.
    std::string inner = hello.substr(hello.size() - (whole.tokens[0].size() - 40));
    std::string own = hello.substr(hello.find(std::string("\x01\x01", 2), 30));
    expect(pair.initiator.init(pair.target.get(), pair.request, own), GSS_S_DEFECTIVE_TOKEN, Code::BAD_TOKEN);
    // A REPLY, framed as a first token, comes to an acceptor.
    Pair second;
    std::string reply = hello.substr(0, hello.find(std::string("\x01\x01", 2), 30)) + whole.tokens[1];
    reply.resize(hello.size(), '\0');
    CPPUNIT_ASSERT(GSS_ERROR(second.acceptor.accept(reply).major));
    // The acceptor's first token without its frame.
    Pair third;
    std::string bare = own;
    CPPUNIT_ASSERT(GSS_ERROR(third.acceptor.accept(bare).major));
  }

  void a_failed_context_stays_failed() {
    Pair pair;
    std::string token;
    step(pair, 0, token);
    step(pair, 1, token);
    std::string broken = token;
    broken[10] = static_cast<char>(broken[10] ^ 1);
    CPPUNIT_ASSERT(GSS_ERROR(pair.initiator.init(pair.target.get(), pair.request, broken).major));
    CPPUNIT_ASSERT(GSS_ERROR(pair.initiator.init(pair.target.get(), pair.request, token).major));
    std::string wrapped;
    CPPUNIT_ASSERT(GSS_ERROR(pair.initiator.wrap("x", wrapped).major));
  }

  void the_initiator_learns_why_the_acceptor_refused() {
    twin_->knobs.accept = Code::SERVICE_DENIED;
    Pair pair;
    std::string token;
    step(pair, 0, token);
    expect(pair.acceptor.accept(token), GSS_S_UNAUTHORIZED, Code::SERVICE_DENIED);
    CPPUNIT_ASSERT_EQUAL(std::string("\x04\x01\0\0\0\x67", 6), token);
    const Status told = pair.initiator.init(pair.target.get(), pair.request, token);
    expect(told, GSS_S_FAILURE, Code::PEER_REFUSED);
    CPPUNIT_ASSERT_MESSAGE(message_of(told), message_of(told).find("service name") != std::string::npos);
    CPPUNIT_ASSERT(token.empty());
  }

  void the_peer_does_not_learn_what_is_wrong_with_this_host() {
    for (const Code code : {Code::NO_POLICY, Code::STARTED_IN_CLEAR, Code::NOT_OWNER, Code::BUSY, Code::NO_KEYS}) {
      twin_->knobs.accept = code;
      Pair pair;
      std::string token;
      step(pair, 0, token);
      expect(pair.acceptor.accept(token), GSS_S_FAILURE, code);
      CPPUNIT_ASSERT_EQUAL(std::string("\x04\x01\0\0\0\xd2", 6), token);
    }
  }

  void equal_bindings_are_bound() {
    Pair pair;
    pair.initiator.bindings = pair.acceptor.bindings = "n,,";
    pair.must_shake();
    CPPUNIT_ASSERT(pair.initiator.flags & GSS_C_CHANNEL_BOUND_FLAG);
    CPPUNIT_ASSERT(pair.acceptor.flags & GSS_C_CHANNEL_BOUND_FLAG);
  }

  void different_bindings_are_refused() {
    Pair pair;
    pair.initiator.bindings = "n,,";
    pair.acceptor.bindings = "y,,";
    expect(pair.shake(), GSS_S_BAD_BINDINGS, Code::BAD_BINDINGS);
  }

  void bindings_of_one_side_alone_bind_nothing() {
    for (const bool initiators : {true, false}) {
      Pair pair;
      (initiators ? pair.initiator : pair.acceptor).bindings = "n,,";
      pair.must_shake();
      CPPUNIT_ASSERT(!(pair.initiator.flags & GSS_C_CHANNEL_BOUND_FLAG));
      CPPUNIT_ASSERT(!(pair.acceptor.flags & GSS_C_CHANNEL_BOUND_FLAG));
    }
  }

  void the_wanted_name_is_asked_for_and_compared() {
    Pair pair;
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(std::string("test@server.example.org"), twin_->initiated->wanted);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{protocol::kWantMutual | protocol::kWantIntegrity | protocol::kWantConfidentiality}, twin_->initiated->want);
    Pair typed("ipsec:fqdn:other.example.org");
    expect(typed.shake(), GSS_S_FAILURE, Code::WRONG_PEER);
  }

  void a_service_that_the_acceptor_may_not_use_is_refused() {
    Pair pair("ldap@server.example.org");
    expect(pair.shake(), GSS_S_UNAUTHORIZED, Code::SERVICE_DENIED);
    const GssName name("forbidden@server.example.org", GSS_C_NT_HOSTBASED_SERVICE);
    GssCredential credential;
    expect(credential.acquire(GSS_C_ACCEPT, {}, name.get()), GSS_S_NO_CRED, Code::SERVICE_DENIED);
  }

  void an_anonymous_initiator_is_refused_unless_allowed() {
    twin_->knobs.initiator_anonymous = true;
    Pair refused;
    std::string token;
    step(refused, 0, token);
    expect(refused.acceptor.accept(token), GSS_S_FAILURE, Code::ANONYMOUS_REFUSED);
    Pair allowed("test@server.example.org", {{"ipsec-anonymous", "allow"}});
    allowed.must_shake();
    CPPUNIT_ASSERT(allowed.acceptor.flags & GSS_C_ANON_FLAG);
    CPPUNIT_ASSERT(allowed.initiator.flags & GSS_C_ANON_FLAG);
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:anonymous"), allowed.acceptor.source.text());
  }

  void an_acceptor_tells_the_broker_its_leave() {
    for (const std::string leave : {"refuse", "allow"}) {
      Pair pair("test@server.example.org", {{"ipsec-anonymous", leave}});
      pair.must_shake();
      CPPUNIT_ASSERT_EQUAL(leave == "allow", (twin_->accepted->want & protocol::kAllowAnonymous) != 0);
    }
  }

  // The same where it asked for a REPLY once more; who gave leave, and whoever is named, goes on.
  void an_acceptor_without_leave_refuses_although_the_broker_does_not() {
    twin_->knobs.admits_anybody = true;
    for (const int retries : {0, 1}) {
      twin_->knobs.retries = retries;
      twin_->knobs.initiator_anonymous = true;
      Pair pair, allowed("test@server.example.org", {{"ipsec-anonymous", "allow"}}), named;
      expect(pair.shake(), GSS_S_FAILURE, Code::ANONYMOUS_REFUSED);
      CPPUNIT_ASSERT(pair.acceptor.source.get() == GSS_C_NO_NAME);
      CPPUNIT_ASSERT(!(twin_->accepted->want & protocol::kAllowAnonymous));
      allowed.must_shake();
      twin_->knobs.initiator_anonymous = false;
      named.must_shake();
    }
  }

  void anonymity_can_be_asked_for() {
    Pair pair("test@server.example.org", {{"ipsec-anonymous", "allow"}});
    pair.request |= GSS_C_ANON_FLAG;
    pair.must_shake();
    CPPUNIT_ASSERT(pair.acceptor.flags & GSS_C_ANON_FLAG);
    CPPUNIT_ASSERT(twin_->initiated->want & protocol::kWantAnonymous);
    CPPUNIT_ASSERT(twin_->initiated->want & protocol::kAllowAnonymous);
  }

  void mutual_authentication_that_was_asked_for_is_given_or_refused() {
    twin_->knobs.peer_authenticated = false;
    Pair wanted;
    expect(wanted.shake(), GSS_S_FAILURE, Code::PEER_UNAUTHENTICATED);
    Pair without;
    without.request &= ~OM_uint32{GSS_C_MUTUAL_FLAG};
    without.must_shake();
    CPPUNIT_ASSERT(!(without.initiator.flags & GSS_C_MUTUAL_FLAG));
    CPPUNIT_ASSERT(!(without.acceptor.flags & GSS_C_MUTUAL_FLAG));
  }

  void a_socket_that_became_another_is_refused() {
    Pair pair;
    std::string token;
    step(pair, 0, token);
    step(pair, 1, token);
    Connection other;
    CPPUNIT_ASSERT(dup2(other.client.get(), pair.connection.client.get()) >= 0);
    expect(pair.initiator.init(pair.target.get(), pair.request, token), GSS_S_FAILURE, Code::SOCKET_CHANGED);
    Pair second;
    CPPUNIT_ASSERT(dup2(other.client.get(), second.connection.client.get()) >= 0);
    token.clear();
    expect(second.initiator.init(second.target.get(), second.request, token), GSS_S_FAILURE, Code::SOCKET_CHANGED);
  }

  // Its number and cookie stay.
  void a_socket_that_is_connected_elsewhere_is_refused() {
    Pair pair;
    std::string token;
    step(pair, 0, token);
    step(pair, 1, token);
    const int fd = pair.connection.client.get();
    sockaddr_in nobody{};
    nobody.sin_family = AF_UNSPEC;
    CPPUNIT_ASSERT_EQUAL(0, connect(fd, reinterpret_cast<sockaddr*>(&nobody), sizeof nobody));
    const base::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in elsewhere{};
    elsewhere.sin_family = AF_INET;
    elsewhere.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof elsewhere;
    CPPUNIT_ASSERT_EQUAL(0, bind(listener.get(), reinterpret_cast<sockaddr*>(&elsewhere), size) | listen(listener.get(), 1));
    CPPUNIT_ASSERT_EQUAL(0, getsockname(listener.get(), reinterpret_cast<sockaddr*>(&elsewhere), &size));
    CPPUNIT_ASSERT_EQUAL(0, connect(fd, reinterpret_cast<sockaddr*>(&elsewhere), size));
    expect(pair.initiator.init(pair.target.get(), pair.request, token), GSS_S_FAILURE, Code::SOCKET_CHANGED);
  }

  static void to_the_confirmation(Pair& pair, std::string& token) {
    for (int leg = 0; leg < 3; ++leg) step(pair, leg, token);
  }

  void an_acceptors_socket_that_became_another_is_refused() {
    Pair pair;
    std::string token;
    to_the_confirmation(pair, token);
    Connection other;
    CPPUNIT_ASSERT(dup2(other.server.get(), pair.connection.server.get()) >= 0);
    expect(pair.acceptor.accept(token), GSS_S_FAILURE, Code::SOCKET_CHANGED);
  }

  void a_latch_that_broke_before_the_confirmation_is_refused() {
    Pair pair;
    std::string token;
    to_the_confirmation(pair, token);
    twin_->set_latches(protocol::LatchState::broken);
    expect(pair.acceptor.accept(token), GSS_S_FAILURE, Code::LATCH_BROKEN);
  }

  void a_stale_latch_is_confirmed_before_the_end() {
    Pair pair;
    std::string token;
    to_the_confirmation(pair, token);
    twin_->set_latches(protocol::LatchState::stale);
    CPPUNIT_ASSERT(pair.acceptor.accept(token).ok());
    CPPUNIT_ASSERT_EQUAL(1, twin_->requests(Verb::check));
  }

  void nobody_is_named_before_the_end() {
    Pair pair;
    std::string token;
    step(pair, 0, token);
    step(pair, 1, token);
    for (const End* end : {&pair.initiator, &pair.acceptor}) {
      GssName source, target;
      OM_uint32 minor;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_context(&minor, end->context, source.out(), target.out(), nullptr, nullptr, nullptr, nullptr, nullptr));
      CPPUNIT_ASSERT((end == &pair.initiator ? target : source).get() == GSS_C_NO_NAME);
    }
  }

  // Although its credential names another one by now.
  void an_acceptor_goes_on_with_its_socket() {
    Pair pair, other;
    std::string token;
    to_the_confirmation(pair, token);
    std::swap(*pair.acceptor.credential.out(), *other.acceptor.credential.out());
    CPPUNIT_ASSERT(pair.acceptor.accept(token).ok());
  }

  void a_broker_that_saw_another_socket_is_refused() {
    twin_->knobs.other_cookie = true;
    Pair pair;
    expect(pair.shake(), GSS_S_FAILURE, Code::SOCKET_CHANGED);
    CPPUNIT_ASSERT_MESSAGE("a token left", pair.tokens.empty());
    twin_->knobs.other_cookie = false;
    Pair late;
    std::string token;
    step(late, 0, token);
    twin_->knobs.other_cookie = true;
    expect(late.acceptor.accept(token), GSS_S_FAILURE, Code::SOCKET_CHANGED);
  }

  void a_name_that_reads_as_a_principal_is_refused() {
    twin_->knobs.bad_names = true;
    Pair pair;
    expect(pair.shake(), GSS_S_FAILURE, Code::BAD_MESSAGE);
  }

  void a_latch_that_broke_before_the_end_is_refused() {
    twin_->knobs.latch = protocol::LatchState::monitored;
    Pair pair;
    std::string token;
    step(pair, 0, token);
    expect(pair.acceptor.accept(token), GSS_S_FAILURE, Code::LATCH_BROKEN);
  }

  void a_token_of_another_connection_is_refused() {
    Pair first, second;
    std::string token;
    step(first, 0, token);
    expect(second.acceptor.accept(token), GSS_S_DEFECTIVE_TOKEN, Code::WRONG_FLOW);
  }

  void a_credential_for_the_other_role_is_refused() {
    Pair pair;
    std::swap(*pair.initiator.credential.out(), *pair.acceptor.credential.out());
    std::string token;
    const Status status = pair.initiator.init(pair.target.get(), pair.request, token);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(message_of(status), OM_uint32{GSS_S_NO_CRED}, GSS_ROUTINE_ERROR(status.major));
  }

  void the_first_call_fails_without_leaving_a_context() {
    twin_->knobs.initiate = Code::STARTED_IN_CLEAR;
    Pair pair;
    std::string token;
    expect(pair.initiator.init(pair.target.get(), pair.request, token), GSS_S_FAILURE, Code::STARTED_IN_CLEAR);
    CPPUNIT_ASSERT(pair.initiator.context == GSS_C_NO_CONTEXT && token.empty());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HandshakeTest);

}  // namespace
}  // namespace gssipsec::tests
