// SPDX-License-Identifier: MIT
// ENDPOINT, RESOLVE, LOCATORS: whose an endpoint descriptor is, what is refused, and what is forgotten.
#include "broker/endpoints.h"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <array>
#include <set>

#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using protocol::Endpoint;
using protocol::EndpointRequest;
using protocol::Reuse;

constexpr std::uint32_t kAlice = 1000, kMallory = 1001;
constexpr std::array<std::uint32_t, 2> kAlices{100, 27}, kMallorys{200, 100};

class EndpointsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EndpointsTest);
  CPPUNIT_TEST(its_maker_is_told_what_it_stands_for);
  CPPUNIT_TEST(another_user_is_told_nothing);
  CPPUNIT_TEST(a_group_is_told_where_root_wants_it);
  CPPUNIT_TEST(everybody_is_told_where_root_wants_it);
  CPPUNIT_TEST(only_root_makes_them_for_others);
  CPPUNIT_TEST(the_same_is_the_same);
  CPPUNIT_TEST(values_are_no_wildcards_and_nobody_elses);
  CPPUNIT_TEST(the_oldest_of_a_user_and_kind_goes);
  CPPUNIT_TEST(many_uids_fill_no_memory);
  CPPUNIT_TEST(values_are_by_chance);
  CPPUNIT_TEST(a_name_must_be_in_its_one_form);
  CPPUNIT_TEST(a_peer_is_somewhere);
  CPPUNIT_TEST(locators_are_the_outer_addresses);
  CPPUNIT_TEST(locators_of_what_is_in_clear_are_refused);
  CPPUNIT_TEST(broken_bodies_are_refused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { end_ = std::make_unique<End>(true); }

  void its_maker_is_told_what_it_stands_for() {
    const std::uint32_t value = *make(kAlice, peer());
    CPPUNIT_ASSERT(*resolve(kAlice, value) == peer());
  }

  void another_user_is_told_nothing() {
    const std::uint32_t value = *make(kAlice, peer());
    const base::Error refused = resolve(kMallory, value).error(), never = resolve(kMallory, value + 1).error();
    CPPUNIT_ASSERT(refused.code == Code::NO_ENDPOINT && never.code == Code::NO_ENDPOINT && refused.detail == never.detail);
    CPPUNIT_ASSERT(resolve(0, value).error().code == Code::NO_ENDPOINT);
  }

  void a_group_is_told_where_root_wants_it() {
    groups_ = kAlices;
    const std::uint32_t value = *make(0, peer(), Reuse::group);
    groups_ = kMallorys;
    CPPUNIT_ASSERT(resolve(kMallory, value).ok());
    groups_ = std::span(kMallorys).first(1);
    CPPUNIT_ASSERT(resolve(kMallory, value).error().code == Code::NO_ENDPOINT);
    groups_ = std::span(kAlices).last(1);  // one of the maker's, but not his own
    CPPUNIT_ASSERT(resolve(kMallory, value).error().code == Code::NO_ENDPOINT);
  }

  void everybody_is_told_where_root_wants_it() {
    const std::uint32_t value = *make(0, peer(), Reuse::anybody);
    CPPUNIT_ASSERT(resolve(kMallory, value).ok() && resolve(kAlice, value).ok());
  }

  void only_root_makes_them_for_others() {
    for (const Reuse reuse : {Reuse::group, Reuse::anybody}) CPPUNIT_ASSERT(make(kAlice, peer(), reuse).error().code == Code::NOT_ALLOWED);
  }

  void the_same_is_the_same() {
    const std::uint32_t value = *make(kAlice, peer());
    CPPUNIT_ASSERT_EQUAL(value, *make(kAlice, peer()));
    CPPUNIT_ASSERT(value != *make(kMallory, peer()));
    Endpoint other = peer();
    other.proven = false;
    CPPUNIT_ASSERT(value != *make(kAlice, other));
    CPPUNIT_ASSERT(*make(0, peer()) != *make(0, peer(), Reuse::anybody));
  }

  void values_are_no_wildcards_and_nobody_elses() {
    Endpoints endpoints;
    std::vector<std::uint32_t> chances{0, 0xffffffff, 0xffffff01, 7};
    const auto chance = [&chances] {
      const std::uint32_t value = chances.front();
      return chances.erase(chances.begin()), value;
    };
    CPPUNIT_ASSERT_EQUAL(7U, endpoints.add({kAlice, {}}, {peer(), Reuse::user}, chance));
    chances = {7, 8};
    CPPUNIT_ASSERT_EQUAL(8U, endpoints.add({kMallory, {}}, {peer(), Reuse::user}, chance));
    CPPUNIT_ASSERT(endpoints.find(7, {kAlice, {}}).ok() && !endpoints.find(7, {kMallory, {}}).ok());
  }

  void the_oldest_of_a_user_and_kind_goes() {
    Endpoints endpoints;
    std::uint32_t next = 0;
    const auto add = [&](std::uint32_t uid, bool local, std::size_t number) {
      return endpoints.add({uid, {}}, {{local, true, "fqdn:h" + std::to_string(number), {address("10.1.0.2")}}, Reuse::user}, [&] { return ++next; });
    };
    const std::uint32_t own = add(kAlice, true, 0), other = add(kMallory, false, 0), first = add(kAlice, false, 0), second = add(kAlice, false, 1);
    CPPUNIT_ASSERT_EQUAL(first, add(kAlice, false, 0));  // used again: the second is the oldest now
    for (std::size_t i = 2; i <= Endpoints::kPerUser; ++i) add(kAlice, false, i);
    CPPUNIT_ASSERT(endpoints.find(first, {kAlice, {}}).ok() && !endpoints.find(second, {kAlice, {}}).ok());
    CPPUNIT_ASSERT(endpoints.find(own, {kAlice, {}}).ok() && endpoints.find(other, {kMallory, {}}).ok());
  }

  void many_uids_fill_no_memory() {
    constexpr std::size_t kEach = Endpoints::kPerUser / 16;
    Endpoints endpoints;
    std::uint32_t next = 0;
    const auto add = [&](std::uint32_t uid, std::size_t number) {
      return endpoints.add({uid, {}}, {{false, true, "fqdn:h" + std::to_string(number), {address("10.1.0.2")}}, Reuse::user}, [&] { return ++next; });
    };
    const std::uint32_t roots = add(0, 0), own = add(kAlice, 0);
    for (std::size_t i = 1; i < kEach + 100; ++i) add(0, i);  // root has most
    std::vector<std::pair<std::uint32_t, std::uint32_t>> others;
    for (std::size_t i = 1; i < Endpoints::kTotal; ++i) {
      const std::uint32_t uid = kMallory + static_cast<std::uint32_t>(i / kEach);
      others.emplace_back(add(uid, i), uid);
    }
    const auto left = [&] { return std::ranges::count_if(others, [&](const auto& other) { return endpoints.find(other.first, {other.second, {}}).ok(); }); };
    CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{Endpoints::kTotal - 1}, left());
    for (std::size_t i = 0; i < kEach / 2; ++i) add(99999, i);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("of those who have most", std::ptrdiff_t{Endpoints::kTotal - 1 - kEach / 2}, left());
    CPPUNIT_ASSERT(endpoints.find(own, {kAlice, {}}).ok() && endpoints.find(roots, {0, {}}).ok());
  }

  void values_are_by_chance() {
    std::set<std::uint32_t> values;
    for (int i = 0; i < 64; ++i) {
      Endpoint endpoint = peer();
      endpoint.identity = "fqdn:h" + std::to_string(i);
      values.insert(*make(kAlice, endpoint));
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{64}, values.size());
    CPPUNIT_ASSERT(*values.rbegin() - *values.begin() > 0x10000000);
  }

  void a_name_must_be_in_its_one_form() {
    Endpoint endpoint = peer();
    for (const char* bad : {"fqdn:B.example.org", "server", "fqdn:", "ipv4:10.1"}) {
      endpoint.identity = bad;
      CPPUNIT_ASSERT_MESSAGE(bad, make(kAlice, endpoint).error().code == Code::BAD_NAME);
    }
    endpoint.identity.clear();
    CPPUNIT_ASSERT(make(kAlice, endpoint).ok());
  }

  void a_peer_is_somewhere() {
    CPPUNIT_ASSERT(make(kAlice, {false, true, "fqdn:b.example.org", {}}).error().code == Code::BAD_ARGUMENT);
    CPPUNIT_ASSERT(make(kAlice, {false, true, {}, {address("0.0.0.0")}}).error().code == Code::BAD_ARGUMENT);
    CPPUNIT_ASSERT(make(kAlice, {false, true, {}, {{}}}).error().code == Code::BAD_ARGUMENT);
    CPPUNIT_ASSERT(make(kAlice, {true, true, {}, {}}).ok());
  }

  void locators_are_the_outer_addresses() {
    for (channel::Sa& sa : end_->databases.sad.sas) {
      if (sa.id.spi != kSpiToB) continue;
      sa.encapsulated = true, sa.encap_source_port = 4500, sa.encap_destination_port = 1024;
    }
    end_->publish();
    const auto reply = locators({});
    CPPUNIT_ASSERT(reply.ok());
    const std::vector<protocol::Locators> wanted{{address("10.1.0.1"), address("10.1.0.2"), 4500, 1024}};
    CPPUNIT_ASSERT(reply->pairs == wanted);
  }

  void locators_of_what_is_in_clear_are_refused() {
    end_->databases.spd.policies.clear();
    end_->publish();
    CPPUNIT_ASSERT(locators({}).error().code == Code::NO_POLICY);
    CPPUNIT_ASSERT(locators({}, -1).error().code == Code::NO_SOCKET);
  }

  void broken_bodies_are_refused() {
    const base::Bytes octet(1);
    CPPUNIT_ASSERT(locators(octet).error().code == Code::BAD_MESSAGE);
    CPPUNIT_ASSERT(handle_endpoint(*end_->core, end_->request(octet)).error().code == Code::BAD_MESSAGE);
    CPPUNIT_ASSERT(handle_resolve(*end_->core, end_->request(octet)).error().code == Code::BAD_MESSAGE);
  }

 private:
  [[nodiscard]] Endpoint peer() const { return {false, true, "fqdn:b.example.org", {address("10.1.0.2")}}; }
  [[nodiscard]] Request request(std::uint32_t uid, base::View body) const {
    Request made = end_->request(body, -1);
    made.caller.uid = uid, made.caller.privileged = uid == 0;
    made.groups = groups_;
    return made;
  }
  base::Result<std::uint32_t> make(std::uint32_t uid, const Endpoint& endpoint, Reuse reuse = Reuse::user) {
    const base::Bytes body = encode(EndpointRequest{endpoint, reuse});
    const auto answer = handle_endpoint(*end_->core, request(uid, body));
    if (!answer) return answer.error();
    return protocol::decode_endpoint_reply(answer->body)->value;
  }
  base::Result<Endpoint> resolve(std::uint32_t uid, std::uint32_t value) {
    const base::Bytes body = encode(protocol::ResolveRequest{value});
    const auto answer = handle_resolve(*end_->core, request(uid, body));
    if (!answer) return answer.error();
    return protocol::decode_resolve_reply(answer->body)->endpoint;
  }
  base::Result<protocol::LocatorsReply> locators(base::View body, int fd = 3) {
    const auto answer = handle_locators(*end_->core, end_->request(body, fd));
    if (!answer) return answer.error();
    return protocol::decode_locators_reply(answer->body);
  }

  std::unique_ptr<End> end_;
  std::span<const std::uint32_t> groups_{};
};

CPPUNIT_TEST_SUITE_REGISTRATION(EndpointsTest);

}  // namespace
}  // namespace gssipsec::broker::testing
