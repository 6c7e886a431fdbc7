// SPDX-License-Identifier: MIT
// Channel bindings by a broker that gives a made-up value: their form, and when there are none.
#include <fcntl.h>

#include <atomic>

#include "client/connect.h"
#include "tests/unit/ipsecapi/reports.h"

namespace gssipsec::api {
namespace {

using base::Code;
using protocol::LatchState;
using protocol::Verb;

constexpr char kType[] = IPSEC_CB_EXPORTER_NAME;

class ApiBindingsTest : public ApiFixture {
  CPPUNIT_TEST_SUITE(ApiBindingsTest);
  CPPUNIT_TEST(the_form_is_that_of_rfc_5056);
  CPPUNIT_TEST(the_role_is_told);
  CPPUNIT_TEST(types_are_listed_where_they_can_be_had);
  CPPUNIT_TEST(room_that_is_too_short_is_told);
  CPPUNIT_TEST(what_is_not_latched_has_none);
  CPPUNIT_TEST(another_connection_than_asked_is_refused);
  CPPUNIT_TEST(unknown_types_are_refused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void the_form_is_that_of_rfc_5056() {
    char octets[IP_SEC_CBINDING_DATA_BUFSIZE];
    std::size_t size = sizeof octets;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_cbinding_data(fd(), kType, 1, octets, &size));
    CPPUNIT_ASSERT_EQUAL(std::string("x-ipsec-exporter-v1:") + std::string(32, '\x5a'), std::string(octets, size));
  }

  void the_role_is_told() {
    for (const auto& [initiator, role] : {std::pair(1, channel::Role::initiator), std::pair(0, channel::Role::acceptor)}) {
      CPPUNIT_ASSERT_EQUAL(0, try_data(initiator));
      CPPUNIT_ASSERT(role_ == role);
    }
  }

  void types_are_listed_where_they_can_be_had() {
    char names[IP_SEC_CBINDING_TYPES_BUFSIZE];
    std::size_t size = sizeof names;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_cbinding_types(fd(), names, &size));
    CPPUNIT_ASSERT_EQUAL(std::string(kType), std::string(names));
    CPPUNIT_ASSERT_EQUAL(sizeof kType, size);
    report.latchable = false;
    expect_failure(ipsec_cbinding_types(fd(), names, &size), EOPNOTSUPP, IPSEC_E_NOT_LATCHABLE);
    report.is_protected = false, report.why = Code::NO_SA;
    expect_failure(ipsec_cbinding_types(fd(), names, &size), EACCES, IPSEC_E_NO_SA);
  }

  void room_that_is_too_short_is_told() {
    char room[51];
    std::size_t size = 0;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_cbinding_data(fd(), kType, 1, nullptr, &size));
    CPPUNIT_ASSERT_EQUAL(std::size_t{52}, size);
    expect_failure(ipsec_cbinding_data(fd(), kType, 1, room, &(size = sizeof room)), ERANGE, IPSEC_E_BAD_ARGUMENT);
    expect_failure(ipsec_cbinding_types(fd(), room, &(size = 5)), ERANGE, IPSEC_E_BAD_ARGUMENT);
  }

  void what_is_not_latched_has_none() {
    latch_ = LatchState::none;
    expect_failure(try_data(1), EOPNOTSUPP, IPSEC_E_NOT_LATCHABLE);
    refuse_ = Code::SA_GONE;
    expect_failure(try_data(1), EAGAIN, IPSEC_E_SA_GONE);
  }

  void another_connection_than_asked_is_refused() {
    other_cookie_ = true;
    expect_failure(try_data(1), ESTALE, IPSEC_E_SOCKET_CHANGED);
    other_cookie_ = false, reconnect_ = true;
    expect_failure(try_data(1), ESTALE, IPSEC_E_SOCKET_CHANGED);
  }

  void unknown_types_are_refused() {
    std::size_t size = 0;
    for (const char* type : {"", "tls-exporter", "x-ipsec-exporter-v1:", "X-IPSEC-EXPORTER-V1"})
      expect_failure(ipsec_cbinding_data(fd(), type, 1, nullptr, &size), EOPNOTSUPP, IPSEC_E_UNAVAILABLE, type);
    expect_failure(ipsec_cbinding_data(fd(), nullptr, 1, nullptr, &size), EINVAL, IPSEC_E_BAD_ARGUMENT);
    CPPUNIT_ASSERT_EQUAL(0, broker->requests(Verb::binding));
  }

 protected:
  void answer(tests::FakeBroker& self, tests::FakeRequest& request) override {
    if (request.frame.header.verb != Verb::binding) return ApiFixture::answer(self, request);
    if (refuse_ != Code::ok) return tests::FakeBroker::send(request.socket, encode_error(request.frame.header, base::fail(refuse_)));
    role_ = protocol::decode_binding_request(request.frame.body)->role;
    const base::Bytes value(32, std::byte{0x5a});
    protocol::BindReply reply{protocol::KerberosUse::bind, Code::ok, {}, self.new_channel(request), base::Secret(value)};
    reply.channel.latch = latch_;
    reply.channel.cookie = *client::socket_cookie(request.fd.get()) + (other_cookie_ ? 1 : 0);
    if (reconnect_) dup3(pair.server.get(), fd(), O_CLOEXEC);
    tests::FakeBroker::answer(request, encode(reply));
  }

 private:
  int try_data(int initiator) {
    std::size_t size = 0;
    return ipsec_cbinding_data(fd(), kType, initiator, nullptr, &size);
  }
  std::atomic<Code> refuse_{Code::ok};
  std::atomic<LatchState> latch_{LatchState::established};
  std::atomic<bool> other_cookie_{false}, reconnect_{false};
  std::atomic<channel::Role> role_{channel::Role::initiator};
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiBindingsTest);

}  // namespace
}  // namespace gssipsec::api
