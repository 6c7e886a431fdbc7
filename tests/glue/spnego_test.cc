// SPDX-License-Identifier: MIT
// The mechanism among others: chosen by SPNEGO where the socket is protected, absent where it is not, with Kerberos beside it (real
// libkrb5, a ticket without a KDC); and what SASL's GS2 asks a mechanism for.
#include <cppunit/extensions/HelperMacros.h>
#include <stdlib.h>
#include <string.h>

#include <memory>

#include "tests/glue/spnego_support.h"
#include "tests/support/krb5_ticket.h"
#include "tests/support/twin_broker.h"

namespace gssipsec::tests {
namespace {

using base::Code;

class SpnegoTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SpnegoTest);
  CPPUNIT_TEST(a_protected_socket_is_offered_and_chosen);
  CPPUNIT_TEST(an_unprotected_socket_is_silently_absent);
  CPPUNIT_TEST(without_a_broker_it_is_silently_absent);
  CPPUNIT_TEST(kerberos_comes_first_unless_told_otherwise);
  CPPUNIT_TEST(who_prefers_it_gets_it);
  CPPUNIT_TEST(an_initiator_that_knows_kerberos_alone_gets_it);
  CPPUNIT_TEST(a_first_call_that_fails_falls_back_to_kerberos);
  CPPUNIT_TEST(a_choice_that_was_not_the_first_is_confirmed_by_mics);
  CPPUNIT_TEST(a_mech_list_that_was_changed_is_noticed);
  CPPUNIT_TEST(an_option_names_the_socket_of_what_spnego_chooses);
  CPPUNIT_TEST(gs2_finds_it_and_does_not_prefer_it);
  CPPUNIT_TEST(gs2_binds_its_header);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<TwinBroker> twin_;
  std::unique_ptr<support::Krb5Ticket> ticket_;

  void with_kerberos() {
    ticket_ = std::make_unique<support::Krb5Ticket>();
    ticket_->use();
  }
  static void without_keytab() { setenv("KRB5_KTNAME", "FILE:/nonexistent/keytab", 1); }

 public:
  void setUp() override {
    twin_ = std::make_unique<TwinBroker>();
    twin_->knobs.services = {"host"};
    setenv("KRB5_CONFIG", "/dev/null", 1);
    setenv("KRB5CCNAME", "FILE:/nonexistent/ccache", 1);
    without_keytab();
  }
  void tearDown() override {
    for (const char* name : {"KRB5_CONFIG", "KRB5CCNAME", "KRB5_KTNAME", "KRB5RCACHEDIR"}) unsetenv(name);
    ticket_.reset();
    twin_.reset();
  }

  void a_protected_socket_is_offered_and_chosen() {
    Negotiation pair;
    pair.must_acquire();
    CPPUNIT_ASSERT_MESSAGE(pair.why(), pair.run() && pair.chose(mech()));
    CPPUNIT_ASSERT(pair.initiator.flags & GSS_C_CONF_FLAG && pair.acceptor.flags & GSS_C_CONF_FLAG);
    CPPUNIT_ASSERT(holds(pair.tokens[0], mech()));
  }

