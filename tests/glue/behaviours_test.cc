// SPDX-License-Identifier: MIT
// What MIT krb5's own test programs (src/tests/gssapi, by their names) show of a mechanism, shown for this one through the
// same libgssapi: one behaviour a test. t_bindings is in handshake_test.cc too, t_iov in iov_test.cc, the export of
// contexts in export_test.cc.
#include <cppunit/extensions/HelperMacros.h>

#include <cstring>
#include <memory>

#include "tests/glue/gss_support.h"
#include "tests/support/twin_broker.h"

namespace gssipsec::tests {
namespace {

using base::Code;
using protocol::Verb;

gss_OID_desc spnego{6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")}, krb5{9, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02")};

bool same(gss_OID a, gss_OID b) { return a && b && a->length == b->length && memcmp(a->elements, b->elements, a->length) == 0; }

class BehavioursTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BehavioursTest);
  CPPUNIT_TEST(t_accname_the_acceptor_learns_its_own_name);
  CPPUNIT_TEST(t_accname_a_credential_for_another_service_is_not_used);
  CPPUNIT_TEST(t_add_cred_needs_a_handle_to_write);
  CPPUNIT_TEST(t_add_cred_makes_a_credential);
  CPPUNIT_TEST(t_add_cred_refuses_a_second_element);
  CPPUNIT_TEST(t_add_cred_adds_beside_another_mechanism);
  CPPUNIT_TEST(t_add_cred_copies_into_a_new_handle);
  CPPUNIT_TEST(t_add_cred_from_reads_the_store);
  CPPUNIT_TEST(t_bindings_equal_through_spnego);
  CPPUNIT_TEST(t_bindings_different_through_spnego);
  CPPUNIT_TEST(t_bindings_of_the_initiator_alone);
  CPPUNIT_TEST(t_bindings_of_the_acceptor_alone);
  CPPUNIT_TEST(t_bindings_with_addresses);
  CPPUNIT_TEST(t_context_that_failed_does_nothing_more);
  CPPUNIT_TEST(t_context_under_way_does_nothing_yet);
  CPPUNIT_TEST(t_context_that_was_deleted_is_gone);
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
  CPPUNIT_TEST(t_inq_ctx_under_way);
  CPPUNIT_TEST(t_inq_ctx_complete);
  CPPUNIT_TEST(t_inq_mechs_name_lists_us_where_we_can_read_it);
  CPPUNIT_TEST(t_lifetime_is_the_same_everywhere);
  CPPUNIT_TEST(t_lifetime_of_credentials_is_indefinite);
  CPPUNIT_TEST(t_saslname_both_ways_beside_kerberos);
  CPPUNIT_TEST(t_saslname_attributes_have_names);
  CPPUNIT_TEST(mechs_are_found_by_attributes);
  CPPUNIT_TEST(t_prf_is_as_long_as_asked);
  CPPUNIT_TEST(t_spnego_carries_messages);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<TwinBroker> twin_;

  static void must(OM_uint32 major, OM_uint32 minor) { tests::must({major, minor}); }
  static void must(const Status& status) { tests::must(status); }
  static std::string number(const base::UniqueFd& fd) { return std::to_string(fd.get()); }

  static void spnego_pair(Pair& pair) {
    gss_OID_set_desc mechs{1, &spnego};
    for (const auto& [end, fd, usage] : {std::tuple{&pair.initiator, &pair.connection.client, GSS_C_INITIATE}, std::tuple{&pair.acceptor, &pair.connection.server, GSS_C_ACCEPT}}) {
      const std::string text = number(*fd);
      gss_key_value_element_desc element{"ipsec-socket", text.c_str()};
      const gss_key_value_set_desc store{1, &element};
      OM_uint32 minor;
      gss_release_cred(&minor, end->credential.out());
      must(gss_acquire_cred_from(&minor, GSS_C_NO_NAME, 0, &mechs, usage, &store, end->credential.out(), nullptr, nullptr), minor);
    }
    pair.initiator.mechanism = &spnego;
  }

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
  void t_accname_a_credential_for_another_service_is_not_used() {
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
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CRED}, usage_in(cred.get(), &krb5).first);
    CPPUNIT_ASSERT(mechs->count == 1 && same(mechs->elements, mech()) && initiator == 0 && acceptor == GSS_C_INDEFINITE);
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
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, add(GSS_C_NO_CREDENTIAL, &spnego, GSS_C_ACCEPT, cred.out()));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, add(cred.get(), mech(), GSS_C_INITIATE, nullptr, number(connection.client)));
    CPPUNIT_ASSERT((usage_in(cred.get(), mech()) == std::pair<OM_uint32, gss_cred_usage_t>{0, GSS_C_INITIATE}));
    CPPUNIT_ASSERT((usage_in(cred.get(), &spnego) == std::pair<OM_uint32, gss_cred_usage_t>{0, GSS_C_ACCEPT}));
  }

  void t_add_cred_copies_into_a_new_handle() {
    const Connection connection;
    GssCredential first, second;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, add(GSS_C_NO_CREDENTIAL, mech(), GSS_C_INITIATE, first.out(), number(connection.client)));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, add(first.get(), &spnego, GSS_C_ACCEPT, second.out()));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CRED}, usage_in(first.get(), &spnego).first);
    CPPUNIT_ASSERT((usage_in(second.get(), mech()) == std::pair<OM_uint32, gss_cred_usage_t>{0, GSS_C_INITIATE}));
    CPPUNIT_ASSERT((usage_in(second.get(), &spnego) == std::pair<OM_uint32, gss_cred_usage_t>{0, GSS_C_ACCEPT}));
    // The copy still names the socket.
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    OM_uint32 minor;
    GssCredential third;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, add(GSS_C_NO_CREDENTIAL, mech(), GSS_C_INITIATE, third.out(), number(connection.client)));
    must(gss_inquire_cred_by_oid(&minor, third.get(), project_oid(5), &set), minor);
    CPPUNIT_ASSERT(set->count == 1 && std::string(static_cast<char*>(set->elements[0].value), set->elements[0].length) == number(connection.client));
    gss_release_buffer_set(&minor, &set);
  }

  void t_add_cred_from_reads_the_store() {
    GssCredential cred;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_FAILURE}, add(GSS_C_NO_CREDENTIAL, mech(), GSS_C_INITIATE, cred.out(), "five"));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CRED}, add(GSS_C_NO_CREDENTIAL, mech(), GSS_C_INITIATE, cred.out(), "9999"));
  }

  static void bound(Pair& pair, const std::string& initiator, const std::string& acceptor) {
    pair.initiator.bindings = initiator;
    pair.acceptor.bindings = acceptor;
  }

  void t_bindings_equal_through_spnego() {
    Pair pair;
    spnego_pair(pair);
    bound(pair, "tls-unique:a", "tls-unique:a");
    pair.must_shake();
    CPPUNIT_ASSERT(pair.acceptor.flags & GSS_C_CHANNEL_BOUND_FLAG);
  }

  void t_bindings_different_through_spnego() {
    Pair pair;
    spnego_pair(pair);
    bound(pair, "tls-unique:a", "tls-unique:b");
    const Status status = pair.shake();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(message_of(status), OM_uint32{GSS_S_BAD_BINDINGS}, GSS_ROUTINE_ERROR(status.major));
  }

  // RFC 5554: an acceptor without bindings takes no notice, one with bindings does not insist; neither is told "bound".
  void t_bindings_of_the_initiator_alone() {
    Pair pair;
    bound(pair, "tls-unique:a", "");
    pair.must_shake();
    CPPUNIT_ASSERT(!(pair.acceptor.flags & GSS_C_CHANNEL_BOUND_FLAG) && !(pair.initiator.flags & GSS_C_CHANNEL_BOUND_FLAG));
  }

  void t_bindings_of_the_acceptor_alone() {
    Pair pair;
    bound(pair, "", "tls-unique:a");
    pair.must_shake();
    CPPUNIT_ASSERT(!(pair.acceptor.flags & GSS_C_CHANNEL_BOUND_FLAG) && !(pair.initiator.flags & GSS_C_CHANNEL_BOUND_FLAG));
  }

  void t_bindings_with_addresses() {
    const auto shake = [](OM_uint32 type, const std::string& address) {
      Pair pair;
      gss_channel_bindings_struct own{}, other{};
      std::string data = "x";
      own.application_data = other.application_data = in(data);
      own.initiator_addrtype = GSS_C_AF_INET, own.initiator_address = in(data);
      other.initiator_addrtype = type, other.initiator_address = in(address);
      OM_uint32 minor, flags = 0, major = GSS_S_CONTINUE_NEEDED;
      for (std::string token; major == GSS_S_CONTINUE_NEEDED;) {
        Buffer hello, reply;
        gss_buffer_desc input = in(token);
        CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_CONTINUE_NEEDED},
                             gss_init_sec_context(&minor, pair.initiator.credential.get(), &pair.initiator.context, pair.target.get(), mech(), kUsualFlags, 0, &own,
                                                  &input, nullptr, &hello, nullptr, nullptr));
        major = gss_accept_sec_context(&minor, &pair.acceptor.context, pair.acceptor.credential.get(), &hello, &other, nullptr, nullptr, &reply, &flags, nullptr, nullptr);
        token = reply.str();
      }
      return std::pair{GSS_ROUTINE_ERROR(major), (flags & GSS_C_CHANNEL_BOUND_FLAG) != 0};
    };
    CPPUNIT_ASSERT(shake(GSS_C_AF_INET, "x") == std::pair(OM_uint32{0}, true));
    CPPUNIT_ASSERT(shake(GSS_C_AF_INET, "y") == std::pair(OM_uint32{GSS_S_BAD_BINDINGS}, false));
    CPPUNIT_ASSERT(shake(GSS_C_AF_UNSPEC, "x") == std::pair(OM_uint32{GSS_S_BAD_BINDINGS}, false));
  }

  // Every call that wants a complete context.
  static void all_refuse(gss_ctx_id_t& context) {
    std::string text = "text";
    gss_buffer_desc buffer = in(text);
    OM_uint32 minor, out = 9;
    Buffer output;
    int state = 9;
    gss_iov_buffer_desc iov[2] = {{GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE, {0, nullptr}}, {GSS_IOV_BUFFER_TYPE_DATA, buffer}};
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CONTEXT}, GSS_ROUTINE_ERROR(gss_wrap(&minor, context, 1, 0, &buffer, &state, &output)));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CONTEXT}, GSS_ROUTINE_ERROR(gss_get_mic(&minor, context, 0, &buffer, &output)));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CONTEXT}, GSS_ROUTINE_ERROR(gss_wrap_iov(&minor, context, 1, 0, &state, iov, 2)));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CONTEXT}, GSS_ROUTINE_ERROR(gss_wrap_size_limit(&minor, context, 1, 0, 100, &out)));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CONTEXT}, GSS_ROUTINE_ERROR(gss_context_time(&minor, context, &out)));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CONTEXT}, GSS_ROUTINE_ERROR(gss_pseudo_random(&minor, context, 0, &buffer, 8, &output)));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_NO_CONTEXT}, GSS_ROUTINE_ERROR(gss_export_sec_context(&minor, &context, &output)));
    CPPUNIT_ASSERT(GSS_ERROR(gss_unwrap(&minor, context, &buffer, &output, nullptr, nullptr)));
    CPPUNIT_ASSERT(GSS_ERROR(gss_verify_mic(&minor, context, &buffer, &buffer, nullptr)));
    CPPUNIT_ASSERT(GSS_ERROR(gss_process_context_token(&minor, context, &buffer)));
  }

  void t_context_that_failed_does_nothing_more() {
    Pair pair;
    std::string token;
    (void)pair.initiator.init(pair.target.get(), kUsualFlags, token);
    std::string garbage = "no token at all";
    CPPUNIT_ASSERT(GSS_ERROR(pair.initiator.init(pair.target.get(), kUsualFlags, garbage).major));
    CPPUNIT_ASSERT(pair.initiator.context != GSS_C_NO_CONTEXT);
    all_refuse(pair.initiator.context);
    OM_uint32 minor;
    must(gss_delete_sec_context(&minor, &pair.initiator.context, GSS_C_NO_BUFFER), minor);
    CPPUNIT_ASSERT(pair.initiator.context == GSS_C_NO_CONTEXT);
  }

  void t_context_under_way_does_nothing_yet() {
    twin_->knobs.retries = 1;
    Pair pair;
    std::string token;
    (void)pair.initiator.init(pair.target.get(), kUsualFlags, token);
    (void)pair.acceptor.accept(token);
    for (End* end : {&pair.initiator, &pair.acceptor}) all_refuse(end->context);
  }

  void t_context_that_was_deleted_is_gone() {
    Pair pair;
    pair.must_shake();
    OM_uint32 minor;
    Buffer token;
    must(gss_delete_sec_context(&minor, &pair.initiator.context, &token), minor);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("RFC 2743: no token is made any more", std::size_t{0}, token.length);
    all_refuse(pair.initiator.context);
    must(gss_delete_sec_context(&minor, &pair.initiator.context, GSS_C_NO_BUFFER), minor);
  }

  void t_credstore_ignores_keys_of_others() {
    const Connection connection;
    GssCredential credential;
    must(credential.acquire(GSS_C_INITIATE, {{"ccache", "FILE:/nonexistent"}, {"ipsec-socket", number(connection.client)}, {"client_keytab", "x"}, {"rcache", "none:"}}));
  }

  void t_credstore_reaches_us_through_spnego() {
    Pair pair;
    spnego_pair(pair);
    pair.must_shake();
    CPPUNIT_ASSERT(twin_->accepted->found == protocol::Found::named && twin_->initiated->found == protocol::Found::named);
    gss_OID mechanism = GSS_C_NO_OID;
    OM_uint32 minor;
    must(gss_inquire_context(&minor, pair.initiator.context, nullptr, nullptr, nullptr, &mechanism, nullptr, nullptr, nullptr), minor);
    CPPUNIT_ASSERT(same(mechanism, mech()));
  }

  void t_credstore_into_which_nothing_can_be_stored() {
    GssCredential credential;
    must(credential.acquire(GSS_C_ACCEPT, {}));
    gss_key_value_element_desc element{"ccache", "MEMORY:x"};
    const gss_key_value_set_desc store{1, &element};
    OM_uint32 minor;
    gss_OID_set stored = reinterpret_cast<gss_OID_set>(1);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, gss_store_cred_into(&minor, credential.get(), GSS_C_ACCEPT, mech(), 1, 0, &store, &stored, nullptr));
    CPPUNIT_ASSERT(stored == GSS_C_NO_OID_SET);
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
    spnego_pair(pair);
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
    CPPUNIT_ASSERT(GSS_ERROR(gss_canonicalize_name(&minor, pair.acceptor.source.get(), &krb5, other.out())));
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
      CPPUNIT_ASSERT(name.text() == "ipsec:fqdn:client.example.org" && found == usage && mechs->count == 1 && same(mechs->elements, mech()));
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

  struct Inquired {
    std::string source, target;
    OM_uint32 lifetime = 9, flags = 0;
    int local = 9, open = 9;
    bool ours = false;
  };
  static Inquired inquire(gss_ctx_id_t context) {
    Inquired out;
    GssName source, target;
    OM_uint32 minor;
    gss_OID mechanism = GSS_C_NO_OID;
    must(gss_inquire_context(&minor, context, source.out(), target.out(), &out.lifetime, &mechanism, &out.flags, &out.local, &out.open), minor);
    out.source = source.text(), out.target = target.text(), out.ours = same(mechanism, mech());
    return out;
  }

  void t_inq_ctx_under_way() {
    twin_->knobs.retries = 1;
    Pair pair;
    std::string token;
    (void)pair.initiator.init(pair.target.get(), kUsualFlags, token);
    (void)pair.acceptor.accept(token);
    for (End* end : {&pair.initiator, &pair.acceptor}) {
      const Inquired found = inquire(end->context);
      CPPUNIT_ASSERT(found.ours && found.open == 0 && found.lifetime == 0 && found.source.empty() && found.target.empty());
      CPPUNIT_ASSERT_EQUAL(end == &pair.initiator ? 1 : 0, found.local);
      CPPUNIT_ASSERT(!(found.flags & GSS_C_PROT_READY_FLAG));
    }
  }

  void t_inq_ctx_complete() {
    Pair pair;
    pair.must_shake();
    for (End* end : {&pair.initiator, &pair.acceptor}) {
      const Inquired found = inquire(end->context);
      CPPUNIT_ASSERT(found.ours && found.open == 1 && found.lifetime > 0 && found.flags == end->flags);
      CPPUNIT_ASSERT(found.source == "ipsec:fqdn:client.example.org" && found.target == "ipsec:fqdn:server.example.org");
      CPPUNIT_ASSERT(found.flags & GSS_C_MUTUAL_FLAG && found.flags & GSS_C_SEQUENCE_FLAG);
    }
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

  void t_lifetime_is_the_same_everywhere() {
    twin_->knobs.lifetime = 1234;
    Pair pair;
    pair.must_shake();
    for (End* end : {&pair.initiator, &pair.acceptor}) {
      OM_uint32 minor, left = 0;
      must(gss_context_time(&minor, end->context, &left), minor);
      for (const OM_uint32 told : {left, end->lifetime, inquire(end->context).lifetime}) CPPUNIT_ASSERT(told <= 1234 && told > 1200);
    }
    twin_->knobs.lifetime = 0;
    Pair endless;
    endless.must_shake();
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_C_INDEFINITE}, inquire(endless.acceptor.context).lifetime);
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
      if (!same(&mechs->elements[i], mech()) && !same(&mechs->elements[i], &krb5)) continue;
      Buffer sasl, name, description;
      gss_OID found = GSS_C_NO_OID;
      must(gss_inquire_saslname_for_mech(&minor, &mechs->elements[i], &sasl, &name, &description), minor);
      must(gss_inquire_mech_for_saslname(&minor, &sasl, &found), minor);
      CPPUNIT_ASSERT_MESSAGE(sasl.str(), same(found, &mechs->elements[i]));
      ours |= same(found, mech());
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

  void t_prf_is_as_long_as_asked() {
    Pair pair;
    pair.must_shake();
    std::string seed = "a", all;
    gss_buffer_desc input = in(seed);
    for (const ssize_t size : {1, 31, 32, 33, 44, 200}) {
      Buffer one, two;
      OM_uint32 minor;
      must(gss_pseudo_random(&minor, pair.initiator.context, GSS_C_PRF_KEY_FULL, &input, size, &one), minor);
      must(gss_pseudo_random(&minor, pair.acceptor.context, GSS_C_PRF_KEY_FULL, &input, size, &two), minor);
      CPPUNIT_ASSERT(one.length == static_cast<std::size_t>(size) && one.str() == two.str() && one.str().starts_with(all));
      all = one.str();
    }
    Buffer none;
    OM_uint32 minor;
    CPPUNIT_ASSERT(GSS_ERROR(gss_pseudo_random(&minor, pair.initiator.context, 7, &input, 8, &none)));
    CPPUNIT_ASSERT(GSS_ERROR(gss_pseudo_random(&minor, pair.initiator.context, GSS_C_PRF_KEY_FULL, &input, -1, &none)));
  }

  void t_spnego_carries_messages() {
    Pair pair;
    spnego_pair(pair);
    pair.must_shake();
    CPPUNIT_ASSERT(pair.initiator.flags & GSS_C_INTEG_FLAG);
    std::string token, text;
    must(pair.acceptor.wrap("through SPNEGO", token));
    must(pair.initiator.unwrap(token, text));
    CPPUNIT_ASSERT_EQUAL(std::string("through SPNEGO"), text);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(BehavioursTest);

}  // namespace
}  // namespace gssipsec::tests
