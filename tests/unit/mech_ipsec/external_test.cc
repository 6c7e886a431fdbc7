// SPDX-License-Identifier: MIT
#include "mech_ipsec/external.h"

#include <cppunit/extensions/HelperMacros.h>

namespace gssipsec::mech {
namespace {

using protocol::LatchState;

// A connection of which nothing bad can be said.
struct Channel {
  protocol::LatchReply latch;
  protocol::Report report;
  Channel() {
    latch.channel.latch = report.latch = LatchState::established;
    latch.channel.integrity = latch.channel.confidentiality = true;
    latch.channel.key_bits = 256;
    report.is_protected = report.peer_authenticated = report.since_start = true;
    report.peer_id = "fqdn:client.example.org";
  }
  [[nodiscard]] std::string said() const {
    const auto told = judge_external(latch, report);
    return told.ok() ? std::to_string(told->strength) + " " + told->identity : base::code_name(told.error().code);
  }
};

class ExternalTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ExternalTest);
  CPPUNIT_TEST(strength_and_host_are_told);
  CPPUNIT_TEST(integrity_alone_is_one_bit);
  CPPUNIT_TEST(without_integrity_it_is_nothing);
  CPPUNIT_TEST(it_must_be_latched);
  CPPUNIT_TEST(it_must_be_protected_by_an_authenticated_peer);
  CPPUNIT_TEST(it_must_have_been_protected_since_it_began);
  CPPUNIT_TEST_SUITE_END();

 public:
  void strength_and_host_are_told() { CPPUNIT_ASSERT_EQUAL(std::string("256 fqdn:client.example.org"), Channel().said()); }

  void integrity_alone_is_one_bit() {
    Channel channel;
    channel.latch.channel.confidentiality = false;
    CPPUNIT_ASSERT_EQUAL(std::string("1 fqdn:client.example.org"), channel.said());
  }

  void without_integrity_it_is_nothing() {
    Channel channel;
    channel.latch.channel.integrity = false;
    CPPUNIT_ASSERT_EQUAL(std::string("GSS_IPSEC_E_WEAK"), channel.said());
  }

  void it_must_be_latched() {
    Channel watched, broken;
    watched.latch.channel.latch = LatchState::monitored;
    CPPUNIT_ASSERT_EQUAL(std::string("GSS_IPSEC_E_NOT_LATCHABLE"), watched.said());
    watched.latch.why = base::Code::UNSUPPORTED_SOCKET;
    CPPUNIT_ASSERT_EQUAL(std::string("GSS_IPSEC_E_UNSUPPORTED_SOCKET"), watched.said());
    broken.report.latch = LatchState::broken;
    CPPUNIT_ASSERT_EQUAL(std::string("GSS_IPSEC_E_LATCH_BROKEN"), broken.said());
  }

  void it_must_be_protected_by_an_authenticated_peer() {
    Channel clear, psk, nobody;
    clear.report.is_protected = false;
    CPPUNIT_ASSERT_EQUAL(std::string("GSS_IPSEC_E_UNKNOWN"), clear.said());
    clear.report.why = base::Code::NO_POLICY;
    CPPUNIT_ASSERT_EQUAL(std::string("GSS_IPSEC_E_NO_POLICY"), clear.said());
    psk.report.peer_authenticated = false;
    CPPUNIT_ASSERT_EQUAL(std::string("GSS_IPSEC_E_PEER_UNAUTHENTICATED"), psk.said());
    nobody.report.peer_id.clear();
    CPPUNIT_ASSERT_EQUAL(std::string("GSS_IPSEC_E_PEER_UNAUTHENTICATED"), nobody.said());
  }

  void it_must_have_been_protected_since_it_began() {
    Channel late;
    late.report.since_start = false;
    CPPUNIT_ASSERT_EQUAL(std::string("GSS_IPSEC_E_STARTED_IN_CLEAR"), late.said());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ExternalTest);

}  // namespace
}  // namespace gssipsec::mech
