// SPDX-License-Identifier: MIT
// Tokens of what is no connection: of one to be made, of a datagram; where packets go; templates as octets.
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>

#include "tests/unit/ipsecapi/reports.h"

namespace gssipsec::api {
namespace {

using base::Code;
using protocol::Sight;

channel::Address ipv4(std::uint8_t last) {
  const std::array<std::uint8_t, 4> octets{10, 1, 0, last};
  return channel::address_from(channel::Family::ipv4, std::as_bytes(std::span(octets)));
}

class ApiProbeTest : public ApiFixture {
  CPPUNIT_TEST_SUITE(ApiProbeTest);
  CPPUNIT_TEST(what_is_foreseen_is_a_protection);
  CPPUNIT_TEST(what_would_become_of_the_first_packet);
  CPPUNIT_TEST(what_is_found_on_a_connection_is_no_prospect);
  CPPUNIT_TEST(refusals_are_told);
  CPPUNIT_TEST(another_socket_than_asked_about_is_told);
  CPPUNIT_TEST(a_datagram_has_its_source_and_where_it_came_to);
  CPPUNIT_TEST(control_data_is_not_trusted);
  CPPUNIT_TEST(where_the_packets_go);
  CPPUNIT_TEST(nothing_is_said_of_the_way_of_clear_packets);
  CPPUNIT_TEST(an_older_broker_knows_less);
  CPPUNIT_TEST(templates_are_kept);
  CPPUNIT_TEST(broken_templates_are_refused);
  CPPUNIT_TEST(null_and_wrong_arguments_are_refused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    ApiFixture::setUp();
    refuse_ = Code::ok, reused_ = false;
    token_.reset(ipsec_create_pToken());
    report.flow.local = ipv4(1), report.flow.remote = ipv4(2), report.flow.local_port = 40000, report.flow.remote_port = 443;
    to_.sin_family = AF_INET, to_.sin_port = htons(443), to_.sin_addr.s_addr = htonl(0x0a010002);
  }
  void tearDown() override {
    token_.reset();
    ApiFixture::tearDown();
  }

  void what_is_foreseen_is_a_protection() {
    report.latch = protocol::LatchState::none, report.since_start = false;
    CPPUNIT_ASSERT_EQUAL(0, probe());
    CPPUNIT_ASSERT((surveyed == protocol::SurveyRequest{Sight::prospect, ipv4(2), 443, {}}));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_PROSPECT_PROTECTED}, number(token_.get(), IPSEC_API_ATTR_prospect));
    CPPUNIT_ASSERT_EQUAL(0u, number(token_.get(), IPSEC_API_ATTR_securityFlags) & (IPSEC_INFO_LATCHED | IPSEC_INFO_SINCE_START));
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:server.example.org"), text(end_of(token_, IPSEC_API_ATTR_peerId).get(), IPSEC_API_ATTR_identity));
    CPPUNIT_ASSERT(text(token_.get(), IPSEC_API_ATTR_auditString).starts_with("foreseen: tcp "));
    CPPUNIT_ASSERT_EQUAL(0, ipsec_cmp_pToken(token_.get(), protection_on(fd()).get()));
  }

