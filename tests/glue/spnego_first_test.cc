// SPDX-License-Identifier: MIT
// The interposer over SPNEGO, through the real libgssapi: mechanism ipsec first where the administrator wants that of the program, and
// nothing else changed, there and for everybody else. What is "as without it" is asked of SPNEGO itself, by the way past the interposer.
#include <cppunit/extensions/HelperMacros.h>
#include <stdlib.h>

#include <memory>

#include "tests/glue/spnego_support.h"

namespace gssipsec::tests {
namespace {

using base::Code;
using protocol::KerberosUse;
using protocol::Verb;

std::string outcome(OM_uint32 major) { return std::to_string(GSS_ROUTINE_ERROR(major) >> 16) + "/" + std::to_string(GSS_SUPPLEMENTARY_INFO(major)); }

std::string text_of_minor(OM_uint32 code) {
  Buffer text;
  OM_uint32 minor, more = 0;
  (void)gss_display_status(&minor, code, GSS_C_MECH_CODE, &spnego, &more, &text);
  return text.str();
}

std::string oid_text(gss_OID oid) {
  Buffer text;
  OM_uint32 minor;
  return oid && gss_oid_to_str(&minor, oid, &text) == GSS_S_COMPLETE ? std::string(static_cast<const char*>(text.value)) : "none";
}

std::string printable(const std::string& octets) {
  std::string all;
  for (const char each : octets) all += each >= ' ' && each <= '~' ? std::string(1, each) : "." + std::to_string(static_cast<unsigned char>(each));
  return all;
}

// Whom it is equal to, of those that a program may write down.
std::string equals_of(const GssName& name) {
  std::string all;
  for (const auto& [text, type] : {std::pair(kKerberosPeer, GSS_C_NT_USER_NAME), std::pair("user", GSS_C_NT_USER_NAME), std::pair("other", GSS_C_NT_USER_NAME),
                                   std::pair(kKerberosPeer, gss_OID{GSS_KRB5_NT_PRINCIPAL_NAME}), std::pair(kIpsecPeer, GSS_C_NT_USER_NAME),
                                   std::pair("host@server.example.org", GSS_C_NT_HOSTBASED_SERVICE)}) {
    const GssName written{text, type};
    OM_uint32 minor;
    int there = -1, back = -1;
    all += outcome(gss_compare_name(&minor, name.get(), written.get(), &there));
    all += outcome(gss_compare_name(&minor, written.get(), name.get(), &back));
    all += std::to_string(there) + std::to_string(back) + " ";
  }
  return all;
}

// All that a program sees of a name.
std::string facts_of(const GssName& name) {
  Buffer display, exported, local;
  gss_OID type = GSS_C_NO_OID;
  OM_uint32 minor;
  std::string all = outcome(gss_display_name(&minor, name.get(), &display, &type));
  all += display.str();
  all += oid_text(type);
  all += outcome(gss_export_name(&minor, name.get(), &exported));
  all += printable(exported.str());
  all += outcome(gss_localname(&minor, name.get(), GSS_C_NO_OID, &local));
  all += local.str();
  for (const char* user : {"visitor", "user", "root"}) all += name.get() ? std::to_string(gss_userok(name.get(), user)) : "";
  return all + (name.get() ? " equals " + equals_of(name) : "");
}

std::string facts_of(gss_cred_id_t credential, gss_OID mechanism) {
  GssName name, of_mech;
  OM_uint32 minor, lifetime = 0, initiates = 0, accepts = 0;
  gss_cred_usage_t usage = 77, by_mech = 77;
  gss_OID_set mechs = GSS_C_NO_OID_SET;
  std::string all = outcome(gss_inquire_cred(&minor, credential, name.out(), &lifetime, &usage, &mechs));
  all += facts_of(name);
  all += std::to_string(usage);
  all += lifetime ? "alive" : "";
  for (std::size_t i = 0; mechs && i < mechs->count; ++i) all += " " + oid_text(&mechs->elements[i]);
  gss_release_oid_set(&minor, &mechs);
  all += outcome(gss_inquire_cred_by_mech(&minor, credential, mechanism, of_mech.out(), &initiates, &accepts, &by_mech));
  all += facts_of(of_mech);
  return all + std::to_string(by_mech) + (initiates ? "initiates" : "") + (accepts ? "accepts" : "");
}

std::string message_facts(gss_ctx_id_t from, gss_ctx_id_t to) {
  std::string text = "attack at dawn", all;
  gss_buffer_desc message = in(text), broken = in(text);
  Buffer token, opened, mic, nothing;
  OM_uint32 minor, limit = 0;
  int sealed = 0, was_sealed = 0;
  all += outcome(gss_wrap(&minor, from, 1, 0, &message, &sealed, &token));
  all += outcome(gss_unwrap(&minor, to, &token, &opened, &was_sealed, nullptr));
  all += opened.str();
  all += std::to_string(sealed) + std::to_string(was_sealed) + std::to_string(token.length);
  all += outcome(gss_get_mic(&minor, from, 0, &message, &mic));
  all += outcome(gss_verify_mic(&minor, to, &message, &mic, nullptr));
  all += std::to_string(mic.length);
  all += outcome(gss_wrap_size_limit(&minor, from, 1, 0, 1000, &limit));
  all += std::to_string(limit);
  gss_iov_buffer_desc iov[3] = {{GSS_IOV_BUFFER_TYPE_HEADER, {0, nullptr}}, {GSS_IOV_BUFFER_TYPE_DATA, message}, {GSS_IOV_BUFFER_TYPE_TRAILER, {0, nullptr}}};
  all += outcome(gss_wrap_iov_length(&minor, from, 1, 0, nullptr, iov, 3));
  all += std::to_string(iov[0].buffer.length);
  all += std::to_string(iov[2].buffer.length);
  all += outcome(gss_unwrap(&minor, to, &broken, &nothing, nullptr, nullptr));
  return all + text_of_minor(minor);
}

// All that a program sees of one end of a context.
std::string facts_of(const Side& side, gss_ctx_id_t other) {
  GssName source, target;
  OM_uint32 minor, flags = 0, lifetime = 0, seconds = 0;
  int local = -1, open = -1;
  gss_OID mech = GSS_C_NO_OID;
  std::string all = outcome(gss_inquire_context(&minor, side.context, source.out(), target.out(), &lifetime, &mech, &flags, &local, &open));
  all += facts_of(source) + facts_of(target) + oid_text(mech) + std::to_string(flags) + std::to_string(side.flags) + std::to_string(local) + std::to_string(open);
  all += outcome(gss_context_time(&minor, side.context, &seconds));
  all += lifetime && seconds ? "alive" : "";
  gss_OID_desc key{11, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x05")};
  for (gss_OID asked : {static_cast<gss_OID>(GSS_C_SEC_CONTEXT_SASL_SSF), static_cast<gss_OID>(&key), &spnego}) {
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    all += outcome(gss_inquire_sec_context_by_oid(&minor, side.context, asked, &set));
    for (std::size_t i = 0; set && i < set->count; ++i) all += " " + std::to_string(set->elements[i].length);
    gss_release_buffer_set(&minor, &set);
  }
  std::string input = "x";
  gss_buffer_desc prf_in = in(input);
  Buffer here, there;
  all += outcome(gss_pseudo_random(&minor, side.context, GSS_C_PRF_KEY_FULL, &prf_in, 20, &here));
  all += outcome(gss_pseudo_random(&minor, other, GSS_C_PRF_KEY_FULL, &prf_in, 20, &there));
  all += here.str() == there.str() ? "the same key" : "other keys";
  return all + message_facts(side.context, other);
}

class SpnegoFirstTest : public KerberosFixture {
  CPPUNIT_TEST_SUITE(SpnegoFirstTest);
  CPPUNIT_TEST(without_a_line_the_order_stays);
  CPPUNIT_TEST(with_the_line_ipsec_is_first);
  CPPUNIT_TEST(an_initiator_without_a_credential_has_the_same_order);
  CPPUNIT_TEST(where_nothing_is_protected_it_is_kerberos_as_ever);
  CPPUNIT_TEST(where_ipsec_fails_it_is_kerberos);
  CPPUNIT_TEST(a_peer_without_ipsec_gets_kerberos);
  CPPUNIT_TEST(the_programs_own_order_counts);
  CPPUNIT_TEST(the_programs_order_reaches_a_default_credential);
  CPPUNIT_TEST(who_wants_just_kerberos_gets_it);
  CPPUNIT_TEST(who_wants_what_kerberos_alone_can_gets_it);
  CPPUNIT_TEST(acceptors_are_left_alone);
  CPPUNIT_TEST(an_acceptor_without_a_credential_leads_nowhere_else);
  CPPUNIT_TEST(without_any_credential_the_error_is_spnegos);
  CPPUNIT_TEST(a_program_sees_the_same);
  CPPUNIT_TEST(contexts_are_exported);
  CPPUNIT_TEST(credentials_are_exported);
  CPPUNIT_TEST(a_socket_named_later_reaches_kerberos_inside);
  CPPUNIT_TEST(a_socket_that_is_none_is_spnegos_error);
  CPPUNIT_TEST(kerberos_inside_sees_a_mechanism_call);
  CPPUNIT_TEST(each_token_is_known_by_its_frame);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    KerberosFixture::setUp();
    twin_->knobs.services = {"host"};
    use(KerberosUse::off, KerberosUse::off);
    twin_->fake().say({.ipsec_first = true});
  }

  void without_a_line_the_order_stays() {
    for (const auto& say : {protocol::ProgramPolicy{}, protocol::ProgramPolicy{.kerberos = KerberosUse::skip, .without_ticket = true}}) {
      twin_->fake().say(say);
      Negotiation acquired, none;
      acquired.must_acquire();
      negotiated(acquired, &krb5);
      none.names_sockets = true;
      negotiated(none, &krb5);
      CPPUNIT_ASSERT(first_of(none) == first_of(acquired) && holds(none.tokens[0], mech()));
    }
    twin_->fake().say_word(0);
    Negotiation silent;
    silent.must_acquire();
    negotiated(silent, &krb5);
  }

  void with_the_line_ipsec_is_first() {
    Negotiation pair;
    pair.must_acquire();
    negotiated(pair, preferred());
    CPPUNIT_ASSERT_MESSAGE("Kerberos is not offered", holds(pair.tokens[0], &krb5));
    Negotiation past;
    past.mechanism = past_interposer();
    CPPUNIT_ASSERT(past.initiator.acquire(GSS_C_INITIATE, past.connection.client.get(), past.mechanism).ok());
    CPPUNIT_ASSERT(past.acceptor.acquire(GSS_C_ACCEPT, past.connection.server.get()).ok());
    negotiated(past, &krb5);
  }

  void an_initiator_without_a_credential_has_the_same_order() {
    Negotiation pair;
    pair.names_sockets = true;
    negotiated(pair, preferred());
  }

  void where_nothing_is_protected_it_is_kerberos_as_ever() {
    twin_->knobs.query = Code::NO_POLICY;
    for (const bool acquires : {true, false}) {
      Negotiation pair;
      pair.names_sockets = !acquires;
      if (acquires) pair.must_acquire();
      negotiated(pair, &krb5);
      CPPUNIT_ASSERT(!holds(pair.tokens[0], mech()));
    }
  }

  void where_ipsec_fails_it_is_kerberos() {
    twin_->knobs.initiate = Code::STARTED_IN_CLEAR;
    Negotiation pair;
    pair.must_acquire();
    negotiated(pair, &krb5);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("what was tried first and failed is not offered", !is_interposed(), holds(pair.tokens[0], mech()));
  }

  // It chooses what was not the first, which MICs confirm.
  void a_peer_without_ipsec_gets_kerberos() {
    for (const bool acquires : {true, false}) {
      Negotiation pair;
      pair.names_sockets = !acquires;
      if (acquires) CPPUNIT_ASSERT(pair.initiator.acquire(GSS_C_INITIATE, pair.connection.client.get()).ok());
      CPPUNIT_ASSERT(pair.acceptor.acquire(GSS_C_ACCEPT, pair.connection.server.get(), &krb5).ok());
      OM_uint32 minor;
      gss_release_cred(&minor, &pair.acceptor.cred);
      CPPUNIT_ASSERT(pair.acceptor.acquire(GSS_C_ACCEPT, pair.connection.server.get()).ok());
      pair.acceptor.prefer({krb5});
      negotiated(pair, &krb5);
      CPPUNIT_ASSERT_EQUAL(is_interposed(), pair.tokens.size() > 2);
    }
  }

  void the_programs_own_order_counts() {
    Negotiation kerberos_first, kerberos_alone, ipsec_alone;
    for (Negotiation* pair : {&kerberos_first, &kerberos_alone, &ipsec_alone}) pair->must_acquire();
    kerberos_first.initiator.prefer({krb5, *mech()});
    kerberos_alone.initiator.prefer({krb5});
    ipsec_alone.initiator.prefer({*mech()});
    negotiated(kerberos_first, &krb5);
    negotiated(kerberos_alone, &krb5);
    negotiated(ipsec_alone, mech());
    CPPUNIT_ASSERT(holds(kerberos_first.tokens[0], mech()) && !holds(kerberos_alone.tokens[0], mech()) && !holds(ipsec_alone.tokens[0], &krb5));
  }

  // Kerberos, which negotiates nothing, comes before SPNEGO there.
  void the_programs_order_reaches_a_default_credential() {
    if (!is_interposed()) return;
    Negotiation pair;
    pair.names_sockets = true;
    name_socket(pair.connection.client.get());
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, GSS_C_NO_OID_SET, GSS_C_INITIATE, &pair.initiator.cred, nullptr, nullptr));
    pair.initiator.prefer({krb5, *mech()});
    negotiated(pair, &krb5);
  }

