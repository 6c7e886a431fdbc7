// SPDX-License-Identifier: MIT
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <array>
#include <optional>

#include "kernel/xfrm_mirror.h"
#include "tests/unit/kernel/messages.h"

namespace gssipsec::kernel::testing {

class XfrmEventsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(XfrmEventsTest);
  CPPUNIT_TEST(sas_are_added_updated_and_deleted);
  CPPUNIT_TEST(soft_expiry_makes_an_sa_dying_and_hard_expiry_removes_it);
  CPPUNIT_TEST(an_update_keeps_keys_algorithms_and_mode_of_a_mature_sa);
  CPPUNIT_TEST(an_update_completes_a_larval_sa);
  CPPUNIT_TEST(an_update_of_an_sa_that_was_allocated_in_silence_adds_it);
  CPPUNIT_TEST(an_sa_follows_another_between_the_same_ends);
  CPPUNIT_TEST(an_sa_does_not_follow_itself);
  CPPUNIT_TEST(two_sas_of_one_name_cannot_be_kept_in_step);
  CPPUNIT_TEST(a_flush_removes_the_sas_of_its_protocol);
  CPPUNIT_TEST(a_mapping_changes_nothing);
  CPPUNIT_TEST(a_migration_cannot_be_kept_in_step);
  CPPUNIT_TEST(policies_are_added_in_order_and_deleted_by_index);
  CPPUNIT_TEST(a_policy_replaced_in_place_keeps_its_order);
  CPPUNIT_TEST(a_policy_whose_priority_changes_comes_last_among_its_equals);
  CPPUNIT_TEST(socket_policies_are_no_events);
  CPPUNIT_TEST(only_hard_expiry_removes_a_policy);
  CPPUNIT_TEST(a_flush_removes_main_or_sub_policies);
  CPPUNIT_TEST(default_policies_change);
  CPPUNIT_TEST(a_deleted_policy_without_contents_is_broken);
  CPPUNIT_TEST(several_messages_come_in_order);
  CPPUNIT_TEST(messages_of_no_concern_are_skipped);
  CPPUNIT_TEST(an_overrun_is_a_loss);
  CPPUNIT_TEST(a_datagram_cut_inside_a_message_is_broken);
  CPPUNIT_TEST(a_real_kernels_events_empty_the_mirror);
  CPPUNIT_TEST_SUITE_END();

