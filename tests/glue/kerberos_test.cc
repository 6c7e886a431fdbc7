// SPDX-License-Identifier: MIT
// Kerberos over the channel, through the real libgssapi and the real Kerberos (a ticket without a KDC): who is bound, who switches,
// and what a man in the middle can do to it.
#include <arpa/inet.h>
#include <cppunit/extensions/HelperMacros.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <fstream>
#include <functional>
#include <memory>

#include "tests/glue/kerberos_support.h"
#include "tests/support/child.h"

namespace gssipsec::tests {
namespace {

using base::Code;
using protocol::KerberosUse;
using protocol::LatchState;
using protocol::Verb;

class KerberosGlueTest : public KerberosFixture {
  CPPUNIT_TEST_SUITE(KerberosGlueTest);
  CPPUNIT_TEST(both_ends_switch_and_messages_rest_on_the_channel);
  CPPUNIT_TEST(without_a_line_everything_is_kerberos);
  CPPUNIT_TEST(without_a_broker_everything_is_kerberos);
  CPPUNIT_TEST(one_end_that_only_binds_keeps_kerberos);
  CPPUNIT_TEST(one_end_alone_is_kerberos);
  CPPUNIT_TEST(spnego_over_it_switches_too);
  CPPUNIT_TEST(a_man_in_the_middle_is_found);
  CPPUNIT_TEST(a_sole_socket_that_may_be_the_wrong_one_leaves_kerberos);
  CPPUNIT_TEST(with_a_credential_of_its_own_an_acceptor_asks_once);
  CPPUNIT_TEST(other_bindings_of_the_programs_own_are_refused_as_ever);
  CPPUNIT_TEST(a_token_made_before_a_rekey_is_kerberos_alone_after_it);
  CPPUNIT_TEST(the_latch_is_kept_up_to_date_whatever_protects_the_messages);
  CPPUNIT_TEST(a_broker_that_saw_another_socket_binds_nothing);
  CPPUNIT_TEST(a_programs_own_bindings_and_dce_are_left_alone);
  CPPUNIT_TEST(a_programs_own_bindings_against_ours_are_refused);
  CPPUNIT_TEST(an_initiator_that_promised_bindings_and_gives_none_is_refused);
  CPPUNIT_TEST(the_program_is_not_told_of_bindings_it_did_not_give);
  CPPUNIT_TEST(a_forged_switch_is_refused);
  CPPUNIT_TEST(a_switch_of_another_context_is_refused);
  CPPUNIT_TEST(a_suppressed_switch_leaves_kerberos);
  CPPUNIT_TEST(a_channel_token_without_agreement_is_refused);
  CPPUNIT_TEST(an_initiators_switch_is_refused);
  CPPUNIT_TEST(a_broken_latch_stops_messages);
  CPPUNIT_TEST(a_latch_that_cannot_be_confirmed_is_not_rested_on);
  CPPUNIT_TEST(a_latch_that_broke_before_is_not_switched_to);
  CPPUNIT_TEST(replay_and_loss_are_told_across_the_switch);
  CPPUNIT_TEST(the_strength_is_the_channels_after_the_switch_only);
  CPPUNIT_TEST(an_export_before_the_switch_disables_it_and_after_is_refused);
  CPPUNIT_TEST(what_is_not_bound_is_exported_as_ever);
  CPPUNIT_TEST(a_context_under_way_tells_nothing_and_who_asks_loses_nothing);
  CPPUNIT_TEST(an_error_of_kerberos_keeps_its_text);
  CPPUNIT_TEST_SUITE_END();

