// SPDX-License-Identifier: MIT
#include "mech_ipsec/reply.h"

#include <cppunit/extensions/HelperMacros.h>

#include <functional>

namespace gssipsec::mech {
namespace {

using base::Code;
using channel::Assertion;
using channel::Role;

Digest filled(int octet) {
  Digest digest;
  digest.fill(static_cast<std::byte>(octet));
  return digest;
}

class ReplyTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReplyTest);
  CPPUNIT_TEST(a_service_is_named_by_its_host);
  CPPUNIT_TEST(a_program_without_services_is_named_by_its_user);
  CPPUNIT_TEST(without_authentication_nobody_is_named);
  CPPUNIT_TEST(without_authentication_a_wanted_name_is_refused_where_it_matters);
  CPPUNIT_TEST(another_handshakes_key_opens_nothing);
  CPPUNIT_TEST(each_octet_counts);
  CPPUNIT_TEST(what_is_of_another_exchange_is_refused);
  CPPUNIT_TEST(an_end_that_is_not_latched_is_refused);
  CPPUNIT_TEST(an_acceptor_that_does_not_serve_what_was_wanted_is_refused);
  CPPUNIT_TEST(bindings_are_compared_where_both_have_them);
  CPPUNIT_TEST(both_ends_have_the_same_session_key_and_each_reply_another);
  CPPUNIT_TEST(a_confirmation_is_of_one_key_and_one_exchange);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    said_ = Assertion{};
    said_.role = Role::acceptor;
    said_.nonce = filled(1);
    said_.flow = flow();
    said_.anonymous = false;
    said_.user = "postgres";
    said_.services = {"postgres"};
    said_.latched = said_.since_start = said_.integrity = true;
    said_.transcript = filled(2);
    expected_ = Expected{flow(), filled(2), {}, "postgres@b.example.org", true, *channel::parse_name("ipsec:fqdn:b.example.org")};
  }

  void a_service_is_named_by_its_host() {
    const auto acceptor = read();
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:b.example.org"), format(acceptor->name));
    CPPUNIT_ASSERT_EQUAL(std::string("postgres"), acceptor->services.at(0));
    CPPUNIT_ASSERT(!acceptor->bindings_match);
  }

  void a_program_without_services_is_named_by_its_user() {
    said_.services.clear();
    expected_.wanted = "ipsec:fqdn:b.example.org/postgres";
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:b.example.org/postgres"), format(read()->name));
    expected_.wanted.clear();
    said_.anonymous = true;
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:anonymous"), format(read()->name));
  }

  void without_authentication_nobody_is_named() {
    expected_.host = {};
    expected_.mutual = false;
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:anonymous"), format(read()->name));
    said_.services.clear();
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:anonymous"), format(read()->name));
  }

  void without_authentication_a_wanted_name_is_refused_where_it_matters() {
    expected_.host = {};
    refused(Code::PEER_UNAUTHENTICATED);
  }

  void another_handshakes_key_opens_nothing() {
    key_ = filled(8);
    refused(Code::BAD_MAC);
  }

  void each_octet_counts() {
    const base::Bytes sealed = *channel::seal_reply(said_, filled(7));
    for (std::size_t at = 0; at < sealed.size(); ++at) {
      base::Bytes changed = sealed;
      changed[at] ^= std::byte{4};
      CPPUNIT_ASSERT_MESSAGE(std::to_string(at), !read_reply(changed, filled(7), expected_));
    }
  }

  void what_is_of_another_exchange_is_refused() {
    said_.role = Role::initiator;
    refused(Code::WRONG_ROLE);
    setUp();
    ++said_.flow.acceptor_port;
    refused(Code::WRONG_FLOW);
    setUp();
    said_.transcript = filled(3);
    refused(Code::WRONG_TRANSCRIPT);
  }

  void an_end_that_is_not_latched_is_refused() {
    said_.latched = false;
    refused(Code::PEER_NOT_LATCHED);
    setUp();
    said_.since_start = false;
    refused(Code::PEER_NOT_LATCHED);
  }

  void an_acceptor_that_does_not_serve_what_was_wanted_is_refused() {
    expected_.wanted = "ldap@b.example.org";
    refused(Code::SERVICE_DENIED);
    expected_.wanted = "postgres@c.example.org";
    refused(Code::WRONG_PEER);
    expected_.wanted = "ipsec:fqdn:b.example.org/alice";
    refused(Code::WRONG_PEER);
  }

  void bindings_are_compared_where_both_have_them() {
    said_.bindings = filled(4);
    CPPUNIT_ASSERT(!read()->bindings_match);
    expected_.bindings = filled(4);
    CPPUNIT_ASSERT(read()->bindings_match);
    expected_.bindings = filled(5);
    refused(Code::BAD_BINDINGS);
  }

  void both_ends_have_the_same_session_key_and_each_reply_another() {
    const auto first = read();
    CPPUNIT_ASSERT(base::equal_secret(channel::session_key(filled(7), said_)->view(), first->session_key.view()));
    said_.nonce = filled(6);
    CPPUNIT_ASSERT(!base::equal_secret(read()->session_key.view(), first->session_key.view()));
  }

  void a_confirmation_is_of_one_key_and_one_exchange() {
    const auto proof = channel::confirmation(filled(1), filled(2));
    CPPUNIT_ASSERT_EQUAL(std::size_t{32}, proof->size());
    CPPUNIT_ASSERT(!base::equal_secret(proof->view(), channel::confirmation(filled(1), filled(3))->view()));
    CPPUNIT_ASSERT(!base::equal_secret(proof->view(), channel::confirmation(filled(2), filled(2))->view()));
  }

 private:
  static channel::FlowLabel flow() {
    channel::FlowLabel label;
    label.protocol = 6;
    label.initiator_port = 40000;
    label.acceptor_port = 5432;
    return label;
  }
  base::Result<Acceptor> attempt() const { return read_reply(*channel::seal_reply(said_, filled(7)), key_, expected_); }
  base::Result<Acceptor> read() const {
    auto acceptor = attempt();
    CPPUNIT_ASSERT_MESSAGE(acceptor ? "" : base::describe(acceptor.error()), acceptor.ok());
    return acceptor;
  }
  void refused(Code code) const {
    const auto acceptor = attempt();
    CPPUNIT_ASSERT(!acceptor);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(base::describe(acceptor.error()), static_cast<int>(code), static_cast<int>(acceptor.error().code));
  }

  Assertion said_;
  Expected expected_;
  Digest key_ = filled(7);
};

CPPUNIT_TEST_SUITE_REGISTRATION(ReplyTest);

}  // namespace
}  // namespace gssipsec::mech
