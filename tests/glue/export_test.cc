// SPDX-License-Identifier: MIT
// Contexts that leave a process and arrive in another, through libgssapi: in a child that was handed the connection, and
// everything that must not arrive.
#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>

#include "tests/glue/gss_support.h"
#include "tests/support/child.h"
#include "tests/support/twin_broker.h"

namespace gssipsec::tests {
namespace {

using base::Code;
using protocol::LatchState;
using protocol::Verb;

const std::string kLetter = "attack at dawn";

void require(bool condition, const std::string& text) {
  if (!condition) throw std::runtime_error(text);
}

class ExportTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ExportTest);
  CPPUNIT_TEST(t_export_context_goes_on_where_it_was);
  CPPUNIT_TEST(t_export_three_times_in_a_row);
  CPPUNIT_TEST(an_exported_context_is_gone);
  CPPUNIT_TEST(a_child_with_the_connection_takes_over);
  CPPUNIT_TEST(the_connection_is_found_under_another_number);
  CPPUNIT_TEST(who_does_not_hold_the_connection_gets_nothing);
  CPPUNIT_TEST(a_token_is_imported_once);
  CPPUNIT_TEST(a_changed_token_is_refused);
  CPPUNIT_TEST(no_name_stands_in_the_token);
  CPPUNIT_TEST(the_importer_has_a_latch_of_his_own);
  CPPUNIT_TEST(a_broker_that_latched_another_socket_is_refused);
  CPPUNIT_TEST(a_broken_latch_is_not_exported);
  CPPUNIT_TEST(when_the_broker_refuses_the_context_stays);
  CPPUNIT_TEST(the_sequence_goes_along);
  CPPUNIT_TEST(a_forked_sibling_cannot_use_the_numbers);
  CPPUNIT_TEST(a_context_under_way_is_not_exported);
  CPPUNIT_TEST(the_lifetime_goes_along);
  CPPUNIT_TEST(spnego_exports_it_too);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<TwinBroker> twin_;
  std::unique_ptr<Pair> pair_;

  void shake() {
    pair_ = std::make_unique<Pair>();
    pair_->must_shake();
  }
  End& initiator() { return pair_->initiator; }
  End& acceptor() { return pair_->acceptor; }

  static std::uint64_t cookie_of(int fd) {
    std::uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
  }
  // Also those that the broker in this process was just sent.
  static void close_copies(std::uint64_t cookie) {
    for (int fd = 3; fd < 1024; ++fd)
      if (cookie_of(fd) == cookie) close(fd);
  }

  // Of a failure the mechglue keeps no minor code: it releases its empty token over it.
  static Status leave(End& end, std::string& token) {
    Buffer out;
    Status status;
    status.major = gss_export_sec_context(&status.minor, &end.context, &out);
    token = out.str();
    return status;
  }
  static Status arrive(End& end, std::string token) {
    gss_buffer_desc input = in(token);
    Status status;
    status.major = gss_import_sec_context(&status.minor, &input, &end.context);
    return status;
  }
  static void converse(End& from, End& to) {
    for (const gss_qop_t qop : {0u, 1u}) {
      std::string token, text;
      must(from.wrap(kLetter, token, 1, qop));
      must(to.unwrap(token, text));
      CPPUNIT_ASSERT_EQUAL(kLetter, text);
      must(to.mic(kLetter, token));
      must(from.verify(kLetter, token));
    }
  }

 public:
  void setUp() override {
    twin_ = std::make_unique<TwinBroker>();
    shake();
  }
  void tearDown() override {
    pair_.reset();
    twin_.reset();
  }

