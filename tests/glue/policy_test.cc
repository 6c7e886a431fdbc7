// SPDX-License-Identifier: MIT
// What the administrator's [[program]] line makes of a program's messages.
#include <cppunit/extensions/HelperMacros.h>

#include <memory>

#include "tests/glue/gss_support.h"
#include "tests/support/twin_broker.h"

namespace gssipsec::tests {
namespace {

using base::Code;
using protocol::LatchState;
using protocol::Seal;

constexpr char kChannelToken = 0x11, kSealedToken = 0x12;
const std::string kOrder = "attack at dawn";

class PolicyTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PolicyTest);
  CPPUNIT_TEST(always_seals_every_message);
  CPPUNIT_TEST(unless_confidential_seals_what_should_be_secret);
  CPPUNIT_TEST(never_seals_only_what_asks_for_it);
  CPPUNIT_TEST(never_is_told_in_flags_and_strength);
  CPPUNIT_TEST(never_still_seals_when_the_latch_is_stale);
  CPPUNIT_TEST(each_end_has_its_own_line);
  CPPUNIT_TEST(a_channel_too_weak_for_the_program_is_refused);
  CPPUNIT_TEST(a_context_keeps_to_one_line);
  CPPUNIT_TEST(an_older_broker_has_no_lines);
  CPPUNIT_TEST(without_a_word_there_is_no_context);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<TwinBroker> twin_;

  void say(Seal seal, std::uint16_t min_key_bits = 0) { twin_->fake().say({.seal = seal, .min_key_bits = min_key_bits}); }

  static char form(End& end, int conf, gss_qop_t qop, int* state = nullptr) {
    std::string token;
    const Status status = end.wrap(kOrder, token, conf, qop, state);
    CPPUNIT_ASSERT_MESSAGE(message_of(status), status.ok());
    return token[0];
  }

 public:
  void setUp() override { twin_ = std::make_unique<TwinBroker>(); }
  void tearDown() override { twin_.reset(); }

  void always_seals_every_message() {
    say(Seal::always);
    Pair pair;
    pair.must_shake();
    for (End* end : {&pair.initiator, &pair.acceptor})
      for (const int conf : {0, 1}) {
        int state = 0;
        CPPUNIT_ASSERT_EQUAL(kSealedToken, form(*end, conf, 0, &state));
        CPPUNIT_ASSERT_EQUAL(1, state);
      }
  }

  void unless_confidential_seals_what_should_be_secret() {
    for (const bool confidential : {true, false}) {
      twin_->knobs.confidentiality = confidential;
      Pair pair;
      pair.must_shake();
      CPPUNIT_ASSERT_EQUAL(confidential ? kChannelToken : kSealedToken, form(pair.initiator, 1, 0));
      CPPUNIT_ASSERT_EQUAL(kChannelToken, form(pair.initiator, 0, 0));
      CPPUNIT_ASSERT_EQUAL(kSealedToken, form(pair.initiator, 0, 1));
      CPPUNIT_ASSERT(pair.initiator.flags & GSS_C_CONF_FLAG);
    }
  }

  void never_seals_only_what_asks_for_it() {
    say(Seal::never);
    twin_->knobs.confidentiality = false;
    Pair pair;
    pair.must_shake();
    int state = 9;
    CPPUNIT_ASSERT_EQUAL(kChannelToken, form(pair.initiator, 1, 0, &state));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("confidentiality was pretended", 0, state);
    CPPUNIT_ASSERT_EQUAL(kSealedToken, form(pair.initiator, 0, 1, &state));
    CPPUNIT_ASSERT_EQUAL(1, state);
  }

  static int strength(End& end) {
    gss_OID_desc ssf{11, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x0f")};
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_sec_context_by_oid(&minor, end.context, &ssf, &set));
    const auto* octets = static_cast<const unsigned char*>(set->elements[0].value);
    const int bits = octets[2] * 256 + octets[3];
    gss_release_buffer_set(&minor, &set);
    return bits;
  }

  void never_is_told_in_flags_and_strength() {
    say(Seal::never);
    for (const bool confidential : {true, false}) {
      twin_->knobs.confidentiality = confidential;
      Pair pair;
      pair.must_shake();
      for (End* end : {&pair.initiator, &pair.acceptor}) {
        CPPUNIT_ASSERT_EQUAL(confidential, (end->flags & GSS_C_CONF_FLAG) != 0);
        CPPUNIT_ASSERT(end->flags & GSS_C_INTEG_FLAG);
        CPPUNIT_ASSERT_EQUAL(confidential ? 128 : 1, strength(*end));
      }
    }
    say(Seal::always);
    Pair pair;
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(256, strength(pair.initiator));
  }

  void never_still_seals_when_the_latch_is_stale() {
    say(Seal::never);
    Pair pair;
    pair.must_shake();
    twin_->set_latches(LatchState::stale);
    twin_->knobs.check = Code::LATCH_STALE;
    CPPUNIT_ASSERT_EQUAL(kSealedToken, form(pair.initiator, 0, 0));
  }

  // A message is opened as what it is, whatever the receiver's administrator would have sent.
  void each_end_has_its_own_line() {
    say(Seal::always);
    Pair pair;
    pair.must_shake();
    std::string token, text;
    CPPUNIT_ASSERT(pair.initiator.wrap(kOrder, token, 0, 0).ok());
    gss_qop_t qop = 9;
    CPPUNIT_ASSERT(pair.acceptor.unwrap(token, text, nullptr, &qop).ok());
    CPPUNIT_ASSERT(text == kOrder && qop == 1);
  }

  void a_channel_too_weak_for_the_program_is_refused() {
    say(Seal::unless_confidential, 256);
    Pair pair;
    const Status status = pair.shake();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(message_of(status), minor_of(Code::WEAK), status.minor);
    CPPUNIT_ASSERT(message_of(status).find("wanted 256 bits for this program, found 128") != std::string::npos);
    twin_->knobs.key_bits = 256;
    Pair strong;
    strong.must_shake();
  }

  void a_context_keeps_to_one_line() {
    Pair before;
    before.must_shake();
    say(Seal::always);
    Pair after;
    after.must_shake();
    CPPUNIT_ASSERT_EQUAL(kChannelToken, form(before.initiator, 1, 0));
    CPPUNIT_ASSERT_EQUAL(kSealedToken, form(after.initiator, 1, 0));
  }

  void an_older_broker_has_no_lines() {
    twin_ = nullptr;
    twin_ = std::make_unique<TwinBroker>(protocol::kOldestVersion);
    say(Seal::always, 256);  // a slot, there
    Pair pair;
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(kChannelToken, form(pair.initiator, 1, 0));
  }

  void without_a_word_there_is_no_context() {
    twin_->fake().say_word(0);
    Pair initiating;
    const Status initiator = initiating.shake();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(message_of(initiator), minor_of(Code::LATCH_STALE), initiator.minor);
    say(Seal::always);
    Pair accepting;
    std::string token;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_CONTINUE_NEEDED}, accepting.initiator.init(accepting.target.get(), kUsualFlags, token).major);
    twin_->fake().say_word(0);
    const Status acceptor = accepting.acceptor.accept(token);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(message_of(acceptor), minor_of(Code::LATCH_STALE), acceptor.minor);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PolicyTest);

}  // namespace
}  // namespace gssipsec::tests
