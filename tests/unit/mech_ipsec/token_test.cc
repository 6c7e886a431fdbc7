// SPDX-License-Identifier: MIT
#include "mech_ipsec/token.h"

#include <cppunit/extensions/HelperMacros.h>

#include "mech_ipsec/oids.h"
#include "mech_ipsec/transcript.h"

namespace gssipsec::mech {
namespace {

using base::Bytes;
using base::Code;

Bytes octets(std::initializer_list<int> values) {
  Bytes out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

class TokenTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TokenTest);
  CPPUNIT_TEST(tokens_have_the_documented_octets);
  CPPUNIT_TEST(what_was_written_is_read);
  CPPUNIT_TEST(other_versions_types_and_lengths_are_refused);
  CPPUNIT_TEST(too_long_tokens_are_told_apart);
  CPPUNIT_TEST(the_frame_has_the_documented_octets);
  CPPUNIT_TEST(frames_of_all_lengths_are_read);
  CPPUNIT_TEST(lengths_that_are_not_the_shortest_are_refused);
  CPPUNIT_TEST(frames_of_other_mechanisms_are_refused);
  CPPUNIT_TEST(the_mechanism_of_a_frame_is_read_as_libgssapi_does);
  CPPUNIT_TEST(the_transcript_knows_where_a_token_ends);
  CPPUNIT_TEST(an_empty_transcript_is_the_hash_of_nothing);
  CPPUNIT_TEST_SUITE_END();

  static ContextToken hello(std::size_t size, TokenType type = TokenType::hello) {
    ContextToken token;
    token.type = type;
    token.sealed = Bytes(size, std::byte{9});
    return token;
  }

  static Code refused(base::View data) {
    const auto token = decode_token(data);
    return token.ok() ? Code::ok : token.error().code;
  }

 public:
  void tokens_have_the_documented_octets() {
    CPPUNIT_ASSERT(encode(hello(3)) == octets({1, 1, 0, 3, 9, 9, 9}));
    CPPUNIT_ASSERT(encode(hello(1, TokenType::reply)) == octets({3, 1, 0, 1, 9}));
    ContextToken error;
    error.type = TokenType::error;
    error.code = 210;
    CPPUNIT_ASSERT(encode(error) == octets({4, 1, 0, 0, 0, 210}));
    ContextToken retry;
    retry.type = TokenType::retry;
    CPPUNIT_ASSERT(encode(retry) == octets({2, 1}));
    ContextToken confirm;
    confirm.type = TokenType::confirm;
    CPPUNIT_ASSERT_EQUAL(std::size_t{34}, encode(confirm).size());
    CPPUNIT_ASSERT(encode(confirm)[0] == std::byte{5});
  }

  void what_was_written_is_read() {
    ContextToken retry, confirm, last_but_one, finish;
    retry.type = TokenType::retry;
    confirm.type = TokenType::confirm;
    last_but_one.type = TokenType::last_but_one, finish.type = TokenType::finish;
    confirm.proof[5] = last_but_one.proof[6] = finish.proof[7] = std::byte{7};
    for (const ContextToken& token : {hello(1), hello(8192), hello(100, TokenType::reply), retry, confirm, last_but_one, finish}) {
      const auto again = decode_token(encode(token));
      CPPUNIT_ASSERT(again.ok() && *again == token);
    }
  }

  void other_versions_types_and_lengths_are_refused() {
    CPPUNIT_ASSERT(refused(octets({1, 2, 0, 1, 9})) == Code::TOKEN_VERSION);
    CPPUNIT_ASSERT(refused(octets({0, 1})) == Code::BAD_TOKEN);
    CPPUNIT_ASSERT(refused(octets({6, 1, 0, 1, 9})) == Code::BAD_TOKEN);
    CPPUNIT_ASSERT(refused(octets({8, 1})) == Code::BAD_TOKEN);
    CPPUNIT_ASSERT(refused(octets({1, 1, 0, 0})) == Code::BAD_TOKEN);
    CPPUNIT_ASSERT(refused(octets({1, 1, 0x20, 1, 9})) == Code::BAD_TOKEN);
    CPPUNIT_ASSERT(refused({}) == Code::BAD_TOKEN);
    const Bytes good = encode(hello(4));
    for (std::size_t size = 0; size < good.size(); ++size) CPPUNIT_ASSERT(refused(base::View(good).first(size)) == Code::BAD_TOKEN);
    Bytes longer = good;
    longer.push_back(std::byte{0});
    CPPUNIT_ASSERT(refused(longer) == Code::BAD_TOKEN);
  }

