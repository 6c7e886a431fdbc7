// SPDX-License-Identifier: MIT
// Endpoint descriptors: made by identity and by name, told again, and refused.
#include <arpa/inet.h>

#include <cstring>

#include "tests/unit/ipsecapi/shim_fixture.h"

namespace gssipsec::api {
namespace {

using base::Code;
using protocol::Endpoint;
using protocol::Reuse;
using protocol::Verb;

class ShimEndTest : public ShimFixture {
  CPPUNIT_TEST_SUITE(ShimEndTest);
  CPPUNIT_TEST(a_peer_is_told_as_he_was_named);
  CPPUNIT_TEST(an_end_of_this_host_is_told_as_it_was_named);
  CPPUNIT_TEST(without_an_identity_it_is_anybodys);
  CPPUNIT_TEST(flags_are_passed_on);
  CPPUNIT_TEST(addresses_are_chosen_by_family_and_once);
  CPPUNIT_TEST(what_cannot_be_is_refused);
  CPPUNIT_TEST(broken_endpoints_are_refused);
  CPPUNIT_TEST(what_the_broker_refuses_is_told);
  CPPUNIT_TEST(descriptors_of_the_other_kind_are_refused);
  CPPUNIT_TEST(identities_are_endpoints);
  CPPUNIT_TEST(a_name_becomes_an_end);
  CPPUNIT_TEST(an_anonymous_end_wants_no_proof);
  CPPUNIT_TEST(a_passive_name_is_an_end_of_this_host);
  CPPUNIT_TEST(no_name_is_a_wildcard);
  CPPUNIT_TEST(what_the_resolver_refuses);
  CPPUNIT_TEST(plain_names_are_the_systems);
  CPPUNIT_TEST(without_a_broker_there_is_no_such_family);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_peer_is_told_as_he_was_named() {
    const OwnEndpoint server = named("fqdn:server.example.org");
    const List at = addresses({"127.0.0.1", "::1"});
    const OwnEnd ed(getpeered(server.get(), "7000", at.get(), 0));
    CPPUNIT_ASSERT(ed && ed->ed_family == AF_SHIM && ed->ed_port == htons(7000));
    const Endpoint wanted{false, true, "fqdn:server.example.org", {loopback(), *channel::parse_address("::1")}};
    CPPUNIT_ASSERT(asked_.endpoint == wanted && asked_.reuse == Reuse::user);
    endpoint* who = nullptr;
    addrinfo* list = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, getpeeredinfo(ed.get(), &who, &list));
    const OwnEndpoint own_who(who);
    const List own_list(list);
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:server.example.org"), name_of(who));
    CPPUNIT_ASSERT(list->ai_family == AF_INET && list->ai_next->ai_family == AF_INET6 && !list->ai_next->ai_next);
    CPPUNIT_ASSERT(reinterpret_cast<const sockaddr_in*>(list->ai_addr)->sin_port == htons(7000));
    CPPUNIT_ASSERT_EQUAL(0, getpeeredinfo(ed.get(), nullptr, nullptr));
  }

  void an_end_of_this_host_is_told_as_it_was_named() {
    const OwnEndpoint own = named("fqdn:client.example.org");
    const List at = addresses({"127.0.0.1"});
    const OwnEnd ed(getlocaled(own.get(), nullptr, at.get(), nullptr, 0));
    CPPUNIT_ASSERT(ed && ed->ed_port == 0);
    const Endpoint wanted{true, true, "fqdn:client.example.org", {loopback()}};
    CPPUNIT_ASSERT(asked_.endpoint == wanted);
    endpoint* who = nullptr;
    addrinfo* list = nullptr;
    struct if_nameindex none{};
    struct if_nameindex* interfaces = &none;
    CPPUNIT_ASSERT_EQUAL(0, getlocaledinfo(ed.get(), &who, &list, &interfaces));
    const OwnEndpoint own_who(who);
    const List own_list(list);
    CPPUNIT_ASSERT(name_of(who) == "fqdn:client.example.org" && list && !list->ai_next && !interfaces);
    CPPUNIT_ASSERT_EQUAL(0, getlocaledinfo(ed.get(), nullptr, nullptr, nullptr));
  }

  void without_an_identity_it_is_anybodys() {
    const OwnEnd ed(getlocaled(nullptr, "7000", nullptr, nullptr, 0));
    CPPUNIT_ASSERT(asked_.endpoint == (Endpoint{true, true, {}, {}}));
    endpoint some{};
    endpoint* who = &some;
    addrinfo element{};
    addrinfo* list = &element;
    CPPUNIT_ASSERT_EQUAL(0, getlocaledinfo(ed.get(), &who, &list, nullptr));
    CPPUNIT_ASSERT(!who && !list);
  }

