// SPDX-License-Identifier: MIT
#include "mech_ipsec/protection.h"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "mech_ipsec/bindings.h"
#include "tests/unit/mech_ipsec/tokens.h"

namespace gssipsec::mech {
namespace {

using base::Bytes;
using base::Code;

const Bytes kPlain = {std::byte{'d'}, std::byte{'a'}, std::byte{'w'}, std::byte{'n'}};

Protection make(Direction sends, std::byte id = std::byte{1}, std::byte key = std::byte{2}) {
  Digest context{};
  context.fill(id);
  auto made = Protection::make(Bytes(32, key), context, sends, *SendCounter::make());
  CPPUNIT_ASSERT(made.ok());
  return *std::move(made);
}

class ProtectionTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ProtectionTest);
  CPPUNIT_TEST(tokens_have_the_documented_octets);
  CPPUNIT_TEST(a_sealed_token_of_another_number_or_header_is_refused);
  CPPUNIT_TEST(a_refused_message_leaves_no_plaintext);
  CPPUNIT_TEST(what_is_only_signed_counts);
  CPPUNIT_TEST(pieces_are_one_message);
  CPPUNIT_TEST(pieces_of_another_length_are_refused);
  CPPUNIT_TEST(one_use_of_the_key_does_not_serve_another);
  CPPUNIT_TEST(keys_depend_on_context_and_session);
  CPPUNIT_TEST(a_session_key_has_32_octets);
  CPPUNIT_TEST(numbers_at_the_end_are_refused);
  CPPUNIT_TEST(counters_are_apart_and_begin_at_nought);
  CPPUNIT_TEST(a_childs_new_counters_are_its_own);
  CPPUNIT_TEST(the_window_is_64_wide);
  CPPUNIT_TEST(the_window_remembers_over_a_jump);
  CPPUNIT_TEST(bindings_differ_by_every_field);
  CPPUNIT_TEST_SUITE_END();

  static Bytes sealed(Protection& from) { return testing::wrapped(from, MessageType::sealed, kPlain); }
  static Bytes channel(Protection& from) { return testing::wrapped(from, MessageType::channel, kPlain); }

 public:
  // Fixed by docs/protocol.md: computed once by other means (Python's hmac and AES-GCM of the cryptography package).
  void tokens_have_the_documented_octets() {
    Protection initiator = make(Direction::from_initiator);
    const Bytes plain = channel(initiator), secret = sealed(initiator);
    const Bytes mic = testing::mic_of(initiator, kPlain);
    CPPUNIT_ASSERT_EQUAL(std::string("11000000000000000000000000044eebe0c5e5cfa113f665d9b05b1a01306461776e"), base::to_hex(plain));
    CPPUNIT_ASSERT_EQUAL(std::string("12000000000000000001000000040d6734d6394e809a760752ee7a0bfeb520a53e65"), base::to_hex(secret));
    Protection acceptor = make(Direction::from_acceptor);
    CPPUNIT_ASSERT_EQUAL(std::string("1101000000000000000000000004aa77132a0ec6500a74d571421bb10c366461776e"), base::to_hex(channel(acceptor)));
    CPPUNIT_ASSERT_EQUAL(std::string("1300000000000000000213a5493d354f24d8d49925b59d037495"), base::to_hex(mic));
  }

  void a_sealed_token_of_another_number_or_header_is_refused() {
    Protection initiator = make(Direction::from_initiator), acceptor = make(Direction::from_acceptor);
    const Bytes token = sealed(initiator);
    Bytes other = token, text(kPlain.size());
    other[9] = std::byte{1};
    const auto read = decode_message(other);
    CPPUNIT_ASSERT(read.ok());
    const auto opened = testing::opened(acceptor, *read, text);
    CPPUNIT_ASSERT(!opened.ok() && opened.error().code == Code::BAD_MIC);
    CPPUNIT_ASSERT(testing::opened(acceptor, *decode_message(token), text).ok() && text == kPlain);
  }

  void a_refused_message_leaves_no_plaintext() {
    Protection initiator = make(Direction::from_initiator), acceptor = make(Direction::from_acceptor);
    Bytes token = sealed(initiator), text(kPlain.size(), std::byte{0xee});
    token.back() ^= std::byte{1};
    CPPUNIT_ASSERT(!testing::opened(acceptor, *decode_message(token), text).ok());
    CPPUNIT_ASSERT(text == Bytes(kPlain.size(), std::byte{0}));
    Bytes open = channel(initiator);
    open[20] ^= std::byte{1};
    Bytes untouched(kPlain.size(), std::byte{0xee});
    CPPUNIT_ASSERT(!testing::opened(acceptor, *decode_message(open), untouched).ok());
    CPPUNIT_ASSERT(untouched == Bytes(kPlain.size(), std::byte{0xee}));
  }

