// SPDX-License-Identifier: MIT
// What MIT krb5's own test programs (src/tests/gssapi, by their names) show of a mechanism's credentials, names and texts, shown for
// this one through the same libgssapi: one behaviour a test. docs/developer.md has the list of programs.
#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include "tests/glue/gss_support.h"
#include "tests/support/twin_broker.h"

namespace gssipsec::tests {
namespace {

using base::Code;

class BehavioursTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BehavioursTest);
  CPPUNIT_TEST(t_accname_the_acceptor_learns_its_own_name);
  CPPUNIT_TEST(t_accname_the_broker_is_told_whose_credential_it_is);
  CPPUNIT_TEST(t_add_cred_needs_a_handle_to_write);
  CPPUNIT_TEST(t_add_cred_makes_a_credential);
  CPPUNIT_TEST(t_add_cred_refuses_a_second_element);
  CPPUNIT_TEST(t_add_cred_adds_beside_another_mechanism);
  CPPUNIT_TEST(t_add_cred_copies_into_a_new_handle);
  CPPUNIT_TEST(t_add_cred_from_reads_the_store);
  CPPUNIT_TEST(t_credstore_ignores_keys_of_others);
  CPPUNIT_TEST(t_credstore_reaches_us_through_spnego);
  CPPUNIT_TEST(t_credstore_into_which_nothing_can_be_stored);
  CPPUNIT_TEST(t_credstore_by_password_is_refused);
  CPPUNIT_TEST(t_err_of_another_mechanism);
  CPPUNIT_TEST(t_err_texts_come_through_the_mechglue);
  CPPUNIT_TEST(t_err_of_nothing);
  CPPUNIT_TEST(t_export_cred_of_both_kinds);
  CPPUNIT_TEST(t_export_cred_through_spnego);
  CPPUNIT_TEST(t_export_cred_keeps_name_and_usage);
  CPPUNIT_TEST(t_export_name_there_and_back);
  CPPUNIT_TEST(t_imp_name_every_identity_type);
  CPPUNIT_TEST(t_imp_name_into_other_mechanisms);
  CPPUNIT_TEST(t_inq_cred_by_usage);
  CPPUNIT_TEST(t_inq_cred_of_no_credential);
  CPPUNIT_TEST(t_inq_mechs_name_lists_us_where_we_can_read_it);
  CPPUNIT_TEST(t_lifetime_of_credentials_is_indefinite);
  CPPUNIT_TEST(t_saslname_both_ways_beside_kerberos);
  CPPUNIT_TEST(t_saslname_attributes_have_names);
  CPPUNIT_TEST(mechs_are_found_by_attributes);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<TwinBroker> twin_;

  static void must(OM_uint32 major, const OM_uint32& minor) { tests::must({major, minor}); }
  static void must(const Status& status) { tests::must(status); }
  static std::string number(const base::UniqueFd& fd) { return std::to_string(fd.get()); }

  static OM_uint32 add(gss_cred_id_t input, gss_OID mechanism, gss_cred_usage_t usage, gss_cred_id_t* output, const std::string& fd = {}) {
    gss_key_value_element_desc element{"ipsec-socket", fd.c_str()};
    const gss_key_value_set_desc store{1, &element};
    OM_uint32 minor;
    return gss_add_cred_from(&minor, input, GSS_C_NO_NAME, mechanism, usage, GSS_C_INDEFINITE, GSS_C_INDEFINITE, fd.empty() ? GSS_C_NO_CRED_STORE : &store,
                             output, nullptr, nullptr, nullptr);
  }
  static std::pair<OM_uint32, gss_cred_usage_t> usage_in(gss_cred_id_t cred, gss_OID mechanism) {
    gss_cred_usage_t usage = 9;
    OM_uint32 minor;
    const OM_uint32 major = gss_inquire_cred_by_mech(&minor, cred, mechanism, nullptr, nullptr, nullptr, &usage);
    return {major, usage};
  }