  // A cache or a principal of its own, or a credential to accept by as well; mechanism ipsec is offered behind it.
  void who_wants_just_kerberos_gets_it() {
    twin_->knobs.local_name = "ipsec:fqdn:client.example.org/user";  // whom both mechanisms know by this name
    GssName user{"user", GSS_C_NT_USER_NAME};
    const std::string cache = ticket_->ccache();
    for (const auto& [usage, name, store] : {std::tuple(GSS_C_INITIATE, GSS_C_NO_NAME, GssCredential::Store{{"ccache", cache}}),
                                             std::tuple(GSS_C_INITIATE, user.get(), GssCredential::Store{}),
                                             std::tuple(GSS_C_BOTH, GSS_C_NO_NAME, GssCredential::Store{})}) {
      Negotiation pair;
      pair.names_sockets = true;
      name_socket(pair.connection.client.get());
      must(acquire(pair.initiator.cred, usage, store, name));
      negotiated(pair, &krb5);
      CPPUNIT_ASSERT(holds(pair.tokens[0], mech()));
    }
  }

  // A style that mechanism ipsec does not know, or a ticket to be handed over.
  void who_wants_what_kerberos_alone_can_gets_it() {
    for (const OM_uint32 wanted : {GSS_C_DCE_STYLE, GSS_C_DELEG_FLAG, GSS_C_DELEG_POLICY_FLAG}) {
      Negotiation pair;
      pair.request |= wanted;
      std::string token;
      name_socket(pair.connection.client.get());
      pair.init(token);
      name_socket(-1);
      CPPUNIT_ASSERT_MESSAGE(std::to_string(wanted), first_of_token(token) == octets_of(&krb5));
      CPPUNIT_ASSERT(holds(token, mech()));
    }
  }

