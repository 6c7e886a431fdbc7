// SPDX-License-Identifier: MIT
// A context as octets: what comes back is what went, every octet of the token counts, and numbers go on where they stopped.
#include "mech_ipsec/exported.h"

#include <cppunit/extensions/HelperMacros.h>

#include "mech_ipsec/attributes.h"
#include "tests/unit/mech_ipsec/tokens.h"

namespace gssipsec::mech {
namespace {

using base::Bytes;
using base::Code;
using protocol::LatchState;

const Bytes kKey(32, std::byte{5});
const Bytes kText(9, std::byte{'t'});

Protection end_of(Direction sends) {
  auto made = Protection::make(Bytes(32, std::byte{7}), Digest{}, sends);
  CPPUNIT_ASSERT(made.ok());
  return *std::move(made);
}

ContextState state_of(Protection& from) {
  ContextState state;
  state.role = channel::Role::acceptor;
  state.bound = state.initiator_asked_mutual = true;
  state.want = 3;
  state.expires = 123456789;
  state.seal = protocol::Seal::always;
  state.channel.suite = "AES_GCM_16-128";
  state.channel.local_name = "ipsec:fqdn:a";
  state.channel.peer_name = "ipsec:fqdn:b/bob";
  state.channel.peer_services = {"host"};
  state.channel.key_bits = 128;
  state.channel.cookie = 42;
  state.channel.statement = Bytes(100, std::byte{7});
  state.progress = from.leave();
  return state;
}

class ExportedTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ExportedTest);
  CPPUNIT_TEST(what_went_comes_back);
  CPPUNIT_TEST(every_octet_of_the_token_counts);
  CPPUNIT_TEST(another_key_opens_nothing);
  CPPUNIT_TEST(nothing_secret_stands_in_clear);
  CPPUNIT_TEST(states_of_wrong_form_are_refused);
  CPPUNIT_TEST(numbers_go_on_and_end_at_the_old_place);
  CPPUNIT_TEST(the_window_goes_along);
  CPPUNIT_TEST(the_application_key_is_shared_and_its_own);
  CPPUNIT_TEST(attributes_are_read_as_written_and_not_believed);
  CPPUNIT_TEST(attributes_of_wrong_form_are_refused);
  CPPUNIT_TEST_SUITE_END();

  static Bytes token(const ContextState& state) {
    auto made = seal_exported(Digest{}, 42, kKey, state);
    CPPUNIT_ASSERT(made.ok());
    return *std::move(made);
  }
  static base::Result<ContextState> open(base::View octets, base::View key = kKey) {
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
    CPPUNIT_ASSERT(back->role == state.role && back->bound && back->initiator_asked_mutual && back->want == 3 && back->expires == 123456789);
    CPPUNIT_ASSERT(back->seal == protocol::Seal::always && back->channel == state.channel && back->progress.id == state.progress.id);
    CPPUNIT_ASSERT(base::equal_secret(back->progress.prk.view(), state.progress.prk.view()));
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
    octets.resize(17000);
    CPPUNIT_ASSERT(open(octets).error().code == Code::BAD_TOKEN);
  }

  void another_key_opens_nothing() {
    Protection from = end_of(Direction::from_acceptor);
    const Bytes octets = token(state_of(from));
    CPPUNIT_ASSERT(open(octets, Bytes(32, std::byte{6})).error().code == Code::BAD_MAC);
    CPPUNIT_ASSERT(!open(octets, Bytes(31, std::byte{5})).ok());
  }

  void nothing_secret_stands_in_clear() {
    Protection from = end_of(Direction::from_acceptor);
    const ContextState state = state_of(from);
    const Bytes octets = token(state);
    const std::string all(base::text_of(octets));
    CPPUNIT_ASSERT(all.find("bob") == std::string::npos && all.find(std::string(base::text_of(state.progress.prk.view()))) == std::string::npos);
  }

  void states_of_wrong_form_are_refused() {
    Protection from = end_of(Direction::from_acceptor);
    const Bytes good = encode(state_of(from));
    CPPUNIT_ASSERT(decode_state(good).ok());
    for (std::size_t size = 0; size < good.size(); ++size) CPPUNIT_ASSERT(!decode_state(base::View(good).first(size)).ok());
    const auto broken = [&](std::size_t at, std::uint8_t value) {
      Bytes bad = good;
      bad[at] = std::byte{value};
      return !decode_state(bad).ok();
    };
    // Unknown bits, seal, time below zero, numbers beyond the last.
    CPPUNIT_ASSERT(broken(0, 8) && broken(0, 2) && broken(1, 3) && broken(6, 0x80) && broken(46, 0x41) && broken(54, 0x41));
    Bytes longer = good;
    longer.push_back(std::byte{0});
    CPPUNIT_ASSERT(!decode_state(longer).ok());
  }

