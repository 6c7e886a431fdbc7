// SPDX-License-Identifier: MIT
// BIND at two brokers that share an SA pair: both give the same binding, of this connection and these keys; and when messages
// may rest on the channel.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using channel::Role;
using protocol::BindReply;
using protocol::BindRequest;
using protocol::KerberosUse;
using protocol::LatchState;

constexpr char kProgram[] = "/usr/bin/psql";

Config with_program(KerberosUse use, std::uint16_t bits = 128) {
  Config config;
  ProgramRule rule;
  rule.path = kProgram;
  rule.kerberos = use;
  rule.min_key_bits = bits;
  config.programs.push_back(rule);
  return config;
}

base::Result<BindReply> bound(End& end, Role role, protocol::Found found = protocol::Found::named, const char* program = kProgram) {
  end.page->set_program(program);
  const auto body = encode(BindRequest{found, role});
  const auto answer = handle_bind(*end.core, *end.bench, end.request(body));
  if (!answer) return answer.error();
  return protocol::decode_bind_reply(answer->body);
}

// BINDING, which asks for no line of the configuration.
base::Result<BindReply> given(End& end, Role role) {
  const auto body = encode(protocol::BindingRequest{role});
  const auto answer = handle_binding(*end.core, *end.bench, end.request(body));
  if (!answer) return answer.error();
  return protocol::decode_bind_reply(answer->body);
}

base::Result<protocol::BoundReply> was_bound(End& end, const char* program = kProgram, int fd = 3) {
  const auto body = encode(protocol::BoundRequest{program});
  const auto answer = handle_bound(*end.core, end.request(body, fd));
  if (!answer) return answer.error();
  return protocol::decode_bound_reply(answer->body);
}

void nobody_is_proven(End& end, const char* local, const char* remote) {
  channel::PeerInfo peer = certified(local, remote);
  peer.remote_method = channel::AuthMethod::null_auth;
  end.set_peer(peer);
  end.publish();
}

class KerberosTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(KerberosTest);
  CPPUNIT_TEST(both_ends_are_given_the_same_binding);
  CPPUNIT_TEST(another_connection_has_another_binding);
  CPPUNIT_TEST(other_keys_give_another_binding);
  CPPUNIT_TEST(two_initiators_do_not_match);
  CPPUNIT_TEST(a_program_without_a_line_is_left_alone);
  CPPUNIT_TEST(a_line_that_binds_does_not_let_skip);
  CPPUNIT_TEST(what_is_always_sealed_is_bound_only);
  CPPUNIT_TEST(what_breaks_open_is_not_rested_on);
  CPPUNIT_TEST(weaker_than_the_line_asks_is_bound_only);
  CPPUNIT_TEST(another_suite_than_the_line_lists_is_bound_only);
  CPPUNIT_TEST(another_suite_one_way_is_bound_only);
  CPPUNIT_TEST(a_line_is_about_its_ports_alone);
  CPPUNIT_TEST(what_a_port_has_no_line_for_is_left_alone);
  CPPUNIT_TEST(what_began_in_clear_is_bound_only);
  CPPUNIT_TEST(without_replay_protection_it_is_bound_only);
  CPPUNIT_TEST(an_unproven_peer_is_bound_and_pinned);
  CPPUNIT_TEST(nothing_is_pinned_that_nothing_rests_on);
  CPPUNIT_TEST(what_cannot_be_latched_is_bound_only);
  CPPUNIT_TEST(an_unprotected_socket_is_refused);
  CPPUNIT_TEST(a_socket_of_another_user_or_role_is_refused);
  CPPUNIT_TEST(while_sas_are_replaced_nothing_is_bound);
  CPPUNIT_TEST(nor_where_the_sas_of_before_are_gone);
  CPPUNIT_TEST(a_token_made_before_a_rekey_meets_no_bindings_after_it);
  CPPUNIT_TEST(whoever_holds_the_socket_is_given_the_same);
  CPPUNIT_TEST(what_is_not_latched_is_not_given);
  CPPUNIT_TEST(what_became_of_it_is_remembered_for_who_holds_the_socket);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    a_ = std::make_unique<End>(true, with_program(KerberosUse::skip));
    b_ = std::make_unique<End>(false, with_program(KerberosUse::skip));
    a_->host->destroys = b_->host->destroys = true;
  }

  void both_ends_are_given_the_same_binding() {
    const auto a = bound(*a_, Role::initiator), b = bound(*b_, Role::acceptor);
    CPPUNIT_ASSERT(a.ok() && b.ok());
    CPPUNIT_ASSERT(base::equal_secret(a->binding.view(), b->binding.view()));
    CPPUNIT_ASSERT(a->use == KerberosUse::skip && b->use == KerberosUse::skip);
    CPPUNIT_ASSERT(a->channel.latch == LatchState::established && a->channel.cookie == a_->host->socket.cookie);
    CPPUNIT_ASSERT(a_->page->state({a->channel.slot, a->channel.generation}) == LatchState::established);
    CPPUNIT_ASSERT_EQUAL(1, a_->host->latches_set);
    CPPUNIT_ASSERT_EQUAL(0, a_->host->latches_cleared);
  }

  void another_connection_has_another_binding() {
    const auto first = bound(*a_, Role::initiator);
    ++a_->host->socket.flow.local_port;
    ++a_->host->socket.cookie;
    CPPUNIT_ASSERT(!base::equal_secret(first->binding.view(), bound(*a_, Role::initiator)->binding.view()));
  }

  void other_keys_give_another_binding() {
    for (auto& [spi, key] : b_->host->keys) key.fill ^= std::byte{1};
    CPPUNIT_ASSERT(!base::equal_secret(bound(*a_, Role::initiator)->binding.view(), bound(*b_, Role::acceptor)->binding.view()));
  }

  void two_initiators_do_not_match() {
    CPPUNIT_ASSERT(!base::equal_secret(bound(*a_, Role::initiator)->binding.view(), bound(*b_, Role::initiator)->binding.view()));
  }

  void whoever_holds_the_socket_is_given_the_same() {
    const auto kerberos = bound(*a_, Role::initiator);
    b_->core->set_config({});
    const auto other = given(*b_, Role::acceptor);
    CPPUNIT_ASSERT(base::equal_secret(kerberos->binding.view(), other->binding.view()));
    CPPUNIT_ASSERT(other->use == KerberosUse::bind && other->channel.latch == LatchState::established);
    CPPUNIT_ASSERT_EQUAL(1, b_->host->latches_set);
    CPPUNIT_ASSERT(!base::equal_secret(kerberos->binding.view(), given(*b_, Role::initiator)->binding.view()));
  }

  void what_is_not_latched_is_not_given() {
    a_->host->route.vrf = true;
    CPPUNIT_ASSERT(given(*a_, Role::initiator).error().code == Code::NOT_LATCHABLE);
    b_->databases.spd.policies.clear();
    b_->publish();
    CPPUNIT_ASSERT(given(*b_, Role::acceptor).error().code == Code::NO_POLICY);
  }

  void a_program_without_a_line_is_left_alone() {
    const auto other = bound(*a_, Role::initiator, protocol::Found::named, "/usr/bin/other");
    CPPUNIT_ASSERT(other->use == KerberosUse::off && other->binding.empty());
    a_->core->set_config(with_program(KerberosUse::off));
    CPPUNIT_ASSERT(bound(*a_, Role::initiator)->use == KerberosUse::off);
    CPPUNIT_ASSERT_EQUAL(0, a_->host->latches_set);
    CPPUNIT_ASSERT_EQUAL(0, a_->host->sockets_read);
  }

  void a_line_that_binds_does_not_let_skip() {
    a_->core->set_config(with_program(KerberosUse::bind));
    const auto got = bound(*a_, Role::initiator);
    CPPUNIT_ASSERT(got->use == KerberosUse::bind && got->why == Code::ok && got->binding.size() == 32);
  }

  void what_is_always_sealed_is_bound_only() {
    Config config = with_program(KerberosUse::skip);
    config.programs.back().seal = protocol::Seal::always;
    a_->core->set_config(config);
    const auto got = bound(*a_, Role::initiator);
    CPPUNIT_ASSERT(got->use == KerberosUse::bind && got->why == Code::ok);
  }

  void what_breaks_open_is_not_rested_on() {
    a_->host->destroys = false;
    const auto got = bound(*a_, Role::initiator);
    CPPUNIT_ASSERT(got->use == KerberosUse::bind && got->why == Code::NOT_LATCHABLE);
  }

  void weaker_than_the_line_asks_is_bound_only() {
    a_->core->set_config(with_program(KerberosUse::skip, 512));
    const auto got = bound(*a_, Role::initiator);
    CPPUNIT_ASSERT(got->use == KerberosUse::bind && got->why == Code::WEAK);
  }

  void another_suite_than_the_line_lists_is_bound_only() {
    Config config = with_program(KerberosUse::skip);
    config.programs.back().suites = {"other", "AES_GCM_16-128"};
    a_->core->set_config(config);
    CPPUNIT_ASSERT(bound(*a_, Role::initiator)->use == KerberosUse::skip);
    config.programs.back().suites = {"AES_GCM_16-256", "CHACHA20_POLY1305-256"};
    a_->core->set_config(config);
    const auto got = bound(*a_, Role::initiator);
    CPPUNIT_ASSERT(got->use == KerberosUse::bind && got->why == Code::WEAK && got->binding.size() == 32);
    CPPUNIT_ASSERT_EQUAL(std::string("wanted 128 bits by AES_GCM_16-256 or CHACHA20_POLY1305-256 for this program, found AES_GCM_16-128 with 128 bits"), got->detail);
  }

  void another_suite_one_way_is_bound_only() {
    Config config = with_program(KerberosUse::skip);
    config.programs.back().suites = {"AES_GCM_16-128"};
    a_->core->set_config(config);
    a_->sa(kSpiToA).aead = {"rfc4106(gcm(aes))", 288, 128};
    a_->publish();
    const auto got = bound(*a_, Role::initiator);
    CPPUNIT_ASSERT_MESSAGE(got ? "" : describe(got.error()), got.ok());
    CPPUNIT_ASSERT(got->use == KerberosUse::bind && got->why == Code::WEAK);
  }

  // The service's: 22 at both ends, where the client's is 40000.
  void a_line_is_about_its_ports_alone() {
    for (const auto& [ports, use] : {std::pair(std::vector<std::uint16_t>{22}, KerberosUse::skip), std::pair(std::vector<std::uint16_t>{40000, 23}, KerberosUse::bind)}) {
      Config config = with_program(KerberosUse::skip);
      config.programs.back().ports = ports;
      config.programs.push_back(with_program(KerberosUse::bind).programs.back());
      config.programs.back().acquiring.spnego = Spnego::ipsec_first;
      for (const auto& [end, role] : {std::pair(a_.get(), Role::initiator), std::pair(b_.get(), Role::acceptor)}) {
        end->core->set_config(config);
        end->host->listener = role == Role::acceptor;
        CPPUNIT_ASSERT(was_bound(*end)->ipsec_first && was_bound(*end, kProgram, -1)->ipsec_first);  // of the whole program
        CPPUNIT_ASSERT(was_bound(*end)->kerberos == use);  // who is asked about it before there is a context
        CPPUNIT_ASSERT(bound(*end, role)->use == use);
        CPPUNIT_ASSERT(was_bound(*end)->kerberos == use && was_bound(*end, kProgram, -1)->kerberos == KerberosUse::skip);
      }
    }
  }

  void what_a_port_has_no_line_for_is_left_alone() {
    Config config = with_program(KerberosUse::skip);
    config.programs.back().ports = {5432};
    a_->core->set_config(config);
    const auto got = bound(*a_, Role::initiator);
    CPPUNIT_ASSERT(got->use == KerberosUse::off && got->binding.empty());
    CPPUNIT_ASSERT_EQUAL(0, a_->host->latches_set);
    const auto before = was_bound(*a_)->before;
    CPPUNIT_ASSERT(before && before->use == KerberosUse::off && before->why == Code::UNAVAILABLE);
    CPPUNIT_ASSERT_EQUAL(std::string("the [[program]] lines of /usr/bin/psql leave Kerberos alone on port 22"), before->detail);
    CPPUNIT_ASSERT(was_bound(*a_)->kerberos == KerberosUse::off);
  }

  void what_began_in_clear_is_bound_only() {
    a_->host->sockets[6] = {{501, address("10.1.0.1"), address("10.1.0.2"), 40000, 22, 1000, false}};
    a_->core->history.reset();
    a_->publish();
    a_->core->census.take();
    const auto got = bound(*a_, Role::initiator);
    CPPUNIT_ASSERT(got->use == KerberosUse::bind && got->why == Code::STARTED_IN_CLEAR);
    CPPUNIT_ASSERT(bound(*a_, Role::initiator)->use == KerberosUse::bind);  // its own latch proves nothing about before
  }

  void without_replay_protection_it_is_bound_only() {
    for (channel::Sa& sa : a_->databases.sad.sas) sa.replay_window = 0;
    a_->publish();
    const auto got = bound(*a_, Role::initiator);
    CPPUNIT_ASSERT(got->use == KerberosUse::bind && got->why == Code::WEAK);
  }

  // Kerberos finds the man in the middle whom IKE cannot; the pin keeps out who comes later.
  void an_unproven_peer_is_bound_and_pinned() {
    nobody_is_proven(*a_, "fqdn:a.example.org", "fqdn:b.example.org");
    a_->host->destroys = false;
    const auto got = bound(*a_, Role::initiator);
    CPPUNIT_ASSERT(got->use == KerberosUse::skip && got->channel.breaks_shut && !got->channel.peer_authenticated);
  }

  // BINDING promises that the channel does not change, and pins all the same.
  void nothing_is_pinned_that_nothing_rests_on() {
    nobody_is_proven(*a_, "fqdn:a.example.org", "fqdn:b.example.org");
    Config sealed = with_program(KerberosUse::skip);
    sealed.programs.back().seal = protocol::Seal::always;
    for (const Config& config : {with_program(KerberosUse::bind), sealed}) {
      a_->core->set_config(config);
      const auto got = bound(*a_, Role::initiator);
      CPPUNIT_ASSERT(got->use == KerberosUse::bind && got->why == Code::ok && got->channel.latch == LatchState::none);
      CPPUNIT_ASSERT(base::equal_secret(got->binding.view(), bound(*b_, Role::acceptor)->binding.view()));
      CPPUNIT_ASSERT_EQUAL(0, a_->host->latches_set);
    }
    CPPUNIT_ASSERT(given(*a_, Role::initiator)->channel.latch == LatchState::established);
    CPPUNIT_ASSERT_EQUAL(1, a_->host->latches_set);
  }

  void what_cannot_be_latched_is_bound_only() {
    a_->host->route.vrf = true;
    const auto got = bound(*a_, Role::initiator);
    CPPUNIT_ASSERT(got->use == KerberosUse::bind && got->channel.latch == LatchState::none && got->binding.size() == 32);
    CPPUNIT_ASSERT_EQUAL(0, a_->host->latches_set);
  }

  void an_unprotected_socket_is_refused() {
    a_->databases.spd.policies.clear();
    a_->publish();
    CPPUNIT_ASSERT(bound(*a_, Role::initiator).error().code == Code::NO_POLICY);
  }

  void a_socket_of_another_user_or_role_is_refused() {
    a_->host->listener = true;
    CPPUNIT_ASSERT(bound(*a_, Role::initiator, protocol::Found::sole).error().code == Code::WRONG_SIDE);
    a_->host->listener = false;
    a_->host->socket.owner_uid = 1001;
    CPPUNIT_ASSERT(bound(*a_, Role::initiator, protocol::Found::sole).error().code == Code::NOT_OWNER);
  }

  void while_sas_are_replaced_nothing_is_bound() {
    add_newer(*a_, realtime() / 1000000000u - 1);
    CPPUNIT_ASSERT(bound(*a_, Role::initiator).error().code == Code::SA_GONE);
    CPPUNIT_ASSERT_EQUAL(0, a_->host->latches_set);
    a_->databases.sad.sas.back().added = 1000;
    a_->host->keys[0x101].added = 1000;
    a_->publish();
    CPPUNIT_ASSERT(bound(*a_, Role::initiator).ok());
  }

  // The first ones, that a connection's first packet asked for, are bound at once.
  void nor_where_the_sas_of_before_are_gone() {
    const std::uint64_t young = realtime() / 1000000000u + 3600;
    for (const std::uint32_t spi : {kSpiToA, kSpiToB}) {
      b_->sa(spi).added = b_->host->keys[spi].added = young;
      b_->arrivals[b_->sa(spi).id] = {1, now() - std::chrono::seconds(1), false};
      b_->arrivals_seen = b_->answered = 1;
      b_->publish();
      CPPUNIT_ASSERT(bound(*b_, Role::acceptor).ok());
      b_->arrivals[b_->sa(spi).id].follows = true;
      b_->publish();
      CPPUNIT_ASSERT(bound(*b_, Role::acceptor).error().code == Code::SA_GONE);
      b_->arrivals[b_->sa(spi).id].when = now() - std::chrono::seconds(6);
      b_->publish();
      CPPUNIT_ASSERT(bound(*b_, Role::acceptor).ok());  // also where the other clock was set back meanwhile
    }
  }

  // Its bindings are those of the SAs of before; an acceptor that gave those of any pair might refuse it.
  void a_token_made_before_a_rekey_meets_no_bindings_after_it() {
    const auto before = bound(*a_, Role::initiator);
    CPPUNIT_ASSERT(before.ok());
    const std::uint64_t now = realtime() / 1000000000u;
    for (End* end : {a_.get(), b_.get()}) add_newer(*end, now - 1);
    CPPUNIT_ASSERT(bound(*b_, Role::acceptor).error().code == Code::SA_GONE);
    CPPUNIT_ASSERT_EQUAL(0, b_->host->latches_set);
    // The one of before gone and no SA young any more: bound by the new ones, at both ends.
    for (End* end : {a_.get(), b_.get()}) {
      end->databases.sad.sas.back().added = 1000;
      end->host->keys[0x101].added = 1000;
      std::erase_if(end->databases.sad.sas, [](const channel::Sa& sa) { return sa.id.spi == kSpiToB; });
      end->publish();
    }
    const auto a = bound(*a_, Role::initiator), b = bound(*b_, Role::acceptor);
    CPPUNIT_ASSERT_MESSAGE(b ? "" : describe(b.error()), a.ok() && b.ok());
    CPPUNIT_ASSERT(base::equal_secret(a->binding.view(), b->binding.view()) && !base::equal_secret(a->binding.view(), before->binding.view()));
  }

  void what_became_of_it_is_remembered_for_who_holds_the_socket() {
    CPPUNIT_ASSERT((*was_bound(*a_) == protocol::BoundReply{KerberosUse::skip, false, false, 128, {}}));
    a_->host->destroys = false;
    CPPUNIT_ASSERT(bound(*a_, Role::initiator).ok());
    const auto weaker = was_bound(*a_)->before;
    CPPUNIT_ASSERT(weaker && weaker->use == KerberosUse::bind && weaker->why == Code::NOT_LATCHABLE && weaker->program == kProgram);
    CPPUNIT_ASSERT(weaker->role == Role::initiator && weaker->found == protocol::Found::named && weaker->time > 1700000000000000000u);
    a_->host->socket.owner_uid = 4242;
    CPPUNIT_ASSERT(!bound(*a_, Role::initiator, protocol::Found::sole).ok());
    const auto refused = was_bound(*a_)->before;
    CPPUNIT_ASSERT(refused && refused->use == KerberosUse::off && refused->why == Code::NOT_OWNER && !refused->detail.empty());
    a_->host->socket.cookie += 1;
    CPPUNIT_ASSERT(!was_bound(*a_)->before);
    CPPUNIT_ASSERT(was_bound(*a_, "/usr/bin/other")->kerberos == KerberosUse::off);
    const auto body = encode(protocol::BoundRequest{kProgram});
    CPPUNIT_ASSERT(handle_bound(*a_->core, a_->request(body, -1)).ok());
    BoundSockets few;
    for (std::uint64_t cookie = 0; cookie <= BoundSockets::kMost; ++cookie) few.note(cookie, *refused), few.note(cookie, *weaker);
    CPPUNIT_ASSERT(!few.find(0) && few.find(1) == weaker && few.find(BoundSockets::kMost) == weaker);
  }

 private:
  void add_newer(End& end, std::uint64_t added) {
    const bool is_a = &end == a_.get();
    channel::Sa newer = end.sa(kSpiToB);
    newer.id.spi = 0x101;
    newer.added = added;
    end.databases.sad.sas.push_back(newer);
    end.host->keys[0x101] = {added, std::byte{3}};
    end.set_peer(certified(is_a ? "fqdn:a.example.org" : "fqdn:b.example.org", is_a ? "fqdn:b.example.org" : "fqdn:a.example.org"));
    end.publish();
  }

  std::unique_ptr<End> a_, b_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(KerberosTest);

}  // namespace
}  // namespace gssipsec::broker::testing
