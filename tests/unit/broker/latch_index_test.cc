// SPDX-License-Identifier: MIT
// Whom a change concerns: never too few, and not everybody.
#include "broker/latch_index.h"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <random>

#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using channel::Direction;
using Keys = std::vector<LatchIndex::Key>;

channel::Flow flow_to(int host, std::uint16_t port = 22) {
  channel::Flow flow = flow_of_a(port);
  flow.remote = address(("10.1.0." + std::to_string(host)).c_str());
  return flow;
}

Changes of_sa(std::uint32_t reqid) {
  Changes changes;
  changes.reqids.insert(reqid);
  return changes;
}

Changes of_policy(Direction direction, const char* from, const char* to, std::uint8_t length = 32) {
  Changes changes;
  changes.policies = {transport_policy(direction, from, to)};
  changes.policies[0].selector.destination.length = length;
  return changes;
}

class LatchIndexTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LatchIndexTest);
  CPPUNIT_TEST(an_sa_concerns_those_that_ask_for_its_reqid);
  CPPUNIT_TEST(an_sa_concerns_those_that_take_any);
  CPPUNIT_TEST(a_policy_between_two_hosts_concerns_their_latches);
  CPPUNIT_TEST(a_wide_policy_concerns_all_that_it_matches);
  CPPUNIT_TEST(a_policy_of_another_port_concerns_nobody);
  CPPUNIT_TEST(a_flush_concerns_all);
  CPPUNIT_TEST(what_nobody_looked_at_is_concerned_by_everything);
  CPPUNIT_TEST(another_footing_takes_the_place_of_the_former);
  CPPUNIT_TEST(what_is_removed_is_concerned_by_nothing);
  CPPUNIT_TEST(nobody_is_forgotten);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    index_.put(1, flow_to(2), {{7}, false});
    index_.put(2, flow_to(3), {{8, 9}, false});
    index_.put(3, flow_to(3, 80), {{}, true});
  }

  void an_sa_concerns_those_that_ask_for_its_reqid() { CPPUNIT_ASSERT(concerned(of_sa(9)) == Keys({2, 3})); }
  void an_sa_concerns_those_that_take_any() { CPPUNIT_ASSERT(concerned(of_sa(77)) == Keys({3})); }

  void a_policy_between_two_hosts_concerns_their_latches() {
    CPPUNIT_ASSERT(concerned(of_policy(Direction::out, "10.1.0.1", "10.1.0.3")) == Keys({2, 3}));
    CPPUNIT_ASSERT(concerned(of_policy(Direction::in, "10.1.0.3", "10.1.0.1")) == Keys({2, 3}));
    CPPUNIT_ASSERT(concerned(of_policy(Direction::out, "10.1.0.3", "10.1.0.1")).empty());
    CPPUNIT_ASSERT(concerned(of_policy(Direction::out, "10.1.0.1", "10.1.0.4")).empty());
  }

  void a_wide_policy_concerns_all_that_it_matches() {
    CPPUNIT_ASSERT(concerned(of_policy(Direction::out, "10.1.0.1", "10.1.0.0", 24)) == Keys({1, 2, 3}));
    CPPUNIT_ASSERT(concerned(of_policy(Direction::out, "10.1.0.1", "10.1.0.2", 31)) == Keys({1, 2, 3}));
    CPPUNIT_ASSERT(concerned(of_policy(Direction::out, "10.1.0.1", "10.2.0.0", 24)).empty());
  }

  void a_policy_of_another_port_concerns_nobody() {
    Changes changes = of_policy(Direction::out, "10.1.0.1", "10.1.0.3");
    changes.policies[0].selector.destination_port = 80;
    changes.policies[0].selector.destination_port_mask = 0xffff;
    CPPUNIT_ASSERT(concerned(changes) == Keys({3}));
  }

  void a_flush_concerns_all() {
    Changes sas, everything;
    sas.all_sas = everything.everything = true;
    CPPUNIT_ASSERT(!index_.concerned(sas) && !index_.concerned(everything));
  }

  void what_nobody_looked_at_is_concerned_by_everything() {
    index_.put_unsettled(1, flow_to(2));
    CPPUNIT_ASSERT(index_.unsettled() == Keys({1}));
    CPPUNIT_ASSERT(concerned(of_sa(77)) == Keys({1, 3}));
    CPPUNIT_ASSERT(concerned(of_policy(Direction::out, "10.1.0.1", "10.1.0.4")) == Keys({1}));
    index_.put(1, flow_to(2), {{}, true});
    CPPUNIT_ASSERT(index_.unsettled().empty());
  }

  void another_footing_takes_the_place_of_the_former() {
    index_.put(1, flow_to(4), {{12}, false});
    CPPUNIT_ASSERT(concerned(of_sa(7)) == Keys({3}) && concerned(of_sa(12)) == Keys({1, 3}));
    CPPUNIT_ASSERT(concerned(of_policy(Direction::out, "10.1.0.1", "10.1.0.4")) == Keys({1}));
    CPPUNIT_ASSERT(concerned(of_policy(Direction::out, "10.1.0.1", "10.1.0.2")).empty());
  }

  void what_is_removed_is_concerned_by_nothing() {
    index_.put_unsettled(2, flow_to(3));
    for (const LatchIndex::Key key : {1, 2, 3}) index_.remove(key);
    CPPUNIT_ASSERT(concerned(of_sa(7)).empty() && index_.unsettled().empty());
    CPPUNIT_ASSERT(concerned(of_policy(Direction::out, "10.1.0.1", "10.1.0.0", 8)).empty());
  }

  // Against looking at all of them.
  void nobody_is_forgotten() {
    std::mt19937 engine(7);
    const auto below = [&engine](std::uint32_t n) { return static_cast<std::uint32_t>(engine()) % n; };
    std::vector<std::pair<channel::Flow, Footing>> all;
    LatchIndex index;
    for (LatchIndex::Key key = 0; key < 200; ++key) {
      const std::uint32_t first = below(20);
      all.emplace_back(flow_to(static_cast<int>(below(30)), static_cast<std::uint16_t>(below(3))), Footing{{first, first + 5}, below(20) == 0});
      index.put(key, all.back().first, all.back().second);
    }
    for (int round = 0; round < 300; ++round) {
      const auto host = [&below] { return "10.1.0." + std::to_string(below(30)); };
      Changes changes = of_policy(below(2) ? Direction::in : Direction::out, below(2) ? "10.1.0.1" : host().c_str(), below(2) ? "10.1.0.1" : host().c_str(), static_cast<std::uint8_t>(24 + below(9)));
      if (below(2)) changes.policies.clear();
      if (below(2)) changes.reqids.insert(below(30));
      const auto found = index.concerned(changes);
      for (LatchIndex::Key key = 0; key < all.size(); ++key)
        CPPUNIT_ASSERT(!may_concern(changes, all[key].first, all[key].second) || std::ranges::find(*found, key) != found->end());
    }
  }

 private:
  [[nodiscard]] Keys concerned(const Changes& changes) const {
    Keys found = index_.concerned(changes).value();
    std::ranges::sort(found);
    return found;
  }

  LatchIndex index_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(LatchIndexTest);

}  // namespace
}  // namespace gssipsec::broker::testing