 public:
  void sas_are_added_updated_and_deleted() {
    feed(message(XFRM_MSG_NEWSA, sa_payload(1)));
    feed(message(XFRM_MSG_NEWSA, sa_payload(2)));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, sas().size());
    feed(message(XFRM_MSG_DELSA, deleted(1)));
    CPPUNIT_ASSERT(sas().size() == 1 && sas()[0].id.spi == 2);
  }

  // An event that waited while all SAs were read tells of one that is there, and of no other one.
  void an_sa_does_not_follow_itself() {
    tables_.sad.add(*decode_sa(sa_payload(1)), {});
    feed(message(XFRM_MSG_NEWSA, sa_payload(1)));
    CPPUNIT_ASSERT(!follows(1));
  }

  // What came first stays first, and what followed another did so though the other one is gone.
  void an_sa_follows_another_between_the_same_ends() {
    tables_.sad.add(*decode_sa(octets_of(sa_info(9))), {});  // larval: what a first packet waits for
    feed(message(XFRM_MSG_NEWSA, sa_payload(1)));
    feed(message(XFRM_MSG_NEWSA, sa_payload(2)));
    feed(message(XFRM_MSG_UPDSA, sa_payload(3)));
    CPPUNIT_ASSERT(!follows(1) && follows(2) && follows(3));
    for (const std::uint32_t spi : {1, 2}) feed(message(XFRM_MSG_DELSA, deleted(spi)));
    CPPUNIT_ASSERT(follows(3));
    feed(message(XFRM_MSG_UPDSA, sa_payload(3)));
    CPPUNIT_ASSERT(follows(3));
    // What is no rekey: other ends, another policy, protocol or selector.
    std::array<xfrm_usersa_info, 4> others{sa_info(4), sa_info(5), sa_info(6), sa_info(7)};
    others[0].saddr.a4 ^= htonl(1);
    others[1].reqid += 1;
    others[2].id.proto = IPPROTO_AH;
    others[3].sel.dport = htons(80), others[3].sel.dport_mask = 0xffff;
    for (const auto& info : others) {
      const auto algorithms = info.id.proto == IPPROTO_AH ? attribute(XFRMA_ALG_AUTH_TRUNC, algorithm("hmac(sha256)", 256, 128)) : attribute(XFRMA_ALG_AEAD, algorithm("rfc4106(gcm(aes))", 160, 128));
      feed(message(XFRM_MSG_NEWSA, octets_of(info) + algorithms));
      CPPUNIT_ASSERT(!follows(ntohl(info.id.spi)));
    }
  }

  void soft_expiry_makes_an_sa_dying_and_hard_expiry_removes_it() {
    feed(message(XFRM_MSG_NEWSA, sa_payload(1)));
    xfrm_user_expire expire{sa_info(1), 0};
    feed(message(XFRM_MSG_EXPIRE, octets_of(expire)));
    CPPUNIT_ASSERT(sas().at(0).dying);
    expire.hard = 1;
    feed(message(XFRM_MSG_EXPIRE, octets_of(expire)));
    CPPUNIT_ASSERT(sas().empty());
  }

  void an_update_keeps_keys_algorithms_and_mode_of_a_mature_sa() {
    feed(message(XFRM_MSG_NEWSA, sa_payload(1) + attribute(XFRMA_ENCAP, xfrm_encap_tmpl{2, htons(4500), htons(4500), {}})));
    feed(message(XFRM_MSG_EXPIRE, octets_of(xfrm_user_expire{sa_info(1), 0})));
    xfrm_usersa_info info = sa_info(1);
    info.mode = XFRM_MODE_TUNNEL;
    Bytes news = octets_of(info) + attribute(XFRMA_ALG_AEAD, algorithm("rfc4543(gcm(aes))", 160, 128));
    feed(message(XFRM_MSG_UPDSA, news += attribute(XFRMA_ENCAP, xfrm_encap_tmpl{2, htons(4500), htons(7777), {}})));
    const channel::Sa sa = sas().at(0);
    CPPUNIT_ASSERT_EQUAL(std::string("rfc4106(gcm(aes))"), sa.aead.name);
    CPPUNIT_ASSERT(sa.mode == channel::Mode::transport && !sa.dying && sa.encap_destination_port == 7777);
  }

  void an_update_completes_a_larval_sa() {
    tables_.sad.add(*decode_sa(octets_of(sa_info(1))), {});
    feed(message(XFRM_MSG_UPDSA, sa_payload(1)));
    CPPUNIT_ASSERT(sas().size() == 1 && sas()[0].state == channel::SaState::valid && sas()[0].aead.key_bits == 160);
  }

  void an_update_of_an_sa_that_was_allocated_in_silence_adds_it() {
    feed(message(XFRM_MSG_UPDSA, sa_payload(1)));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, sas().size());
  }

  void two_sas_of_one_name_cannot_be_kept_in_step() {
    feed(message(XFRM_MSG_NEWSA, sa_payload(1)));
    feed(message(XFRM_MSG_NEWSA, sa_payload(1) + attribute(XFRMA_MARK, xfrm_mark{1, 1})));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, sas().size());
    CPPUNIT_ASSERT(!follow(message(XFRM_MSG_DELSA, deleted(1))));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, sas().size());
  }

  void a_flush_removes_the_sas_of_its_protocol() {
    feed(message(XFRM_MSG_NEWSA, sa_payload(1)));
    feed(message(XFRM_MSG_FLUSHSA, octets_of(xfrm_usersa_flush{51})));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, sas().size());
    feed(message(XFRM_MSG_FLUSHSA, octets_of(xfrm_usersa_flush{255})));
    CPPUNIT_ASSERT(sas().empty());
  }

  void a_mapping_changes_nothing() {
    feed(message(XFRM_MSG_NEWSA, sa_payload(1)));
    const std::vector<channel::Sa> before = sas();
    xfrm_user_mapping mapping{};
    mapping.id = *reinterpret_cast<const xfrm_usersa_id*>(deleted(1).data());
    feed(message(XFRM_MSG_MAPPING, octets_of(mapping)));
    CPPUNIT_ASSERT(sas() == before);
  }

  void a_migration_cannot_be_kept_in_step() { CPPUNIT_ASSERT(!follow(message(XFRM_MSG_MIGRATE, octets_of(xfrm_userpolicy_id{})))); }

  void policies_are_added_in_order_and_deleted_by_index() {
    feed(message(XFRM_MSG_NEWPOLICY, octets_of(policy_info(9))));
    feed(message(XFRM_MSG_NEWPOLICY, octets_of(policy_info(17))));
    CPPUNIT_ASSERT(policies().at(0).order < policies().at(1).order);
    feed(message(XFRM_MSG_DELPOLICY, octets_of(xfrm_userpolicy_id{}) + attribute(XFRMA_POLICY, policy_info(9))));
    CPPUNIT_ASSERT(policies().size() == 1 && policies()[0].index == 17);
  }

  void a_policy_replaced_in_place_keeps_its_order() {
    feed(message(XFRM_MSG_NEWPOLICY, octets_of(policy_info(9, 5))));
    feed(message(XFRM_MSG_NEWPOLICY, octets_of(policy_info(17, 5))));
    xfrm_userpolicy_info news = policy_info(9, 5);
    news.action = XFRM_POLICY_BLOCK;
    feed(message(XFRM_MSG_UPDPOLICY, octets_of(news)));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, policies().size());
    CPPUNIT_ASSERT(policies()[0].action == channel::Action::block && policies()[0].order < policies()[1].order);
  }

  void a_policy_whose_priority_changes_comes_last_among_its_equals() {
    feed(message(XFRM_MSG_NEWPOLICY, octets_of(policy_info(9, 5))));
    feed(message(XFRM_MSG_NEWPOLICY, octets_of(policy_info(17, 6))));
    feed(message(XFRM_MSG_UPDPOLICY, octets_of(policy_info(9, 6))));
    CPPUNIT_ASSERT(policies().size() == 2 && policies()[0].index == 9);
    CPPUNIT_ASSERT(policies()[0].order > policies()[1].order);
  }

  void socket_policies_are_no_events() {
    feed(message(XFRM_MSG_NEWPOLICY, octets_of(policy_info(11))));
    CPPUNIT_ASSERT(policies().empty());
  }

  void only_hard_expiry_removes_a_policy() {
    feed(message(XFRM_MSG_NEWPOLICY, octets_of(policy_info(9))));
    feed(message(XFRM_MSG_POLEXPIRE, octets_of(xfrm_user_polexpire{policy_info(9), 0})));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, policies().size());
    feed(message(XFRM_MSG_POLEXPIRE, octets_of(xfrm_user_polexpire{policy_info(9), 1})));
    CPPUNIT_ASSERT(policies().empty());
  }

  void a_flush_removes_main_or_sub_policies() {
    const Bytes sub = attribute(XFRMA_POLICY_TYPE, xfrm_userpolicy_type{XFRM_POLICY_TYPE_SUB, 0, 0});
    feed(message(XFRM_MSG_NEWPOLICY, octets_of(policy_info(9)) + sub));
    feed(message(XFRM_MSG_NEWPOLICY, octets_of(policy_info(17))));
    feed(message(XFRM_MSG_FLUSHPOLICY, sub));
    CPPUNIT_ASSERT(policies().size() == 1 && policies()[0].index == 17);
    feed(message(XFRM_MSG_FLUSHPOLICY, {}));
    CPPUNIT_ASSERT(policies().empty());
  }

  void default_policies_change() {
    feed(message(XFRM_MSG_GETDEFAULT, octets_of(xfrm_userpolicy_default{XFRM_USERPOLICY_BLOCK, 2, 2})));
    CPPUNIT_ASSERT(tables_.spd.default_in == channel::Action::block && tables_.spd.default_out == channel::Action::allow);
    feed(message(XFRM_MSG_SETDEFAULT, octets_of(xfrm_userpolicy_default{2, 2, XFRM_USERPOLICY_BLOCK})));
    CPPUNIT_ASSERT(tables_.spd.default_in == channel::Action::allow && tables_.spd.default_out == channel::Action::block);
  }

  void a_deleted_policy_without_contents_is_broken() {
    CPPUNIT_ASSERT(decode_events(message(XFRM_MSG_DELPOLICY, octets_of(xfrm_userpolicy_id{}))).error().code == base::Code::NETLINK_MESSAGE);
  }

  void several_messages_come_in_order() {
    const auto events = decode_events(message(XFRM_MSG_NEWSA, sa_payload(1)) + message(XFRM_MSG_DELSA, deleted(1)));
    CPPUNIT_ASSERT(events.ok() && events->size() == 2);
    CPPUNIT_ASSERT(std::holds_alternative<SaAdded>((*events)[0]) && std::holds_alternative<SaDeleted>((*events)[1]));
  }

  void messages_of_no_concern_are_skipped() {
    const auto events = decode_events((message(XFRM_MSG_ACQUIRE, Bytes(4)) + message(NLMSG_NOOP, {})) + message(0x99, Bytes(3)));
    CPPUNIT_ASSERT(events.ok() && events->empty());
  }

  void an_overrun_is_a_loss() { CPPUNIT_ASSERT(decode_events(message(NLMSG_OVERRUN, {})).error().code == base::Code::NETLINK_LOST); }

  void a_datagram_cut_inside_a_message_is_broken() {
    const Bytes whole = message(XFRM_MSG_NEWSA, sa_payload(1));
    for (std::size_t size = 1; size < whole.size(); ++size)
      CPPUNIT_ASSERT(decode_events(View(whole).first(size)).error().code == base::Code::NETLINK_MESSAGE);
  }

  void a_real_kernels_events_empty_the_mirror() {
    const support::Recording recorded = recording("events");
    support::ReplayPort port(recorded);
    auto databases = dump(port);
    CPPUNIT_ASSERT(databases.ok());
    tables_ = tables_of(*std::move(databases), [](const channel::Sa&) { return channel::Arrival{}; });
    std::size_t most_sas = 0, most_policies = 0;
    for (const Bytes& datagram : recorded.events()) {
      feed(datagram);
      most_sas = std::max(most_sas, sas().size());
      most_policies = std::max(most_policies, policies().size());
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{9}, most_sas);
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, most_policies);
    CPPUNIT_ASSERT(sas().empty() && policies().empty());
  }

 private:
  // By name, by index.
  std::vector<channel::Sa> sas() const {
    std::vector<channel::Sa> out;
    tables_.sad.each([&out](const channel::SadIndex::Held& held) { out.push_back(held.sa); });
    std::ranges::sort(out, {}, &channel::Sa::id);
    return out;
  }
  std::vector<channel::Policy> policies() const {
    std::vector<channel::Policy> out;
    tables_.spd.each([&out](const channel::Policy& policy) { out.push_back(policy); });
    std::ranges::sort(out, {}, &channel::Policy::index);
    return out;
  }

  bool follows(std::uint32_t spi) const {
    std::optional<bool> found;
    tables_.sad.each([&](const channel::SadIndex::Held& held) {
      if (held.sa.id.spi == spi) found = held.arrival.follows;
    });
    CPPUNIT_ASSERT(found);
    return *found;
  }

  bool follow(const Bytes& datagram) {
    const auto events = decode_events(datagram);
    CPPUNIT_ASSERT(events.ok());
    bool kept = true;
    for (const Event& event : *events) kept = apply(event, tables_, {++arrivals_, {}}).fits && kept;
    return kept;
  }
  void feed(const Bytes& datagram) { CPPUNIT_ASSERT(follow(datagram)); }

  static Bytes deleted(std::uint32_t spi) {
    xfrm_usersa_id id{};
    id.daddr = sa_info().id.daddr;
    id.spi = htonl(spi);
    id.family = AF_INET;
    id.proto = 50;
    return octets_of(id);
  }

  Tables tables_;
  std::uint64_t arrivals_ = 0;
};

CPPUNIT_TEST_SUITE_REGISTRATION(XfrmEventsTest);

}  // namespace gssipsec::kernel::testing
