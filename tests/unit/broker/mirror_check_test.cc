// SPDX-License-Identifier: MIT
// MIRROR, and the comparison that it rests on: what counts as a difference between the copy and the kernel.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/recorded_netlink.h"
#include "tests/support/source_dir.h"
#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using kernel::Databases;
using kernel::Drift;

Databases pair() {
  Databases databases;
  databases.sad.sas = {esp_sa(kSpiToB, "10.1.0.1", "10.1.0.2"), esp_sa(kSpiToA, "10.1.0.2", "10.1.0.1")};
  databases.spd.policies = {transport_policy(channel::Direction::out, "10.1.0.1", "10.1.0.2"),
                            transport_policy(channel::Direction::in, "10.1.0.2", "10.1.0.1")};
  return databases;
}

Drift drift(const Databases& copy, const Databases& truth) {
  return kernel::drift_of(kernel::tables_of(copy, [](const channel::Sa&) { return channel::Arrival{}; }), truth);
}

class MirrorCheckTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MirrorCheckTest);
  CPPUNIT_TEST(the_same_is_no_difference);
  CPPUNIT_TEST(what_no_dump_tells_is_no_difference);
  CPPUNIT_TEST(sas_that_one_side_lacks_are_differences);
  CPPUNIT_TEST(changed_sas_are_differences);
  CPPUNIT_TEST(policies_are_compared);
  CPPUNIT_TEST(many_differences_are_counted);
  CPPUNIT_TEST(root_hears_that_the_copy_is_right);
  CPPUNIT_TEST(a_copy_that_is_wrong_is_told);
  CPPUNIT_TEST(a_copy_that_is_being_read_is_no_answer);
  CPPUNIT_TEST(nobody_else_hears_it);
  CPPUNIT_TEST_SUITE_END();

 public:
  void the_same_is_no_difference() {
    const Drift found = drift(pair(), pair());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, found.count);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, found.sas);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, found.policies);
  }

  void what_no_dump_tells_is_no_difference() {
    Databases copy = pair(), truth = pair();
    copy.sad.sas[0].dying = true;
    copy.spd.policies[0].order = 17;
    truth.sad.sas.push_back(esp_sa(0x300, "10.1.0.1", "10.1.0.2"));
    truth.sad.sas.back().state = channel::SaState::acquire;
    copy.sad.sas.push_back(esp_sa(0x301, "10.1.0.1", "10.1.0.2"));
    copy.sad.sas.back().state = channel::SaState::acquire;
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, drift(copy, truth).count);
  }

  void sas_that_one_side_lacks_are_differences() {
    Databases fewer = pair();
    fewer.sad.sas.pop_back();
    CPPUNIT_ASSERT_EQUAL(std::string("only in the kernel: esp 0x00000200 > 10.1.0.1"), drift(fewer, pair()).examples.at(0));
    CPPUNIT_ASSERT_EQUAL(std::string("only in the copy: esp 0x00000200 > 10.1.0.1"), drift(pair(), fewer).examples.at(0));
    Databases larval = pair();
    larval.sad.sas[1].state = channel::SaState::acquire;
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, drift(larval, pair()).count);
  }

  void changed_sas_are_differences() {
    Databases other = pair();
    other.sad.sas[0].reqid = 8;
    CPPUNIT_ASSERT_EQUAL(std::string("different: esp 0x00000100 > 10.1.0.2"), drift(other, pair()).examples.at(0));
    other = pair();
    other.sad.sas[0].mark = {1, 1};
    CPPUNIT_ASSERT(drift(other, pair()).count > 0);
  }

  void policies_are_compared() {
    Databases other = pair();
    other.spd.policies[1].priority = 1;
    CPPUNIT_ASSERT_EQUAL(std::string("different: policy 8 from 10.1.0.2/32 to 10.1.0.1/32"), drift(other, pair()).examples.at(0));
    other.spd.policies.pop_back();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, drift(other, pair()).count);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, drift(pair(), other).count);
    other = pair();
    other.spd.default_out = channel::Action::block;
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, drift(other, pair()).count);
  }

  void many_differences_are_counted() {
    Databases many = pair();
    for (std::uint32_t spi = 0x1000; spi < 0x1064; ++spi) many.sad.sas.push_back(esp_sa(spi, "10.1.0.1", "10.1.0.2"));
    const Drift found = drift(pair(), many);
    CPPUNIT_ASSERT_EQUAL(std::size_t{100}, found.count);
    CPPUNIT_ASSERT(found.examples.size() < 100);
  }

  void root_hears_that_the_copy_is_right() {
    fill_from_kernel();
    const auto reply = asked();
    CPPUNIT_ASSERT(reply.ok());
    CPPUNIT_ASSERT(reply->same && reply->sas == 2 && reply->policies >= 2 && reply->differences.empty());
  }

  void a_copy_that_is_wrong_is_told() {
    fill_from_kernel();
    end_.core->board.edit([](kernel::Tables& tables, std::uint64_t epoch) {
      tables.sad.remove_if([](const channel::Sa& sa) { return sa.id.destination == address("10.1.0.2"); });
      return epoch;
    });
    const auto reply = asked();
    CPPUNIT_ASSERT(reply.ok() && !reply->same);
    CPPUNIT_ASSERT_MESSAGE(reply->differences, reply->differences.starts_with("only in the kernel: esp "));
  }

  void a_copy_that_is_being_read_is_no_answer() {
    fill_from_kernel();
    end_.core->board.set_stale();
    CPPUNIT_ASSERT(asked().error().code == Code::UNKNOWN);
  }

  void nobody_else_hears_it() {
    fill_from_kernel();
    end_.caller.privileged = false;
    CPPUNIT_ASSERT(asked().error().code == Code::NOT_ALLOWED);
  }

 private:
  base::Result<protocol::MirrorReply> asked() {
    const auto answer = handle_mirror(*end_.core, *end_.bench, end_.request({}, -1));
    if (!answer) return answer.error();
    return protocol::decode_mirror_reply(answer->body);
  }
  // What a recorded kernel has is on the board.
  void fill_from_kernel() {
    recording_ = *support::Recording::load(support::source_path("tests/support/recordings/host-a.bin"));
    end_.host->make_request_port = [this] { return std::make_unique<support::ReplayPort>(recording_); };
    end_.caller.privileged = true;
    support::ReplayPort port(recording_);
    end_.core->board.edit([&](kernel::Tables& tables, std::uint64_t epoch) {
      tables = kernel::tables_of(*kernel::dump(port), [](const channel::Sa&) { return channel::Arrival{}; });
      return epoch;
    });
  }

  support::Recording recording_;
  End end_{true};
};

CPPUNIT_TEST_SUITE_REGISTRATION(MirrorCheckTest);

}  // namespace
}  // namespace gssipsec::broker::testing
