// SPDX-License-Identifier: MIT
#include "preload/search.h"

#include <cppunit/extensions/HelperMacros.h>

#include <memory>
#include <string>

namespace gssipsec::preload {
namespace {

View octets_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string sample_token(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(i * 37 + i / 7);
  return out;
}

std::string base64(std::string text) {
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t padding = (3 - text.size() % 3) % 3;
  text.append(padding, '\0');
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const unsigned group = static_cast<unsigned char>(text[i]) << 16 | static_cast<unsigned char>(text[i + 1]) << 8 | static_cast<unsigned char>(text[i + 2]);
    for (int shift = 18; shift >= 0; shift -= 6) out += alphabet[group >> shift & 63];
  }
  return out.replace(out.size() - padding, padding, std::string(padding, '='));
}

bool appears(const std::string& token, const std::string& text) {
  const auto needles = std::make_unique<Needles>();
  return needles->set(octets_of(token)) && needles->found_in(octets_of(text));
}

class SearchTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SearchTest);
  CPPUNIT_TEST(a_raw_token_is_found_wherever_it_is);
  CPPUNIT_TEST(base64_is_found_at_all_three_places);
  CPPUNIT_TEST(a_token_of_another_length_is_found_in_base64);
  CPPUNIT_TEST(another_token_is_not_found);
  CPPUNIT_TEST(a_part_is_not_found);
  CPPUNIT_TEST(short_and_long_tokens_are_never_found);
  CPPUNIT_TEST(hostile_repetition_takes_no_time);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_raw_token_is_found_wherever_it_is() {
    const std::string token = sample_token(200);
    for (const char* before : {"", "x", "a header of some length: "})
      for (const char* after : {"", "y"}) CPPUNIT_ASSERT(appears(token, before + token + after));
  }

  void base64_is_found_at_all_three_places() {
    const std::string token = sample_token(200);
    for (const char* before : {"", "1", "12", "123", "1234"})
      for (const char* after : {"", "1", "12"}) CPPUNIT_ASSERT(appears(token, "Authorization: Negotiate " + base64(before + token + after) + "\r\n"));
  }

  void a_token_of_another_length_is_found_in_base64() {
    for (std::size_t size = kShortestToken; size < kShortestToken + 7; ++size)
      for (const char* before : {"", "1", "12"}) CPPUNIT_ASSERT(appears(sample_token(size), base64(before + sample_token(size))));
  }

  void another_token_is_not_found() {
    const std::string token = sample_token(200);
    for (const std::size_t at : {std::size_t{10}, std::size_t{100}, std::size_t{190}}) {
      std::string other = token;
      other[at] = static_cast<char>(other[at] ^ 1);
      CPPUNIT_ASSERT(!appears(token, other));
      CPPUNIT_ASSERT(!appears(token, base64(other)));
    }
  }

  void a_part_is_not_found() {
    const std::string token = sample_token(200);
    CPPUNIT_ASSERT(!appears(token, token.substr(0, 199)));
    CPPUNIT_ASSERT(!appears(token, base64(token.substr(0, 195))));
    CPPUNIT_ASSERT(!appears(token, ""));
  }

  void short_and_long_tokens_are_never_found() {
    CPPUNIT_ASSERT(!appears(sample_token(kShortestToken - 1), sample_token(kShortestToken - 1)));
    CPPUNIT_ASSERT(appears(sample_token(kShortestToken), sample_token(kShortestToken)));
    CPPUNIT_ASSERT(appears(sample_token(kLongestToken), base64(sample_token(kLongestToken))));
    CPPUNIT_ASSERT(!appears(sample_token(kLongestToken + 1), sample_token(kLongestToken + 1)));
    CPPUNIT_ASSERT(!appears("", "anything"));
  }

  // A comparison at each place would take 10^9 steps.
  void hostile_repetition_takes_no_time() {
    std::string token(kLongestToken, 'A');
    token.back() = 'B';
    const std::string text(65536, 'A');
    for (int i = 0; i < 50; ++i) CPPUNIT_ASSERT(!appears(token, text));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SearchTest);

}  // namespace
}  // namespace gssipsec::preload
