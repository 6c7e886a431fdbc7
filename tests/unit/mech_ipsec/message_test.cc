// SPDX-License-Identifier: MIT
#include "mech_ipsec/message.h"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/mman.h>

#include <algorithm>

#include "tests/unit/mech_ipsec/tokens.h"

namespace gssipsec::mech {
namespace {

using base::Bytes;
using base::Code;
using base::Result;
using testing::end_of;

const Bytes kText(21, std::byte{'x'});
constexpr MessageType kTypes[] = {MessageType::channel, MessageType::sealed, MessageType::mic};

Bytes token_of(Protection& from, MessageType type) {
  return type == MessageType::mic ? testing::mic_of(from, kText) : testing::wrapped(from, type, kText);
}

// As an application hands it in: whatever the octets now say that they are.
Result<Order> take(Protection& to, base::View octets) {
  const auto token = decode_message(octets);
  if (!token) return token.error();
  Bytes message(token->body.size());
  return token->head.type == MessageType::mic ? testing::checked(to, token->head, kText) : testing::opened(to, *token, message);
}

// Room of which nothing is backed by memory but what is touched.
class Vast {
 public:
  explicit Vast(std::size_t size) : size_(size), at_(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    CPPUNIT_ASSERT(at_ != MAP_FAILED);
  }
  Vast(const Vast&) = delete;
  Vast& operator=(const Vast&) = delete;
  ~Vast() { munmap(at_, size_); }
  [[nodiscard]] std::span<std::byte> span() const { return {static_cast<std::byte*>(at_), size_}; }

 private:
  std::size_t size_;
  void* at_;
};

class MessageTokenTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MessageTokenTest);
  CPPUNIT_TEST(every_flipped_bit_is_refused);
  CPPUNIT_TEST(every_truncation_and_prolongation_is_refused);
  CPPUNIT_TEST(a_reflected_token_is_refused);
  CPPUNIT_TEST(a_reflected_token_with_its_direction_changed_is_refused);
  CPPUNIT_TEST(one_counter_serves_all_kinds);
  CPPUNIT_TEST(lengths_beyond_the_ciphers_are_refused);
  CPPUNIT_TEST_SUITE_END();

 public:
  // But for the plaintext of a channel token, which the channel protects.
  void every_flipped_bit_is_refused() {
    Protection initiator = end_of(Direction::from_initiator), acceptor = end_of(Direction::from_acceptor);
    for (const MessageType type : kTypes) {
      const Bytes good = token_of(initiator, type);
      const std::size_t covered = type == MessageType::channel ? kWrapOverhead : good.size();
      for (std::size_t bit = 0; bit < covered * 8; ++bit) {
        Bytes token = good;
        token[bit / 8] ^= std::byte{1} << (bit % 8);
        CPPUNIT_ASSERT_MESSAGE(std::to_string(bit), !take(acceptor, token).ok());
      }
      CPPUNIT_ASSERT(take(acceptor, good).ok());
    }
  }

  void every_truncation_and_prolongation_is_refused() {
    Protection initiator = end_of(Direction::from_initiator), acceptor = end_of(Direction::from_acceptor);
    for (const MessageType type : kTypes) {
      Bytes token = token_of(initiator, type);
      for (std::size_t size = 0; size < token.size(); ++size) {
        const auto taken = take(acceptor, base::View(token).first(size));
        CPPUNIT_ASSERT(!taken.ok() && taken.error().code == Code::BAD_TOKEN);
      }
      token.push_back(std::byte{0});
      CPPUNIT_ASSERT(!take(acceptor, token).ok());
    }
  }

  void a_reflected_token_is_refused() {
    Protection initiator = end_of(Direction::from_initiator);
    for (const MessageType type : kTypes) {
      const auto taken = take(initiator, token_of(initiator, type));
      CPPUNIT_ASSERT(!taken.ok() && taken.error().code == Code::WRONG_ROLE);
    }
  }

  void a_reflected_token_with_its_direction_changed_is_refused() {
    Protection initiator = end_of(Direction::from_initiator);
    for (const MessageType type : kTypes) {
      Bytes token = token_of(initiator, type);
      token[1] = std::byte{1};
      const auto taken = take(initiator, token);
      CPPUNIT_ASSERT(!taken.ok() && taken.error().code == Code::BAD_MIC);
    }
  }

  void one_counter_serves_all_kinds() {
    Protection initiator = end_of(Direction::from_initiator), acceptor = end_of(Direction::from_acceptor);
    std::uint64_t number = 0;
    for (int round = 0; round < 3; ++round)
      for (const MessageType type : kTypes) {
        const Bytes token = token_of(initiator, type);
        CPPUNIT_ASSERT_EQUAL(number++, decode_message(token)->head.sequence);
        CPPUNIT_ASSERT(*take(acceptor, token) == Order::in_order);
        CPPUNIT_ASSERT(*take(acceptor, token) == Order::duplicate);
      }
  }

  void lengths_beyond_the_ciphers_are_refused() {
    const Vast room(kMaxMessageSize + 1 + kWrapOverhead);
    for (const MessageType type : {MessageType::channel, MessageType::sealed})
      for (const std::size_t size : {kMaxMessageSize, kMaxMessageSize + 1}) {
        const MessageHeader header(type, Direction::from_initiator, 0, static_cast<std::uint32_t>(size));
        std::ranges::copy(header.view(), room.span().begin());
        CPPUNIT_ASSERT_EQUAL(size == kMaxMessageSize, decode_message(room.span().first(size + kWrapOverhead)).ok());
      }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MessageTokenTest);

}  // namespace
}  // namespace gssipsec::mech