  void an_unprotected_socket_is_silently_absent() {
    twin_->knobs.query = Code::NO_POLICY;
    Negotiation none;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CRED}, GSS_ROUTINE_ERROR(none.initiator.acquire(GSS_C_INITIATE, none.connection.client.get()).major));
    with_kerberos();
    Negotiation pair;
    pair.must_acquire();
    CPPUNIT_ASSERT_MESSAGE(pair.why(), pair.run() && pair.chose(&krb5));
    CPPUNIT_ASSERT(!holds(pair.tokens[0], mech()) && holds(pair.tokens[0], &krb5));
  }

  void without_a_broker_it_is_silently_absent() {
    twin_.reset();
    with_kerberos();
    Negotiation pair;
    pair.must_acquire();
    CPPUNIT_ASSERT_MESSAGE(pair.why(), pair.run() && pair.chose(&krb5));
    CPPUNIT_ASSERT(!holds(pair.tokens[0], mech()));
  }

  void kerberos_comes_first_unless_told_otherwise() {
    with_kerberos();
    Negotiation pair;
    pair.must_acquire();
    CPPUNIT_ASSERT_MESSAGE(pair.why(), pair.run() && pair.chose(&krb5));
    CPPUNIT_ASSERT(holds(pair.tokens[0], mech()));
  }

  void who_prefers_it_gets_it() {
    with_kerberos();
    Negotiation pair;
    pair.must_acquire();
    pair.initiator.prefer({*mech(), krb5});
    CPPUNIT_ASSERT_MESSAGE(pair.why(), pair.run() && pair.chose(mech()));
  }

  // By the choice of the program, or of the host that it runs on.
  void an_initiator_that_knows_kerberos_alone_gets_it() {
    with_kerberos();
    Negotiation chosen, given;
    chosen.must_acquire();
    chosen.initiator.prefer({krb5});
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, given.acceptor.acquire(GSS_C_ACCEPT, given.connection.server.get()).major);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, given.initiator.acquire(GSS_C_INITIATE, given.connection.client.get(), &krb5).major);
    for (Negotiation* pair : {&chosen, &given}) {
      CPPUNIT_ASSERT_MESSAGE(pair->why(), pair->run() && pair->chose(&krb5));
      CPPUNIT_ASSERT(holds(pair->tokens[0], &krb5) && !holds(pair->tokens[0], mech()));
    }
  }

  void a_first_call_that_fails_falls_back_to_kerberos() {
    with_kerberos();
    twin_->knobs.initiate = Code::STARTED_IN_CLEAR;
    Negotiation pair;
    pair.must_acquire();
    pair.initiator.prefer({*mech(), krb5});
    CPPUNIT_ASSERT_MESSAGE(pair.why(), pair.run() && pair.chose(&krb5));
    CPPUNIT_ASSERT_MESSAGE("still offered", !holds(pair.tokens[0], mech()));
  }

  // The initiator begins with Kerberos, for which the acceptor has no key.
  void a_choice_that_was_not_the_first_is_confirmed_by_mics() {
    with_kerberos();
    without_keytab();
    Negotiation pair;
    pair.must_acquire();
    CPPUNIT_ASSERT_MESSAGE(pair.why(), pair.run() && pair.chose(mech()));
    CPPUNIT_ASSERT_MESSAGE("legs without a MIC", pair.tokens.size() > 4);
  }

  // Whoever takes Kerberos' place in the list, so that it is not chosen, changes what the MIC is over.
  void a_mech_list_that_was_changed_is_noticed() {
    with_kerberos();
    without_keytab();
    Negotiation pair;
    pair.must_acquire();
    const std::string name(static_cast<const char*>(krb5.elements), krb5.length);
    const bool done = pair.run([&](int leg, std::string& token) {
      if (leg == 0) token[token.find(name) + name.size() - 1] = '\x63';
    });
    CPPUNIT_ASSERT(!done);
    CPPUNIT_ASSERT_MESSAGE(pair.why(), GSS_ERROR(pair.initiator.status.major) || GSS_ERROR(pair.acceptor.status.major));
  }

  // At either end, after the store named another one; with Kerberos' element before ours, which goes on without a word.
  void an_option_names_the_socket_of_what_spnego_chooses() {
    twin_->knobs.names_by_port = true;
    for (const bool kerberos : {false, true}) {
      if (kerberos) with_kerberos();
      const Connection other;
      Pair pair(support::Krb5Ticket::kService);
      through_spnego(pair);
      gss_OID_set_desc ipsec{1, mech()};
      OM_uint32 minor;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_set_neg_mechs(&minor, pair.initiator.credential.get(), &ipsec));
      for (const auto& [end, fd] : {std::pair{&pair.initiator, other.client.get()}, {&pair.acceptor, other.server.get()}}) {
        std::string number = std::to_string(fd), broken = "x";
        gss_buffer_desc value = in(number), no_number = in(broken);
        CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_set_cred_option(&minor, end->credential.out(), project_oid(5), &value));
        CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_FAILURE}, gss_set_cred_option(&minor, end->credential.out(), project_oid(5), &no_number));
      }
      pair.must_shake();
      CPPUNIT_ASSERT(holds(pair.tokens[0], mech()) && twin_->initiated->found == protocol::Found::named && twin_->accepted->found == protocol::Found::named);
      CPPUNIT_ASSERT_EQUAL(other.client_name(), pair.acceptor.source.text());
    }
  }

  // As libgs2 asks when it is loaded. With PFS, Cyrus would try it first with every server, also where no IPsec is.
  void gs2_finds_it_and_does_not_prefer_it() {
    const auto attribute = [](unsigned char n) { return std::string("\x2b\x06\x01\x05\x05\x0d") + static_cast<char>(n); };
    const std::string wanted[] = {attribute(10), attribute(11), attribute(24)}, excepted[] = {attribute(4), attribute(6), attribute(7)}, pfs[] = {attribute(25)};
    const auto found = [](const std::string* first, std::size_t count, const std::string* without, std::size_t none) {
      std::vector<gss_OID_desc> desired, except;
      for (std::size_t i = 0; i < count; ++i) desired.push_back({7, const_cast<char*>(first[i].data())});
      for (std::size_t i = 0; i < none; ++i) except.push_back({7, const_cast<char*>(without[i].data())});
      const gss_OID_set_desc want{desired.size(), desired.data()}, but{except.size(), except.data()};
      gss_OID_set mechs = GSS_C_NO_OID_SET;
      OM_uint32 minor;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_indicate_mechs_by_attrs(&minor, &want, &but, GSS_C_NO_OID_SET, &mechs));
      int present = 0;
      gss_test_oid_set_member(&minor, mech(), mechs, &present);
      gss_release_oid_set(&minor, &mechs);
      return present != 0;
    };
    CPPUNIT_ASSERT(found(wanted, 3, excepted, 3));
    CPPUNIT_ASSERT(!found(pfs, 1, excepted, 3));
  }

  // The header is the application's data of the channel bindings; each first token has RFC 2743's frame, which GS2 takes off.
  void gs2_binds_its_header() {
    Pair bound("host@server.example.org"), changed("host@server.example.org");
    bound.initiator.bindings = bound.acceptor.bindings = changed.initiator.bindings = "n,,";
    changed.acceptor.bindings = "n,a=root,";
    bound.must_shake();
    CPPUNIT_ASSERT_EQUAL('\x60', bound.tokens[0][0]);
    CPPUNIT_ASSERT(bound.acceptor.flags & GSS_C_CHANNEL_BOUND_FLAG && bound.acceptor.flags & GSS_C_SEQUENCE_FLAG && bound.initiator.flags & GSS_C_MUTUAL_FLAG);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_BINDINGS}, changed.shake().major);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SpnegoTest);

}  // namespace
}  // namespace gssipsec::tests
