// SPDX-License-Identifier: MIT
#include "mech_ipsec/decision.h"

#include <cppunit/extensions/HelperMacros.h>

namespace gssipsec::mech {
namespace {

using base::Code;
using protocol::ChannelInfo;
using protocol::LatchState;
using protocol::Seal;

constexpr LatchState kGone[] = {LatchState::none, LatchState::listener, LatchState::broken, LatchState::closed, static_cast<LatchState>(77)};
constexpr LatchState kUnconfirmed[] = {LatchState::stale, LatchState::monitored};
constexpr MessageType kSealed = MessageType::sealed, kChannel = MessageType::channel;

ChannelInfo giving(bool integrity, bool confidentiality) {
  ChannelInfo channel;
  channel.integrity = integrity;
  channel.confidentiality = confidentiality;
  return channel;
}
const ChannelInfo& full() {
  static const ChannelInfo channel = giving(true, true);
  return channel;
}

class DecisionTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DecisionTest);
  CPPUNIT_TEST(an_intact_latch_gives_what_the_channel_gives);
  CPPUNIT_TEST(the_administrator_decides_what_rests_on_the_channel);
  CPPUNIT_TEST(a_channel_without_integrity_carries_nothing_whatever_he_says);
  CPPUNIT_TEST(quality_one_is_always_sealed);
  CPPUNIT_TEST(an_unconfirmed_latch_seals_whatever_was_asked);
  CPPUNIT_TEST(no_wrap_without_a_latch);
  CPPUNIT_TEST(a_channel_token_needs_a_latch_that_is_confirmed);
  CPPUNIT_TEST(a_channel_token_needs_a_channel_with_integrity);
  CPPUNIT_TEST(a_sealed_token_needs_no_channel);
  CPPUNIT_TEST(a_mic_needs_a_latch_that_is_not_gone);
  CPPUNIT_TEST(other_qualities_are_refused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void an_intact_latch_gives_what_the_channel_gives() {
    const auto wrap = [](bool integrity, bool confidentiality, bool asked) { return *decide_wrap(LatchState::established, giving(integrity, confidentiality), Seal::unless_confidential, asked, 0); };
    CPPUNIT_ASSERT(wrap(true, true, true) == kChannel && wrap(true, true, false) == kChannel);
    CPPUNIT_ASSERT(wrap(true, false, false) == kChannel && wrap(true, false, true) == kSealed);
    for (const bool asked : {false, true}) CPPUNIT_ASSERT(wrap(false, true, asked) == kSealed && wrap(false, false, asked) == kSealed);
  }

  void the_administrator_decides_what_rests_on_the_channel() {
    for (const bool confidentiality : {false, true})
      for (const bool asked : {false, true}) {
        const auto wrap = [&](Seal seal) { return *decide_wrap(LatchState::established, giving(true, confidentiality), seal, asked, 0); };
        CPPUNIT_ASSERT(wrap(Seal::always) == kSealed && wrap(Seal::never) == kChannel);
        CPPUNIT_ASSERT(wrap(Seal::unless_confidential) == (asked && !confidentiality ? kSealed : kChannel));
      }
  }

  void a_channel_without_integrity_carries_nothing_whatever_he_says() {
    for (const bool asked : {false, true})
      CPPUNIT_ASSERT(*decide_wrap(LatchState::established, giving(false, true), Seal::never, asked, 0) == kSealed);
  }

  void quality_one_is_always_sealed() {
    for (const LatchState latch : {LatchState::established, LatchState::stale, LatchState::monitored})
      for (const bool asked : {false, true}) CPPUNIT_ASSERT(*decide_wrap(latch, full(), Seal::never, asked, 1) == kSealed);
  }

  void an_unconfirmed_latch_seals_whatever_was_asked() {
    for (const LatchState latch : kUnconfirmed)
      for (const bool asked : {false, true}) CPPUNIT_ASSERT(*decide_wrap(latch, full(), Seal::never, asked, 0) == kSealed);
  }

  void no_wrap_without_a_latch() {
    for (const LatchState latch : kGone)
      for (const bool asked : {false, true})
        for (const std::uint32_t qop : {0u, 1u}) {
          const auto wrap = decide_wrap(latch, full(), Seal::always, asked, qop);
          CPPUNIT_ASSERT(!wrap.ok() && wrap.error().code == Code::LATCH_BROKEN);
        }
  }

  void a_channel_token_needs_a_latch_that_is_confirmed() {
    CPPUNIT_ASSERT(*decide_unwrap(LatchState::established, full(), kChannel) == Opening::at_once);
    for (const LatchState latch : kUnconfirmed) CPPUNIT_ASSERT(*decide_unwrap(latch, full(), kChannel) == Opening::when_confirmed);
    for (const LatchState latch : kGone) {
      const auto unwrap = decide_unwrap(latch, full(), kChannel);
      CPPUNIT_ASSERT(!unwrap.ok() && unwrap.error().code == Code::LATCH_BROKEN);
    }
  }

  void a_channel_token_needs_a_channel_with_integrity() {
    CPPUNIT_ASSERT(*decide_unwrap(LatchState::established, giving(true, false), kChannel) == Opening::at_once);
    for (const bool confidentiality : {false, true}) {
      const auto unwrap = decide_unwrap(LatchState::established, giving(false, confidentiality), kChannel);
      CPPUNIT_ASSERT(!unwrap.ok() && unwrap.error().code == Code::WEAK);
    }
  }

  void a_sealed_token_needs_no_channel() {
    for (const LatchState latch : kGone) CPPUNIT_ASSERT(*decide_unwrap(latch, giving(false, false), kSealed) == Opening::at_once);
    for (const LatchState latch : kUnconfirmed) CPPUNIT_ASSERT(*decide_unwrap(latch, full(), kSealed) == Opening::at_once);
    CPPUNIT_ASSERT(*decide_unwrap(LatchState::established, full(), kSealed) == Opening::at_once);
  }

  void a_mic_needs_a_latch_that_is_not_gone() {
    for (const std::uint32_t qop : {0u, 1u}) {
      for (const LatchState latch : kGone) CPPUNIT_ASSERT(decide_mic(latch, qop).error().code == Code::LATCH_BROKEN);
      for (const LatchState latch : kUnconfirmed) CPPUNIT_ASSERT(decide_mic(latch, qop).ok());
      CPPUNIT_ASSERT(decide_mic(LatchState::established, qop).ok());
    }
  }

  void other_qualities_are_refused() {
    for (const std::uint32_t qop : {2u, 0x80000000u, 0xffffffffu}) {
      CPPUNIT_ASSERT(decide_wrap(LatchState::established, full(), Seal::never, true, qop).error().code == Code::BAD_QOP);
      CPPUNIT_ASSERT(decide_mic(LatchState::established, qop).error().code == Code::BAD_QOP);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DecisionTest);

}  // namespace
}  // namespace gssipsec::mech