  // An acceptor tells its mechanisms in their order where nothing has come yet.
  void acceptors_are_left_alone() {
    std::string hints[2];
    for (const gss_OID mechanism : {&spnego, past_interposer()}) {
      Negotiation pair;
      CPPUNIT_ASSERT(pair.acceptor.acquire(GSS_C_ACCEPT, pair.connection.server.get(), mechanism).ok());
      std::string token;
      pair.accept(token);
      hints[mechanism == &spnego ? 0 : 1] = token;
      CPPUNIT_ASSERT_EQUAL_MESSAGE(pair.why(), OM_uint32{GSS_S_CONTINUE_NEEDED}, pair.acceptor.status.major);
    }
    if (is_interposed()) CPPUNIT_ASSERT_EQUAL(hints[1], hints[0]);
    CPPUNIT_ASSERT(hints[0].find(octets_of(&krb5)) < hints[0].find(octets_of(mech())));
  }

  void an_acceptor_without_a_credential_leads_nowhere_else() {
    Negotiation hint;
    std::string token;
    name_socket(hint.connection.server.get());
    hint.accept(token);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(hint.why(), OM_uint32{GSS_S_CONTINUE_NEEDED}, hint.acceptor.status.major);
    CPPUNIT_ASSERT(!token.empty());
    Negotiation ipsec, kerberos;
    kerberos.initiator.cred = GSS_C_NO_CREDENTIAL;
    for (Negotiation* pair : {&ipsec, &kerberos}) {
      pair->names_sockets = true;
      CPPUNIT_ASSERT(pair->initiator.acquire(GSS_C_INITIATE, pair->connection.client.get()).ok());
    }
    kerberos.initiator.prefer({krb5});
    negotiated(ipsec, preferred());
    negotiated(kerberos, &krb5);
  }

