// SPDX-License-Identifier: MIT
#include <cppunit/extensions/HelperMacros.h>

#include "gss-ipsec/gss_ipsec.h"
#include "mech_ipsec/credential.h"
#include "mech_ipsec/name.h"
#include "mech_ipsec/oids.h"

namespace gssipsec::mech {
namespace {

using base::Bytes;
using base::Code;

Name name(NameType type, const char* text) {
  auto made = import_name(type, text);
  CPPUNIT_ASSERT_MESSAGE(text, made.ok());
  return *std::move(made);
}

class MechNamesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MechNamesTest);
  CPPUNIT_TEST(kinds_of_names_never_export_alike);
  CPPUNIT_TEST(an_exported_name_has_one_spelling);
  CPPUNIT_TEST(broken_exported_names_are_refused);
  CPPUNIT_TEST(peers_and_local_users_are_told_apart);
  CPPUNIT_TEST(exported_credentials_are_read_strictly);
  CPPUNIT_TEST(descriptors_are_read_strictly);
  CPPUNIT_TEST(store_keys_of_others_are_ignored);
  CPPUNIT_TEST(the_public_header_says_what_the_code_does);
  CPPUNIT_TEST_SUITE_END();

  static Bytes exported(std::string_view text) {
    Bytes whole = *export_name(name(NameType::hostbased, "x@y"));
    const std::size_t head = whole.size() - std::string_view("service:x@y").size() - 4;
    whole.resize(head);
    base::Writer out;
    out.raw(whole).block32(base::view_of(text));
    return std::move(out).take();
  }

 public:
  void kinds_of_names_never_export_alike() {
    const Name service = name(NameType::hostbased, "alice"), user = name(NameType::user, "alice"), peer = name(NameType::ipsec_id, "fqdn:alice");
    CPPUNIT_ASSERT(*export_name(service) != *export_name(user) && *export_name(user) != *export_name(peer) && *export_name(service) != *export_name(peer));
    for (const Name& one : {service, user, peer}) CPPUNIT_ASSERT(*import_exported(*export_name(one)) == one);
  }

  void an_exported_name_has_one_spelling() {
    CPPUNIT_ASSERT(import_exported(exported("ipsec:fqdn:host")).ok());
    for (const char* other : {"fqdn:host", "ipsec:fqdn:HOST", "ipsec:fqdn:ho%73t", "service:x@Y", "ipsec:anonymous", "", "host", "user:", "service:"})
      CPPUNIT_ASSERT_MESSAGE(other, !import_exported(exported(other)).ok());
  }

  void broken_exported_names_are_refused() {
    const Bytes good = *export_name(name(NameType::ipsec_id, "ipsec:fqdn:h/u"));
    for (std::size_t size = 0; size < good.size(); ++size) CPPUNIT_ASSERT(!import_exported(base::View(good).first(size)).ok());
    for (std::size_t at = 0; at < 45; ++at) {
      Bytes changed = good;
      changed[at] ^= std::byte{4};
      CPPUNIT_ASSERT(!import_exported(changed).ok());
    }
    Bytes longer = good;
    longer.push_back(std::byte{'x'});
    CPPUNIT_ASSERT(!import_exported(longer).ok());
  }

  void peers_and_local_users_are_told_apart() {
    CPPUNIT_ASSERT(compare(name(NameType::user, "bob"), name(NameType::user, "bob")));
    CPPUNIT_ASSERT(!compare(name(NameType::user, "bob"), name(NameType::hostbased, "bob")));
    CPPUNIT_ASSERT(!compare(name(NameType::ipsec_id, "fqdn:h"), name(NameType::ipsec_id, "ipsec:fqdn:h/bob")));
    CPPUNIT_ASSERT(compare(name(NameType::ipsec_id, "fqdn:H"), name(NameType::ipsec_id, "ipsec:fqdn:h")));
    CPPUNIT_ASSERT(!compare(Name{}, Name{}));
    CPPUNIT_ASSERT(local_name(name(NameType::hostbased, "root@h")).error().code == Code::NO_LOCAL_NAME);
    CPPUNIT_ASSERT(local_name(Name{}).error().code == Code::NO_LOCAL_NAME);
  }

