// SPDX-License-Identifier: MIT
#include <cppunit/extensions/HelperMacros.h>

#include "kernel/xfrm.h"
#include "tests/unit/kernel/messages.h"

namespace gssipsec::kernel::testing {

class XfrmPolicyTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(XfrmPolicyTest);
  CPPUNIT_TEST(a_policy_is_read_with_selector_and_templates);
  CPPUNIT_TEST(socket_policies_have_no_direction);
  CPPUNIT_TEST(an_administrators_odd_index_does_not_hide_a_policy);
  CPPUNIT_TEST(optional_templates_are_told);
  CPPUNIT_TEST(half_a_template_is_broken);
  CPPUNIT_TEST(more_templates_than_the_kernel_has_are_broken);
  CPPUNIT_TEST(a_template_without_family_is_broken);
  CPPUNIT_TEST(sub_policies_marks_and_if_ids_are_told);
  CPPUNIT_TEST(an_unknown_policy_type_is_broken);
  CPPUNIT_TEST(an_unknown_action_is_broken);
  CPPUNIT_TEST(what_the_decoder_does_not_know_makes_a_policy_incomplete);
  CPPUNIT_TEST(every_cut_is_broken_or_harmless);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_policy_is_read_with_selector_and_templates() {
    xfrm_userpolicy_info info = policy_info(17, 42);
    info.action = XFRM_POLICY_BLOCK;
    info.sel.sport = htons(80);
    info.sel.sport_mask = 0xffff;
    info.sel.prefixlen_d = 24;
    info.sel.proto = 6;
    info.sel.ifindex = 3;
    info.curlft.add_time = 99;
    const auto policy = decode_policy(octets_of(info) + attribute(XFRMA_TMPL, user_template()));
    CPPUNIT_ASSERT(policy.ok());
    CPPUNIT_ASSERT(policy->direction == channel::Direction::out && policy->action == channel::Action::block && !policy->incomplete);
    CPPUNIT_ASSERT(policy->selector.source_port == 80 && policy->selector.source_port_mask == 0xffff && policy->selector.destination_port_mask == 0);
    CPPUNIT_ASSERT(policy->selector.destination.length == 24 && policy->selector.protocol == 6 && policy->selector.ifindex == 3);
    CPPUNIT_ASSERT(policy->priority == 42 && policy->added == 99 && policy->index == 17);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, policy->templates.size());
    CPPUNIT_ASSERT(policy->templates[0].reqid == 7 && !policy->templates[0].optional && policy->templates[0].protocol == 50);
    CPPUNIT_ASSERT_EQUAL(std::string("0a010002"), base::to_hex(policy->templates[0].destination.view()));
  }

  void socket_policies_have_no_direction() {
    for (const std::uint32_t index : {3u, 4u, 11u, 12u, 7u}) CPPUNIT_ASSERT(decode_policy(octets_of(policy_info(index)))->direction == channel::Direction::other);
    xfrm_userpolicy_info info = policy_info(8);
    info.dir = 3;
    CPPUNIT_ASSERT(decode_policy(octets_of(info))->direction == channel::Direction::other);
  }

  void an_administrators_odd_index_does_not_hide_a_policy() {
    const auto policy = decode_policy(octets_of(policy_info(13)));
    CPPUNIT_ASSERT(policy->direction == channel::Direction::out && policy->incomplete);
    CPPUNIT_ASSERT(decode_policy(octets_of(policy_info(14)))->direction == channel::Direction::forward);
  }

  void optional_templates_are_told() {
    xfrm_user_tmpl one = user_template();
    one.optional = 1;
    CPPUNIT_ASSERT(decode_policy(octets_of(policy_info()) + attribute(XFRMA_TMPL, one))->templates[0].optional);
  }

  void half_a_template_is_broken() {
    Bytes half = octets_of(user_template());
    half.resize(half.size() / 2);
    assert_broken(octets_of(policy_info()) + attribute(XFRMA_TMPL, half));
  }

  void more_templates_than_the_kernel_has_are_broken() {
    Bytes seven;
    for (int i = 0; i < 7; ++i) seven += octets_of(user_template());
    assert_broken(octets_of(policy_info()) + attribute(XFRMA_TMPL, seven));
  }

  void a_template_without_family_is_broken() {
    xfrm_user_tmpl one = user_template();
    one.family = 0;
    assert_broken(octets_of(policy_info()) + attribute(XFRMA_TMPL, one));
  }

  void sub_policies_marks_and_if_ids_are_told() {
    Bytes payload = octets_of(policy_info());
    payload += attribute(XFRMA_POLICY_TYPE, xfrm_userpolicy_type{XFRM_POLICY_TYPE_SUB, 0, 0});
    payload += attribute(XFRMA_MARK, xfrm_mark{1, 0xf});
    payload += attribute(XFRMA_IF_ID, 4u);
    const auto policy = decode_policy(payload);
    CPPUNIT_ASSERT(policy->sub_policy && policy->if_id == 4 && policy->mark == (channel::Mark{1, 0xf}) && !policy->incomplete);
  }

  void an_unknown_policy_type_is_broken() { assert_broken(octets_of(policy_info()) + attribute(XFRMA_POLICY_TYPE, xfrm_userpolicy_type{2, 0, 0})); }

  void an_unknown_action_is_broken() {
    xfrm_userpolicy_info info = policy_info();
    info.action = 2;
    assert_broken(octets_of(info));
  }

  void what_the_decoder_does_not_know_makes_a_policy_incomplete() {
    CPPUNIT_ASSERT(decode_policy(octets_of(policy_info()) + attribute(60, 1u))->incomplete);
    CPPUNIT_ASSERT(decode_policy(octets_of(policy_info()) + attribute(XFRMA_SEC_CTX, 1u))->incomplete);
    CPPUNIT_ASSERT(decode_policy(octets_of(policy_info()) + attribute(XFRMA_OFFLOAD_DEV, xfrm_user_offload{}))->incomplete);
    CPPUNIT_ASSERT(!decode_policy(octets_of(policy_info()))->incomplete);
  }

  void every_cut_is_broken_or_harmless() {
    const Bytes whole = octets_of(policy_info()) + attribute(XFRMA_TMPL, user_template());
    for (std::size_t size = 0; size < whole.size(); ++size)
      CPPUNIT_ASSERT(size == sizeof(xfrm_userpolicy_info) || !decode_policy(View(whole).first(size)).ok());
  }

 private:
  static void assert_broken(const Bytes& payload) {
    const auto policy = decode_policy(payload);
    CPPUNIT_ASSERT(!policy.ok());
    CPPUNIT_ASSERT(policy.error().code == base::Code::NETLINK_MESSAGE);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(XfrmPolicyTest);

}  // namespace gssipsec::kernel::testing
