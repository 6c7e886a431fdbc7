// SPDX-License-Identifier: MIT
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>

#include "kernel/xfrm.h"
#include "tests/unit/kernel/messages.h"

namespace gssipsec::kernel::testing {

// Answers each request with what the test gives, in the asker's sequence number.
class Script final : public NetlinkPort {
 public:
  explicit Script(std::vector<std::vector<Bytes>> answers) : answers_(std::move(answers)) {}
  base::Status send(View datagram) override {
    nlmsghdr header;
    std::memcpy(&header, datagram.data(), sizeof header);
    std::uint32_t sequence = header.nlmsg_seq;
    for (Bytes answer : answers_.at(asked_++)) {
      for (std::size_t at = 0; at + sizeof header <= answer.size(); at += (header.nlmsg_len + 3u) & ~3u) {
        std::memcpy(&header, answer.data() + at, sizeof header);
        header.nlmsg_seq += sequence;
        std::memcpy(answer.data() + at, &header, sizeof header);
      }
      pending_.push_back(std::move(answer));
    }
    return {};
  }
  base::Result<Bytes> receive() override {
    if (pending_.empty()) return base::fail(base::Code::NETLINK, "nothing more");
    Bytes out = std::move(pending_.front());
    pending_.erase(pending_.begin());
    return out;
  }
  int fd() const noexcept override { return -1; }
  std::size_t left() const { return pending_.size(); }

 private:
  std::vector<std::vector<Bytes>> answers_;
  std::vector<Bytes> pending_;
  std::size_t asked_ = 0;
};

class XfrmQueryTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(XfrmQueryTest);
  CPPUNIT_TEST(both_hosts_of_a_real_pair_are_read);
  CPPUNIT_TEST(both_hosts_read_the_same_keys);
  CPPUNIT_TEST(every_kind_of_a_real_kernel_is_read);
  CPPUNIT_TEST(an_sa_that_is_not_there_is_gone);
  CPPUNIT_TEST(an_answer_that_names_another_sa_is_refused);
  CPPUNIT_TEST(an_interrupted_dump_is_lost_and_read_to_its_end);
  CPPUNIT_TEST(a_lost_datagram_is_no_dump);
  CPPUNIT_TEST(an_error_in_place_of_a_datagram_is_handed_on);
  CPPUNIT_TEST(answers_to_older_requests_are_skipped);
  CPPUNIT_TEST(socket_policies_are_left_out);
  CPPUNIT_TEST(the_order_is_that_of_creation_though_the_dump_is_newest_first);
  CPPUNIT_TEST(a_kernel_without_default_policies_accepts);
  CPPUNIT_TEST(other_refusals_of_the_kernel_are_errors);
  CPPUNIT_TEST_SUITE_END();

 public:
  void both_hosts_of_a_real_pair_are_read() {
    for (const char* host : {"host-a", "host-b"}) {
      support::ReplayPort port(recording(host));
      const auto databases = dump(port);
      CPPUNIT_ASSERT(databases.ok());
      CPPUNIT_ASSERT_EQUAL(std::size_t{2}, databases->sad.sas.size());
      CPPUNIT_ASSERT_EQUAL(std::size_t{2}, databases->spd.policies.size());
      for (const channel::Sa& sa : databases->sad.sas)
        CPPUNIT_ASSERT(sa.aead == (channel::Algorithm{"rfc4106(gcm(aes))", 160, 128}) && sa.replay_window == 32 && sa.reqid == 1 && !sa.incomplete);
      CPPUNIT_ASSERT(databases->spd.default_in == channel::Action::allow);
    }
  }

  void both_hosts_read_the_same_keys() {
    support::ReplayPort a(recording("host-a")), b(recording("host-b"));
    const auto databases = dump(a);
    for (const channel::Sa& sa : databases->sad.sas) {
      const auto left = read_keys(a, sa.id), right = read_keys(b, sa.id);
      CPPUNIT_ASSERT(left.ok() && right.ok());
      CPPUNIT_ASSERT_EQUAL(std::size_t{20}, left->encryption_key.size());
      CPPUNIT_ASSERT(base::equal_secret(left->encryption_key.view(), right->encryption_key.view()));
      CPPUNIT_ASSERT(*read_sa(a, sa.id) == sa);
    }
  }

