// SPDX-License-Identifier: MIT
// Programs that ask for Kerberos and have no ticket, where the administrator wants mechanism ipsec for them then: through the real
// libgssapi and the real Kerberos. And where he does not, or there is a ticket, or the program wants just Kerberos: as ever.
#include <cppunit/extensions/HelperMacros.h>
#include <stdlib.h>
#include <string.h>

#include "tests/glue/kerberos_support.h"

namespace gssipsec::tests {
namespace {

using base::Code;
using protocol::KerberosUse;

constexpr char kClient[] = "ipsec:fqdn:client.example.org";
gss_OID_desc spnego_oid = {6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};

bool has_oid(const std::string& token, gss_const_OID oid) {
  return token.find(std::string(static_cast<const char*>(oid->elements), oid->length)) != std::string::npos;
}

class WithoutTicketTest : public KerberosFixture {
  CPPUNIT_TEST_SUITE(WithoutTicketTest);
  CPPUNIT_TEST(default_credentials_become_ipsec);
  CPPUNIT_TEST(an_acquired_credential_becomes_ipsec);
  CPPUNIT_TEST(never_by_default);
  CPPUNIT_TEST(never_where_there_is_a_ticket);
  CPPUNIT_TEST(never_for_who_wants_just_kerberos);
  CPPUNIT_TEST(without_protection_the_error_is_kerberos);
  CPPUNIT_TEST(an_error_of_ipsec_keeps_its_text);
  CPPUNIT_TEST(a_principals_name_is_not_translated);
  CPPUNIT_TEST(spnego_over_it_finds_ipsec);
  CPPUNIT_TEST(what_stands_in_stays_in_its_process);
  CPPUNIT_TEST(a_programs_own_bindings_are_compared);
  CPPUNIT_TEST(the_acceptor_has_the_last_word);
  CPPUNIT_TEST(each_flipped_octet_of_the_last_words_is_refused);
  CPPUNIT_TEST(a_last_word_that_is_not_the_acceptors_is_refused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    KerberosFixture::setUp();
    use(KerberosUse::off, KerberosUse::off);
    setenv("KRB5CCNAME", "FILE:/nonexistent", 1);
    twin_->fake().say({.without_ticket = true});
  }

  void default_credentials_become_ipsec() {
    KerberosPair pair;
    pair.must_shake();
    CPPUNIT_ASSERT(has_oid(pair.tokens.at(0), mech()) && !has_oid(pair.tokens.at(0), gss_mech_krb5));
    CPPUNIT_ASSERT_EQUAL(std::string(kClient), pair.acceptor.source.text());
    must_pass_by_ipsec(pair);
    // It is called what it is.
    OM_uint32 minor, flags = 0;
    GssName own, peer;
    gss_OID called = GSS_C_NO_OID;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_context(&minor, pair.initiator.context, own.out(), peer.out(), nullptr, &called, &flags, nullptr, nullptr));
    CPPUNIT_ASSERT(called && has_oid(std::string(static_cast<const char*>(called->elements), called->length), mech()) && flags & GSS_C_CONF_FLAG);
    CPPUNIT_ASSERT_EQUAL(std::string(kClient), own.text());
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:server.example.org"), peer.text());
    gss_buffer_set_t strength = GSS_C_NO_BUFFER_SET;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_sec_context_by_oid(&minor, pair.initiator.context, GSS_C_SEC_CONTEXT_SASL_SSF, &strength));
    CPPUNIT_ASSERT(strength->count == 1 && memcmp(strength->elements[0].value, "\0\0\0\x80", 4) == 0);
    gss_release_buffer_set(&minor, &strength);
  }