 public:
  void both_ends_switch_and_messages_rest_on_the_channel() {
    KerberosPair pair;
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.initiator, pair.acceptor));
    std::string token;
    CPPUNIT_ASSERT_EQUAL(kWithSwitch, pass(pair.acceptor, pair.initiator, "attack at dawn", &token));
    CPPUNIT_ASSERT(token.find("dawn") == std::string::npos && token[kSwitchSize] == kByKerberos);
    CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.acceptor, pair.initiator));  // it does not know yet that the initiator agrees
    CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.initiator, pair.acceptor, "attack at dawn", &token));
    CPPUNIT_ASSERT(token.ends_with("attack at dawn"));
    for (int i = 0; i < 3; ++i) {
      CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.acceptor, pair.initiator));
      CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.initiator, pair.acceptor));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("user@EXAMPLE.ORG"), pair.acceptor.source.text());
  }

  void without_a_line_everything_is_kerberos() {
    use(KerberosUse::off, KerberosUse::off);
    must_be_kerberos();
  }

  void without_a_broker_everything_is_kerberos() {
    twin_.reset();
    must_be_kerberos();
    twin_ = std::make_unique<TwinBroker>();
  }

  void one_end_that_only_binds_keeps_kerberos() {
    for (const auto& [initiator, acceptor] : {std::pair(KerberosUse::bind, KerberosUse::bind), std::pair(KerberosUse::skip, KerberosUse::bind)}) {
      use(initiator, acceptor);
      must_be_kerberos();
    }
    use(KerberosUse::bind, KerberosUse::skip);
    KerberosPair pair;
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(kWithSwitch, pass(pair.acceptor, pair.initiator));
    for (int i = 0; i < 3; ++i) {
      CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.initiator, pair.acceptor));
      CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.acceptor, pair.initiator));
    }
  }

  void one_end_alone_is_kerberos() {
    use(KerberosUse::skip, KerberosUse::off);
    must_be_kerberos();
    use(KerberosUse::off, KerberosUse::skip);
    must_be_kerberos();
  }

  void spnego_over_it_switches_too() {
    static gss_OID_desc spnego = {6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};
    KerberosPair pair;
    pair.initiator.mechanism = &spnego;
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(kWithSwitch, pass(pair.acceptor, pair.initiator));
    CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.initiator, pair.acceptor));
    CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.acceptor, pair.initiator));
  }

  // Kerberos alone would accept: he relays its tokens unchanged.
  void a_man_in_the_middle_is_found() {
    twin_->knobs.man_in_the_middle = true;
    KerberosPair pair;
    const Status status = pair.shake();
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_BINDINGS}, status.major);
    CPPUNIT_ASSERT(pair.acceptor.context == GSS_C_NO_CONTEXT && pair.acceptor.source.get() == GSS_C_NO_NAME);
    use(KerberosUse::off, KerberosUse::off);
    KerberosPair alone;
    alone.must_shake();
  }

  // Kerberos had all else in order. Of what else it finds (the replay, which only its cache knows) no socket is to blame.
  void a_sole_socket_that_may_be_the_wrong_one_leaves_kerberos() {
    twin_->knobs.page_says = LatchState::stale;
    with_a_sole_socket([](KerberosPair& pair, std::string token) {
      std::string same = token;
      const Status status = pair.acceptor.take(token);
      CPPUNIT_ASSERT_MESSAGE(message_of(status), status.ok());
      CPPUNIT_ASSERT(pair.initiator.begin(pair.target.get(), kUsualFlags, token).ok());
      for (int i = 0; i < 2; ++i) {
        CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.acceptor, pair.initiator));
        CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.initiator, pair.acceptor));
      }
      KerberosEnd other;
      const Status again = other.take(same);
      CPPUNIT_ASSERT_MESSAGE(text_of(again), GSS_ERROR(again.major) && text_of(again).find("replay") != std::string::npos);
    });
    CPPUNIT_ASSERT_EQUAL(2, twin_->requests(Verb::check));  // the sole one was latched, too, and is not left to what becomes of that
    CPPUNIT_ASSERT_EQUAL(3, twin_->requests(Verb::bind));
  }

  // Of which the keytab is not known, and asked once more it would meet the replay cache.
  void with_a_credential_of_its_own_an_acceptor_asks_once() {
    with_a_sole_socket([](KerberosPair& pair, std::string token) {
      must(pair.acceptor.kerberos.acquire(GSS_C_ACCEPT));
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_BINDINGS}, pair.acceptor.take(token).major);
    });
    CPPUNIT_ASSERT_EQUAL(2, twin_->requests(Verb::bind));
  }

  // Where there is no channel nothing is asked again.
  void other_bindings_of_the_programs_own_are_refused_as_ever() {
    std::string data = "tls-unique:1", other = "tls-unique:2", token;
    gss_channel_bindings_struct theirs{}, own{};
    theirs.application_data = in(data);
    own.application_data = in(other);
    KerberosPair pair;
    (void)pair.initiator.begin(pair.target.get(), kUsualFlags, token, &theirs);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_BINDINGS}, pair.acceptor.take(token, &own).major);
    CPPUNIT_ASSERT_EQUAL(0, twin_->requests(Verb::bind));
  }

  // The acceptor's broker gives no bindings while SAs are young: others than the initiator's would be an error.
  void a_token_made_before_a_rekey_is_kerberos_alone_after_it() {
    twin_->knobs.man_in_the_middle = true;  // the pair that the acceptor would take is another one
    twin_->knobs.bind_acceptor = Code::SA_GONE;
    must_be_kerberos();
    CPPUNIT_ASSERT_EQUAL(2, twin_->requests(Verb::bind));
    twin_->knobs.bind_acceptor = Code::ok;  // the token is longer under way than that
    KerberosPair late;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_BINDINGS}, late.shake().major);
  }

  // An initiator alone, an acceptor alone, both bound and not switched: each asks when its messages go out, and when they come in.
  void the_latch_is_kept_up_to_date_whatever_protects_the_messages() {
    for (const auto& [initiator, acceptor] : {std::pair(KerberosUse::skip, KerberosUse::off), std::pair(KerberosUse::off, KerberosUse::skip), std::pair(KerberosUse::bind, KerberosUse::bind),
                                               std::pair(KerberosUse::bind, KerberosUse::skip)})
      for (const bool sends : {true, false}) {
        use(initiator, acceptor);
        KerberosPair pair;
        pair.must_shake();
        const int before = twin_->requests(Verb::check), latched = (initiator != KerberosUse::off) + (acceptor != KerberosUse::off);
        std::string there, back, message;
        CPPUNIT_ASSERT(pair.initiator.wrap("there", there).ok() && pair.acceptor.wrap("back", back).ok());
        CPPUNIT_ASSERT_EQUAL(before, twin_->requests(Verb::check));  // intact: nobody is asked
        twin_->set_latches(LatchState::stale);
        if (sends) CPPUNIT_ASSERT(pair.initiator.wrap("there", there).ok() && pair.acceptor.wrap("back", back).ok());
        else CPPUNIT_ASSERT(pair.acceptor.unwrap(there, message).ok() && pair.initiator.unwrap(back, message).ok());
        CPPUNIT_ASSERT_EQUAL(before + latched, twin_->requests(Verb::check));
        for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT(pair.initiator.wrap("there", there).ok() && pair.acceptor.wrap("back", back).ok());
        CPPUNIT_ASSERT_EQUAL(before + latched, twin_->requests(Verb::check));  // and not for each message
        // Kerberos protects them whatever the latch is.
        twin_->set_latches(LatchState::broken);
        CPPUNIT_ASSERT(pair.initiator.wrap("there", there).ok() && pair.acceptor.wrap("back", back).ok());
      }
  }

  void a_broker_that_saw_another_socket_binds_nothing() {
    twin_->knobs.other_cookie = true;
    must_be_kerberos();
  }

  void a_programs_own_bindings_and_dce_are_left_alone() {
    std::string data = "tls-unique:1";
    gss_channel_bindings_struct own{};
    own.application_data = in(data);
    KerberosPair pair;
    std::string token;
    name_socket(pair.connection.client.get());
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_CONTINUE_NEEDED}, pair.initiator.begin(pair.target.get(), kUsualFlags, token, &own).major);
    name_socket(pair.connection.server.get());
    CPPUNIT_ASSERT(pair.acceptor.take(token, &own).ok());
    CPPUNIT_ASSERT(pair.acceptor.flags & GSS_C_CHANNEL_BOUND_FLAG);
    CPPUNIT_ASSERT(pair.initiator.begin(pair.target.get(), kUsualFlags, token, &own).ok());
    CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.acceptor, pair.initiator));
    CPPUNIT_ASSERT_EQUAL(0, twin_->requests(Verb::bind));
    KerberosPair dce;
    dce.request |= GSS_C_DCE_STYLE;
    dce.must_shake();
    CPPUNIT_ASSERT_EQUAL(1, twin_->requests(Verb::bind));  // the acceptor cannot tell before
    CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(dce.acceptor, dce.initiator));
  }

  void a_programs_own_bindings_against_ours_are_refused() {
    std::string data = "tls-unique:1", token;
    gss_channel_bindings_struct own{};
    own.application_data = in(data);
    KerberosPair pair;
    name_socket(pair.connection.client.get());
    (void)pair.initiator.begin(pair.target.get(), kUsualFlags, token, &own);
    name_socket(pair.connection.server.get());
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_BINDINGS}, pair.acceptor.take(token).major);
  }

  // Kerberos cannot tell him from one whose bindings somebody took away.
  void an_initiator_that_promised_bindings_and_gives_none_is_refused() {
    std::ofstream(ticket_->config(), std::ios::app) << "[libdefaults]\n client_aware_channel_bindings = true\n";
    use(KerberosUse::off, KerberosUse::skip);
    KerberosPair pair;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_BINDINGS}, pair.shake().major);
    use(KerberosUse::skip, KerberosUse::skip);
    KerberosPair both;
    switch_both(both);
  }

  void the_program_is_not_told_of_bindings_it_did_not_give() {
    KerberosPair pair;
    pair.must_shake();
    CPPUNIT_ASSERT(!(pair.acceptor.flags & GSS_C_CHANNEL_BOUND_FLAG));
    OM_uint32 minor;
    for (KerberosEnd* end : {&pair.acceptor, &pair.initiator}) {
      OM_uint32 flags = 0;
      gss_inquire_context(&minor, end->context, nullptr, nullptr, nullptr, nullptr, &flags, nullptr, nullptr);
      CPPUNIT_ASSERT(flags != 0 && !(flags & GSS_C_CHANNEL_BOUND_FLAG));
    }
  }

  void a_forged_switch_is_refused() {
    KerberosPair pair;
    pair.must_shake();
    std::string token, message;
    CPPUNIT_ASSERT(pair.acceptor.wrap("attack", token).ok());
    for (std::size_t i = 0; i < kSwitchSize; ++i) {
      std::string forged = token;
      forged[i] = static_cast<char>(forged[i] ^ 4);
      const Status status = pair.initiator.unwrap(forged, message);
      CPPUNIT_ASSERT_MESSAGE("octet " + std::to_string(i), GSS_ERROR(status.major) && message.empty());
    }
    std::string moved = token;
    moved[9] = static_cast<char>(moved[9] ^ 1);  // another number
    refused_as(Code::SWITCH_FORGED, pair.initiator.unwrap(moved, message));
    CPPUNIT_ASSERT(GSS_ERROR(pair.initiator.unwrap(token.substr(0, kSwitchSize - 1), message).major));
    CPPUNIT_ASSERT(GSS_ERROR(pair.initiator.unwrap(token.substr(0, kSwitchSize), message).major));
    CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.initiator, pair.acceptor));  // none of them switched it
    CPPUNIT_ASSERT(pair.initiator.unwrap(token, message).ok());
    CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.initiator, pair.acceptor));
  }

  void a_switch_of_another_context_is_refused() {
    KerberosPair pair, other;
    pair.must_shake();
    other.must_shake();
    std::string token, theirs, message;
    CPPUNIT_ASSERT(pair.acceptor.wrap("attack", token).ok());
    CPPUNIT_ASSERT(other.acceptor.wrap("attack", theirs).ok());
    CPPUNIT_ASSERT_EQUAL(minor_here(Code::SWITCH_FORGED), pair.initiator.unwrap(theirs, message).minor);
    CPPUNIT_ASSERT_EQUAL(minor_here(Code::SWITCH_FORGED), pair.initiator.unwrap(theirs.substr(0, kSwitchSize) + token.substr(kSwitchSize), message).minor);
  }

  void a_suppressed_switch_leaves_kerberos() {
    KerberosPair pair;
    pair.must_shake();
    std::string token, message;
    CPPUNIT_ASSERT(pair.acceptor.wrap("attack", token).ok());
    CPPUNIT_ASSERT(pair.initiator.unwrap(token.substr(kSwitchSize), message).ok());  // he takes the offer away
    for (int i = 0; i < 3; ++i) {
      CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.initiator, pair.acceptor));
      CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.acceptor, pair.initiator));
    }
  }

  void a_channel_token_without_agreement_is_refused() {
    KerberosPair switched, pair;
    switched.must_shake();
    pair.must_shake();
    std::string token, message, offer;
    (void)pass(switched.acceptor, switched.initiator);
    CPPUNIT_ASSERT(switched.initiator.wrap("attack", token).ok());
    CPPUNIT_ASSERT_EQUAL(kByChannel, token.front());
    refused_as(Code::NOT_SWITCHED, pair.acceptor.unwrap(token, message));
    CPPUNIT_ASSERT(pair.acceptor.wrap("offer", offer).ok());
    CPPUNIT_ASSERT_EQUAL(minor_here(Code::BAD_MIC), pair.acceptor.unwrap(token, message).minor);  // of another context
    token[1] = 1;
    CPPUNIT_ASSERT_EQUAL(minor_here(Code::NOT_SWITCHED), pair.initiator.unwrap(token, message).minor);
    CPPUNIT_ASSERT(message.empty());
  }

  void an_initiators_switch_is_refused() {
    KerberosPair pair;
    pair.must_shake();
    std::string token, message;
    CPPUNIT_ASSERT(pair.acceptor.wrap("attack", token).ok());
    CPPUNIT_ASSERT_EQUAL(minor_here(Code::NOT_SWITCHED), pair.acceptor.unwrap(token, message).minor);
  }

  void a_broken_latch_stops_messages() {
    KerberosPair pair;
    switch_both(pair);
    std::string before, token, message;
    CPPUNIT_ASSERT(pair.initiator.wrap("attack", before).ok());
    twin_->set_latches(LatchState::broken);
    for (End* end : {static_cast<End*>(&pair.initiator), static_cast<End*>(&pair.acceptor)})
      for (const int confidential : {0, 1}) {
        CPPUNIT_ASSERT_EQUAL(minor_here(Code::LATCH_BROKEN), end->wrap("attack", token, confidential).minor);
        CPPUNIT_ASSERT(token.empty());
      }
    CPPUNIT_ASSERT_EQUAL(minor_here(Code::LATCH_BROKEN), pair.acceptor.unwrap(before, message).minor);
    CPPUNIT_ASSERT(message.empty());
  }

  void a_latch_that_cannot_be_confirmed_is_not_rested_on() {
    KerberosPair pair;
    switch_both(pair);
    std::string token;
    twin_->knobs.check = Code::UNKNOWN;
    twin_->set_latches(LatchState::stale);
    CPPUNIT_ASSERT_EQUAL(kBySeal, pass(pair.initiator, pair.acceptor, "attack at dawn", &token));
    CPPUNIT_ASSERT(token.find("dawn") == std::string::npos);
    CPPUNIT_ASSERT_EQUAL(kBySeal, pass(pair.acceptor, pair.initiator));
  }

  void a_latch_that_broke_before_is_not_switched_to() {
    KerberosPair pair;
    pair.must_shake();
    twin_->set_latches(LatchState::broken);
    CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.acceptor, pair.initiator));
    KerberosPair later;
    later.must_shake();
    std::string token, message;
    CPPUNIT_ASSERT(later.acceptor.wrap("attack", token).ok());
    CPPUNIT_ASSERT_EQUAL(kWithSwitch, token.front());
    twin_->set_latches(LatchState::broken);
    CPPUNIT_ASSERT(later.initiator.unwrap(token, message).ok());
    CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(later.initiator, later.acceptor));
  }

  void replay_and_loss_are_told_across_the_switch() {
    KerberosPair pair;
    pair.must_shake();
    std::string lost, late, first, second, message;
    CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.initiator, pair.acceptor));
    CPPUNIT_ASSERT(pair.initiator.wrap("late", late).ok());
    (void)pass(pair.acceptor, pair.initiator);
    CPPUNIT_ASSERT(pair.initiator.wrap("first", first).ok());
    CPPUNIT_ASSERT(pair.initiator.wrap("second", second).ok());
    CPPUNIT_ASSERT_EQUAL(kByChannel, first.front());
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_GAP_TOKEN}, pair.acceptor.unwrap(first, message).major);  // one of Kerberos' is missing
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNSEQ_TOKEN}, pair.acceptor.unwrap(late, message).major);
    CPPUNIT_ASSERT_EQUAL(std::string("late"), message);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_DUPLICATE_TOKEN}, pair.acceptor.unwrap(late, message).major);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_DUPLICATE_TOKEN}, pair.acceptor.unwrap(first, message).major);
    CPPUNIT_ASSERT(pair.initiator.wrap("lost", lost).ok());
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_GAP_TOKEN}, third(pair).major);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNSEQ_TOKEN}, pair.acceptor.unwrap(second, message).major);

    KerberosPair careless;
    careless.request = GSS_C_MUTUAL_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG;
    switch_both(careless);
    CPPUNIT_ASSERT(careless.initiator.wrap("lost", lost).ok());
    CPPUNIT_ASSERT(third(careless).ok());
    CPPUNIT_ASSERT(careless.acceptor.unwrap(lost, message).ok());
    CPPUNIT_ASSERT(careless.acceptor.unwrap(lost, message).ok());
  }

  void the_strength_is_the_channels_after_the_switch_only() {
    KerberosPair pair;
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(std::string("\0\0\1\0", 4), strength(pair.initiator));  // 256, the ticket's
    (void)pass(pair.acceptor, pair.initiator);
    CPPUNIT_ASSERT_EQUAL(std::string("\0\0\0\x80", 4), strength(pair.initiator));
    CPPUNIT_ASSERT_EQUAL(std::string("\0\0\1\0", 4), strength(pair.acceptor));
    (void)pass(pair.initiator, pair.acceptor);
    CPPUNIT_ASSERT_EQUAL(std::string("\0\0\0\x80", 4), strength(pair.acceptor));
  }

  void an_export_before_the_switch_disables_it_and_after_is_refused() {
    OM_uint32 minor;
    KerberosPair pair;
    pair.must_shake();
    Buffer token;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_export_sec_context(&minor, &pair.acceptor.context, &token));
    CPPUNIT_ASSERT(pair.acceptor.context == GSS_C_NO_CONTEXT);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_import_sec_context(&minor, &token, &pair.acceptor.context));
    CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.acceptor, pair.initiator));
    CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.initiator, pair.acceptor));

    KerberosPair switched;
    switch_both(switched);
    for (KerberosEnd* end : {&switched.initiator, &switched.acceptor}) {
      Buffer refused;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, gss_export_sec_context(&minor, &end->context, &refused));
      CPPUNIT_ASSERT(end->context != GSS_C_NO_CONTEXT && refused.length == 0);
      void* lucid = nullptr;
      CPPUNIT_ASSERT(GSS_ERROR(gss_krb5_export_lucid_sec_context(&minor, &end->context, 1, &lucid)));
    }
    CPPUNIT_ASSERT_EQUAL(kByChannel, pass(switched.initiator, switched.acceptor));

    KerberosPair lucid;
    lucid.must_shake();
    void* keys = nullptr;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_krb5_export_lucid_sec_context(&minor, &lucid.acceptor.context, 1, &keys));
    gss_krb5_free_lucid_sec_context(&minor, keys);
  }

  // An acceptor whose initiator saw no channel, and both ends of a context that is bound and rests on nothing.
  void what_is_not_bound_is_exported_as_ever() {
    for (const auto& [initiator, acceptor] : {std::pair(KerberosUse::off, KerberosUse::skip), std::pair(KerberosUse::off, KerberosUse::bind), std::pair(KerberosUse::bind, KerberosUse::bind)}) {
      use(initiator, acceptor);
      KerberosPair pair, lucid;
      pair.must_shake();
      lucid.must_shake();
      OM_uint32 minor;
      for (KerberosEnd* end : {&pair.initiator, &pair.acceptor}) {
        Buffer token;
        CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_export_sec_context(&minor, &end->context, &token));
        CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_import_sec_context(&minor, &token, &end->context));
      }
      CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.acceptor, pair.initiator));
      void* keys = nullptr;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_krb5_export_lucid_sec_context(&minor, &lucid.acceptor.context, 1, &keys));
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_krb5_free_lucid_sec_context(&minor, keys));
    }
  }

  // Strength, session key, its keys for export, itself: all of it is there when it is complete.
  void a_context_under_way_tells_nothing_and_who_asks_loses_nothing() {
    KerberosPair pair;
    std::string token;
    name_socket(pair.connection.client.get());
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_CONTINUE_NEEDED}, pair.initiator.begin(pair.target.get(), kUsualFlags, token).major);
    OM_uint32 minor;
    gss_OID_desc session_key{11, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x05")};
    for (gss_OID question : {GSS_C_SEC_CONTEXT_SASL_SSF, &session_key}) {
      gss_buffer_set_t set = reinterpret_cast<gss_buffer_set_t>(1);
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CONTEXT}, GSS_ROUTINE_ERROR(gss_inquire_sec_context_by_oid(&minor, pair.initiator.context, question, &set)));
      CPPUNIT_ASSERT(set == GSS_C_NO_BUFFER_SET);
    }
    void* lucid = nullptr;
    Buffer exported;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CONTEXT}, GSS_ROUTINE_ERROR(gss_krb5_export_lucid_sec_context(&minor, &pair.initiator.context, 1, &lucid)));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CONTEXT}, GSS_ROUTINE_ERROR(gss_export_sec_context(&minor, &pair.initiator.context, &exported)));
    CPPUNIT_ASSERT(!lucid && exported.length == 0 && pair.initiator.context != GSS_C_NO_CONTEXT);
    name_socket(pair.connection.server.get());
    must(pair.acceptor.take(token));
    must(pair.initiator.begin(pair.target.get(), kUsualFlags, token));
    CPPUNIT_ASSERT_EQUAL(kWithSwitch, pass(pair.acceptor, pair.initiator));
    CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.initiator, pair.acceptor));
  }

  // Its number is another one: the mechglue sees to that.
  void an_error_of_kerberos_keeps_its_text() {
    setenv("KRB5CCNAME", "FILE:/nonexistent", 1);
    KerberosPair pair;
    std::string token;
    const Status status = pair.initiator.begin(pair.target.get(), kUsualFlags, token);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CRED}, GSS_ROUTINE_ERROR(status.major));
    CPPUNIT_ASSERT_MESSAGE(text_of(status), text_of(status).find("/nonexistent") != std::string::npos);
  }

 private:
  // An acceptor that names no socket, whose process has one connection to elsewhere; and an initiator's token, which is of another one.
  static void with_a_sole_socket(const std::function<void(KerberosPair&, std::string)>& body) {
    in_child([&body] {
      CPPUNIT_ASSERT_MESSAGE("no network namespace of its own; these tests need root", enter_own_network());
      const base::UniqueFd sole = connection_to_elsewhere();
      KerberosPair pair;
      std::string token;
      name_socket(pair.connection.client.get());
      CPPUNIT_ASSERT(!GSS_ERROR(pair.initiator.begin(pair.target.get(), kUsualFlags, token).major));
      name_socket(-1);
      body(pair, token);
    });
  }
  static base::UniqueFd connection_to_elsewhere() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(4444);
    inet_pton(AF_INET, "10.9.9.1", &address.sin_addr);
    const auto* where = reinterpret_cast<const sockaddr*>(&address);
    const base::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CPPUNIT_ASSERT(bind(listener.get(), where, sizeof address) == 0 && listen(listener.get(), 1) == 0 && connect(client.get(), where, sizeof address) == 0);
    return base::UniqueFd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

  static std::string text_of(const Status& status) {
    Buffer text;
    OM_uint32 minor, more = 0;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_display_status(&minor, status.minor, GSS_C_MECH_CODE, gss_mech_krb5, &more, &text));
    return text.str();
  }

  static void refused_as(Code code, const Status& status) {
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_DEFECTIVE_TOKEN}, status.major);
    CPPUNIT_ASSERT_EQUAL(minor_here(code), status.minor);
    CPPUNIT_ASSERT_EQUAL(std::string(base::code_text(code)), text_of(status));
  }

  static void must_be_kerberos() {
    KerberosPair pair;
    pair.must_shake();
    for (int i = 0; i < 3; ++i) {
      CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.acceptor, pair.initiator));
      CPPUNIT_ASSERT_EQUAL(kByKerberos, pass(pair.initiator, pair.acceptor));
    }
  }

  static Status third(KerberosPair& pair) {
    std::string token, message;
    CPPUNIT_ASSERT(pair.initiator.wrap("third", token).ok());
    return pair.acceptor.unwrap(token, message);
  }

  static std::string strength(const End& end) {
    OM_uint32 minor;
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    if (gss_inquire_sec_context_by_oid(&minor, end.context, GSS_C_SEC_CONTEXT_SASL_SSF, &set) != GSS_S_COMPLETE) return "none";
    const std::string got(static_cast<const char*>(set->elements[0].value), set->elements[0].length);
    gss_release_buffer_set(&minor, &set);
    return got;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(KerberosGlueTest);

}  // namespace
}  // namespace gssipsec::tests