  void every_kind_of_a_real_kernel_is_read() {
    support::ReplayPort port(recording("kinds"));
    const auto databases = dump(port);
    CPPUNIT_ASSERT(databases.ok());
    const channel::Sa& tunnel = sa(*databases, 0x301);
    CPPUNIT_ASSERT(tunnel.mode == channel::Mode::tunnel && tunnel.esn && tunnel.replay_window == 128 && tunnel.authentication.icv_bits == 128);
    const channel::Sa& marked = sa(*databases, 0x302);
    CPPUNIT_ASSERT(marked.encapsulated && marked.mark == (channel::Mark{5, 0xff}) && marked.if_id == 7);
    CPPUNIT_ASSERT(sa(*databases, 0x303).id.protocol == channel::kProtoAh && sa(*databases, 0x304).compression.name == "deflate");
    const channel::Sa& beet = sa(*databases, 0x305);
    CPPUNIT_ASSERT(beet.mode == channel::Mode::beet && beet.selector.source.length == 24 && beet.encryption.name == "cbc(aes)");
    const auto& policies = databases->spd.policies;
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, policies.size());
    CPPUNIT_ASSERT(policies[2].templates.size() == 2 && policies[2].templates[0].optional && !policies[2].templates[1].optional);
    CPPUNIT_ASSERT(policies[4].sub_policy && policies[4].if_id == 9 && policies[4].direction == channel::Direction::forward);
    for (const channel::Policy& policy : policies) CPPUNIT_ASSERT(!policy.incomplete);
  }

  void an_sa_that_is_not_there_is_gone() {
    support::ReplayPort port(recording("host-a"));
    CPPUNIT_ASSERT(read_keys(port, channel::SaId{}).error().code == base::Code::SA_GONE);
  }

  void an_answer_that_names_another_sa_is_refused() {
    Script port({{message(XFRM_MSG_NEWSA, sa_payload(0x101))}});
    CPPUNIT_ASSERT(read_keys(port, decode_sa(sa_payload(0x100))->id).error().code == base::Code::NETLINK_MESSAGE);
  }

  void an_interrupted_dump_is_lost_and_read_to_its_end() {
    Script port({{message(XFRM_MSG_NEWPOLICY, octets_of(policy_info()), NLM_F_MULTI | NLM_F_DUMP_INTR), done()}});
    CPPUNIT_ASSERT(dump(port).error().code == base::Code::NETLINK_LOST);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, port.left());
    Script late({{message(XFRM_MSG_NEWPOLICY, octets_of(policy_info()), NLM_F_MULTI), message(NLMSG_DONE, octets_of(0), NLM_F_DUMP_INTR)}});
    CPPUNIT_ASSERT(dump(late).error().code == base::Code::NETLINK_LOST);
  }

  void a_lost_datagram_is_no_dump() {
    const support::Recording recorded = recording("host-a");
    for (std::size_t which = 0; which < 5; ++which) {
      support::ReplayPort real(recorded);
      support::FaultyPort port(real, which, [&](Bytes) { return real.receive(); });
      const auto databases = dump(port);
      CPPUNIT_ASSERT(!databases.ok() || databases->sad.sas.size() < 2 || databases->spd.policies.size() < 2);
    }
  }

  void an_error_in_place_of_a_datagram_is_handed_on() {
    for (std::size_t which = 0; which < 5; ++which) {
      support::ReplayPort real(recording("host-a"));
      support::FaultyPort port(real, which, [](Bytes) -> base::Result<Bytes> { return base::fail(base::Code::NETLINK_LOST); });
      CPPUNIT_ASSERT(dump(port).error().code == base::Code::NETLINK_LOST);
    }
  }

  void answers_to_older_requests_are_skipped() {
    Script port({{message(XFRM_MSG_NEWPOLICY, octets_of(policy_info(9)), NLM_F_MULTI, 77), message(NLMSG_DONE, octets_of(0), 0, 77),
                  message(XFRM_MSG_NEWPOLICY, octets_of(policy_info(17)), NLM_F_MULTI), done()},
                 {refused(EINVAL)},
                 {done()}});
    const auto databases = dump(port);
    CPPUNIT_ASSERT(databases.ok() && databases->spd.policies.size() == 1 && databases->spd.policies[0].index == 17);
  }

  void socket_policies_are_left_out() {
    Script port({{policy_message(11) + policy_message(9), done()}, {refused(EINVAL)}, {done()}});
    const auto databases = dump(port);
    CPPUNIT_ASSERT(databases.ok() && databases->spd.policies.size() == 1 && databases->spd.policies[0].index == 9);
  }

  void the_order_is_that_of_creation_though_the_dump_is_newest_first() {
    Script port({{policy_message(25) + policy_message(16), policy_message(9), done()}, {refused(EINVAL)}, {done()}});
    const auto databases = dump(port);
    for (const channel::Policy& policy : databases->spd.policies) CPPUNIT_ASSERT_EQUAL(std::uint64_t{policy.index >> 3}, policy.order);
  }

  void a_kernel_without_default_policies_accepts() {
    Script port({{done()}, {refused(EINVAL)}, {done()}});
    const auto databases = dump(port);
    CPPUNIT_ASSERT(databases.ok() && databases->spd.default_in == channel::Action::allow && databases->spd.default_out == channel::Action::allow);
    Script blocking({{done()}, {message(XFRM_MSG_GETDEFAULT, octets_of(xfrm_userpolicy_default{1, 1, 1}))}, {done()}});
    CPPUNIT_ASSERT(dump(blocking)->spd.default_in == channel::Action::block);
  }

  void other_refusals_of_the_kernel_are_errors() {
    Script forbidden({{refused(EPERM)}});
    CPPUNIT_ASSERT(dump(forbidden).error().code == base::Code::NETLINK);
    Script defaults({{done()}, {refused(EPERM)}});
    CPPUNIT_ASSERT(dump(defaults).error().code == base::Code::NETLINK);
    Script sas({{done()}, {refused(EINVAL)}, {message(NLMSG_DONE, octets_of(-ENOMEM))}});
    CPPUNIT_ASSERT(dump(sas).error().code == base::Code::NETLINK);
  }

 private:
  static Bytes done() { return message(NLMSG_DONE, octets_of(0), NLM_F_MULTI); }
  static Bytes refused(int error) { return message(NLMSG_ERROR, octets_of(nlmsgerr{-error, {}})); }
  static Bytes policy_message(std::uint32_t index) { return message(XFRM_MSG_NEWPOLICY, octets_of(policy_info(index)), NLM_F_MULTI); }
  static const channel::Sa& sa(const Databases& databases, std::uint32_t spi) {
    const auto found = std::find_if(databases.sad.sas.begin(), databases.sad.sas.end(), [spi](const channel::Sa& one) { return one.id.spi == spi; });
    CPPUNIT_ASSERT(found != databases.sad.sas.end());
    return *found;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(XfrmQueryTest);

}  // namespace gssipsec::kernel::testing
