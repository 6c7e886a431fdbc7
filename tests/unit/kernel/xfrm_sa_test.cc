// SPDX-License-Identifier: MIT
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>

#include "kernel/xfrm.h"
#include "tests/unit/kernel/messages.h"

namespace gssipsec::kernel::testing {

class XfrmSaTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(XfrmSaTest);
  CPPUNIT_TEST(an_aead_sa_is_read_with_names_lengths_and_addresses);
  CPPUNIT_TEST(no_key_octet_is_kept_in_an_sa);
  CPPUNIT_TEST(keys_are_delivered_when_asked_for);
  CPPUNIT_TEST(a_truncated_icv_wins_over_the_older_attribute);
  CPPUNIT_TEST(a_key_longer_than_its_attribute_is_broken);
  CPPUNIT_TEST(a_name_without_end_is_broken);
  CPPUNIT_TEST(an_unreadable_name_is_broken);
  CPPUNIT_TEST(every_cut_is_broken_or_harmless);
  CPPUNIT_TEST(an_attribute_that_overlaps_the_end_is_broken);
  CPPUNIT_TEST(an_attribute_shorter_than_its_header_is_broken);
  CPPUNIT_TEST(an_attribute_that_comes_twice_is_broken);
  CPPUNIT_TEST(an_sa_without_family_is_broken);
  CPPUNIT_TEST(a_prefix_longer_than_an_address_is_broken);
  CPPUNIT_TEST(a_replay_state_longer_than_its_attribute_is_broken);
  CPPUNIT_TEST(window_and_esn_come_from_the_long_replay_state);
  CPPUNIT_TEST(mark_if_id_and_encapsulation_are_read);
  CPPUNIT_TEST(a_short_if_id_is_broken);
  CPPUNIT_TEST(what_the_decoder_does_not_know_makes_an_sa_incomplete);
  CPPUNIT_TEST(what_changes_nothing_leaves_an_sa_complete);
  CPPUNIT_TEST(an_sa_without_algorithms_is_larval);
  CPPUNIT_TEST(unknown_modes_are_other);
  CPPUNIT_TEST_SUITE_END();

