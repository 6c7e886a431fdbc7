// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <cppunit/extensions/HelperMacros.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <iostream>

#include "tests/support/child.h"
#include "tests/support/fake_broker.h"
#include "tests/unit/tools/text.h"
#include "tools/render.h"
#include "tools/status.h"

namespace gssipsec::tools {
namespace {

using base::Code;
using Subjects = std::vector<Subject>;
using tests::FakeBroker;
using tests::FakeRequest;

protocol::Report good() {
  protocol::Report r;
  r.is_protected = r.out.is_protected = r.in.is_protected = true;
  r.flow = *parse_flow("tcp", "10.1.0.1:40000", "10.1.0.2:22");
  r.out.suite = r.in.suite = "AES_GCM_16-256", r.out.mode = r.in.mode = "transport", r.out.key_bits = r.in.key_bits = 256;
  r.out.confidentiality = r.out.integrity = r.in.integrity = true;
  r.local_id = "fqdn:a.example", r.peer_id = "fqdn:b.example", r.peer_method = "certificate", r.peer_authenticated = true;
  r.latch = protocol::LatchState::established;
  return r;
}

protocol::Report bad() {
  protocol::Report r;
  r.why = Code::ONE_DIRECTION, r.detail = "wanted a policy in, found none";
  r.out.is_protected = true, r.in.why = Code::NO_POLICY, r.in.detail = "tcp 10.1.0.2 > 10.1.0.1";
  return r;
}

class RenderTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RenderTest);
  CPPUNIT_TEST(a_protected_socket_names_ends_algorithms_and_latch);
  CPPUNIT_TEST(an_unprotected_socket_says_why_and_what_to_do);
  CPPUNIT_TEST(no_broker_is_told_from_no_protection);
  CPPUNIT_TEST(a_missing_reason_is_not_success);
  CPPUNIT_TEST(json_has_the_same_facts);
  CPPUNIT_TEST(json_survives_octets_that_are_no_utf8);
  CPPUNIT_TEST(the_exit_code_is_the_worst_of_all);
  CPPUNIT_TEST(nothing_is_not_protected);
  CPPUNIT_TEST(error_codes_have_their_exit_codes);
  CPPUNIT_TEST(flows_are_read_strictly);
  CPPUNIT_TEST(a_process_shows_each_connected_socket_once);
  CPPUNIT_TEST(a_process_of_another_user_is_not_shown);
  CPPUNIT_TEST_SUITE_END();

  void a_protected_socket_names_ends_algorithms_and_latch() {
    const std::string text = as_text(Subjects{{5, good()}});
    CPPUNIT_ASSERT(has(text, "descriptor 5: tcp 10.1.0.1:40000 > 10.1.0.2:22\n  PROTECTED by IPsec in both directions"));
    CPPUNIT_ASSERT(has(text, "fqdn:b.example (certificate), authenticated"));
    CPPUNIT_ASSERT(has(text, "AES_GCM_16-256, 256-bit key, transport mode, encrypted, integrity, no replay protection"));
    CPPUNIT_ASSERT(has(text, "NOT encrypted") && has(text, "established") && has(text, "control packets unprotected"));
    CPPUNIT_ASSERT(!has(text, "NOT PROTECTED") && !has(text, "why not"));
  }

  void an_unprotected_socket_says_why_and_what_to_do() {
    const std::string text = as_text(Subjects{{5, bad()}, {6, base::fail(Code::OTHER_NAMESPACE)}});
    CPPUNIT_ASSERT(has(text, "both directions need a policy") && has(text, "wanted a policy in, found none"));
    CPPUNIT_ASSERT(has(text, "add one to the SPD") && has(text, "descriptor 6\n  NOT PROTECTED\n"));
    CPPUNIT_ASSERT(has(text, base::code_text(Code::OTHER_NAMESPACE)) && !has(text, " PROTECTED by IPsec"));
  }

  void no_broker_is_told_from_no_protection() {
    const std::string text = as_text(Subjects{{5, base::fail(Code::NO_BROKER)}});
    CPPUNIT_ASSERT(has(text, "descriptor 5\n  UNKNOWN, which is not protected\n") && has(text, "is it running?"));
  }

  void a_missing_reason_is_not_success() {
    const std::string text = as_text(Subjects{{5, protocol::Report{}}});
    CPPUNIT_ASSERT(has(text, "NOT PROTECTED") && has(text, "unknown is not protected"));
  }

  void json_has_the_same_facts() {
    const std::string text = as_json(Subjects{{5, good()}, {6, bad()}, {7, base::fail(Code::NOT_OWNER, "uid 5")}});
    CPPUNIT_ASSERT(has(text, R"({"sockets":[{"descriptor":5,"protected":true,"why_not":null,"flow":{"protocol":6,"local":"10.1.0.1")"));
    CPPUNIT_ASSERT(has(text, R"("peer":{"id":"fqdn:b.example","method":"certificate"},"peer_authenticated":true)"));
    CPPUNIT_ASSERT(has(text, R"("descriptor":6,"protected":false,"why_not":{"code":"GSS_IPSEC_E_ONE_DIRECTION","number":2)"));
    CPPUNIT_ASSERT(has(text, R"({"descriptor":7,"protected":false,"why_not":{"code":"GSS_IPSEC_E_NOT_OWNER")"));
    CPPUNIT_ASSERT(has(as_json(base::fail(Code::NO_BROKER)), R"({"error":{"code":"GSS_IPSEC_E_NO_BROKER","number":300)"));
  }