  void too_long_tokens_are_told_apart() {
    CPPUNIT_ASSERT(refused(Bytes(kMaxToken + 1)) == Code::TOKEN_TOO_LONG);
    CPPUNIT_ASSERT(refused(encode(hello(8193))) == Code::BAD_TOKEN);
    const auto framed = unframe(Bytes(kMaxToken + 1));
    CPPUNIT_ASSERT(!framed.ok() && framed.error().code == Code::TOKEN_TOO_LONG);
  }

  void the_frame_has_the_documented_octets() {
    const Bytes framed = frame(octets({1, 2}));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2 + 2 + 35 + 2}, framed.size());
    CPPUNIT_ASSERT_EQUAL(std::string("602706232a864886f71401be40937a81e26d82910783bc4881862282c43e82f1c655859e9c7f010102"), base::to_hex(framed));
  }

  void frames_of_all_lengths_are_read() {
    for (const std::size_t size : {0, 1, 90, 91, 218, 219, 300, 8000}) {
      const Bytes inner(size, std::byte{3}), framed = frame(inner);
      const auto again = unframe(framed);
      CPPUNIT_ASSERT(again.ok() && again->size() == size);
      for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{20}, framed.size() - 1}) CPPUNIT_ASSERT(!unframe(base::View(framed).first(cut)).ok());
    }
  }

  void lengths_that_are_not_the_shortest_are_refused() {
    Bytes framed = frame(octets({1}));
    CPPUNIT_ASSERT(unframe(framed).ok());
    const std::byte length = framed[1];
    framed.insert(framed.begin() + 1, std::byte{0x81});
    CPPUNIT_ASSERT(!unframe(framed).ok());
    framed[1] = std::byte{0x82};
    framed.insert(framed.begin() + 2, std::byte{0});
    CPPUNIT_ASSERT(framed[3] == length && !unframe(framed).ok());
    framed[1] = std::byte{0x80};
    CPPUNIT_ASSERT(!unframe(framed).ok());
  }

  void frames_of_other_mechanisms_are_refused() {
    for (const std::size_t at : {0, 1, 2, 3, 4, 20, 38}) {
      Bytes framed = frame(octets({1, 2}));
      framed[at] ^= std::byte{1};
      CPPUNIT_ASSERT(!unframe(framed).ok());
    }
    Bytes trailing = frame(octets({1, 2}));
    trailing.push_back(std::byte{0});
    CPPUNIT_ASSERT(!unframe(trailing).ok());
  }

  void the_mechanism_of_a_frame_is_read_as_libgssapi_does() {
    const Bytes name = octets({0x2b, 6, 1, 5, 5, 2}), other = octets({0x2b, 6, 1, 5, 5, 3}), shorter = octets({0x2b, 6, 1, 5, 5});
    for (const auto& length : {octets({10}), octets({0x81, 200}), octets({0x82, 1, 0}), octets({0x83, 1, 0, 0}), octets({0x84, 0, 1, 0, 0})}) {
      Bytes token = octets({0x60});
      token.insert(token.end(), length.begin(), length.end());
      for (const Bytes& part : {octets({6, 6}), name}) token.insert(token.end(), part.begin(), part.end());
      for (const std::size_t more : {0, 2}) {
        CPPUNIT_ASSERT(is_framed_for(name, token) && !is_framed_for(other, token) && !is_framed_for(shorter, token));
        token.resize(token.size() + more);
      }
      token.resize(token.size() - 2);
      for (std::size_t cut = 0; cut < token.size(); ++cut) CPPUNIT_ASSERT(!is_framed_for(name, base::View(token).first(cut)));
      for (const std::size_t at : {std::size_t{0}, token.size() - 8, token.size() - 7, token.size() - 1}) {
        Bytes changed = token;
        changed[at] ^= std::byte{1};
        CPPUNIT_ASSERT(!is_framed_for(name, changed));
      }
    }
    CPPUNIT_ASSERT(is_framed_for(std::as_bytes(std::span(kMechanism)), frame(octets({1}))));
  }

  void the_transcript_knows_where_a_token_ends() {
    Transcript one, two;
    one.add(octets({1, 2}));
    one.add(octets({3}));
    two.add(octets({1}));
    two.add(octets({2, 3}));
    CPPUNIT_ASSERT(*one.digest() != *two.digest());
    Transcript three;
    three.add(octets({1, 2}));
    CPPUNIT_ASSERT(*three.digest_with(octets({3})) == *one.digest() && *three.digest() != *one.digest());
  }

  void an_empty_transcript_is_the_hash_of_nothing() {
    CPPUNIT_ASSERT_EQUAL(std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), base::to_hex(*Transcript().digest()));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TokenTest);

}  // namespace
}  // namespace gssipsec::mech