  void flags_are_passed_on() {
    for (const auto& [flags, reuse] : {std::pair(0, Reuse::user), std::pair(SHIM_ED_REUSE_UID, Reuse::user), std::pair(SHIM_ED_REUSE_GID, Reuse::group),
                                       std::pair(SHIM_ED_REUSE_GID | SHIM_ED_REUSE_ANY, Reuse::anybody)}) {
      const OwnEnd ed(getlocaled(nullptr, nullptr, nullptr, nullptr, flags));
      CPPUNIT_ASSERT(ed && asked_.reuse == reuse);
    }
  }

  void addresses_are_chosen_by_family_and_once() {
    const List both = addresses({"127.0.0.1", "::1", "127.0.0.1"});
    const OwnEnd all(getpeered(nullptr, nullptr, both.get(), 0));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, asked_.endpoint.addresses.size());
    const OwnEnd four(getpeered(nullptr, nullptr, both.get(), SHIM_ED_IPV4));
    CPPUNIT_ASSERT(asked_.endpoint.addresses == std::vector{loopback()});
    const OwnEnd six(getlocaled(nullptr, nullptr, both.get(), nullptr, SHIM_ED_IPV6));
    CPPUNIT_ASSERT(asked_.endpoint.addresses == std::vector{*channel::parse_address("::1")});
    sockaddr_in6 scoped{AF_INET6, 0, 0, {}, 7};
    scoped.sin6_addr.s6_addr[0] = 0xfe, scoped.sin6_addr.s6_addr[1] = 0x80, scoped.sin6_addr.s6_addr[15] = 1;
    addrinfo only{};
    only.ai_family = AF_INET6, only.ai_addrlen = sizeof scoped, only.ai_addr = reinterpret_cast<sockaddr*>(&scoped);
    expect_no_end(getpeered(nullptr, nullptr, &only, 0), EINVAL, IPSEC_E_BAD_ARGUMENT);
  }