  struct Facts {
    std::string source, target;
    OM_uint32 flags = 0;
    int local = 9, open = 9;
    bool operator==(const Facts&) const = default;
  };
  static Facts facts(End& end) {
    GssName source, target;
    Facts facts;
    OM_uint32 minor, lifetime;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_context(&minor, end.context, source.out(), target.out(), &lifetime, nullptr, &facts.flags, &facts.local, &facts.open));
    facts.source = source.text(), facts.target = target.text();
    return facts;
  }

  void t_export_context_goes_on_where_it_was() {
    for (End* end : {&initiator(), &acceptor()}) {
      const Facts before = facts(*end);
      CPPUNIT_ASSERT(before.flags & GSS_C_TRANS_FLAG);
      std::string token;
      must(leave(*end, token));
      must(arrive(*end, token));
      CPPUNIT_ASSERT(facts(*end) == before);
      converse(initiator(), acceptor());
      converse(acceptor(), initiator());
    }
  }

  void t_export_three_times_in_a_row() {
    for (int i = 0; i < 3; ++i) {
      std::string token;
      must(leave(acceptor(), token));
      must(arrive(acceptor(), token));
    }
    converse(initiator(), acceptor());
  }

  void an_exported_context_is_gone() {
    std::string token;
    must(leave(initiator(), token));
    CPPUNIT_ASSERT(initiator().context == GSS_C_NO_CONTEXT);
    CPPUNIT_ASSERT(FakeBroker::soon([&] { return twin_->requests(Verb::release) >= 1; }));
  }

  void a_child_with_the_connection_takes_over() {
    std::string token, message;
    must(acceptor().wrap(kLetter, message, 1, 1));
    must(leave(initiator(), token));
    in_child([&] {
      const Status came = arrive(initiator(), token);
      require(came.ok(), message_of(came));
      std::string text;
      const Status read = initiator().unwrap(message, text);
      require(read.ok() && text == kLetter, message_of(read));
    });
  }

  void the_connection_is_found_under_another_number() {
    std::string token;
    must(leave(initiator(), token));
    const base::UniqueFd elsewhere(fcntl(pair_->connection.client.get(), F_DUPFD_CLOEXEC, 200));
    pair_->connection.client.reset();
    must(arrive(initiator(), token));
    converse(initiator(), acceptor());
  }

  void who_does_not_hold_the_connection_gets_nothing() {
    std::string token;
    must(leave(initiator(), token));
    const base::UniqueFd kept(fcntl(pair_->connection.client.get(), F_DUPFD_CLOEXEC, 200));
    in_child([&] {
      close_copies(cookie_of(pair_->connection.client.get()));
      const Status came = arrive(initiator(), token);
      require(came.major == GSS_S_FAILURE && came.minor == minor_of(Code::SOCKET_CHANGED), message_of(came));
      // The other end of the connection, and another connection, are not it.
      const Connection other;
      require(GSS_ERROR(arrive(initiator(), token).major), "another connection was taken");
    });
    // Nothing was used up, and whoever names another connection in the token gets no key for it.
    Connection other;
    std::string forged = token;
    const std::uint64_t cookie = cookie_of(other.client.get());
    constexpr std::size_t at = 4 + 35 + 33;  // behind the mechglue's frame, our version and id
    for (std::size_t i = 0; i < 8; ++i) forged[at + i] = static_cast<char>(cookie >> (56 - 8 * i));
    End thief;
    CPPUNIT_ASSERT(GSS_ERROR(arrive(thief, forged).major));
    must(arrive(initiator(), token));
    converse(initiator(), acceptor());
  }

  void a_token_is_imported_once() {
    std::string token;
    must(leave(initiator(), token));
    must(arrive(initiator(), token));
    End second;
    expect(arrive(second, token), GSS_S_DEFECTIVE_TOKEN, Code::BAD_TOKEN);
    CPPUNIT_ASSERT(second.context == GSS_C_NO_CONTEXT);
  }

  void a_changed_token_is_refused() {
    std::string token;
    must(leave(initiator(), token));
    token.back() ^= 1;
    expect(arrive(initiator(), token), GSS_S_DEFECTIVE_TOKEN, Code::BAD_MAC);
    for (const std::string broken : {"", "x", "\x02 another version which is long enough to hold a header and a tag, is it?"}) {
      End end;
      CPPUNIT_ASSERT(GSS_ERROR(arrive(end, broken).major) && end.context == GSS_C_NO_CONTEXT);
    }
  }

  void no_name_stands_in_the_token() {
    std::string token;
    must(leave(initiator(), token));
    CPPUNIT_ASSERT(token.find("example.org") == std::string::npos);
  }

  void the_importer_has_a_latch_of_his_own() {
    std::string token;
    must(leave(initiator(), token));
    twin_->knobs.take_over = Code::LATCH_BROKEN;
    expect(arrive(initiator(), token), GSS_S_FAILURE, Code::LATCH_BROKEN);
    CPPUNIT_ASSERT(initiator().context == GSS_C_NO_CONTEXT);
    twin_->knobs.take_over = Code::ok;
    must(arrive(initiator(), token));
    twin_->set_latches(LatchState::broken);
    std::string message;
    expect(initiator().wrap(kLetter, message), GSS_S_FAILURE, Code::LATCH_BROKEN);
  }

  void a_broker_that_latched_another_socket_is_refused() {
    std::string token;
    must(leave(initiator(), token));
    twin_->knobs.other_cookie = true;
    expect(arrive(initiator(), token), GSS_S_FAILURE, Code::SOCKET_CHANGED);
  }

  void a_broken_latch_is_not_exported() {
    twin_->knobs.hand_over = Code::LATCH_BROKEN;
    std::string token;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_FAILURE}, leave(initiator(), token).major);
    CPPUNIT_ASSERT(token.empty());
  }

  void when_the_broker_refuses_the_context_stays() {
    twin_->knobs.hand_over = Code::LIMIT;
    std::string token;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_FAILURE}, leave(initiator(), token).major);
    CPPUNIT_ASSERT(initiator().context != GSS_C_NO_CONTEXT);
    converse(initiator(), acceptor());
  }

  void the_sequence_goes_along() {
    std::string first, second, text, token;
    must(initiator().wrap(kLetter, first));
    must(initiator().wrap(kLetter, second));
    must(acceptor().unwrap(first, text));
    must(leave(acceptor(), token));
    must(arrive(acceptor(), token));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_DUPLICATE_TOKEN}, acceptor().unwrap(first, text).major);
    must(acceptor().unwrap(second, text));
    must(leave(initiator(), token));
    must(arrive(initiator(), token));
    must(initiator().wrap(kLetter, first));
    must(acceptor().unwrap(first, text));
  }

  void a_forked_sibling_cannot_use_the_numbers() {
    int go[2];
    CPPUNIT_ASSERT_EQUAL(0, pipe(go));
    std::string token;
    in_child_while(
        [&] {
          char octet;
          close(go[1]);
          require(read(go[0], &octet, 1) == 1, "the parent went away");
          std::string message;
          const Status sent = initiator().wrap(kLetter, message, 1, 1);
          require(sent.minor == minor_of(Code::LIMIT), "the sibling went on: " + message_of(sent));
        },
        [&] {
          must(leave(initiator(), token));
          CPPUNIT_ASSERT(write(go[1], "x", 1) == 1);
        });
    close(go[0]), close(go[1]);
    must(arrive(initiator(), token));
    converse(initiator(), acceptor());
  }

  void a_context_under_way_is_not_exported() {
    Pair other;
    std::string token, exported;
    (void)other.initiator.init(other.target.get(), kUsualFlags, token);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CONTEXT}, leave(other.initiator, exported).major);
  }

  void the_lifetime_goes_along() {
    std::string token;
    must(leave(initiator(), token));
    must(arrive(initiator(), token));
    OM_uint32 minor, left = 0;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_context_time(&minor, initiator().context, &left));
    CPPUNIT_ASSERT(left > 3000 && left <= 3600);
  }

  void spnego_exports_it_too() {
    Pair other;
    through_spnego(other);
    other.must_shake();
    std::string token;
    must(leave(other.acceptor, token));
    must(arrive(other.acceptor, token));
    converse(other.initiator, other.acceptor);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ExportTest);

}  // namespace
}  // namespace gssipsec::tests