  void numbers_go_on_and_end_at_the_old_place() {
    Protection from = end_of(Direction::from_initiator), to = end_of(Direction::from_acceptor);
    for (int i = 0; i < 3; ++i) (void)testing::mic_of(from, kText);
    const Progress progress = from.leave();
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, progress.sent);
    Bytes head(kWrapOverhead);
    const auto refused = from.put(MessageType::sealed, {}, std::span(head).first<kWrapOverhead>());
    CPPUNIT_ASSERT(!refused.ok() && refused.error().code == Code::LIMIT);
    CPPUNIT_ASSERT_EQUAL(kMaxSequence, from.leave().sent);
    auto resumed = Protection::resume(progress, Direction::from_initiator);
    const Bytes next = testing::wrapped(*resumed, MessageType::sealed, kText);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, decode_message(next)->head.sequence);
    Bytes text(kText.size());
    CPPUNIT_ASSERT(*testing::opened(to, *decode_message(next), text) == Order::gap && text == kText);
  }

  void the_window_goes_along() {
    Protection from = end_of(Direction::from_initiator), to = end_of(Direction::from_acceptor);
    const Bytes first = testing::mic_of(from, kText), second = testing::mic_of(from, kText), third = testing::mic_of(from, kText);
    CPPUNIT_ASSERT(*testing::checked(to, decode_message(first)->head, kText) == Order::in_order);
    CPPUNIT_ASSERT(*testing::checked(to, decode_message(third)->head, kText) == Order::gap);
    auto resumed = Protection::resume(to.leave(), Direction::from_acceptor);
    CPPUNIT_ASSERT(*testing::checked(*resumed, decode_message(first)->head, kText) == Order::duplicate);
    CPPUNIT_ASSERT(*testing::checked(*resumed, decode_message(second)->head, kText) == Order::unsequenced);
  }

  void the_application_key_is_shared_and_its_own() {
    Protection initiator = end_of(Direction::from_initiator), acceptor = end_of(Direction::from_acceptor);
    const auto one = initiator.application_key(), two = acceptor.application_key();
    CPPUNIT_ASSERT(one->size() == 32 && base::equal_secret(one->view(), two->view()));
    CPPUNIT_ASSERT(!base::equal_secret(one->view(), initiator.leave().prk.view()));
    Bytes prf(32);
    testing::must(initiator.pseudo_random(true, {}, prf));
    CPPUNIT_ASSERT(!base::equal_secret(one->view(), prf));
  }

  void attributes_are_read_as_written_and_not_believed() {
    const std::vector<Attribute> written = {{"identity", {"b"}, true}, {"services", {"host", "ldap"}, true}};
    const auto read = decode_attributes(encode(written));
    CPPUNIT_ASSERT(read.ok() && read->size() == 2 && (*read)[1].values == written[1].values && (*read)[0].name == "identity");
    for (const Attribute& attribute : *read) CPPUNIT_ASSERT(!attribute.authenticated);
  }

  void attributes_of_wrong_form_are_refused() {
    const Bytes good = encode(std::vector<Attribute>{{"identity", {"b"}, true}});
    for (std::size_t size = 0; size < good.size(); ++size) CPPUNIT_ASSERT(decode_attributes(base::View(good).first(size)).error().code == Code::BAD_TOKEN);
    Bytes longer = good;
    longer.push_back(std::byte{0});
    CPPUNIT_ASSERT(!decode_attributes(longer).ok());
    CPPUNIT_ASSERT(!decode_attributes(encode(std::vector<Attribute>{{"", {"b"}, false}})).ok());
    CPPUNIT_ASSERT(!decode_attributes(encode(std::vector<Attribute>{{"name", {}, false}})).ok());
    CPPUNIT_ASSERT(!decode_attributes(encode(std::vector<Attribute>(65, {"name", {"v"}, false}))).ok());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ExportedTest);

}  // namespace
}  // namespace gssipsec::mech