  static bool holds(gss_cred_id_t cred, gss_OID mechanism) {
    gss_OID_set mechs = GSS_C_NO_OID_SET;
    OM_uint32 minor;
    int present = 0;
    must(gss_inquire_cred(&minor, cred, nullptr, nullptr, nullptr, &mechs), minor);
    gss_test_oid_set_member(&minor, mechanism, mechs, &present);
    gss_release_oid_set(&minor, &mechs);
    return present == 1;
  }

 public:
  void setUp() override { twin_ = std::make_unique<TwinBroker>(); }
  void tearDown() override { twin_.reset(); }

  void t_accname_the_acceptor_learns_its_own_name() {
    Pair pair;
    pair.must_shake();
    GssName source, target;
    OM_uint32 minor;
    must(gss_inquire_context(&minor, pair.acceptor.context, source.out(), target.out(), nullptr, nullptr, nullptr, nullptr, nullptr), minor);
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:server.example.org"), target.text());
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:client.example.org"), source.text());
  }

  // Which service the credential is for goes to the broker, which compares it with what the initiator wants.
  void t_accname_the_broker_is_told_whose_credential_it_is() {
    const GssName service("host@server.example.org", GSS_C_NT_HOSTBASED_SERVICE);
    Pair pair;
    must(pair.acceptor.credential.acquire(GSS_C_ACCEPT, {{"ipsec-socket", number(pair.connection.server)}}, service.get()));
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(std::string("host"), twin_->accepted->service);
  }

