// SPDX-License-Identifier: MIT
// Identity tokens: what they say, when they are equal, and what is kept of them.
#include <array>
#include <cstring>

#include "ipsecapi/tokens.h"
#include "tests/unit/ipsecapi/reports.h"

namespace gssipsec::api {
namespace {

std::string exported(const OwnIdentity& token) {
  std::array<char, IPSEC_IDENTITY_SIZE> room;
  std::size_t size = room.size();
  CPPUNIT_ASSERT_EQUAL(0, ipsec_export_iToken(token.get(), room.data(), &size));
  return {room.data(), size};
}

int imported(const std::string& octets, OwnIdentity& token) {
  ipsec_iToken_t made = nullptr;
  const int result = ipsec_import_iToken(octets.data(), octets.size(), &made);
  token.reset(made);
  return result;
}

class IdentityTokenTest : public ApiFixture {
  CPPUNIT_TEST_SUITE(IdentityTokenTest);
  CPPUNIT_TEST(attributes_of_who_is_found);
  CPPUNIT_TEST(every_method_has_its_number);
  CPPUNIT_TEST(the_proven_and_the_wanted_compare);
  CPPUNIT_TEST(the_unproven_is_like_nothing);
  CPPUNIT_TEST(our_own_end_is_proven_by_what_is_ours_alone);
  CPPUNIT_TEST(what_is_kept_comes_back_wanted);
  CPPUNIT_TEST(the_unproven_is_not_kept);
  CPPUNIT_TEST(broken_octets_are_refused);
  CPPUNIT_TEST(what_was_found_cannot_be_renamed);
  CPPUNIT_TEST_SUITE_END();

 public:
  void attributes_of_who_is_found() {
    OwnIdentity peer = found();
    CPPUNIT_ASSERT_EQUAL(1u, number(peer.get(), IPSEC_API_ATTR_authenticated));
    CPPUNIT_ASSERT_EQUAL(2u, number(peer.get(), IPSEC_API_ATTR_ikeIdType));
    CPPUNIT_ASSERT_EQUAL(std::string("server.example.org"), text(peer.get(), IPSEC_API_ATTR_ikeIdData));
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:server.example.org (certificate)"), text(peer.get(), IPSEC_API_ATTR_auditString));
    no_data(peer, IPSEC_API_ATTR_certificateDN), no_data(peer, IPSEC_API_ATTR_pubKeyID);
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:server.example.org"), text(peer.get(), IPSEC_API_ATTR_certificateAltName));
    std::uint32_t length = 0;
    expect_failure(ipsec_get_token_attr(peer.get(), IPSEC_API_ATTR_mode, &length, nullptr), EINVAL, IPSEC_E_BAD_ARGUMENT);
    report.peer_id = "dn:C=CH, O=Example";
    CPPUNIT_ASSERT_EQUAL(std::string("C=CH, O=Example"), text((peer = found()).get(), IPSEC_API_ATTR_certificateDN));
    no_data(peer, IPSEC_API_ATTR_certificateAltName);
    report.peer_id = "fqdn:server.example.org", report.peer_method = "pre-shared key";
    no_data(peer = found(), IPSEC_API_ATTR_certificateAltName);
    report.peer_id = "key:sha256:" + std::string(64, 'a'), report.peer_method = "raw public key";
    CPPUNIT_ASSERT_EQUAL(std::string(64, 'a'), text((peer = found()).get(), IPSEC_API_ATTR_pubKeyID));
    report.peer_authenticated = false;
    peer = found();
    CPPUNIT_ASSERT_EQUAL(0u, number(peer.get(), IPSEC_API_ATTR_authenticated));
    no_data(peer, IPSEC_API_ATTR_pubKeyID);
    CPPUNIT_ASSERT(text(peer.get(), IPSEC_API_ATTR_auditString).ends_with("not proven)"));
  }

  void every_method_has_its_number() {
    const std::pair<channel::AuthMethod, std::uint32_t> methods[] = {
        {channel::AuthMethod::unknown, IPSEC_API_ATTR_authMeth_NONE}, {channel::AuthMethod::null_auth, IPSEC_API_ATTR_authMeth_NULL},
        {channel::AuthMethod::psk_group, IPSEC_API_ATTR_authMeth_GROUPKEY}, {channel::AuthMethod::psk_pair, IPSEC_API_ATTR_authMeth_PRESHAREDKEY},
        {channel::AuthMethod::certificate, IPSEC_API_ATTR_authMeth_PKIX_TRUSTED}, {channel::AuthMethod::raw_key, IPSEC_API_ATTR_authMeth_RAWKEY},
        {channel::AuthMethod::eap, IPSEC_API_ATTR_authMeth_EAP}, {channel::AuthMethod::manual, IPSEC_API_ATTR_authMeth_MANUAL}};
    for (const auto& [method, wanted] : methods) {
      report.peer_method = auth_method_name(method);
      CPPUNIT_ASSERT_EQUAL(wanted, number(found().get(), IPSEC_API_ATTR_authenticationMethod));
    }
    report.peer_method = "a method of next year";
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_authMeth_NONE}, number(found().get(), IPSEC_API_ATTR_authenticationMethod));
  }