  void json_survives_octets_that_are_no_utf8() {
    protocol::Report report = good();
    report.peer_id = "dn:CN=\xff\xfe";
    CPPUNIT_ASSERT(has(as_json(Subjects{{5, report}}), "dn:CN="));
  }

  void the_exit_code_is_the_worst_of_all() {
    CPPUNIT_ASSERT_EQUAL(kProtected, exit_code(Subjects{{1, good()}, {2, good()}}));
    CPPUNIT_ASSERT_EQUAL(kNotProtected, exit_code(Subjects{{1, good()}, {2, bad()}, {3, good()}}));
    CPPUNIT_ASSERT_EQUAL(kNoBroker, exit_code(Subjects{{1, good()}, {2, base::fail(Code::NO_BROKER)}, {3, bad()}}));
  }

  void nothing_is_not_protected() { CPPUNIT_ASSERT_EQUAL(kNotProtected, exit_code(std::vector<Subject>{})); }

  void error_codes_have_their_exit_codes() {
    for (const Code code : {Code::NO_BROKER, Code::BROKER_TIMEOUT, Code::FALSE_BROKER, Code::BAD_MESSAGE, Code::PROTOCOL_VERSION})
      CPPUNIT_ASSERT_EQUAL(kNoBroker, exit_code(code));
    for (const Code code : {Code::LOOPBACK, Code::UNKNOWN, Code::NOT_A_SOCKET, Code::OTHER_NAMESPACE})
      CPPUNIT_ASSERT_EQUAL(kNotProtected, exit_code(code));
    for (const Code code : {Code::NOT_ALLOWED, Code::NOT_OWNER, Code::BUSY, Code::INTERNAL, static_cast<Code>(9999)})
      CPPUNIT_ASSERT_EQUAL(kOther, exit_code(code));
  }

  void flows_are_read_strictly() {
    const auto six = parse_flow("udp", "[fd00::1]:0", "[fd00::2]:65535");
    CPPUNIT_ASSERT(six.ok() && six->protocol == 17 && six->remote_port == 65535 && six->on_ipv6_socket);
    const char* const wrong[][3] = {{"icmp", "10.0.0.1:1", "10.0.0.2:2"}, {"tcp", "10.0.0.1", "10.0.0.2:2"},
                                    {"tcp", "10.0.0.1:65536", "10.0.0.2:2"}, {"tcp", "10.0.0.1:-1", "10.0.0.2:2"},
                                    {"tcp", "10.0.0.1:1x", "10.0.0.2:2"}, {"tcp", "10.0.0.1:", "10.0.0.2:2"},
                                    {"tcp", "fd00::1:22", "[fd00::2]:2"}, {"tcp", "[10.0.0.1]:1", "10.0.0.2:2"},
                                    {"tcp", "10.0.0.1:1", "[fd00::2]:2"}, {"tcp", "host:1", "10.0.0.2:2"}, {"tcp", "", ""}};
    for (const auto& words : wrong) CPPUNIT_ASSERT(!parse_flow(words[0], words[1], words[2]).ok());
  }

  void a_process_shows_each_connected_socket_once() {
    if (geteuid() != 0) return;
    FakeBroker broker;
    const base::UniqueFd server(socket(AF_INET, SOCK_STREAM, 0)), client(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in here{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
    socklen_t size = sizeof here;
    CPPUNIT_ASSERT_EQUAL(0, bind(server.get(), reinterpret_cast<sockaddr*>(&here), sizeof here) | listen(server.get(), 1));
    getsockname(server.get(), reinterpret_cast<sockaddr*>(&here), &size);
    CPPUNIT_ASSERT_EQUAL(0, connect(client.get(), reinterpret_cast<sockaddr*>(&here), sizeof here));
    const base::UniqueFd again(dup(client.get()));
    const auto subjects = status_of_process(getpid());
    unsetenv("GSS_IPSEC_BROKER");
    CPPUNIT_ASSERT(subjects.ok());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, subjects->size());
    CPPUNIT_ASSERT(subjects->front().descriptor == client.get() && subjects->front().report.ok());
  }

  void a_process_of_another_user_is_not_shown() {
    CPPUNIT_ASSERT(status_of_process(0x7ffffffe).error().code == Code::BAD_ARGUMENT);
    if (geteuid() != 0) return;
    const pid_t parent = getpid();
    tests::in_child([parent] {
      CPPUNIT_ASSERT_EQUAL(0, setresuid(65534, 65534, 65534));
      CPPUNIT_ASSERT(status_of_process(parent).error().code == Code::NOT_ALLOWED);
    });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RenderTest);

}  // namespace
}  // namespace gssipsec::tools