  void t_add_cred_needs_a_handle_to_write() {
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_CALL_INACCESSIBLE_WRITE | GSS_S_NO_CRED},
                         gss_add_cred(&minor, GSS_C_NO_CREDENTIAL, GSS_C_NO_NAME, mech(), GSS_C_ACCEPT, 0, 0, nullptr, nullptr, nullptr, nullptr));
  }

  void t_add_cred_makes_a_credential() {
    GssCredential cred;
    OM_uint32 minor, initiator = 9, acceptor = 9;
    gss_OID_set mechs = GSS_C_NO_OID_SET;
    must(gss_add_cred(&minor, GSS_C_NO_CREDENTIAL, GSS_C_NO_NAME, mech(), GSS_C_ACCEPT, 0, 0, cred.out(), &mechs, &initiator, &acceptor), minor);
    CPPUNIT_ASSERT((usage_in(cred.get(), mech()) == std::pair<OM_uint32, gss_cred_usage_t>{0, GSS_C_ACCEPT}));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CRED}, usage_in(cred.get(), krb5_mech()).first);
    CPPUNIT_ASSERT(mechs->count == 1 && same_oid(mechs->elements, mech()) && initiator == 0 && acceptor == GSS_C_INDEFINITE);
    gss_release_oid_set(&minor, &mechs);
  }

  void t_add_cred_refuses_a_second_element() {
    GssCredential cred;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, add(GSS_C_NO_CREDENTIAL, mech(), GSS_C_ACCEPT, cred.out()));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_DUPLICATE_ELEMENT}, add(cred.get(), mech(), GSS_C_ACCEPT, nullptr));
  }

  void t_add_cred_adds_beside_another_mechanism() {
    const Connection connection;
    GssCredential cred;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, add(GSS_C_NO_CREDENTIAL, spnego_mech(), GSS_C_ACCEPT, cred.out()));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, add(cred.get(), mech(), GSS_C_INITIATE, nullptr, number(connection.client)));
    CPPUNIT_ASSERT((usage_in(cred.get(), mech()) == std::pair<OM_uint32, gss_cred_usage_t>{0, GSS_C_INITIATE}));
    CPPUNIT_ASSERT(holds(cred.get(), spnego_mech()) && holds(cred.get(), mech()));
  }

  void t_add_cred_copies_into_a_new_handle() {
    const Connection connection;
    GssCredential first, second;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, add(GSS_C_NO_CREDENTIAL, mech(), GSS_C_INITIATE, first.out(), number(connection.client)));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, add(first.get(), spnego_mech(), GSS_C_ACCEPT, second.out()));
    CPPUNIT_ASSERT(!holds(first.get(), spnego_mech()) && holds(second.get(), spnego_mech()));
    CPPUNIT_ASSERT((usage_in(second.get(), mech()) == std::pair<OM_uint32, gss_cred_usage_t>{0, GSS_C_INITIATE}));
    // The copy still names the socket.
    Pair pair;
    GssCredential third;
    GssCredential named;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, add(GSS_C_NO_CREDENTIAL, mech(), GSS_C_INITIATE, named.out(), number(pair.connection.client)));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, add(named.get(), spnego_mech(), GSS_C_ACCEPT, third.out()));
    std::swap(*pair.initiator.credential.out(), *third.out());
    pair.must_shake();
  }

  void t_add_cred_from_reads_the_store() {
    GssCredential cred;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_FAILURE}, add(GSS_C_NO_CREDENTIAL, mech(), GSS_C_INITIATE, cred.out(), "five"));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CRED}, add(GSS_C_NO_CREDENTIAL, mech(), GSS_C_INITIATE, cred.out(), "9999"));
  }

  void t_credstore_ignores_keys_of_others() {
    const Connection connection;
    GssCredential credential;
    must(credential.acquire(GSS_C_INITIATE, {{"ccache", "FILE:/nonexistent"}, {"ipsec-socket", number(connection.client)}, {"client_keytab", "x"}, {"rcache", "none:"}}));
  }

  void t_credstore_reaches_us_through_spnego() {
    Pair pair;
    through_spnego(pair);
    pair.must_shake();
    CPPUNIT_ASSERT(twin_->accepted->found == protocol::Found::named && twin_->initiated->found == protocol::Found::named);
    gss_OID mechanism = GSS_C_NO_OID;
    OM_uint32 minor;
    must(gss_inquire_context(&minor, pair.initiator.context, nullptr, nullptr, nullptr, &mechanism, nullptr, nullptr, nullptr), minor);
    CPPUNIT_ASSERT(same_oid(mechanism, mech()));
  }

  // Named, it is libgssapi that answers, for a mechanism that stores nothing; beside Kerberos: union_test.cc.
  void t_credstore_into_which_nothing_can_be_stored() {
    const base::UniqueFd file(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    GssCredential credential;
    must(credential.acquire(GSS_C_ACCEPT, {}));
    const std::string cache = "FILE:/proc/self/fd/" + number(file);
    gss_key_value_element_desc element{"ccache", cache.c_str()};
    const gss_key_value_set_desc store{1, &element};
    OM_uint32 minor;
    gss_OID_set stored = reinterpret_cast<gss_OID_set>(1);
    (void)gss_store_cred_into(&minor, credential.get(), GSS_C_ACCEPT, mech(), 1, 0, &store, &stored, nullptr);
    CPPUNIT_ASSERT(stored == GSS_C_NO_OID_SET);
    stored = reinterpret_cast<gss_OID_set>(1);
    CPPUNIT_ASSERT(GSS_ERROR(gss_store_cred_into(&minor, credential.get(), GSS_C_ACCEPT, GSS_C_NO_OID, 1, 0, &store, &stored, nullptr)));
    CPPUNIT_ASSERT(stored == GSS_C_NO_OID_SET);
    CPPUNIT_ASSERT_EQUAL(off_t{0}, lseek(file.get(), 0, SEEK_END));
  }

  void t_credstore_by_password_is_refused() {
    std::string word = "secret";
    gss_buffer_desc password = in(word);
    gss_OID_set_desc mechs{1, mech()};
    const GssName alice("alice", GSS_C_NT_USER_NAME);
    GssCredential credential;
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, gss_acquire_cred_with_password(&minor, alice.get(), &password, 0, &mechs, GSS_C_INITIATE, credential.out(), nullptr, nullptr));
    CPPUNIT_ASSERT(credential.get() == GSS_C_NO_CREDENTIAL);
  }

  void t_err_of_another_mechanism() {
    Pair pair;
    pair.initiator.mechanism = project_oid(99);
    std::string token;
    const Status status = pair.initiator.init(pair.target.get(), 0, token);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_MECH}, GSS_ROUTINE_ERROR(status.major));
    CPPUNIT_ASSERT(pair.initiator.context == GSS_C_NO_CONTEXT && token.empty());
  }

  void t_err_texts_come_through_the_mechglue() {
    GssCredential credential;
    const Status status = credential.acquire(GSS_C_INITIATE, {});
    OM_uint32 minor, more = 0;
    Buffer text, again;
    must(gss_display_status(&minor, status.minor, GSS_C_MECH_CODE, mech(), &more, &text), minor);
    CPPUNIT_ASSERT_MESSAGE(text.str(), more == 0 && text.str().starts_with("no socket was named"));
    must(gss_display_status(&minor, status.minor, GSS_C_MECH_CODE, mech(), &more, &again), minor);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("asking changes nothing", text.str(), again.str());
  }

  void t_err_of_nothing() {
    OM_uint32 minor, more = 0;
    Buffer text;
    must(gss_display_status(&minor, 0, GSS_C_MECH_CODE, mech(), &more, &text), minor);
    CPPUNIT_ASSERT(text.length != 0 && more == 0);
  }

  static void out_and_in(GssCredential& credential) {
    Buffer token;
    OM_uint32 minor;
    must(gss_export_cred(&minor, credential.get(), &token), minor);
    gss_release_cred(&minor, credential.out());
    must(gss_import_cred(&minor, &token, credential.out()), minor);
  }

  void t_export_cred_of_both_kinds() {
    Pair pair;
    out_and_in(pair.initiator.credential);
    out_and_in(pair.acceptor.credential);
    pair.must_shake();
  }

  void t_export_cred_through_spnego() {
    Pair pair;
    through_spnego(pair);
    out_and_in(pair.initiator.credential);
    out_and_in(pair.acceptor.credential);
    pair.must_shake();
  }

  void t_export_cred_keeps_name_and_usage() {
    const GssName service("host@server.example.org", GSS_C_NT_HOSTBASED_SERVICE);
    GssCredential credential;
    must(credential.acquire(GSS_C_ACCEPT, {}, service.get()));
    out_and_in(credential);
    GssName name;
    gss_cred_usage_t usage = 9;
    OM_uint32 minor;
    must(gss_inquire_cred(&minor, credential.get(), name.out(), nullptr, &usage, nullptr), minor);
    CPPUNIT_ASSERT(name.text() == "host@server.example.org" && usage == GSS_C_ACCEPT);
  }

  static std::string canonical(const std::string& text, gss_OID type) {
    const GssName name(text, type);
    GssName own;
    OM_uint32 minor;
    const OM_uint32 major = gss_canonicalize_name(&minor, name.get(), mech(), own.out());
    return major == GSS_S_COMPLETE ? own.text() : message_of({major, minor});
  }

  void t_export_name_there_and_back() {
    Pair pair;
    pair.must_shake();
    Buffer first, second;
    GssName back;
    OM_uint32 minor;
    must(gss_export_name(&minor, pair.acceptor.source.get(), &first), minor);
    must(gss_import_name(&minor, &first, GSS_C_NT_EXPORT_NAME, back.out()), minor);
    must(gss_export_name(&minor, back.get(), &second), minor);
    int equal = 0;
    must(gss_compare_name(&minor, back.get(), pair.acceptor.source.get(), &equal), minor);
    CPPUNIT_ASSERT(first.str() == second.str() && equal == 1);
  }

  void t_imp_name_every_identity_type() {
    const std::string hash(64, 'a');
    const std::pair<std::string, std::string> typed[] = {
        {"fqdn:Host.Example.Org", "ipsec:fqdn:host.example.org"}, {"rfc822:a@b.org", "ipsec:rfc822:a%40b.org"}, {"dn:C=CH, CN=host", "ipsec:dn:C%3DCH%2C%20CN%3Dhost"},
        {"ipv4:10.1.0.2", "ipsec:ipv4:10.1.0.2"}, {"ipv6:2001:db8::1", "ipsec:ipv6:2001%3Adb8%3A%3A1"}, {"key-id:router7", "ipsec:key-id:router7"},
        {"key:sha256:" + hash, "ipsec:key:sha256:" + hash}, {"hit:2001:20::1", "ipsec:hit:2001%3A20%3A%3A1"}};
    for (const auto& [text, shown] : typed) {
      CPPUNIT_ASSERT_EQUAL(shown, canonical(text, project_oid(3)));
      CPPUNIT_ASSERT_EQUAL(shown, canonical(shown, project_oid(3)));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("ldap@server"), canonical("ldap@server", GSS_C_NT_HOSTBASED_SERVICE));
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), canonical("alice", GSS_C_NT_USER_NAME));
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:anonymous"), canonical("x", GSS_C_NT_ANONYMOUS));
  }

  // Nothing of ours means anything to Kerberos: no name of one is a name of the other.
  void t_imp_name_into_other_mechanisms() {
    Pair pair;
    pair.must_shake();
    GssName other;
    OM_uint32 minor;
    CPPUNIT_ASSERT(GSS_ERROR(gss_canonicalize_name(&minor, pair.acceptor.source.get(), krb5_mech(), other.out())));
  }

  void t_inq_cred_by_usage() {
    const Connection connection;
    for (const gss_cred_usage_t usage : {GSS_C_INITIATE, GSS_C_ACCEPT, GSS_C_BOTH}) {
      GssCredential credential;
      must(credential.acquire(usage, {{"ipsec-socket", number(connection.client)}}));
      GssName name;
      OM_uint32 minor, lifetime = 0, initiator = 9, acceptor = 9;
      gss_cred_usage_t found = 9;
      gss_OID_set mechs = GSS_C_NO_OID_SET;
      must(gss_inquire_cred(&minor, credential.get(), name.out(), &lifetime, &found, &mechs), minor);
      CPPUNIT_ASSERT(name.text() == "ipsec:fqdn:client.example.org" && found == usage && mechs->count == 1 && same_oid(mechs->elements, mech()));
      gss_release_oid_set(&minor, &mechs);
      must(gss_inquire_cred_by_mech(&minor, credential.get(), mech(), nullptr, &initiator, &acceptor, &found), minor);
      CPPUNIT_ASSERT_EQUAL(usage == GSS_C_ACCEPT ? 0 : GSS_C_INDEFINITE, initiator);
      CPPUNIT_ASSERT_EQUAL(usage == GSS_C_INITIATE ? 0 : GSS_C_INDEFINITE, acceptor);
    }
  }

  // The default is an initiator's, and without a socket there is none.
  void t_inq_cred_of_no_credential() {
    OM_uint32 minor;
    GssName name;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CRED}, gss_inquire_cred_by_mech(&minor, GSS_C_NO_CREDENTIAL, mech(), name.out(), nullptr, nullptr, nullptr));
    CPPUNIT_ASSERT_EQUAL(minor_of(Code::NO_SOCKET), minor);
  }

  static bool lists_us(const std::string& text, gss_OID type) {
    const GssName name(text, type);
    gss_OID_set mechs = GSS_C_NO_OID_SET;
    OM_uint32 minor;
    int present = 0;
    must(gss_inquire_mechs_for_name(&minor, name.get(), &mechs), minor);
    gss_test_oid_set_member(&minor, mech(), mechs, &present);
    gss_release_oid_set(&minor, &mechs);
    return present == 1;
  }

  void t_inq_mechs_name_lists_us_where_we_can_read_it() {
    CPPUNIT_ASSERT(lists_us("ldap@server", GSS_C_NT_HOSTBASED_SERVICE) && lists_us("alice", GSS_C_NT_USER_NAME) && lists_us("fqdn:host", project_oid(3)));
    CPPUNIT_ASSERT(!lists_us("0", GSS_C_NT_STRING_UID_NAME));
  }

  void t_lifetime_of_credentials_is_indefinite() {
    gss_OID_set_desc mechs{1, mech()};
    GssCredential credential;
    OM_uint32 minor, told = 0, inquired = 0;
    must(gss_acquire_cred(&minor, GSS_C_NO_NAME, 60, &mechs, GSS_C_ACCEPT, credential.out(), nullptr, &told), minor);
    must(gss_inquire_cred(&minor, credential.get(), nullptr, &inquired, nullptr, nullptr), minor);
    CPPUNIT_ASSERT(told == GSS_C_INDEFINITE && inquired == GSS_C_INDEFINITE);
  }

  // Ours does not stand in the way of the other's.
  void t_saslname_both_ways_beside_kerberos() {
    gss_OID_set mechs = GSS_C_NO_OID_SET;
    OM_uint32 minor;
    must(gss_indicate_mechs(&minor, &mechs), minor);
    bool ours = false;
    for (std::size_t i = 0; i < mechs->count; ++i) {
      if (!same_oid(&mechs->elements[i], mech()) && !same_oid(&mechs->elements[i], krb5_mech())) continue;
      Buffer sasl, name, description;
      gss_OID found = GSS_C_NO_OID;
      must(gss_inquire_saslname_for_mech(&minor, &mechs->elements[i], &sasl, &name, &description), minor);
      must(gss_inquire_mech_for_saslname(&minor, &sasl, &found), minor);
      CPPUNIT_ASSERT_MESSAGE(sasl.str(), same_oid(found, &mechs->elements[i]));
      ours |= same_oid(found, mech());
    }
    CPPUNIT_ASSERT(ours);
    gss_release_oid_set(&minor, &mechs);
  }

  void t_saslname_attributes_have_names() {
    gss_OID_set own = GSS_C_NO_OID_SET, known = GSS_C_NO_OID_SET;
    OM_uint32 minor;
    must(gss_inquire_attrs_for_mech(&minor, mech(), &own, &known), minor);
    for (gss_OID_set set : {own, known})
      for (std::size_t i = 0; i < set->count; ++i) {
        Buffer name, brief, full;
        must(gss_display_mech_attr(&minor, &set->elements[i], &name, &brief, &full), minor);
        CPPUNIT_ASSERT(name.str().starts_with("GSS_C_MA_"));
      }
    for (gss_OID_set* set : {&own, &known}) gss_release_oid_set(&minor, set);
  }

  static bool found_by(gss_OID wanted, gss_OID unwanted) {
    gss_OID_set_desc yes{wanted ? 1u : 0u, wanted}, no{unwanted ? 1u : 0u, unwanted};
    gss_OID_set mechs = GSS_C_NO_OID_SET;
    OM_uint32 minor;
    int present = 0;
    must(gss_indicate_mechs_by_attrs(&minor, wanted ? &yes : nullptr, unwanted ? &no : nullptr, nullptr, &mechs), minor);
    gss_test_oid_set_member(&minor, mech(), mechs, &present);
    gss_release_oid_set(&minor, &mechs);
    return present == 1;
  }

  // RFC 5587, as SPNEGO and Cyrus ask.
  void mechs_are_found_by_attributes() {
    for (const gss_const_OID wanted : {GSS_C_MA_CBINDINGS, GSS_C_MA_AUTH_TARG, GSS_C_MA_CTX_TRANS, GSS_C_MA_MECH_CONCRETE}) CPPUNIT_ASSERT(found_by(const_cast<gss_OID>(wanted), nullptr));
    for (const gss_const_OID unwanted : {GSS_C_MA_DEPRECATED, GSS_C_MA_NOT_DFLT_MECH, GSS_C_MA_MECH_NEGO}) CPPUNIT_ASSERT(found_by(nullptr, const_cast<gss_OID>(unwanted)));
    CPPUNIT_ASSERT(!found_by(const_cast<gss_OID>(GSS_C_MA_PFS), nullptr) && !found_by(nullptr, const_cast<gss_OID>(GSS_C_MA_WRAP)));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(BehavioursTest);

}  // namespace
}  // namespace gssipsec::tests