  void what_is_only_signed_counts() {
    Protection initiator = make(Direction::from_initiator), acceptor = make(Direction::from_acceptor);
    const base::View good[] = {base::view_of("from "), base::view_of("me")}, joined[] = {base::view_of("from me")}, bad[] = {base::view_of("from mf")};
    for (const MessageType type : {MessageType::channel, MessageType::sealed}) {
      const Bytes token = testing::wrapped(initiator, type, kPlain, good);
      Bytes text(kPlain.size());
      for (const Views wrong : {Views(bad), Views(good).first(1), Views()}) {
        const auto opened = testing::opened(acceptor, *decode_message(token), text, wrong);
        CPPUNIT_ASSERT(!opened.ok() && opened.error().code == Code::BAD_MIC);
      }
      CPPUNIT_ASSERT(testing::opened(acceptor, *decode_message(token), text, joined).ok() && text == kPlain);
    }
  }

  void pieces_are_one_message() {
    Protection initiator = make(Direction::from_initiator), acceptor = make(Direction::from_acceptor);
    for (const MessageType type : {MessageType::channel, MessageType::sealed}) {
      Bytes text = kPlain, head(kWrapOverhead);
      const std::span<std::byte> all(text);
      const Piece in_place[] = {{all.first(1), text.data()}, {all.subspan(1, 0), nullptr}, {all.subspan(1), text.data() + 1}};
      testing::must(initiator.put(type, {{}, in_place}, std::span(head).first<kWrapOverhead>()));
      CPPUNIT_ASSERT_EQUAL(type == MessageType::channel, text == kPlain);
      Bytes token = head, out(kPlain.size());
      token.insert(token.end(), text.begin(), text.end());
      CPPUNIT_ASSERT(testing::opened(acceptor, *decode_message(token), out).ok() && out == kPlain);
      const auto again = acceptor.open(*decode_head(head), {{}, in_place});
      CPPUNIT_ASSERT(again.ok() && *again == Order::duplicate && text == kPlain);
    }
  }

  void pieces_of_another_length_are_refused() {
    Protection initiator = make(Direction::from_initiator), acceptor = make(Direction::from_acceptor);
    for (const MessageType type : {MessageType::channel, MessageType::sealed}) {
      const Bytes token = testing::wrapped(initiator, type, kPlain);
      Bytes text(kPlain.size());
      WholeToken read = *decode_message(token);
      read.body = read.body.first(2);
      const auto opened = testing::opened(acceptor, read, text);
      CPPUNIT_ASSERT(!opened.ok() && opened.error().code == Code::BAD_TOKEN);
    }
  }

  // A channel token's MAC on an empty message covers almost what a MIC does: the keys must differ.
  void one_use_of_the_key_does_not_serve_another() {
    Protection initiator = make(Direction::from_initiator), acceptor = make(Direction::from_acceptor);
    const Bytes token = channel(initiator);
    Bytes text(kPlain.size());
    WholeToken read = *decode_message(token);
    CPPUNIT_ASSERT(!testing::checked(acceptor, read.head, kPlain).ok());
    read.head.type = MessageType::sealed;
    CPPUNIT_ASSERT(!testing::opened(acceptor, read, text).ok());
    read.head.type = MessageType::mic;
    const auto checked = testing::checked(acceptor, read.head, {});
    CPPUNIT_ASSERT(!checked.ok() && checked.error().code == Code::BAD_MIC);
  }

  void keys_depend_on_context_and_session() {
    Protection initiator = make(Direction::from_initiator);
    Protection other_id = make(Direction::from_acceptor, std::byte{3}), other_key = make(Direction::from_acceptor, std::byte{1}, std::byte{4});
    Bytes text(kPlain.size());
    const Bytes sealed_token = sealed(initiator), channel_token = channel(initiator);
    for (Protection* wrong : {&other_id, &other_key}) {
      CPPUNIT_ASSERT(!testing::opened(*wrong, *decode_message(sealed_token), text).ok());
      CPPUNIT_ASSERT(!testing::opened(*wrong, *decode_message(channel_token), text).ok());
    }
  }

  void a_session_key_has_32_octets() {
    for (const std::size_t size : {0, 16, 31, 33}) CPPUNIT_ASSERT(!Protection::make(Bytes(size), Digest{}, Direction::from_initiator, *SendCounter::make()).ok());
  }