  void without_any_credential_the_error_is_spnegos() {
    twin_->knobs.query = Code::NO_POLICY;
    setenv("KRB5CCNAME", "FILE:/nonexistent", 1);
    setenv("KRB5_KTNAME", "FILE:/nonexistent", 1);
    std::string told[2];
    for (const gss_OID mechanism : {&spnego, past_interposer()}) {
      Negotiation pair;
      pair.names_sockets = true;
      pair.mechanism = mechanism;
      std::string token;
      pair.init(token);
      told[mechanism == &spnego ? 0 : 1] = outcome(pair.initiator.status.major) + text_of_minor(pair.initiator.status.minor) + token;
      CPPUNIT_ASSERT(GSS_ERROR(pair.initiator.status.major) && pair.initiator.context == GSS_C_NO_CONTEXT);
    }
    if (is_interposed()) CPPUNIT_ASSERT_EQUAL(told[1], told[0]);
  }

  void a_program_sees_the_same() {
    twin_->knobs.map_from = kIpsecPeer, twin_->knobs.map_to = "visitor";
    for (const auto& [chosen, line] : {std::pair(mech(), true), std::pair(mech(), false), std::pair(&krb5, true), std::pair(&krb5, false)}) {
      twin_->fake().say({.ipsec_first = line});
      std::string seen[2];
      for (const gss_OID mechanism : {&spnego, past_interposer()}) {
        Negotiation pair;
        acquire_by(pair, mechanism);
        pair.initiator.prefer({*chosen});
        negotiated(pair, chosen);
        std::string& all = seen[mechanism == &spnego ? 0 : 1];
        all = facts_of(pair.initiator.cred, mechanism) + " | " + facts_of(pair.acceptor.cred, mechanism) + " | " + facts_of(pair.source) + " | ";
        all += facts_of(pair.initiator, pair.acceptor.context) + " | " + facts_of(pair.acceptor, pair.initiator.context) + std::to_string(pair.tokens.size());
      }
      CPPUNIT_ASSERT_MESSAGE(seen[0], seen[0].find("0/00/011") != std::string::npos);  // that a name is equal to one that is written down
      CPPUNIT_ASSERT_MESSAGE(seen[0], seen[0].size() > 400 && seen[0].find(is(chosen, mech()) ? "0/0visitor" : "0/0user") != std::string::npos);
      if (is_interposed()) CPPUNIT_ASSERT_EQUAL(seen[1], seen[0]);
    }
  }