 public:
  void an_aead_sa_is_read_with_names_lengths_and_addresses() {
    const auto sa = decode_sa(sa_payload(0xc0ffee));
    CPPUNIT_ASSERT(sa.ok());
    CPPUNIT_ASSERT_EQUAL(0xc0ffeeu, sa->id.spi);
    CPPUNIT_ASSERT(sa->id.destination.family == channel::Family::ipv4);
    CPPUNIT_ASSERT_EQUAL(std::string("0a010002"), base::to_hex(sa->id.destination.view()));
    CPPUNIT_ASSERT_EQUAL(std::string("0a010001"), base::to_hex(sa->source.view()));
    CPPUNIT_ASSERT(sa->aead == (channel::Algorithm{"rfc4106(gcm(aes))", 160, 128}));
    CPPUNIT_ASSERT_EQUAL(7u, sa->reqid);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1000}, sa->added);
    CPPUNIT_ASSERT(sa->state == channel::SaState::valid && !sa->incomplete && !sa->dying);
  }

  // The names are the only octets of variable length in an SA.
  void no_key_octet_is_kept_in_an_sa() {
    Bytes payload = octets_of(sa_info());
    payload += attribute(XFRMA_ALG_CRYPT, algorithm("cbc(aes)", 128, 0, false));
    payload += attribute(XFRMA_ALG_AUTH_TRUNC, algorithm("hmac(sha256)", 256, 128));
    const auto sa = decode_sa(payload);
    CPPUNIT_ASSERT(sa.ok());
    for (const auto* one : {&sa->aead, &sa->encryption, &sa->authentication, &sa->compression})
      CPPUNIT_ASSERT(one->name.find('\xa5') == std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string("cbc(aes)"), sa->encryption.name);
    CPPUNIT_ASSERT_EQUAL(std::string("hmac(sha256)"), sa->authentication.name);
  }

  void keys_are_delivered_when_asked_for() {
    const auto aead = decode_keys(sa_payload());
    CPPUNIT_ASSERT(aead.ok());
    CPPUNIT_ASSERT_EQUAL(std::size_t{20}, aead->encryption_key.size());
    CPPUNIT_ASSERT(aead->authentication_key.empty());
    Bytes payload = octets_of(sa_info());
    payload += attribute(XFRMA_ALG_CRYPT, algorithm("cbc(aes)", 128, 0, false));
    payload += attribute(XFRMA_ALG_AUTH_TRUNC, algorithm("hmac(sha256)", 256, 128));
    const auto pair = decode_keys(payload);
    CPPUNIT_ASSERT(pair.ok());
    CPPUNIT_ASSERT_EQUAL(std::string(32, 'a').size() * 2, base::to_hex(pair->authentication_key.view()).size());
    CPPUNIT_ASSERT_EQUAL(std::string("a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"), base::to_hex(pair->encryption_key.view()));
  }

  void a_truncated_icv_wins_over_the_older_attribute() {
    Bytes payload = octets_of(sa_info());
    payload += attribute(XFRMA_ALG_AUTH, algorithm("hmac(sha256)", 256, 0, false));
    payload += attribute(XFRMA_ALG_AUTH_TRUNC, algorithm("hmac(sha256)", 256, 96));
    CPPUNIT_ASSERT_EQUAL(96u, decode_sa(payload)->authentication.icv_bits);
  }

  void a_key_longer_than_its_attribute_is_broken() {
    Bytes cut = algorithm("rfc4106(gcm(aes))", 160, 128);
    cut.resize(cut.size() - 4);
    const Bytes payload = octets_of(sa_info()) + attribute(XFRMA_ALG_AEAD, cut);
    assert_broken(decode_sa(payload));
    assert_broken(decode_keys(payload));
  }

  void a_name_without_end_is_broken() {
    Bytes raw = algorithm("x", 8, 0);
    std::fill_n(raw.begin(), 64, std::byte{'a'});
    assert_broken(decode_sa(octets_of(sa_info()) + attribute(XFRMA_ALG_AEAD, raw)));
  }

  void an_unreadable_name_is_broken() {
    assert_broken(decode_sa(octets_of(sa_info()) + attribute(XFRMA_ALG_AEAD, algorithm("a\nb", 8, 0))));
    assert_broken(decode_sa(octets_of(sa_info()) + attribute(XFRMA_ALG_AEAD, algorithm("", 8, 0))));
  }

  void every_cut_is_broken_or_harmless() {
    const Bytes whole = sa_payload();
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      const auto sa = decode_sa(cut);
      CPPUNIT_ASSERT(!sa.ok() || size == sizeof(xfrm_usersa_info));
    }
  }

  void an_attribute_that_overlaps_the_end_is_broken() {
    Bytes payload = octets_of(sa_info());
    payload += octets_of(nlattr{64, XFRMA_LASTUSED});
    payload += octets_of(std::uint64_t{0});
    assert_broken(decode_sa(payload));
  }

  void an_attribute_shorter_than_its_header_is_broken() {
    for (const std::uint16_t length : {0, 1, 3}) assert_broken(decode_sa(octets_of(sa_info()) + octets_of(nlattr{length, XFRMA_LASTUSED})));
  }

  void an_attribute_that_comes_twice_is_broken() {
    assert_broken(decode_sa((octets_of(sa_info()) + attribute(XFRMA_IF_ID, 1u)) + attribute(XFRMA_IF_ID, 2u)));
  }

  void an_sa_without_family_is_broken() {
    xfrm_usersa_info info = sa_info();
    info.family = AF_UNSPEC;
    assert_broken(decode_sa(octets_of(info)));
  }

  void a_prefix_longer_than_an_address_is_broken() {
    xfrm_usersa_info info = sa_info();
    info.sel.prefixlen_s = 33;
    assert_broken(decode_sa(octets_of(info)));
  }

  void a_replay_state_longer_than_its_attribute_is_broken() {
    const std::uint32_t state[] = {2, 0, 0, 0, 0, 64, 0};
    assert_broken(decode_sa(octets_of(sa_info()) + attribute(XFRMA_REPLAY_ESN_VAL, state)));
  }

  void window_and_esn_come_from_the_long_replay_state() {
    xfrm_usersa_info info = sa_info();
    info.flags = XFRM_STATE_ESN;
    const std::uint32_t state[] = {2, 0, 0, 0, 0, 64, 0, 0};
    const auto sa = decode_sa(octets_of(info) + attribute(XFRMA_REPLAY_ESN_VAL, state));
    CPPUNIT_ASSERT(sa.ok() && sa->esn);
    CPPUNIT_ASSERT_EQUAL(64u, sa->replay_window);
    info.flags = 0;
    info.replay_window = 32;
    CPPUNIT_ASSERT_EQUAL(32u, decode_sa(octets_of(info))->replay_window);
  }

  void mark_if_id_and_encapsulation_are_read() {
    Bytes payload = sa_payload();
    payload += attribute(XFRMA_MARK, xfrm_mark{5, 0xff});
    payload += attribute(XFRMA_IF_ID, 9u);
    payload += attribute(XFRMA_ENCAP, xfrm_encap_tmpl{2, htons(4500), htons(4501), {}});
    const auto sa = decode_sa(payload);
    CPPUNIT_ASSERT(sa.ok() && sa->encapsulated && !sa->incomplete);
    CPPUNIT_ASSERT(sa->mark == (channel::Mark{5, 0xff}));
    CPPUNIT_ASSERT_EQUAL(9u, sa->if_id);
    CPPUNIT_ASSERT_EQUAL(4501, int{sa->encap_destination_port});
  }

  void a_short_if_id_is_broken() { assert_broken(decode_sa(sa_payload() + attribute(XFRMA_IF_ID, std::uint16_t{1}))); }

  void what_the_decoder_does_not_know_makes_an_sa_incomplete() {
    CPPUNIT_ASSERT(decode_sa(sa_payload() + attribute(60, 1u))->incomplete);
    CPPUNIT_ASSERT(decode_sa(sa_payload() + attribute(XFRMA_SEC_CTX, 1u))->incomplete);
    CPPUNIT_ASSERT(decode_sa(sa_payload() + attribute(XFRMA_COADDR, xfrm_address_t{}))->incomplete);
    CPPUNIT_ASSERT(decode_sa(sa_payload() + attribute(XFRMA_OFFLOAD_DEV, xfrm_user_offload{1, XFRM_OFFLOAD_PACKET}))->incomplete);
  }

  void what_changes_nothing_leaves_an_sa_complete() {
    Bytes payload = sa_payload();
    payload += attribute(XFRMA_LASTUSED, std::uint64_t{1});
    payload += attribute(XFRMA_PAD, Bytes());
    payload += attribute(XFRMA_PAD, Bytes());
    payload += attribute(XFRMA_REPLAY_VAL, xfrm_replay_state{});
    payload += attribute(XFRMA_SA_EXTRA_FLAGS, 1u);
    payload += attribute(XFRMA_SET_MARK, 1u);
    payload += attribute(33, std::uint8_t{1});
    payload += attribute(XFRMA_OFFLOAD_DEV, xfrm_user_offload{1, 0});
    CPPUNIT_ASSERT(decode_sa(payload).ok());
    CPPUNIT_ASSERT(!decode_sa(payload)->incomplete);
  }

  void an_sa_without_algorithms_is_larval() { CPPUNIT_ASSERT(decode_sa(octets_of(sa_info()))->state == channel::SaState::acquire); }

  void unknown_modes_are_other() {
    xfrm_usersa_info info = sa_info();
    for (const std::uint8_t mode : {2, 3, 5, 200}) {
      info.mode = mode;
      CPPUNIT_ASSERT(decode_sa(octets_of(info))->mode == channel::Mode::other);
    }
    info.mode = XFRM_MODE_BEET;
    CPPUNIT_ASSERT(decode_sa(octets_of(info))->mode == channel::Mode::beet);
  }

 private:
  template <typename T>
  static void assert_broken(const base::Result<T>& result) {
    CPPUNIT_ASSERT(!result.ok());
    CPPUNIT_ASSERT(result.error().code == base::Code::NETLINK_MESSAGE);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(XfrmSaTest);

}  // namespace gssipsec::kernel::testing