  void the_proven_and_the_wanted_compare() {
    const OwnIdentity peer = found(), same = wanted_identity("fqdn:Server.example.org."), other = wanted_identity("fqdn:other.example.org");
    const OwnIdentity kind = wanted_identity("key-id:server.example.org");
    CPPUNIT_ASSERT_EQUAL(0, ipsec_cmp_iToken(peer.get(), same.get()));
    CPPUNIT_ASSERT_EQUAL(0, ipsec_cmp_iToken(peer.get(), found().get()));
    CPPUNIT_ASSERT_EQUAL(1, ipsec_cmp_iToken(peer.get(), other.get()));
    CPPUNIT_ASSERT_EQUAL(1, ipsec_cmp_iToken(peer.get(), kind.get()));
    ipsec_iToken_t copy = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_dup_iToken(peer.get(), &copy));
    const OwnIdentity owned(copy);
    CPPUNIT_ASSERT_EQUAL(0, ipsec_cmp_iToken(copy, same.get()));
  }

  void the_unproven_is_like_nothing() {
    report.peer_authenticated = false;
    const OwnIdentity peer = found(), same = wanted_identity("fqdn:server.example.org"), nobody(ipsec_create_iToken());
    CPPUNIT_ASSERT_EQUAL(1, ipsec_cmp_iToken(peer.get(), same.get()));
    CPPUNIT_ASSERT_EQUAL(1, ipsec_cmp_iToken(same.get(), peer.get()));
    CPPUNIT_ASSERT_EQUAL(1, ipsec_cmp_iToken(peer.get(), peer.get()));
    CPPUNIT_ASSERT_EQUAL(1, ipsec_cmp_iToken(nobody.get(), nobody.get()));
  }

  void our_own_end_is_proven_by_what_is_ours_alone() {
    for (const auto& [method, proven] : {std::pair("certificate", 1u), std::pair("pre-shared key of a group", 0u), std::pair("unknown", 0u)}) {
      report.local_method = method;
      CPPUNIT_ASSERT_EQUAL(proven, number(end_of(protection_on(fd()), IPSEC_API_ATTR_localId).get(), IPSEC_API_ATTR_authenticated));
    }
  }

  void what_is_kept_comes_back_wanted() {
    const std::string octets = exported(found());
    OwnIdentity kept;
    CPPUNIT_ASSERT_EQUAL(0, imported(octets, kept));
    CPPUNIT_ASSERT_EQUAL(0u, number(kept.get(), IPSEC_API_ATTR_authenticated));
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{IPSEC_API_ATTR_authMeth_NONE}, number(kept.get(), IPSEC_API_ATTR_authenticationMethod));
    CPPUNIT_ASSERT_EQUAL(0, ipsec_cmp_iToken(kept.get(), found().get()));
    CPPUNIT_ASSERT(exported(kept) == octets);
    report.peer_id = "dn:O=" + std::string(253, 'x');
    const OwnIdentity longest = found();
    std::size_t size = 0;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_export_iToken(longest.get(), nullptr, &size));
    CPPUNIT_ASSERT(size == 7 + 258 && size <= IPSEC_IDENTITY_SIZE);
    char room[7];
    expect_failure(ipsec_export_iToken(longest.get(), room, &(size = sizeof room)), ERANGE, IPSEC_E_BAD_ARGUMENT);
    CPPUNIT_ASSERT_EQUAL(std::size_t{265}, size);
  }

  void the_unproven_is_not_kept() {
    report.peer_authenticated = false;
    std::size_t size = 0;
    expect_failure(ipsec_export_iToken(found().get(), nullptr, &size), EACCES, IPSEC_E_PEER_UNAUTHENTICATED);
  }

  void broken_octets_are_refused() {
    const std::string octets = exported(found());
    OwnIdentity token;
    for (std::size_t length = 0; length < octets.size(); ++length) expect_failure(imported(octets.substr(0, length), token), EINVAL, IPSEC_E_BAD_NAME);
    expect_failure(imported(octets + "x", token), EINVAL, IPSEC_E_BAD_NAME);
    std::string changed = octets;
    changed[4] = 2;
    expect_failure(imported(changed, token), EINVAL, IPSEC_E_TOKEN_VERSION);
    (changed = octets)[0] = 'J';
    expect_failure(imported(changed, token), EINVAL, IPSEC_E_BAD_NAME);
    (changed = octets)[octets.size() - 1] = 'G';  // not canonical
    expect_failure(imported(changed, token), EINVAL, IPSEC_E_BAD_NAME);
    CPPUNIT_ASSERT(!token);
  }

  void what_was_found_cannot_be_renamed() {
    const OwnIdentity peer = found(), wish = wanted_identity("fqdn:a.example.org");
    const char name[] = "fqdn:other.example.org";
    expect_failure(ipsec_set_token_attr(peer.get(), IPSEC_API_ATTR_identity, sizeof name, name), EPERM, IPSEC_E_BAD_ARGUMENT);
    CPPUNIT_ASSERT_EQUAL(0, ipsec_set_token_attr(wish.get(), IPSEC_API_ATTR_identity, sizeof name, name));  // with its NUL
    CPPUNIT_ASSERT_EQUAL(std::string(name), text(wish.get(), IPSEC_API_ATTR_identity));
    expect_failure(ipsec_set_token_attr(wish.get(), IPSEC_API_ATTR_identity, 6, "nobody"), EINVAL, IPSEC_E_BAD_NAME);
    expect_failure(ipsec_set_token_attr(wish.get(), IPSEC_API_ATTR_authenticated, 4, "\1\0\0"), EINVAL, IPSEC_E_BAD_ARGUMENT);
    CPPUNIT_ASSERT_EQUAL(std::string(name), text(wish.get(), IPSEC_API_ATTR_identity));
  }

 private:
  OwnIdentity found() { return end_of(protection_on(fd()), IPSEC_API_ATTR_peerId); }
  static void no_data(const OwnIdentity& token, std::uint32_t attribute) {
    std::uint32_t length = 0;
    expect_failure(ipsec_get_token_attr(token.get(), attribute, &length, nullptr), ENODATA, IPSEC_E_UNAVAILABLE);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(IdentityTokenTest);

}  // namespace
}  // namespace gssipsec::api
