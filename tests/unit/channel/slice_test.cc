// SPDX-License-Identifier: MIT
// The indexes and what they give for one flow: the same verdict as the whole databases, whatever stands in them.
#include "channel/slice.h"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <random>

#include "tests/unit/channel/samples.h"

namespace gssipsec::channel::testing {
namespace {

// Few values, so that much of it meets.
struct Dice {
  std::mt19937 engine;
  bool one_in(unsigned n) { return engine() % n == 0; }
  template <typename T>
  T one_of(std::initializer_list<T> all) { return *(all.begin() + engine() % all.size()); }
  Address host() { return ip(one_of({"10.1.0.1", "10.1.0.2", "10.1.0.3", "10.2.0.1", "0.0.0.0"})); }
  Prefix prefix() { return {host(), one_of<std::uint8_t>({0, 8, 15, 24, 32, 32, 32})}; }

  Selector selector() {
    Selector out;
    out.family = one_in(8) ? Family::none : one_in(16) ? Family::ipv6 : Family::ipv4;
    out.source = prefix();
    out.destination = prefix();
    out.protocol = one_in(3) ? 6 : 0;
    if (one_in(4)) out.destination_port = one_of<std::uint16_t>({22, 5000}), out.destination_port_mask = 0xffff;
    out.ifindex = one_in(12) ? 3 : 0;
    return out;
  }

  Template entry() {
    Template out;
    out.mode = one_of({Mode::transport, Mode::transport, Mode::tunnel, Mode::beet});
    out.family = Family::ipv4;
    out.source = host();
    out.destination = host();
    out.reqid = one_of({0u, 1u, 1u, 2u});
    out.spi = one_in(8) ? 1 : 0;
    out.optional = one_in(8);
    return out;
  }

  Policy policy(std::uint32_t index) {
    Policy out;
    out.index = index;
    out.order = index;
    out.order_unsure = one_in(2);
    out.direction = one_of({Direction::in, Direction::out, Direction::forward});
    out.selector = selector();
    out.priority = engine() % 3;
    out.action = one_in(8) ? Action::block : Action::allow;
    out.sub_policy = one_in(6);
    if (one_in(6)) out.mark = {1, 1};
    out.if_id = one_in(10) ? 1 : 0;
    out.incomplete = one_in(20);
    for (unsigned i = engine() % 3; i > 0; --i) out.templates.push_back(entry());
    return out;
  }

  Sa sa(std::uint32_t spi) {
    Sa out = esp(spi, "10.1.0.1", "10.1.0.2");
    out.id.destination = host();
    out.source = host();
    out.mode = one_of({Mode::transport, Mode::transport, Mode::tunnel, Mode::beet});
    out.reqid = one_of({0u, 1u, 1u, 2u});
    if (one_in(3)) out.selector = selector();
    if (one_in(6)) out.mark = {1, 1};
    out.if_id = one_in(10) ? 1 : 0;
    out.incomplete = one_in(40);
    if (one_in(10)) out.state = SaState::acquire;
    return out;
  }
};

struct Both {
  Spd spd;
  Sad sad;
  SpdIndex spd_index;
  SadIndex sad_index;