  // They come back as SPNEGO's own.
  void contexts_are_exported() {
    for (const gss_OID chosen : {mech(), &krb5}) {
      Negotiation pair;
      pair.must_acquire();
      pair.initiator.prefer({*chosen});
      negotiated(pair, chosen);
      for (Side* side : {&pair.initiator, &pair.acceptor}) {
        Buffer token;
        OM_uint32 minor;
        CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_export_sec_context(&minor, &side->context, &token));
        CPPUNIT_ASSERT(side->context == GSS_C_NO_CONTEXT);
        CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_import_sec_context(&minor, &token, &side->context));
        CPPUNIT_ASSERT(pair.chose(chosen));
      }
      CPPUNIT_ASSERT(message_facts(pair.initiator.context, pair.acceptor.context).starts_with("0/00/0attack at dawn"));
    }
  }

  void credentials_are_exported() {
    Negotiation pair;
    pair.must_acquire();
    for (Side* side : {&pair.initiator, &pair.acceptor}) {
      Buffer token;
      OM_uint32 minor;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_export_cred(&minor, side->cred, &token));
      gss_release_cred(&minor, &side->cred);
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_import_cred(&minor, &token, &side->cred));
    }
    pair.initiator.prefer({*mech(), krb5});
    negotiated(pair, mech());
  }

  void a_socket_named_later_reaches_kerberos_inside() {
    use(KerberosUse::skip, KerberosUse::skip);
    twin_->fake().say({.kerberos = KerberosUse::skip, .ipsec_first = true});
    Negotiation pair;
    must(acquire(pair.initiator.cred, GSS_C_INITIATE, {}));
    must(acquire(pair.acceptor.cred, GSS_C_ACCEPT, {}));
    set_socket(pair.initiator.cred, pair.connection.client);
    set_socket(pair.acceptor.cred, pair.connection.server);
    negotiated(pair, &krb5);
    CPPUNIT_ASSERT_EQUAL(2, twin_->requests(Verb::bind));
  }

  // Which asks its mechanisms, and goes on without those that refuse.
  void a_socket_that_is_none_is_spnegos_error() {
    std::string told[2];
    for (const gss_OID mechanism : {&spnego, past_interposer()}) {
      gss_cred_id_t none = GSS_C_NO_CREDENTIAL;
      const Status status = acquire(none, GSS_C_INITIATE, {{"ipsec-socket", "x"}}, GSS_C_NO_NAME, mechanism);
      told[mechanism == &spnego ? 0 : 1] = outcome(status.major) + text_of_minor(status.minor);
      OM_uint32 minor;
      gss_release_cred(&minor, &none);
    }
    if (is_interposed()) CPPUNIT_ASSERT_EQUAL(told[1], told[0]);
  }

  // Nothing stands in for Kerberos under SPNEGO's name, whoever is between.
  void kerberos_inside_sees_a_mechanism_call() {
    setenv("KRB5CCNAME", "FILE:/nonexistent", 1);
    for (const bool first : {true, false}) {
      twin_->fake().say({.without_ticket = true, .ipsec_first = first});
      Negotiation pair;
      pair.names_sockets = true;
      negotiated(pair, mech());
      CPPUNIT_ASSERT(first_of(pair) == octets_of(mech()));
    }
  }

  // Kerberos' tokens are bound to the channel as ever, SPNEGO's only inside.
  void each_token_is_known_by_its_frame() {
    use(KerberosUse::skip, KerberosUse::skip);
    twin_->fake().say({.kerberos = KerberosUse::skip});
    KerberosPair direct;
    switch_both(direct);
    CPPUNIT_ASSERT_EQUAL(2, twin_->requests(Verb::bind));
    KerberosPair inside;
    inside.initiator.mechanism = &spnego;
    switch_both(inside);
    CPPUNIT_ASSERT_EQUAL(4, twin_->requests(Verb::bind));
  }

 private:
  [[nodiscard]] static gss_OID preferred() { return is_interposed() ? mech() : &krb5; }

  // The first of SPNEGO's list, which is the one that the token is of.
  static std::string first_of_token(const std::string& token) {
    const std::size_t ipsec = token.find(octets_of(mech())), kerberos = token.find(octets_of(&krb5));
    return ipsec == kerberos ? "" : octets_of(ipsec < kerberos ? mech() : &krb5);
  }
  static std::string first_of(const Negotiation& pair) { return first_of_token(pair.tokens.at(0)); }

  static void negotiated(Negotiation& pair, gss_const_OID chosen) {
    CPPUNIT_ASSERT_MESSAGE(pair.why(), pair.run());
    CPPUNIT_ASSERT_MESSAGE("chosen: " + pair.source.text(), pair.chose(chosen));
    CPPUNIT_ASSERT_EQUAL(std::string(is(chosen, mech()) ? kIpsecPeer : kKerberosPeer), pair.source.text());
  }

  static void acquire_by(Negotiation& pair, gss_OID mechanism) {
    pair.mechanism = mechanism;
    must(pair.initiator.acquire(GSS_C_INITIATE, pair.connection.client.get(), mechanism));
    must(pair.acceptor.acquire(GSS_C_ACCEPT, pair.connection.server.get(), mechanism));
  }

  static Status acquire(gss_cred_id_t& out, gss_cred_usage_t usage, const GssCredential::Store& store, gss_name_t name = GSS_C_NO_NAME, gss_OID mechanism = &spnego) {
    std::vector<gss_key_value_element_desc> elements;
    for (const auto& [key, value] : store) elements.push_back({key.c_str(), value.c_str()});
    const gss_key_value_set_desc set{static_cast<OM_uint32>(elements.size()), elements.data()};
    gss_OID_set_desc mechs{1, mechanism};
    Status status;
    status.major = gss_acquire_cred_from(&status.minor, name, GSS_C_INDEFINITE, &mechs, usage, store.empty() ? GSS_C_NO_CRED_STORE : &set, &out, nullptr, nullptr);
    return status;
  }

  static void set_socket(gss_cred_id_t& credential, const base::UniqueFd& socket) {
    std::string number = std::to_string(socket.get());
    gss_buffer_desc value = in(number);
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_set_cred_option(&minor, &credential, project_oid(5), &value));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SpnegoFirstTest);

}  // namespace
}  // namespace gssipsec::tests
