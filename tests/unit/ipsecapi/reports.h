// SPDX-License-Identifier: MIT
// A connection, and what a broker says of it, for tests of the sockets-layer API.
#pragma once

#include <cppunit/extensions/HelperMacros.h>
#include <ipsec/ipsecapi.h>

#include <cerrno>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "client/connect.h"
#include "tests/support/fake_broker.h"
#include "tests/unit/kernel/sockets.h"

namespace gssipsec::api {

// Of which nothing bad can be said.
inline protocol::Report honest_report() {
  protocol::Report report;
  report.is_protected = report.peer_authenticated = report.end_to_end = report.latchable = report.since_start = true;
  report.flow.protocol = IPPROTO_TCP;
  for (protocol::DirectionReport* way : {&report.out, &report.in}) {
    way->is_protected = way->confidentiality = way->integrity = way->replay_protection = true;
    way->suite = "AES_GCM_16-256", way->mode = "transport", way->key_bits = 256;
  }
  report.local_id = "fqdn:client.example.org", report.peer_id = "fqdn:server.example.org";
  report.local_method = report.peer_method = "certificate";
  report.ike_connection = "c", report.ike_source = "vici";
  report.latch = protocol::LatchState::established;
  return report;
}

// A broker that says `report` of a loopback connection.
class ApiFixture : public CppUnit::TestFixture {
 public:
  void setUp() override {
    tests::FakeBroker::Options options;
    options.handler = [this](tests::FakeBroker& self, tests::FakeRequest& request) { answer(self, request); };
    broker = std::make_unique<tests::FakeBroker>(std::move(options));
    pair = kernel::testing::tcp_pair(AF_INET);
    report = honest_report();
    more = {}, surveyed = {};
  }
  // A fixture lives as long as the program.
  void tearDown() override {
    broker.reset();
    pair = {};
  }

 protected:
  virtual void answer(tests::FakeBroker& self, tests::FakeRequest& request) {
    if (request.frame.header.verb == protocol::Verb::query) return tests::FakeBroker::answer(request, encode(report));
    if (request.frame.header.verb != protocol::Verb::survey) return self.obey(request);
    const std::lock_guard lock(mutex_);  // each connection is served by a thread of its own
    surveyed = *protocol::decode_survey_request(request.frame.body);
    more.report = report;
    tests::FakeBroker::answer(request, encode(more));
  }
  // LATCH of a connection of which nothing bad can be said but that nobody proved the peer.
  static void latch(tests::FakeBroker& self, tests::FakeRequest& request, bool proven) {
    protocol::LatchReply reply{self.new_channel(request), {}, {}};
    reply.channel.confidentiality = reply.channel.integrity = reply.channel.replay_protection = true;
    reply.channel.peer_authenticated = proven;
    reply.channel.peer_name = proven ? "ipsec:fqdn:server.example.org" : "";
    reply.channel.latch = protocol::LatchState::established;
    reply.channel.cookie = *client::socket_cookie(request.fd.get());
    tests::FakeBroker::answer(request, encode(reply));
  }
  [[nodiscard]] int fd() const { return pair.client.get(); }

  std::unique_ptr<tests::FakeBroker> broker;
  kernel::testing::Pair pair;
  protocol::Report report;
  protocol::SurveyReply more;        // but for its report
  protocol::SurveyRequest surveyed;  // last

 private:
  std::mutex mutex_;
};

// A token that is freed with the test.
struct FreeToken {
  void operator()(ipsec_pToken* token) const { CPPUNIT_ASSERT_EQUAL(0, ipsec_free_pToken(token)); }
  void operator()(ipsec_iToken* token) const { CPPUNIT_ASSERT_EQUAL(0, ipsec_free_iToken(token)); }
};
using OwnProtection = std::unique_ptr<ipsec_pToken, FreeToken>;
using OwnIdentity = std::unique_ptr<ipsec_iToken, FreeToken>;

inline OwnIdentity wanted_identity(const std::string& name) {
  OwnIdentity token(ipsec_create_iToken());
  CPPUNIT_ASSERT_EQUAL(0, ipsec_set_token_attr(token.get(), IPSEC_API_ATTR_identity, static_cast<std::uint32_t>(name.size()), name.data()));
  return token;
}
inline OwnProtection protection_on(int fd) {
  OwnProtection token(ipsec_create_pToken());
  CPPUNIT_ASSERT_EQUAL(0, ipsec_get_socket_pToken(fd, token.get()));
  return token;
}
inline std::uint32_t number(const void* token, std::uint32_t attribute) {
  std::uint32_t value = 0, length = sizeof value;
  CPPUNIT_ASSERT_EQUAL(0, ipsec_get_token_attr(token, attribute, &length, &value));
  return value;
}
inline std::string text(const void* token, std::uint32_t attribute) {
  char value[2048];
  std::uint32_t length = sizeof value;
  CPPUNIT_ASSERT_EQUAL(0, ipsec_get_token_attr(token, attribute, &length, value));
  CPPUNIT_ASSERT_EQUAL(std::size_t{length}, std::string(value).size() + 1);
  return value;
}
inline OwnIdentity end_of(const OwnProtection& token, std::uint32_t attribute) {
  ipsec_iToken_t end = nullptr;
  std::uint32_t length = sizeof end;
  CPPUNIT_ASSERT_EQUAL(0, ipsec_get_token_attr(token.get(), attribute, &length, &end));
  return OwnIdentity(end);
}

// The call failed, with this errno and this reason.
inline void expect_failure(int result, int number, ipsec_err reason, const char* what = "") {
  const int found = errno;
  CPPUNIT_ASSERT_EQUAL_MESSAGE(what, -1, result);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(what, number, found);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(what, std::string(ipsec_strerror(reason)), std::string(ipsec_strerror(ipsec_get_error(nullptr, 0))));
}

}  // namespace gssipsec::api