  void numbers_at_the_end_are_refused() {
    const MessageHeader last(MessageType::mic, Direction::from_initiator, kMaxSequence, 0), before(MessageType::mic, Direction::from_initiator, kMaxSequence - 1, 0);
    for (const auto& [header, good] : {std::pair{&last, false}, std::pair{&before, true}}) {
      Bytes token(header->view().begin(), header->view().end());
      token.resize(kMicSize);
      CPPUNIT_ASSERT_EQUAL(good, decode_message(token).ok());
    }
  }

  // Also where several pages of them are needed, and earlier ones went.
  void counters_are_apart_and_begin_at_nought() {
    std::vector<SendCounter> counters;
    for (std::uint64_t round = 0; round < 3; ++round) {
      for (int i = 0; i < 400; ++i) counters.push_back(*SendCounter::make());
      for (std::size_t i = 0; i < counters.size(); ++i) CPPUNIT_ASSERT_EQUAL(round - i / 400, *counters[i].next());
    }
    counters.clear();
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, *SendCounter::make()->next());
  }

  // Each makes a context while the other lives.
  void a_childs_new_counters_are_its_own() {
    SendCounter before = *SendCounter::make();
    int ends[2];
    CPPUNIT_ASSERT_EQUAL(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
    const auto turn = [](int end) { char octet = 0; return write(end, "t", 1) == 1 && read(end, &octet, 1) == 1; };
    const pid_t child = fork();
    if (child == 0) {
      SendCounter mine = *SendCounter::make();
      const bool right = *mine.next() == 0 && turn(ends[1]) && *mine.next() == 1 && *before.next() == 0;
      _exit(right ? 0 : 1);
    }
    char octet = 0;
    CPPUNIT_ASSERT_EQUAL(ssize_t{1}, read(ends[0], &octet, 1));
    SendCounter after = *SendCounter::make();
    CPPUNIT_ASSERT(*after.next() == 0 && *after.next() == 1 && *after.next() == 2);
    CPPUNIT_ASSERT_EQUAL(ssize_t{1}, write(ends[0], "t", 1));
    int status = 0;
    CPPUNIT_ASSERT_EQUAL(child, waitpid(child, &status, 0));
    CPPUNIT_ASSERT_EQUAL(0, status);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, *before.next());
    CPPUNIT_ASSERT_EQUAL(0, close(ends[0]) | close(ends[1]));
  }

  void the_window_is_64_wide() {
    ReceiveWindow window;
    for (std::uint64_t i = 0; i < 100; ++i)
      if (i != 36 && i != 35) CPPUNIT_ASSERT(window.note(i) == (i == 37 ? Order::gap : Order::in_order));
    CPPUNIT_ASSERT(window.note(35) == Order::old);
    CPPUNIT_ASSERT(window.note(36) == Order::unsequenced && window.note(36) == Order::duplicate);
    CPPUNIT_ASSERT(window.note(99) == Order::duplicate && window.note(100) == Order::in_order);
  }

  void the_window_remembers_over_a_jump() {
    ReceiveWindow window;
    CPPUNIT_ASSERT(window.note(0) == Order::in_order);
    CPPUNIT_ASSERT(window.note(63) == Order::gap && window.note(0) == Order::duplicate);
    CPPUNIT_ASSERT(window.note(64) == Order::in_order && window.note(0) == Order::old && window.note(1) == Order::unsequenced);
    CPPUNIT_ASSERT(window.note(1000) == Order::gap && window.note(64) == Order::old);
    CPPUNIT_ASSERT(window.note(937) == Order::unsequenced && window.note(936) == Order::old);
  }

  void bindings_differ_by_every_field() {
    const auto view = [](const char* text) { return base::view_of(text); };
    const Bindings base_case{1, view("ab"), 2, view("c"), view("data")};
    const Bindings cases[] = {{2, view("ab"), 2, view("c"), view("data")}, {1, view("a"), 2, view("bc"), view("data")}, {1, view("ab"), 3, view("c"), view("data")},
                              {1, view("ab"), 2, view(""), view("cdata")},  {1, view("ab"), 2, view("c"), view("datb")}, {}};
    for (const Bindings& other : cases) CPPUNIT_ASSERT(*digest_of(base_case) != *digest_of(other));
    CPPUNIT_ASSERT(*digest_of({}) != Digest{});
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ProtectionTest);

}  // namespace
}  // namespace gssipsec::mech