  void add(Policy policy) {
    spd.policies.push_back(policy);
    spd_index.put(std::move(policy));
  }
  void add(Sa sa) {
    sad.sas.push_back(sa);
    sad_index.add(std::move(sa), {});
  }
  [[nodiscard]] Verdict whole(const Flow& flow) const { return resolve(flow, spd, sad, {}); }
  [[nodiscard]] Verdict sliced(const Flow& flow) const {
    const Slice slice = slice_of(flow, spd_index, sad_index);
    Sad sas;
    for (const SadIndex::Held* held : slice.sas) sas.sas.push_back(held->sa);
    Surroundings around;
    around.too_many = slice.cut;
    return resolve(flow, slice.spd, sas, around);
  }
};

std::vector<SaId> names(const OneWay& way) {
  std::vector<SaId> out;
  for (const Sa& sa : way.carriers) out.push_back(sa.id);
  std::ranges::sort(out);
  return out;
}

void assert_same(const OneWay& a, const OneWay& b) {
  CPPUNIT_ASSERT_EQUAL(base::describe(a.why_not), base::describe(b.why_not));
  CPPUNIT_ASSERT_EQUAL(a.is_protected, b.is_protected);
  CPPUNIT_ASSERT(a.policy == b.policy && names(a) == names(b));
}

}  // namespace

class SliceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SliceTest);
  CPPUNIT_TEST(gives_the_same_verdict_as_the_whole);
  CPPUNIT_TEST(many_sas_of_one_reqid_are_found_by_their_ends);
  CPPUNIT_TEST(more_than_anybody_looks_at_is_unknown);
  CPPUNIT_TEST(what_was_removed_is_not_found);
  CPPUNIT_TEST(a_replaced_sa_is_found_by_its_new_reqid_and_ends);
  CPPUNIT_TEST(the_newest_arrival_of_a_name_counts);
  CPPUNIT_TEST_SUITE_END();

 public:
  void gives_the_same_verdict_as_the_whole() {
    int is_protected = 0;
    for (unsigned seed = 1; seed <= 3000; ++seed) {
      Dice dice{std::mt19937(seed)};
      Both both;
      for (std::uint32_t i = 1; i <= 8; ++i) both.add(dice.policy(i * 8));
      for (std::uint32_t i = 1; i <= (seed % 3 == 0 ? 120u : 12u); ++i) both.add(dice.sa(i));
      Flow flow = World().flow;
      flow.mark = dice.one_in(4) ? 1 : 0;
      const Verdict whole = both.whole(flow), sliced = both.sliced(flow);
      assert_same(whole.out, sliced.out);
      assert_same(whole.in, sliced.in);
      CPPUNIT_ASSERT_EQUAL(base::describe(whole.why_not), base::describe(sliced.why_not));
      CPPUNIT_ASSERT(whole.latchable == sliced.latchable && whole.quality.key_bits == sliced.quality.key_bits);
      is_protected += whole.out.is_protected || whole.in.is_protected;
    }
    CPPUNIT_ASSERT(is_protected > 100);
  }

  void many_sas_of_one_reqid_are_found_by_their_ends() {
    Both both = protected_both();
    for (std::uint32_t i = 0; i < 5000; ++i) {
      Sa other = esp(0x10000 + i, "10.1.0.1", "10.9.0.1");
      other.id.destination.octets[2] = static_cast<std::byte>(i >> 8);
      other.id.destination.octets[3] = static_cast<std::byte>(i);
      both.sad_index.add(other, {});
    }
    CPPUNIT_ASSERT(both.sliced(World().flow).is_protected);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, slice_of(World().flow, both.spd_index, both.sad_index).sas.size());
  }

  void more_than_anybody_looks_at_is_unknown() {
    Both both = protected_both();
    for (std::uint32_t i = 0; i < kMostSas; ++i) both.sad_index.add(esp(0x10000 + i, "10.1.0.1", "10.1.0.2"), {});
    const Verdict verdict = both.sliced(World().flow);
    CPPUNIT_ASSERT(!verdict.is_protected && verdict.why_not.code == base::Code::UNKNOWN);
  }

  void what_was_removed_is_not_found() {
    Both both = protected_both();
    CPPUNIT_ASSERT(both.sliced(World().flow).is_protected && both.spd_index.has_templates());
    both.sad_index.remove(*both.sad_index.find(both.sad.sas[0].id).first);
    CPPUNIT_ASSERT(both.sliced(World().flow).why_not.code == base::Code::NO_SA);
    both.sad_index.remove_if([](const Sa&) { return true; });
    CPPUNIT_ASSERT(both.sad_index.size() == 0 && !both.sad_index.of_reqid(both.sad.sas[1].reqid).longer_than(0));
    for (const Policy& policy : both.spd.policies) both.spd_index.remove(policy.index, policy.direction);
    CPPUNIT_ASSERT(both.sliced(World().flow).why_not.code == base::Code::NO_POLICY);
    CPPUNIT_ASSERT(both.spd_index.size() == 0 && !both.spd_index.has_templates());
  }

  void a_replaced_sa_is_found_by_its_new_reqid_and_ends() {
    SadIndex index;
    SadIndex::Held& held = index.add(esp(1, "10.1.0.1", "10.1.0.2"), {});
    Sa news = held.sa;
    news.reqid = 99;
    news.source = ip("10.1.0.7");
    index.replace(held, news);
    CPPUNIT_ASSERT(index.of_reqid(99).longer_than(0) && !index.of_reqid(99).longer_than(1) && !index.of_reqid(7).longer_than(0));
    CPPUNIT_ASSERT(index.between(news.source, news.id.destination).longer_than(0));
    CPPUNIT_ASSERT(!index.between(ip("10.1.0.1"), news.id.destination).longer_than(0));
  }

  void the_newest_arrival_of_a_name_counts() {
    SadIndex index;
    Sa marked = esp(1, "10.1.0.1", "10.1.0.2");
    index.add(marked, {7, {}});
    marked.mark = {1, 1};
    index.add(marked, {9, {}});
    CPPUNIT_ASSERT(index.find(marked.id).count == 2);
    for (const Mark& mark : {Mark{}, Mark{1, 1}}) CPPUNIT_ASSERT_EQUAL(std::uint64_t{9}, index.find(marked.id, mark)->arrival.sequence);
  }

 private:
  static Both protected_both() {
    const World world;
    Both both;
    std::uint32_t index = 0;
    for (Policy policy : world.spd.policies) {
      policy.index = ++index;
      both.add(policy);
    }
    for (const Sa& sa : world.sad.sas) both.add(sa);
    return both;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SliceTest);

}  // namespace gssipsec::channel::testing
