// SPDX-License-Identifier: MIT
// A context as octets: what comes back is what went, every octet of the token counts, and numbers go on where they stopped.
#include "mech_ipsec/exported.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/unit/mech_ipsec/tokens.h"

namespace gssipsec::mech {
namespace {

using base::Bytes;
using base::Code;
using protocol::ContextState;
using testing::end_of;

const Bytes kExportKey(32, std::byte{5});
const Bytes kExportedText(9, std::byte{'t'});

ContextState state_of(Protection& from, channel::Role role = channel::Role::acceptor) {
  ContextState state;
  state.role = role;
  state.bound = state.initiator_asked_mutual = true;
  state.expires = 123456789;
  state.local_name = "ipsec:fqdn:a";
  state.peer_name = "ipsec:fqdn:b/bob";
  state.peer_services = {"host"};
  from.leave(state);
  return state;
}

class ExportedTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ExportedTest);
  CPPUNIT_TEST(what_went_comes_back);
  CPPUNIT_TEST(every_octet_of_the_token_counts);
  CPPUNIT_TEST(another_key_opens_nothing);
  CPPUNIT_TEST(another_version_is_told_apart);
  CPPUNIT_TEST(nothing_secret_stands_in_clear);
  CPPUNIT_TEST(numbers_go_on_and_end_at_the_old_place);
  CPPUNIT_TEST(numbers_that_no_message_has_are_refused);
  CPPUNIT_TEST(the_window_goes_along);
  CPPUNIT_TEST(the_applications_key_is_its_own);
  CPPUNIT_TEST_SUITE_END();

  static Bytes token(const ContextState& state) {
    auto made = seal_exported(Digest{}, 42, kExportKey, state);
    CPPUNIT_ASSERT(made.ok());
    return *std::move(made);
  }
  static base::Result<ContextState> open(base::View octets, base::View key = kExportKey) {
    const auto exported = decode_exported(octets);
    if (!exported) return exported.error();
    return open_exported(*exported, key);
  }

 public:
  void what_went_comes_back() {
    Protection from = end_of(Direction::from_acceptor);
    const ContextState state = state_of(from);
    const auto back = open(token(state));
    CPPUNIT_ASSERT(back.ok());
    CPPUNIT_ASSERT(encode(*back) == encode(state));
    CPPUNIT_ASSERT(back->role == channel::Role::acceptor && back->bound && back->expires == 123456789 && back->peer_name == "ipsec:fqdn:b/bob");
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{42}, decode_exported(token(state))->cookie);
  }

  void every_octet_of_the_token_counts() {
    Protection from = end_of(Direction::from_acceptor);
    Bytes octets = token(state_of(from));
    for (std::size_t i = 0; i < octets.size(); ++i) {
      octets[i] ^= std::byte{1};
      CPPUNIT_ASSERT_MESSAGE(std::to_string(i), !open(octets).ok());
      octets[i] ^= std::byte{1};
      CPPUNIT_ASSERT(!open(base::View(octets).first(i)).ok());
    }
    octets.push_back(std::byte{0});
    CPPUNIT_ASSERT(open(octets).error().code == Code::BAD_MAC);
    octets.resize(65537);
    CPPUNIT_ASSERT(open(octets).error().code == Code::BAD_TOKEN);
  }

  void another_key_opens_nothing() {
    Protection from = end_of(Direction::from_acceptor);
    const Bytes octets = token(state_of(from));
    CPPUNIT_ASSERT(open(octets, Bytes(32, std::byte{6})).error().code == Code::BAD_MAC);
    CPPUNIT_ASSERT(!open(octets, Bytes(31, std::byte{5})).ok());
  }

  void another_version_is_told_apart() {
    Protection from = end_of(Direction::from_acceptor);
    Bytes octets = token(state_of(from));
    octets[0] = std::byte{2};
    CPPUNIT_ASSERT(decode_exported(octets).error().code == Code::TOKEN_VERSION);
  }

  void nothing_secret_stands_in_clear() {
    Protection from = end_of(Direction::from_acceptor);
    const ContextState state = state_of(from);
    const Bytes octets = token(state);
    const std::string all(base::text_of(octets));
    CPPUNIT_ASSERT(all.find("bob") == std::string::npos && all.find(std::string(base::text_of(state.key.view()))) == std::string::npos);
  }

  void numbers_go_on_and_end_at_the_old_place() {
    Protection from = end_of(Direction::from_initiator), to = end_of(Direction::from_acceptor);
    for (int i = 0; i < 3; ++i) (void)testing::mic_of(from, kExportedText);
    const ContextState state = state_of(from, channel::Role::initiator);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, state.sent);
    Bytes head(kWrapOverhead);
    const auto refused = from.put(MessageType::sealed, {}, std::span(head).first<kWrapOverhead>());
    CPPUNIT_ASSERT(!refused.ok() && refused.error().code == Code::LIMIT);
    CPPUNIT_ASSERT_EQUAL(kMaxSequence, state_of(from).sent);
    auto resumed = Protection::resume(state);
    const Bytes next = testing::wrapped(*resumed, MessageType::sealed, kExportedText);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, decode_message(next)->head.sequence);
    Bytes text(kExportedText.size());
    CPPUNIT_ASSERT(*testing::opened(to, *decode_message(next), text) == Order::gap && text == kExportedText);
  }

  void numbers_that_no_message_has_are_refused() {
    Protection from = end_of(Direction::from_initiator);
    ContextState state = state_of(from);
    for (std::uint64_t ContextState::*number : {&ContextState::sent, &ContextState::next}) {
      state.*number = kMaxSequence;
      CPPUNIT_ASSERT(Protection::resume(state).ok());
      state.*number = kMaxSequence + 1;
      CPPUNIT_ASSERT(Protection::resume(state).error().code == Code::BAD_TOKEN);
      state.*number = 0;
    }
  }

  void the_applications_key_is_its_own() {
    Protection initiator = end_of(Direction::from_initiator), acceptor = end_of(Direction::from_acceptor);
    const auto one = initiator.application_key(), two = acceptor.application_key();
    CPPUNIT_ASSERT(one->size() == 32 && base::equal_secret(one->view(), two->view()));
    CPPUNIT_ASSERT(!base::equal_secret(one->view(), state_of(initiator).key.view()));
    Bytes prf(32);
    testing::must(acceptor.pseudo_random(true, {}, prf));
    CPPUNIT_ASSERT(!base::equal_secret(one->view(), prf));
  }

  void the_window_goes_along() {
    Protection from = end_of(Direction::from_initiator), to = end_of(Direction::from_acceptor);
    const Bytes first = testing::mic_of(from, kExportedText), second = testing::mic_of(from, kExportedText), third = testing::mic_of(from, kExportedText);
    CPPUNIT_ASSERT(*testing::checked(to, decode_message(first)->head, kExportedText) == Order::in_order);
    CPPUNIT_ASSERT(*testing::checked(to, decode_message(third)->head, kExportedText) == Order::gap);
    auto resumed = Protection::resume(state_of(to));
    CPPUNIT_ASSERT(*testing::checked(*resumed, decode_message(first)->head, kExportedText) == Order::duplicate);
    CPPUNIT_ASSERT(*testing::checked(*resumed, decode_message(second)->head, kExportedText) == Order::unsequenced);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ExportedTest);

}  // namespace
}  // namespace gssipsec::mech