  void an_acquired_credential_becomes_ipsec() {
    KerberosPair pair;
    KerberosCredential any;
    name_socket(pair.connection.client.get());
    must(pair.initiator.kerberos.acquire());
    must(any.acquire(GSS_C_INITIATE, {}, GSS_C_NO_NAME, true));
    OM_uint32 minor, lifetime = 0;
    GssName own;
    gss_cred_usage_t usage = GSS_C_BOTH;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_cred_by_mech(&minor, pair.initiator.kerberos.cred, gss_mech_krb5, own.out(), &lifetime, nullptr, &usage));
    CPPUNIT_ASSERT(lifetime == GSS_C_INDEFINITE && usage == GSS_C_INITIATE);
    CPPUNIT_ASSERT_EQUAL(std::string(kClient), own.text());
    pair.initiator.mechanism = GSS_C_NO_OID;
    pair.must_shake();
    must_pass_by_ipsec(pair);
  }

  void never_by_default() {
    for (const auto& say : {protocol::ProgramPolicy{}, protocol::ProgramPolicy{.kerberos = KerberosUse::skip}}) {
      twin_->fake().say(say);
      refused_by_kerberos();
    }
    twin_->fake().say_word(0);
    refused_by_kerberos();
  }

  void never_where_there_is_a_ticket() {
    ticket_->use();
    KerberosPair pair;
    pair.must_shake();
    CPPUNIT_ASSERT(has_oid(pair.tokens.at(0), gss_mech_krb5) && !has_oid(pair.tokens.at(0), mech()));
    CPPUNIT_ASSERT_EQUAL(std::string("user@EXAMPLE.ORG"), pair.acceptor.source.text());
    KerberosPair acquired;
    name_socket(acquired.connection.client.get());
    must(acquired.initiator.kerberos.acquire());
    acquired.must_shake();
    CPPUNIT_ASSERT_EQUAL(std::string("user@EXAMPLE.ORG"), acquired.acceptor.source.text());
  }

  // A name, a cache or keytab of its own, or credentials to accept by.
  void never_for_who_wants_just_kerberos() {
    Connection connection;
    name_socket(connection.client.get());
    KerberosCredential credential;
    GssName user{"user@EXAMPLE.ORG", GSS_C_NT_USER_NAME};
    for (const Status& status : {credential.acquire(GSS_C_INITIATE, {{"ccache", "FILE:/nonexistent"}}), credential.acquire(GSS_C_INITIATE, {}, user.get()),
                                 credential.acquire(GSS_C_BOTH)}) {
      CPPUNIT_ASSERT(GSS_ERROR(status.major));
      CPPUNIT_ASSERT(credential.cred == GSS_C_NO_CREDENTIAL);
    }
    must(credential.acquire(GSS_C_INITIATE, {{"ipsec-socket", std::to_string(connection.client.get())}}));
    KerberosPair dce;
    dce.request |= GSS_C_DCE_STYLE;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CRED}, GSS_ROUTINE_ERROR(dce.shake().major));
  }

  void without_protection_the_error_is_kerberos() {
    twin_->knobs.query = Code::NO_POLICY;
    refused_by_kerberos();
  }

  void an_error_of_ipsec_keeps_its_text() {
    twin_->knobs.initiate = Code::PEER_UNAUTHENTICATED;
    KerberosPair pair;
    const Status status = pair.shake();
    CPPUNIT_ASSERT(GSS_ERROR(status.major));
    const std::string text = text_of(status);
    CPPUNIT_ASSERT_MESSAGE(text, text.find(base::code_text(Code::PEER_UNAUTHENTICATED)) != std::string::npos);
  }

  void a_principals_name_is_not_translated() {
    KerberosPair pair;
    pair.target = GssName{"host/server.example.org@EXAMPLE.ORG", const_cast<gss_OID>(GSS_KRB5_NT_PRINCIPAL_NAME)};
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_NAMETYPE}, GSS_ROUTINE_ERROR(pair.shake().major));
    // What Kerberos made canonical is read as it was written.
    KerberosPair canonical;
    OM_uint32 minor;
    GssName made;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_canonicalize_name(&minor, canonical.target.get(), gss_mech_krb5, made.out()));
    canonical.target = std::move(made);
    canonical.must_shake();
    must_pass_by_ipsec(canonical);
  }

  void spnego_over_it_finds_ipsec() {
    for (const char* keytab : {"", "FILE:/nonexistent"}) {
      if (*keytab) setenv("KRB5_KTNAME", keytab, 1);
      KerberosPair pair;
      pair.initiator.mechanism = &spnego_oid;
      const Status status = pair.shake();
      CPPUNIT_ASSERT_MESSAGE(keytab + message_of(status), status.ok());
      CPPUNIT_ASSERT_EQUAL(std::string(kClient), pair.acceptor.source.text());
      must_pass_by_ipsec(pair);
    }
  }

  void what_stands_in_stays_in_its_process() {
    KerberosPair pair;
    pair.must_shake();
    OM_uint32 minor;
    Buffer token;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, gss_export_sec_context(&minor, &pair.initiator.context, &token));
    must_pass_by_ipsec(pair);
    KerberosCredential credential;
    name_socket(pair.connection.client.get());
    must(credential.acquire());
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, gss_export_cred(&minor, credential.cred, &token));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, token.length);
  }

  void a_programs_own_bindings_are_compared() {
    std::string data = "tls-unique:1", other = "tls-unique:2", token;
    gss_channel_bindings_struct own{}, others{};
    own.application_data = in(data), others.application_data = in(other);
    KerberosPair pair;
    name_socket(pair.connection.client.get());
    CPPUNIT_ASSERT(!GSS_ERROR(pair.initiator.begin(pair.target.get(), kUsualFlags, token, &own).major));
    name_socket(pair.connection.server.get());
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_BINDINGS}, GSS_ROUTINE_ERROR(pair.acceptor.take(token, &others).major));
  }

  // A program that knows only Kerberos is done when a call gives it no token, and waits for an answer to every token.
  void the_acceptor_has_the_last_word() {
    KerberosPair pair;
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, pair.tokens.size());
    KerberosPair three;
    three.initiator.mechanism = mech();
    three.must_shake();
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, three.tokens.size());
  }

  // Of LAST BUT ONE, which the acceptor reads, and of FINISH.
  void each_flipped_octet_of_the_last_words_is_refused() {
    for (int last : {2, 3}) {
      std::size_t size = 1;
      for (std::size_t at = 0; at < size; ++at) {
        KerberosPair pair;
        std::string token;
        OM_uint32 major = GSS_S_COMPLETE;
        for (int leg = 0; leg <= last + 1; ++leg) {
          name_socket((leg % 2 == 0 ? pair.connection.client : pair.connection.server).get());
          major = leg % 2 == 0 ? pair.initiator.begin(pair.target.get(), kUsualFlags, token).major : pair.acceptor.take(token).major;
          CPPUNIT_ASSERT_EQUAL_MESSAGE(std::to_string(leg) + " of " + std::to_string(last), leg > last, GSS_ERROR(major) != 0);
          if (leg == last) size = token.size(), token[at] = static_cast<char>(token[at] ^ 0x40);
        }
      }
      CPPUNIT_ASSERT_EQUAL(std::size_t{34}, size);
    }
  }

  void a_last_word_that_is_not_the_acceptors_is_refused() {
    enum Change { flipped, reflected, earlier, absent, changes };
    std::string from_before;
    for (int change = -1; change < changes; ++change) {
      KerberosPair pair;
      std::string token;
      for (int leg = 0; leg < 4; ++leg) {
        name_socket((leg % 2 == 0 ? pair.connection.client : pair.connection.server).get());
        if (leg % 2 == 0) CPPUNIT_ASSERT(!GSS_ERROR(pair.initiator.begin(pair.target.get(), kUsualFlags, token).major));
        else CPPUNIT_ASSERT(!GSS_ERROR(pair.acceptor.take(token).major));
        pair.tokens.push_back(token);
      }
      name_socket(pair.connection.client.get());
      if (change == flipped) token[5] = static_cast<char>(token[5] ^ 1);
      if (change == reflected) token = pair.tokens[2], token[0] = pair.tokens[3][0];
      if (change == earlier) token = from_before;
      if (change == absent) token = pair.tokens[1];
      const Status status = pair.initiator.begin(pair.target.get(), kUsualFlags, token);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(std::to_string(change), change >= 0, GSS_ERROR(status.major) != 0);
      if (change < 0) from_before = pair.tokens[3];
    }
  }

 private:
  static void must_pass_by_ipsec(KerberosPair& pair) {
    std::string token;
    (void)pass(pair.initiator, pair.acceptor, "attack at dawn", &token);
    CPPUNIT_ASSERT(token.ends_with("attack at dawn"));
    (void)pass(pair.acceptor, pair.initiator);
  }

  static std::string text_of(const Status& status) {
    Buffer text;
    OM_uint32 minor, more = 0;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_display_status(&minor, status.minor, GSS_C_MECH_CODE, gss_mech_krb5, &more, &text));
    return text.str();
  }

  void refused_by_kerberos() {
    KerberosPair pair;
    const Status status = pair.shake();
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CRED}, GSS_ROUTINE_ERROR(status.major));
    CPPUNIT_ASSERT_MESSAGE(text_of(status), text_of(status).find("/nonexistent") != std::string::npos);
    KerberosCredential credential;
    name_socket(pair.connection.client.get());
    const Status acquired = credential.acquire();
    name_socket(-1);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CRED}, GSS_ROUTINE_ERROR(acquired.major));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(WithoutTicketTest);

}  // namespace
}  // namespace gssipsec::tests
