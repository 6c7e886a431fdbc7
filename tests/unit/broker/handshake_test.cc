// SPDX-License-Identifier: MIT
// INITIATE and ACCEPT at two brokers that share an SA pair, and everything that must make them refuse.
#include <cppunit/extensions/HelperMacros.h>

#include "channel/handshake.h"
#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using protocol::AcceptReply;
using protocol::AcceptRequest;
using protocol::InitiateReply;
using protocol::InitiateRequest;

template <typename T>
Code code(const base::Result<T>& result) {
  return result ? Code::ok : result.error().code;
}

#define ASSERT_CODE(expected, result)                                                                                       \
  do {                                                                                                                      \
    const auto& checked_result = (result);                                                                                  \
    CPPUNIT_ASSERT_EQUAL_MESSAGE(checked_result ? std::string("it succeeded") : base::describe(checked_result.error()),      \
                                 static_cast<std::uint32_t>(expected), static_cast<std::uint32_t>(code(checked_result))); \
  } while (false)

Config config_b() {
  Config config;
  config.services = {{"postgres", "postgres", 5432}, {"mallory", "web", 22}};
  return config;
}

class HandshakeTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HandshakeTest);
  CPPUNIT_TEST(two_ends_agree_on_a_session_key_and_on_each_other);
  CPPUNIT_TEST(each_answer_to_the_same_hello_has_a_key_of_its_own);
  CPPUNIT_TEST(each_hello_has_a_key_of_its_own);
  CPPUNIT_TEST(every_octet_of_a_sealed_token_is_protected);
  CPPUNIT_TEST(a_hello_for_another_port_is_refused);
  CPPUNIT_TEST(a_hello_naming_sas_of_another_connection_gets_a_retry);
  CPPUNIT_TEST(an_acceptors_token_is_no_hello);
  CPPUNIT_TEST(another_transcript_is_refused);
  CPPUNIT_TEST(an_unprotected_socket_is_refused);
  CPPUNIT_TEST(one_direction_is_not_enough);
  CPPUNIT_TEST(a_connection_older_than_its_policy_is_refused);
  CPPUNIT_TEST(same_host_is_refused);
  CPPUNIT_TEST(weak_keys_are_refused);
  CPPUNIT_TEST(an_unknown_peer_is_refused);
  CPPUNIT_TEST(an_unauthenticated_peer_is_refused_or_anonymous);
  CPPUNIT_TEST(a_weak_group_without_authentication_is_refused);
  CPPUNIT_TEST(a_stale_mirror_is_unknown);
  CPPUNIT_TEST(anothers_socket_is_not_taken_unasked);
  CPPUNIT_TEST(anothers_socket_by_name_is_anonymous);
  CPPUNIT_TEST(a_servers_socket_is_no_initiators);
  CPPUNIT_TEST(a_client_socket_is_no_acceptors);
  CPPUNIT_TEST(the_wrong_host_is_told_at_once);
  CPPUNIT_TEST(a_service_without_a_line_is_denied);
  CPPUNIT_TEST(a_service_on_another_port_is_denied);
  CPPUNIT_TEST(a_service_with_its_line_is_granted);
  CPPUNIT_TEST(a_low_port_alone_grants_no_service);
  CPPUNIT_TEST(an_acceptors_credential_limits_its_service);
  CPPUNIT_TEST(a_user_is_named_as_a_user_and_root_as_the_host);
  CPPUNIT_TEST(an_unmapped_uid_is_anonymous);
  CPPUNIT_TEST(different_bindings_are_refused);
  CPPUNIT_TEST(bindings_of_one_side_only_do_not_match);
  CPPUNIT_TEST(the_socket_may_not_change_while_it_is_latched);
  CPPUNIT_TEST(the_policy_may_not_go_while_the_socket_is_latched);
  CPPUNIT_TEST(a_latch_is_taken_back_when_the_context_fails);
  CPPUNIT_TEST(a_user_has_so_many_latches);
  CPPUNIT_TEST(a_reused_spi_is_not_the_sa_that_was_meant);
  CPPUNIT_TEST(of_several_sas_both_ends_choose_the_same);
  CPPUNIT_TEST(keys_are_read_once_a_pair);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    a_ = std::make_unique<End>(true);
    b_ = std::make_unique<End>(false, config_b());
    hello_ = InitiateRequest{};
    hello_.wanted = "host@b.example.org";
    hello_.want = protocol::kWantIntegrity | protocol::kWantMutual;
    accept_ = AcceptRequest{};
    accept_.next_transcript = digest_of(9);
  }

  void two_ends_agree_on_a_session_key_and_on_each_other() {
    const auto sent = initiate();
    const auto got = accept(*sent);
    CPPUNIT_ASSERT(!got->retry);
    const auto said = reply(*sent, *got);
    CPPUNIT_ASSERT(base::equal_secret(got->session_key.view(), channel::session_key(sent->handshake_key.view(), said)->view()));
    CPPUNIT_ASSERT_EQUAL(std::size_t{32}, got->session_key.size());
    CPPUNIT_ASSERT(said.role == channel::Role::acceptor && said.latched && said.since_start && said.transcript == accept_.next_transcript);
    CPPUNIT_ASSERT(said.flow == channel::peek(sent->sealed)->flow);
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:a.example.org/alice"), got->channel.peer_name);
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:b.example.org"), sent->channel.peer_name);
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:a.example.org/alice"), sent->channel.local_name);
    CPPUNIT_ASSERT(sent->channel.latch == protocol::LatchState::established);
    CPPUNIT_ASSERT(got->initiator_wants & protocol::kWantMutual);
    CPPUNIT_ASSERT_EQUAL(1, a_->host->latches_set);
    CPPUNIT_ASSERT_EQUAL(1, b_->host->latches_set);
    CPPUNIT_ASSERT_EQUAL(0, a_->host->latches_cleared);
    CPPUNIT_ASSERT(a_->page->state({sent->channel.slot, sent->channel.generation}) == protocol::LatchState::established);
  }

  void a_user_has_so_many_latches() {
    Config config;
    config.latches_per_user = 1;
    a_->core->set_config(config);
    CPPUNIT_ASSERT(initiate().ok());
    CPPUNIT_ASSERT(initiate().ok());  // the same socket
    ++a_->host->socket.cookie;
    ASSERT_CODE(Code::LIMIT, try_initiate());
    CPPUNIT_ASSERT_EQUAL(a_->host->latches_set - 1, a_->host->latches_cleared);
    ++a_->caller.uid;
    CPPUNIT_ASSERT(initiate().ok());
  }

  void each_answer_to_the_same_hello_has_a_key_of_its_own() {
    const auto sent = initiate();
    const auto first = accept(*sent), second = accept(*sent);
    CPPUNIT_ASSERT(!base::equal_secret(first->session_key.view(), second->session_key.view()));
    CPPUNIT_ASSERT(first->sealed != second->sealed);
  }

  // So whoever keeps a HELLO and the key of another one can answer nothing.
  void each_hello_has_a_key_of_its_own() {
    const auto first = initiate(), second = initiate();
    CPPUNIT_ASSERT(!base::equal_secret(first->handshake_key.view(), second->handshake_key.view()));
    ASSERT_CODE(Code::BAD_MAC, channel::open_reply(accept(*first)->sealed, second->handshake_key.view()));
  }

  void every_octet_of_a_sealed_token_is_protected() {
    const auto sent = initiate();
    for (std::size_t i = 0; i < sent->sealed.size(); ++i) {
      base::Bytes changed = sent->sealed;
      changed[i] ^= std::byte{0x10};
      const auto got = try_accept(changed);
      // Another SPI names no SA of this socket: a retry, which gives nothing away.
      if (got) CPPUNIT_ASSERT_MESSAGE("octet " + std::to_string(i), got->retry);
    }
    CPPUNIT_ASSERT_EQUAL(0, b_->host->latches_set);
  }

  void a_hello_for_another_port_is_refused() {
    const auto sent = initiate();
    b_->host->socket.flow.local_port = 23;
    ASSERT_CODE(Code::WRONG_FLOW, try_accept(sent->sealed));
    b_->host->socket.flow.local_port = 22;
    b_->host->socket.flow.remote_port = 40001;
    ASSERT_CODE(Code::WRONG_FLOW, try_accept(sent->sealed));
  }

  void a_hello_naming_sas_of_another_connection_gets_a_retry() {
    const auto sent = initiate();
    for (channel::Sa& sa : b_->databases.sad.sas) sa.id.spi += 0x1000;
    b_->set_peer(certified("fqdn:b.example.org", "fqdn:a.example.org"));
    b_->publish();
    CPPUNIT_ASSERT(accept(*sent)->retry);
    CPPUNIT_ASSERT_EQUAL(0, b_->host->keys_read);
  }

  void an_acceptors_token_is_no_hello() {
    const auto got = accept(*initiate());
    accept_.transcript = accept_.next_transcript;
    ASSERT_CODE(Code::BAD_MAC, try_accept(got->sealed));
    channel::Assertion reflected = *channel::peek(got->sealed);
    const auto keys = b_->core->exporters.of(*b_->bench, b_->sa(kSpiToB), b_->sa(kSpiToA), Clock::now());
    ASSERT_CODE(Code::WRONG_ROLE, try_accept(*channel::seal(reflected, **keys)));
  }

  void another_transcript_is_refused() {
    accept_.transcript = digest_of(1);
    ASSERT_CODE(Code::WRONG_TRANSCRIPT, try_accept(initiate()->sealed));
  }

  void an_unprotected_socket_is_refused() {
    a_->databases.spd.policies.clear();
    a_->publish();
    ASSERT_CODE(Code::NO_POLICY, try_initiate());
    CPPUNIT_ASSERT_EQUAL(0, a_->host->latches_set);
  }

  void one_direction_is_not_enough() {
    for (const std::size_t gone : {0U, 1U}) {
      End end(true);
      end.databases.spd.policies.erase(end.databases.spd.policies.begin() + static_cast<long>(gone));
      end.publish();
      const auto body = encode(hello_);
      const auto answer = handle_initiate(*end.core, *end.bench, end.request(body));
      CPPUNIT_ASSERT(!answer);
      CPPUNIT_ASSERT_EQUAL(0, end.host->latches_set);
    }
  }

  void a_connection_older_than_its_policy_is_refused() {
    a_->host->sockets[6] = {{501, address("10.1.0.1"), address("10.1.0.2"), 40000, 22, 1000, false}};
    a_->core->history.reset();
    a_->publish();
    a_->core->census.take();
    ASSERT_CODE(Code::STARTED_IN_CLEAR, try_initiate());
    CPPUNIT_ASSERT_EQUAL(0, a_->host->latches_set);
  }

  void same_host_is_refused() {
    a_->host->route.same_host = true;
    ASSERT_CODE(Code::LOOPBACK, try_initiate());
  }

  void weak_keys_are_refused() {
    Config config;
    config.min_key_bits = 256;
    a_->core->set_config(config);
    ASSERT_CODE(Code::WEAK, try_initiate());
  }

  void an_unknown_peer_is_refused() {
    a_->snapshot.peers.erase(a_->sa(kSpiToA).id);
    a_->publish();
    ASSERT_CODE(Code::PEER_UNKNOWN, try_initiate());
    a_->set_peer(certified("fqdn:a.example.org", "fqdn:b.example.org"));
    a_->snapshot.peers[a_->sa(kSpiToA).id] = certified("fqdn:a.example.org", "fqdn:c.example.org");
    a_->publish();
    ASSERT_CODE(Code::PEER_UNKNOWN, try_initiate());
  }

  void an_unauthenticated_peer_is_refused_or_anonymous() {
    make_unauthenticated(*a_, "fqdn:a.example.org", "fqdn:b.example.org");
    make_unauthenticated(*b_, "fqdn:b.example.org", "fqdn:a.example.org");
    ASSERT_CODE(Code::PEER_UNAUTHENTICATED, try_initiate());
    hello_.want = protocol::kAllowAnonymous | protocol::kWantMutual;
    ASSERT_CODE(Code::PEER_UNAUTHENTICATED, try_initiate());
    hello_.want = protocol::kAllowAnonymous;
    const auto sent = initiate();
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:anonymous"), sent->channel.peer_name);
    CPPUNIT_ASSERT(!sent->channel.peer_authenticated);
    ASSERT_CODE(Code::PEER_UNAUTHENTICATED, try_accept(sent->sealed));
    accept_.want = protocol::kAllowAnonymous;
    const auto got = accept(*sent);
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:anonymous"), got->channel.peer_name);
  }

  void a_weak_group_without_authentication_is_refused() {
    make_unauthenticated(*a_, "fqdn:a.example.org", "fqdn:b.example.org", 2);
    hello_.want = protocol::kAllowAnonymous;
    ASSERT_CODE(Code::WEAK_KEYS, try_initiate());
  }

  void a_stale_mirror_is_unknown() {
    a_->fresh = false;
    a_->publish();
    ASSERT_CODE(Code::UNKNOWN, try_initiate());
  }

  void anothers_socket_is_not_taken_unasked() {
    a_->host->socket.owner_uid = 1001;
    for (const auto found : {protocol::Found::sole, protocol::Found::preload}) {
      hello_.found = found;
      ASSERT_CODE(Code::NOT_OWNER, try_initiate());
    }
  }

  void anothers_socket_by_name_is_anonymous() {
    a_->host->socket.owner_uid = 1001;
    const auto sent = initiate();
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:anonymous"), sent->channel.local_name);
    ASSERT_CODE(Code::ANONYMOUS_REFUSED, try_accept(sent->sealed));
  }

  void a_servers_socket_is_no_initiators() {
    a_->host->listener = true;
    hello_.found = protocol::Found::sole;
    ASSERT_CODE(Code::WRONG_SIDE, try_initiate());
    hello_.found = protocol::Found::named;
    ASSERT_CODE(Code::ok, try_initiate());
  }

  void a_client_socket_is_no_acceptors() {
    const auto sent = initiate();
    b_->host->listener = false;
    accept_.found = protocol::Found::preload;
    ASSERT_CODE(Code::WRONG_SIDE, try_accept(sent->sealed));
    accept_.found = protocol::Found::sole;
    ASSERT_CODE(Code::ok, try_accept(sent->sealed));
  }

  void the_wrong_host_is_told_at_once() {
    hello_.wanted = "host@c.example.org";
    ASSERT_CODE(Code::WRONG_PEER, try_initiate());
    hello_.wanted = "ipsec:fqdn:c.example.org";
    ASSERT_CODE(Code::WRONG_PEER, try_initiate());
    CPPUNIT_ASSERT_EQUAL(0, a_->host->latches_set);
  }

  void a_service_without_a_line_is_denied() {
    hello_.wanted = "ldap@b.example.org";
    serve_as(1001);
    ASSERT_CODE(Code::SERVICE_DENIED, try_accept(initiate()->sealed));
    CPPUNIT_ASSERT_EQUAL(0, b_->host->latches_set);
  }

  void a_service_on_another_port_is_denied() {
    hello_.wanted = "postgres@b.example.org";
    serve_as(26);
    ASSERT_CODE(Code::SERVICE_DENIED, try_accept(initiate()->sealed));
  }

  void a_service_with_its_line_is_granted() {
    move_to_port(5432);
    hello_.wanted = "postgres@b.example.org";
    serve_as(26);
    const auto sent = initiate();
    CPPUNIT_ASSERT_EQUAL(std::string("postgres"), reply(*sent, *accept(*sent)).services.at(0));
  }

  void a_low_port_alone_grants_no_service() {
    serve_as(1001);
    ASSERT_CODE(Code::SERVICE_DENIED, try_accept(initiate()->sealed));
  }

  void an_acceptors_credential_limits_its_service() {
    accept_.service = "ftp";
    ASSERT_CODE(Code::SERVICE_DENIED, try_accept(initiate()->sealed));
    accept_.service = "host";
    ASSERT_CODE(Code::ok, try_accept(initiate()->sealed));
  }

  void a_user_is_named_as_a_user_and_root_as_the_host() {
    a_->caller = a_->core->names.caller(0, Clock::now());
    a_->host->socket.owner_uid = 0;
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:a.example.org"), accept(*initiate())->channel.peer_name);
  }

  void an_unmapped_uid_is_anonymous() {
    a_->caller = a_->core->names.caller(65534, Clock::now());
    a_->host->socket.owner_uid = 65534;
    ASSERT_CODE(Code::ANONYMOUS_REFUSED, try_accept(initiate()->sealed));
    a_->caller = a_->core->names.caller(4711, Clock::now());  // has no name
    a_->host->socket.owner_uid = 4711;
    ASSERT_CODE(Code::ANONYMOUS_REFUSED, try_accept(initiate()->sealed));
  }

  void different_bindings_are_refused() {
    hello_.bindings = digest_of(1);
    accept_.has_bindings = true;
    accept_.bindings = digest_of(2);
    ASSERT_CODE(Code::BAD_BINDINGS, try_accept(initiate()->sealed));
    accept_.bindings = digest_of(1);
    const auto sent = initiate();
    const auto got = accept(*sent);
    CPPUNIT_ASSERT(got->bindings_match);
    CPPUNIT_ASSERT(reply(*sent, *got).bindings == digest_of(1));
  }

  void bindings_of_one_side_only_do_not_match() {
    accept_.has_bindings = true;
    accept_.bindings = digest_of(2);
    CPPUNIT_ASSERT(!accept(*initiate())->bindings_match);
  }

  void the_socket_may_not_change_while_it_is_latched() {
    a_->host->on_set_latch = [this](int) { a_->host->socket.flow.remote_port = 23; };
    ASSERT_CODE(Code::SOCKET_CHANGED, try_initiate());
    b_->host->on_set_latch = [this](int) { b_->host->socket.cookie = 777; };
    a_->host->on_set_latch = {};
    a_->host->socket.flow.remote_port = 22;
    ASSERT_CODE(Code::SOCKET_CHANGED, try_accept(initiate()->sealed));
  }

  void the_policy_may_not_go_while_the_socket_is_latched() {
    a_->host->on_set_latch = [this](int) {
      a_->databases.spd.policies.clear();
      a_->publish();
    };
    ASSERT_CODE(Code::NO_POLICY, try_initiate());
  }

  void a_latch_is_taken_back_when_the_context_fails() {
    a_->host->keys.clear();
    CPPUNIT_ASSERT(!try_initiate());
    CPPUNIT_ASSERT(a_->host->latches_set > 0);
    CPPUNIT_ASSERT_EQUAL(a_->host->latches_set, a_->host->latches_cleared);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, a_->core->latches.size());
  }

  void a_reused_spi_is_not_the_sa_that_was_meant() {
    a_->host->keys[kSpiToB].added = 2000;  // the mirror still shows the SA of 1000
    ASSERT_CODE(Code::SA_GONE, try_initiate());
    const auto sent = [this] {
      End other(true);
      return handle_initiate(*other.core, *other.bench, other.request(encode(hello_)));
    }();
    b_->host->keys[kSpiToB].added = 2000;
    CPPUNIT_ASSERT(accept(*protocol::decode_initiate_reply(sent->body))->retry);
  }

  void of_several_sas_both_ends_choose_the_same() {
    for (End* end : {a_.get(), b_.get()}) {
      for (std::uint32_t i = 1; i < 4; ++i) {
        end->databases.sad.sas.push_back(esp_sa(kSpiToB + i, "10.1.0.1", "10.1.0.2"));
        end->databases.sad.sas.push_back(esp_sa(kSpiToA + i, "10.1.0.2", "10.1.0.1"));
        end->host->keys[kSpiToB + i] = {1000, std::byte{1}};
        end->host->keys[kSpiToA + i] = {1000, std::byte{2}};
      }
    }
    std::reverse(b_->databases.sad.sas.begin(), b_->databases.sad.sas.end());
    a_->set_peer(certified("fqdn:a.example.org", "fqdn:b.example.org"));
    b_->set_peer(certified("fqdn:b.example.org", "fqdn:a.example.org"));
    a_->publish();
    b_->publish();
    const auto out = a_->core->exporters.choose(*a_->bench, a_->databases.sad.sas);
    const auto in = b_->core->exporters.choose(*b_->bench, b_->databases.sad.sas);
    CPPUNIT_ASSERT(out->id == in->id);
    CPPUNIT_ASSERT(!accept(*initiate())->retry);
  }

  void keys_are_read_once_a_pair() {
    for (int i = 0; i < 3; ++i) (void)initiate();
    CPPUNIT_ASSERT_EQUAL(2, a_->host->keys_read);
    a_->core->exporters.forget(a_->sa(kSpiToA).id);
    (void)initiate();
    CPPUNIT_ASSERT_EQUAL(4, a_->host->keys_read);
    a_->core->exporters.expire(Clock::now() + std::chrono::seconds(31));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, a_->core->exporters.size());
  }

 private:
  template <typename Reply>
  base::Result<Reply> decoded(const base::Result<Answer>& answer, base::Result<Reply> (*decode)(base::View)) {
    if (!answer) return answer.error();
    return decode(answer->body);
  }
  base::Result<InitiateReply> try_initiate() {
    const auto body = encode(hello_);
    return decoded(handle_initiate(*a_->core, *a_->bench, a_->request(body)), protocol::decode_initiate_reply);
  }
  base::Result<AcceptReply> try_accept(const base::Bytes& sealed) {
    accept_.sealed = sealed;
    const auto body = encode(accept_);
    return decoded(handle_accept(*b_->core, *b_->bench, b_->request(body)), protocol::decode_accept_reply);
  }
  base::Result<InitiateReply> initiate() {
    auto sent = try_initiate();
    ASSERT_CODE(Code::ok, sent);
    return sent;
  }
  base::Result<AcceptReply> accept(const InitiateReply& sent) {
    auto got = try_accept(sent.sealed);
    ASSERT_CODE(Code::ok, got);
    return got;
  }
  // What the initiator's library reads of it.
  static channel::Assertion reply(const InitiateReply& sent, const AcceptReply& got) {
    auto said = channel::open_reply(got.sealed, sent.handshake_key.view());
    ASSERT_CODE(Code::ok, said);
    return *std::move(said);
  }
  void move_to_port(std::uint16_t port) {
    a_->host->socket.flow.remote_port = port;
    b_->host->socket.flow.local_port = port;
  }
  void serve_as(std::uint32_t uid) {
    b_->caller = b_->core->names.caller(uid, Clock::now());
    b_->host->socket.owner_uid = uid;
  }
  static void make_unauthenticated(End& end, const char* local, const char* remote, std::uint16_t group = 19) {
    channel::PeerInfo peer = certified(local, remote);
    peer.remote_method = channel::AuthMethod::psk_group;
    peer.dh_group = group;
    end.set_peer(peer);
    end.publish();
  }

  std::unique_ptr<End> a_, b_;
  InitiateRequest hello_;
  AcceptRequest accept_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(HandshakeTest);

}  // namespace
}  // namespace gssipsec::broker::testing