  void what_would_become_of_the_first_packet() {
    const auto prospect = [this](Code out, Code in) {
      report.out.why = out, report.in.why = in;
      report.out.is_protected = out == Code::ok, report.in.is_protected = in == Code::ok;
      report.is_protected = out == Code::ok && in == Code::ok, report.why = out;
      CPPUNIT_ASSERT_EQUAL(0, probe());
      return number(token_.get(), IPSEC_API_ATTR_prospect);
    };
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_PROSPECT_NEGOTIATED}, prospect(Code::NO_SA, Code::NO_SA));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_PROSPECT_NEGOTIATED}, prospect(Code::NO_SA, Code::ok));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_PROSPECT_NONE}, prospect(Code::NO_SA, Code::NO_POLICY));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_PROSPECT_NONE}, prospect(Code::NO_POLICY, Code::NO_POLICY));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_PROSPECT_NONE}, prospect(Code::OPTIONAL_POLICY, Code::ok));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_PROSPECT_NONE}, prospect(Code::UNKNOWN, Code::NO_SA));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_PROSPECT_BLOCKED}, prospect(Code::BLOCKED, Code::NO_SA));
    CPPUNIT_ASSERT_EQUAL(0u, number(token_.get(), IPSEC_API_ATTR_securityFlags));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_E_BLOCKED}, number(token_.get(), IPSEC_API_ATTR_why));
  }

  void what_is_found_on_a_connection_is_no_prospect() {
    no_data(protection_on(fd()), IPSEC_API_ATTR_prospect);
    CPPUNIT_ASSERT_EQUAL(0, probe());
    CPPUNIT_ASSERT_EQUAL(0, ipsec_get_socket_pToken(fd(), token_.get()));
    no_data(token_, IPSEC_API_ATTR_prospect);
  }

  void refusals_are_told() {
    refuse_ = Code::ALREADY_CONNECTED;
    expect_failure(probe(), EISCONN, IPSEC_E_ALREADY_CONNECTED);
    refuse_ = Code::UNSUPPORTED_SOCKET;
    expect_failure(datagram(), EPROTONOSUPPORT, IPSEC_E_UNSUPPORTED_SOCKET);
    expect_failure(ipsec_probe(-1, reinterpret_cast<sockaddr*>(&to_), sizeof to_, token_.get()), ENOTSOCK, IPSEC_E_NOT_A_SOCKET);
    broker.reset();
    expect_failure(probe(), ECONNREFUSED, IPSEC_E_NO_BROKER);
    no_data(token_, IPSEC_API_ATTR_prospect);
  }

  void another_socket_than_asked_about_is_told() {
    reused_ = true;
    expect_failure(probe(), ESTALE, IPSEC_E_SOCKET_CHANGED);
    no_data(token_, IPSEC_API_ATTR_prospect);
  }

  void a_datagram_has_its_source_and_where_it_came_to() {
    CPPUNIT_ASSERT_EQUAL(0, datagram());
    CPPUNIT_ASSERT((surveyed == protocol::SurveyRequest{Sight::datagram, ipv4(2), 443, {}}));
    in_pktinfo four{};
    four.ipi_addr.s_addr = htonl(0x0a010001);
    put_control(IPPROTO_IP, IP_PKTINFO, &four, sizeof four);
    CPPUNIT_ASSERT_EQUAL(0, datagram());
    CPPUNIT_ASSERT(surveyed.local == ipv4(1));
    in6_pktinfo six{};
    six.ipi6_addr.s6_addr[10] = six.ipi6_addr.s6_addr[11] = 0xff;
    memcpy(six.ipi6_addr.s6_addr + 12, &four.ipi_addr, 4);
    put_control(IPPROTO_IPV6, IPV6_PKTINFO, &six, sizeof six);
    CPPUNIT_ASSERT_EQUAL(0, datagram());
    CPPUNIT_ASSERT(surveyed.local == ipv4(1));
    report.is_protected = false, report.why = Code::STARTED_IN_CLEAR;
    CPPUNIT_ASSERT_EQUAL(0, datagram());
    CPPUNIT_ASSERT_EQUAL(0u, number(token_.get(), IPSEC_API_ATTR_securityFlags));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_E_STARTED_IN_CLEAR}, number(token_.get(), IPSEC_API_ATTR_why));
    CPPUNIT_ASSERT_EQUAL(0u, number(end_of(token_, IPSEC_API_ATTR_peerId).get(), IPSEC_API_ATTR_authenticated));
  }

  void control_data_is_not_trusted() {
    const in_pktinfo four{};
    put_control(IPPROTO_IP, IP_PKTINFO, &four, 4);
    CPPUNIT_ASSERT_EQUAL(0, datagram());
    CPPUNIT_ASSERT(surveyed.local.family == channel::Family::none);
    put_control(IPPROTO_IP, IP_TTL, &four, sizeof four);
    CPPUNIT_ASSERT_EQUAL(0, datagram());
    CPPUNIT_ASSERT(surveyed.local.family == channel::Family::none);
  }

  void where_the_packets_go() {
    more.outer.local = ipv4(101), more.outer.peer = ipv4(102), more.compressed = more.options_covered = true;
    OwnProtection found = protection_on(fd());
    expect_ends(found, IPSEC_API_ATTR_innerAddrs, 0x0a010001, 40000, 0x0a010002, 443);
    expect_ends(found, IPSEC_API_ATTR_outerAddrs, 0x0a010065, 0, 0x0a010066, 0);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_DISABLE}, number(found.get(), IPSEC_API_ATTR_natTraversal));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_ENABLE}, number(found.get(), IPSEC_API_ATTR_compressionAvailable));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_ENABLE}, number(found.get(), IPSEC_API_ATTR_ipoptionsProtected));
    more.outer.local_port = 4500, more.outer.peer_port = 60123;
    found = protection_on(fd());
    expect_ends(found, IPSEC_API_ATTR_outerAddrs, 0x0a010065, 4500, 0x0a010066, 60123);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_ENABLE}, number(found.get(), IPSEC_API_ATTR_natTraversal));
    std::array<std::uint8_t, 16> octets{0x20, 1};
    report.flow.local = report.flow.remote = channel::address_from(channel::Family::ipv6, std::as_bytes(std::span(octets)));
    const ipsec_ends both = ends(protection_on(fd()), IPSEC_API_ATTR_innerAddrs);
    sockaddr_in6 six;
    memcpy(&six, &both.peer, sizeof six);
    CPPUNIT_ASSERT(six.sin6_family == AF_INET6 && six.sin6_port == htons(443) && memcmp(&six.sin6_addr, octets.data(), 16) == 0);
  }

  void nothing_is_said_of_the_way_of_clear_packets() {
    more.outer.local = ipv4(101), more.outer.peer = ipv4(102), more.compressed = more.options_covered = true;
    report.is_protected = false, report.why = Code::NO_POLICY;
    const OwnProtection found = protection_on(fd());
    no_data(found, IPSEC_API_ATTR_outerAddrs), no_data(found, IPSEC_API_ATTR_natTraversal);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_DISABLE}, number(found.get(), IPSEC_API_ATTR_compressionAvailable));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_DISABLE}, number(found.get(), IPSEC_API_ATTR_ipoptionsProtected));
    const OwnProtection wish(ipsec_create_pToken());
    for (const std::uint32_t attribute : {IPSEC_API_ATTR_outerAddrs, IPSEC_API_ATTR_innerAddrs, IPSEC_API_ATTR_natTraversal, IPSEC_API_ATTR_prospect,
                                          IPSEC_API_ATTR_compressionAvailable, IPSEC_API_ATTR_ipoptionsProtected})
      no_data(wish, attribute);
  }

  void an_older_broker_knows_less() {
    refuse_ = Code::PROTOCOL_VERSION;
    const OwnProtection found = protection_on(fd());
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:server.example.org"), text(end_of(found, IPSEC_API_ATTR_peerId).get(), IPSEC_API_ATTR_identity));
    no_data(found, IPSEC_API_ATTR_outerAddrs);
    expect_failure(probe(), EPROTO, IPSEC_E_PROTOCOL_VERSION);
  }

  void templates_are_kept() {
    want(IPSEC_API_ATTR_privacyProtected, IPSEC_API_ATTR_LEVEL_HIGH), want(IPSEC_API_ATTR_integrityProtected, IPSEC_API_ATTR_ENABLE);
    want(IPSEC_API_ATTR_btns, IPSEC_API_ATTR_DISABLE), want(IPSEC_API_ATTR_keyBits, 256);
    const std::string octets = exported();
    CPPUNIT_ASSERT(octets.size() <= IPSEC_TEMPLATE_SIZE);
    OwnProtection kept;
    CPPUNIT_ASSERT_EQUAL(0, imported(octets, kept));
    CPPUNIT_ASSERT_EQUAL(0, ipsec_cmp_pToken(kept.get(), token_.get()));
    for (const std::uint32_t attribute : {IPSEC_API_ATTR_privacyProtected, IPSEC_API_ATTR_integrityProtected, IPSEC_API_ATTR_replayProtected,
                                          IPSEC_API_ATTR_btns, IPSEC_API_ATTR_keyBits})
      CPPUNIT_ASSERT_EQUAL(number(token_.get(), attribute), number(kept.get(), attribute));
    std::size_t size = 3;
    char room[3];
    expect_failure(ipsec_export_template(kept.get(), room, &size), ERANGE, IPSEC_E_BAD_ARGUMENT);
    CPPUNIT_ASSERT_EQUAL(octets.size(), size);
    expect_failure(ipsec_export_template(protection_on(fd()).get(), nullptr, &size), EINVAL, IPSEC_E_BAD_ARGUMENT);
  }

  void broken_templates_are_refused() {
    want(IPSEC_API_ATTR_replayProtected, IPSEC_API_ATTR_ENABLE);
    const std::string octets = exported();
    OwnProtection token;
    for (std::size_t length = 0; length < octets.size(); ++length) expect_failure(imported(octets.substr(0, length), token), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(imported(octets + "x", token), EINVAL, IPSEC_E_BAD_ARGUMENT);
    // Another magic; a wish that is not known; a level that is none; a level of what is not wanted.
    for (const auto& [at, value] : {std::pair(0, 'J'), std::pair(5, '\x10'), std::pair(6, '\x04'), std::pair(6, '\x01'), std::pair(7, '\x03')}) {
      std::string changed = octets;
      changed[static_cast<std::size_t>(at)] = value;
      expect_failure(imported(changed, token), EINVAL, IPSEC_E_BAD_ARGUMENT);
    }
    std::string later = octets;
    later[4] = 2;
    expect_failure(imported(later, token), EINVAL, IPSEC_E_TOKEN_VERSION);
    CPPUNIT_ASSERT(!token);
  }

  void null_and_wrong_arguments_are_refused() {
    const OwnIdentity identity(ipsec_create_iToken());
    auto* wrong = reinterpret_cast<ipsec_pToken_t>(identity.get());
    const auto* to = reinterpret_cast<const sockaddr*>(&to_);
    ipsec_pToken_t made = nullptr;
    std::size_t size = 0;
    sockaddr other{};
    other.sa_family = AF_UNIX;
    msghdr bare{};
    const auto refused = [](int result) { expect_failure(result, EINVAL, IPSEC_E_BAD_ARGUMENT); };
    for (ipsec_pToken_t bad : {ipsec_pToken_t{}, wrong}) {
      refused(ipsec_probe(fd(), to, sizeof to_, bad)), refused(ipsec_get_msg_pToken(fd(), &bare, bad)), refused(ipsec_export_template(bad, nullptr, &size));
    }
    refused(ipsec_probe(fd(), nullptr, sizeof to_, token_.get())), refused(ipsec_probe(fd(), to, sizeof to_ - 1, token_.get()));
    refused(ipsec_probe(fd(), &other, sizeof other, token_.get()));
    refused(ipsec_get_msg_pToken(fd(), nullptr, token_.get())), refused(ipsec_get_msg_pToken(fd(), &bare, token_.get()));
    refused(ipsec_export_template(token_.get(), nullptr, nullptr));
    refused(ipsec_import_template(nullptr, 5, &made)), refused(ipsec_import_template("x", 1, nullptr));
    CPPUNIT_ASSERT(!made);
  }

 protected:
  void answer(tests::FakeBroker& self, tests::FakeRequest& request) override {
    if (refuse_ != Code::ok && request.frame.header.verb == protocol::Verb::survey)
      return tests::FakeBroker::send(request.socket, protocol::encode_error(request.frame.header, base::fail(refuse_)));
    if (reused_) dup3(pair.server.get(), fd(), O_CLOEXEC);
    ApiFixture::answer(self, request);
  }

 private:
  int probe() { return ipsec_probe(fd(), reinterpret_cast<sockaddr*>(&to_), sizeof to_, token_.get()); }
  int datagram() {
    msghdr message{};
    message.msg_name = &to_, message.msg_namelen = sizeof to_;
    message.msg_control = control_.data(), message.msg_controllen = control_size_;
    return ipsec_get_msg_pToken(fd(), &message, token_.get());
  }
  void put_control(int level, int type, const void* data, std::size_t size) {
    cmsghdr header{};
    header.cmsg_len = CMSG_LEN(size), header.cmsg_level = level, header.cmsg_type = type;
    memcpy(control_.data(), &header, sizeof header);
    memcpy(control_.data() + sizeof header, data, size);
    control_size_ = CMSG_SPACE(size);
  }
  void want(std::uint32_t attribute, std::uint32_t value) { CPPUNIT_ASSERT_EQUAL(0, ipsec_set_token_attr(token_.get(), attribute, sizeof value, &value)); }
  std::string exported() {
    std::array<char, IPSEC_TEMPLATE_SIZE> room;
    std::size_t size = room.size();
    CPPUNIT_ASSERT_EQUAL(0, ipsec_export_template(token_.get(), room.data(), &size));
    return {room.data(), size};
  }
  static int imported(const std::string& octets, OwnProtection& token) {
    ipsec_pToken_t made = nullptr;
    const int result = ipsec_import_template(octets.data(), octets.size(), &made);
    token.reset(made);
    return result;
  }
  static ipsec_ends ends(const OwnProtection& token, std::uint32_t attribute) {
    ipsec_ends both;
    std::uint32_t length = sizeof both;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_get_token_attr(token.get(), attribute, &length, &both));
    return both;
  }
  static void expect_ends(const OwnProtection& token, std::uint32_t attribute, std::uint32_t local, std::uint16_t local_port, std::uint32_t peer,
                          std::uint16_t peer_port) {
    const ipsec_ends both = ends(token, attribute);
    sockaddr_in here, there;
    memcpy(&here, &both.local, sizeof here), memcpy(&there, &both.peer, sizeof there);
    CPPUNIT_ASSERT(here.sin_family == AF_INET && there.sin_family == AF_INET);
    CPPUNIT_ASSERT_EQUAL(local, ntohl(here.sin_addr.s_addr)), CPPUNIT_ASSERT_EQUAL(peer, ntohl(there.sin_addr.s_addr));
    CPPUNIT_ASSERT_EQUAL(local_port, ntohs(here.sin_port)), CPPUNIT_ASSERT_EQUAL(peer_port, ntohs(there.sin_port));
  }
  static void no_data(const OwnProtection& token, std::uint32_t attribute) {
    std::uint32_t length = 0;
    expect_failure(ipsec_get_token_attr(token.get(), attribute, &length, nullptr), ENODATA, IPSEC_E_UNAVAILABLE);
  }

  OwnProtection token_;
  sockaddr_in to_{};
  alignas(cmsghdr) std::array<char, 256> control_{};
  std::size_t control_size_ = 0;
  std::atomic<Code> refuse_{Code::ok};
  std::atomic<bool> reused_{false};
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiProbeTest);

}  // namespace
}  // namespace gssipsec::api