  void exported_credentials_are_read_strictly() {
    const auto octets = [](std::initializer_list<int> values) {
      Bytes out;
      for (const int value : values) out.push_back(static_cast<std::byte>(value));
      return out;
    };
    CPPUNIT_ASSERT(Credential::decode(octets({1, 2, 0})).ok());
    CPPUNIT_ASSERT(Credential::decode(octets({1, 1, 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9})).ok());
    for (const Bytes& bad : {octets({}), octets({2, 2, 0}), octets({1, 3, 0}), octets({1, 2, 16}), octets({1, 2, 0, 0}), octets({1, 2, 1}), octets({1, 2, 1, 0, 1, 9}),
                             octets({1, 1, 2, 0xff, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9}), octets({1, 1, 2, 0, 0, 0, 5})})
      CPPUNIT_ASSERT(!Credential::decode(bad).ok());
    const Bytes again = octets({1, 0, 15, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9});
    CPPUNIT_ASSERT(Credential::decode(again)->encode() == again);
  }

  void descriptors_are_read_strictly() {
    CPPUNIT_ASSERT_EQUAL(0, *parse_descriptor("0"));
    CPPUNIT_ASSERT_EQUAL(2147483647, *parse_descriptor("2147483647"));
    for (const char* bad : {"", "-1", "+1", " 1", "1 ", "01", "0x1", "2147483648", "99999999999", "1,2", "one"}) CPPUNIT_ASSERT_MESSAGE(bad, !parse_descriptor(bad).ok());
    CPPUNIT_ASSERT(!parse_descriptor(std::string_view("1\0", 2)).ok());
  }

  void store_keys_of_others_are_ignored() {
    const StoreEntry entries[] = {{"keytab", "FILE:x"}, {"ipsec-socket", "5"}, {"ipsec-Socket", "nonsense"}, {"ipsec-anonymous", "allow"}};
    const auto options = parse_store(entries);
    CPPUNIT_ASSERT(options.ok() && options->socket == 5 && options->allow_anonymous);
    const StoreEntry twice[] = {{"ipsec-socket", "5"}, {"ipsec-socket", "5"}};
    CPPUNIT_ASSERT(!parse_store(twice).ok());
  }

  void the_public_header_says_what_the_code_does() {
#define GSS_IPSEC_ERROR(number, name, text) CPPUNIT_ASSERT_EQUAL(0x49500000 + (number), static_cast<int>(GSS_IPSEC_E_##name));
#include "base/errors.def"
#undef GSS_IPSEC_ERROR
    const std::string_view octets(GSS_IPSEC_OID_OCTETS("\x03"), GSS_IPSEC_OID_LENGTH);
    CPPUNIT_ASSERT(octets == base::text_of(std::as_bytes(std::span(kNameType))));
    CPPUNIT_ASSERT_EQUAL(std::string(".4"), std::string(GSS_IPSEC_OID_THREAD_SOCKET).substr(std::string(GSS_IPSEC_OID_BASE).size()));
    CPPUNIT_ASSERT(kSetThreadSocket.back() == 4 && kSetCredentialSocket.back() == 5 && kMechanism.back() == 1);
    const StoreEntry entries[] = {{GSS_IPSEC_STORE_SOCKET, "7"}, {GSS_IPSEC_STORE_ANONYMOUS, "allow"}, {GSS_IPSEC_STORE_LAST_TOKEN, "acceptor"}};
    CPPUNIT_ASSERT(parse_store(entries)->socket == 7 && parse_store(entries)->allow_anonymous && parse_store(entries)->acceptor_ends);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MechNamesTest);

}  // namespace
}  // namespace gssipsec::mech