  void what_cannot_be_is_refused() {
    const List both = addresses({"127.0.0.1", "::1"}), four = addresses({"127.0.0.1"}), all = addresses({"0.0.0.0"});
    struct if_nameindex some{};
    expect_no_end(getpeered(nullptr, nullptr, nullptr, 0), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_no_end(getpeered(nullptr, nullptr, all.get(), 0), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_no_end(getpeered(nullptr, nullptr, four.get(), SHIM_ED_IPV6), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_no_end(getpeered(nullptr, nullptr, four.get(), 32), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_no_end(getpeered(nullptr, "no such service", four.get(), 0), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_no_end(getlocaled(nullptr, nullptr, both.get(), nullptr, 0), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_no_end(getlocaled(nullptr, nullptr, nullptr, nullptr, SHIM_ED_IPV4), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_no_end(getlocaled(nullptr, nullptr, nullptr, &some, 0), EOPNOTSUPP, IPSEC_E_UNAVAILABLE);
    CPPUNIT_ASSERT_EQUAL(0, broker->requests(Verb::endpoint));
  }

  void broken_endpoints_are_refused() {
    const List four = addresses({"127.0.0.1"});
    const OwnEndpoint good = named("fqdn:a.example.org");
    ipsec_iToken_t token = nullptr;
    const auto refused = [&](const char* what, se_length_t length, se_family_t family) {
      const endpoint before = *good;
      *good = {length, family};
      expect_no_end(getpeered(good.get(), nullptr, four.get(), 0), EINVAL, IPSEC_E_BAD_NAME, what);
      expect_failure(shim_endpoint_to_iToken(good.get(), &token), EINVAL, IPSEC_E_BAD_NAME, what);
      *good = before;
    };
    refused("another family", good->length, 1), refused("no text", sizeof(endpoint), EF_IPSEC_ID), refused("no NUL", good->length - 1, EF_IPSEC_ID);
    refused("too long", sizeof(endpoint) + IPSEC_PEER_SIZE + 1, EF_IPSEC_ID), refused("nothing", 0, EF_IPSEC_ID);
    reinterpret_cast<char*>(good.get())[sizeof(endpoint)] = 0;
    refused("NUL inside", good->length, EF_IPSEC_ID);
    reinterpret_cast<char*>(good.get())[sizeof(endpoint)] = 'x';
    refused("no identity", good->length, EF_IPSEC_ID);
  }

  void what_the_broker_refuses_is_told() {
    const List four = addresses({"127.0.0.1"});
    const OwnEnd ed(getpeered(nullptr, nullptr, four.get(), 0));
    refusal_ = Code::NOT_ALLOWED;
    expect_no_end(getpeered(nullptr, nullptr, four.get(), SHIM_ED_REUSE_ANY), EPERM, IPSEC_E_NOT_ALLOWED);
    refusal_ = Code::NO_ENDPOINT;
    expect_failure(getpeeredinfo(ed.get(), nullptr, nullptr), EADDRNOTAVAIL, IPSEC_E_NO_ENDPOINT);
    broker.reset();
    expect_failure(getpeeredinfo(ed.get(), nullptr, nullptr), ECONNREFUSED, IPSEC_E_NO_BROKER);
    expect_no_end(getpeered(nullptr, nullptr, four.get(), 0), ECONNREFUSED, IPSEC_E_NO_BROKER);
  }

  void descriptors_of_the_other_kind_are_refused() {
    const sockaddr_ed peer = keep({false, true, {}, {loopback()}}), own = keep({true, true, {}, {}}), any{AF_SHIM, 0, htonl(SHIM_ED_ANY)}, plain{AF_INET, 0, 0};
    expect_failure(getlocaledinfo(&peer, nullptr, nullptr, nullptr), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(getpeeredinfo(&own, nullptr, nullptr), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(getpeeredinfo(&any, nullptr, nullptr), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(getlocaledinfo(&any, nullptr, nullptr, nullptr), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(getpeeredinfo(&plain, nullptr, nullptr), EAFNOSUPPORT, IPSEC_E_BAD_ARGUMENT);
    expect_failure(getpeeredinfo(nullptr, nullptr, nullptr), EINVAL, IPSEC_E_BAD_ARGUMENT);
  }

  void identities_are_endpoints() {
    const OwnIdentity wanted = wanted_identity("fqdn:a.example.org"), unnamed(ipsec_create_iToken());
    endpoint* made = nullptr;
    expect_failure(shim_endpoint_from_iToken(unnamed.get(), &made), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(shim_endpoint_from_iToken(nullptr, &made), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(shim_endpoint_from_iToken(wanted.get(), nullptr), EINVAL, IPSEC_E_BAD_ARGUMENT);
    report.peer_authenticated = false;
    const OwnIdentity unproven = end_of(protection_on(fd()), IPSEC_API_ATTR_peerId);
    expect_failure(shim_endpoint_from_iToken(unproven.get(), &made), EINVAL, IPSEC_E_BAD_ARGUMENT);
    const OwnEndpoint who = named("fqdn:a.example.org");
    ipsec_iToken_t back = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, shim_endpoint_to_iToken(who.get(), &back));
    const OwnIdentity own(back);
    CPPUNIT_ASSERT_EQUAL(0, ipsec_cmp_iToken(back, wanted.get()));
    expect_failure(shim_endpoint_to_iToken(nullptr, &back), EINVAL, IPSEC_E_BAD_ARGUMENT);
    expect_failure(shim_endpoint_to_iToken(who.get(), nullptr), EINVAL, IPSEC_E_BAD_ARGUMENT);
  }

  void a_name_becomes_an_end() {
    for (const int flags : {AI_ED, AI_ED | AI_ED_NOLOCATORS, AI_ED_NOLOCATORS, 0}) {
      const List found = look_up("127.0.0.1", "7000", flags | AI_CANONNAME, flags == 0 ? PF_SHIM : AF_UNSPEC);
      CPPUNIT_ASSERT(found && found->ai_family == PF_SHIM && found->ai_socktype == SOCK_STREAM && found->ai_addrlen == sizeof(sockaddr_ed) && !found->ai_next);
      CPPUNIT_ASSERT(end_in(found).ed_family == AF_SHIM && end_in(found).ed_port == htons(7000));
      CPPUNIT_ASSERT_EQUAL(std::string("127.0.0.1"), std::string(found->ai_canonname));
      const Endpoint wanted{false, true, {}, {loopback()}};
      CPPUNIT_ASSERT(kept(end_in(found)) == wanted);
    }
  }

  void an_anonymous_end_wants_no_proof() {
    const List found = look_up("127.0.0.1", nullptr, AI_ED | AI_ED_ANON);
    CPPUNIT_ASSERT(!kept(end_in(found)).proven && end_in(found).ed_port == 0);
  }

  void a_passive_name_is_an_end_of_this_host() {
    const List found = look_up("127.0.0.1", "7000", AI_ED | AI_PASSIVE);
    const Endpoint wanted{true, true, {}, {loopback()}};
    CPPUNIT_ASSERT(kept(end_in(found)) == wanted);
  }

  void no_name_is_a_wildcard() {
    for (const auto& [flags, value] : {std::pair(AI_ED | AI_PASSIVE, SHIM_ED_ANY), std::pair(AI_ED_ANY, SHIM_ED_ANY), std::pair(AI_ED_ANY_PUB, SHIM_ED_ANY_PUB),
                                       std::pair(AI_ED_ANY_ANON, SHIM_ED_ANY_ANON)}) {
      CPPUNIT_ASSERT_EQUAL(value, ntohl(end_in(look_up(nullptr, "7000", flags)).ed_val));
      CPPUNIT_ASSERT_EQUAL(std::uint16_t{0}, end_in(look_up(nullptr, nullptr, flags)).ed_port);
    }
    CPPUNIT_ASSERT_EQUAL(0, broker->requests(Verb::endpoint));
  }

  void what_the_resolver_refuses() {
    CPPUNIT_ASSERT_EQUAL(EAI_NONAME, problem(nullptr, "7000", AI_ED));
    CPPUNIT_ASSERT_EQUAL(EAI_BADFLAGS, problem("127.0.0.1", "7000", AI_ED_ANY));
    CPPUNIT_ASSERT_EQUAL(EAI_SOCKTYPE, problem("127.0.0.1", "7000", AI_ED, SOCK_DGRAM));
    CPPUNIT_ASSERT_EQUAL(EAI_NONAME, problem("no address", "7000", AI_ED | AI_NUMERICHOST));
    CPPUNIT_ASSERT_EQUAL(EAI_NONAME, problem("0.0.0.0", "7000", AI_ED));
    errno = 0;
    CPPUNIT_ASSERT(problem("127.0.0.1", "7000", AI_ED_RVS) == EAI_SYSTEM && errno == EOPNOTSUPP);
    refusal_ = Code::BUSY;
    CPPUNIT_ASSERT(problem("127.0.0.1", "7000", AI_ED) == EAI_SYSTEM && errno == EAGAIN);
    addrinfo hints{};
    hints.ai_flags = AI_ED;
    CPPUNIT_ASSERT_EQUAL(EAI_BADFLAGS, shim_getaddrinfo("127.0.0.1", "7000", &hints, nullptr));
  }

  void plain_names_are_the_systems() {
    const List found = look_up("127.0.0.1", "7000", 0);
    CPPUNIT_ASSERT(found->ai_family == AF_INET && !(found->ai_flags & AI_ED));
    addrinfo* list = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, shim_getaddrinfo("127.0.0.1", nullptr, nullptr, &list));
    shim_freeaddrinfo(list), shim_freeaddrinfo(nullptr);
    CPPUNIT_ASSERT_EQUAL(0, broker->connections());
  }

  void without_a_broker_there_is_no_such_family() {
    broker.reset();
    CPPUNIT_ASSERT(problem("127.0.0.1", "7000", AI_ED) == EAI_FAMILY && errno == EAFNOSUPPORT);
  }

 private:
  static OwnEndpoint named(const char* identity) {
    endpoint* made = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, shim_endpoint_from_iToken(wanted_identity(identity).get(), &made));
    return OwnEndpoint(made);
  }
  static std::string name_of(const endpoint* who) {
    ipsec_iToken_t token = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, shim_endpoint_to_iToken(who, &token));
    return text(OwnIdentity(token).get(), IPSEC_API_ATTR_identity);
  }
  // In this order.
  static List addresses(const std::vector<std::string>& texts) {
    addrinfo hints{}, *all = nullptr;
    hints.ai_flags = AI_NUMERICHOST, hints.ai_socktype = SOCK_STREAM;
    for (auto next = texts.rbegin(); next != texts.rend(); ++next) {
      addrinfo* one = nullptr;
      CPPUNIT_ASSERT_EQUAL(0, ::getaddrinfo(next->c_str(), nullptr, &hints, &one));
      one->ai_next = all, all = one;
    }
    return List(all);
  }
  static int resolve(const char* node, const char* service, int flags, int family, int type, addrinfo** found) {
    addrinfo hints{};
    hints.ai_flags = flags, hints.ai_family = family, hints.ai_socktype = type;
    return shim_getaddrinfo(node, service, &hints, found);
  }
  static List look_up(const char* node, const char* service, int flags, int family = AF_UNSPEC) {
    addrinfo* found = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, resolve(node, service, flags, family, 0, &found));
    return List(found);
  }
  static int problem(const char* node, const char* service, int flags, int type = 0) {
    addrinfo* found = nullptr;
    return resolve(node, service, flags, AF_UNSPEC, type, &found);
  }
  static sockaddr_ed end_in(const List& list) {
    sockaddr_ed ed;
    memcpy(&ed, list->ai_addr, sizeof ed);
    return ed;
  }
  static void expect_no_end(sockaddr_ed* made, int number, ipsec_err reason, const char* what = "") {
    const int found = errno;
    const OwnEnd own(made);
    errno = found;
    expect_failure(made ? 0 : -1, number, reason, what);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ShimEndTest);

}  // namespace
}  // namespace gssipsec::api
