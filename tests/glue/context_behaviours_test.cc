// SPDX-License-Identifier: MIT
// The same of contexts: see behaviours_test.cc. t_iov is in iov_test.cc, the export of contexts in export_test.cc.
#include <cppunit/extensions/HelperMacros.h>

#include <memory>

#include "tests/glue/gss_support.h"
#include "tests/support/twin_broker.h"

namespace gssipsec::tests {
namespace {

using base::Code;

class ContextBehavioursTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ContextBehavioursTest);
  CPPUNIT_TEST(t_bindings_equal_through_spnego);
  CPPUNIT_TEST(t_bindings_different_through_spnego);
  CPPUNIT_TEST(t_bindings_of_the_initiator_alone);
  CPPUNIT_TEST(t_bindings_of_the_acceptor_alone);
  CPPUNIT_TEST(t_bindings_with_addresses);
  CPPUNIT_TEST(t_context_that_failed_does_nothing_more);
  CPPUNIT_TEST(t_context_under_way_does_nothing_yet);
  CPPUNIT_TEST(t_context_that_was_deleted_is_gone);
  CPPUNIT_TEST(t_inq_ctx_under_way);
  CPPUNIT_TEST(t_inq_ctx_complete);
  CPPUNIT_TEST(t_lifetime_is_the_same_everywhere);
  CPPUNIT_TEST(t_prf_is_as_long_as_asked);
  CPPUNIT_TEST(t_spnego_carries_messages);
  CPPUNIT_TEST(the_session_key_is_shared_and_of_its_context);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<TwinBroker> twin_;

  static void must(OM_uint32 major, const OM_uint32& minor) { tests::must({major, minor}); }
  static void must(const Status& status) { tests::must(status); }

 public:
  void setUp() override { twin_ = std::make_unique<TwinBroker>(); }
  void tearDown() override { twin_.reset(); }

  static void bound(Pair& pair, const std::string& initiator, const std::string& acceptor) {
    pair.initiator.bindings = initiator;
    pair.acceptor.bindings = acceptor;
  }

  void t_bindings_equal_through_spnego() {
    Pair pair;
    through_spnego(pair);
    bound(pair, "tls-unique:a", "tls-unique:a");
    pair.must_shake();
    CPPUNIT_ASSERT(pair.acceptor.flags & GSS_C_CHANNEL_BOUND_FLAG);
  }

  void t_bindings_different_through_spnego() {
    Pair pair;
    through_spnego(pair);
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
        Buffer forth, back;
        gss_buffer_desc input = in(token);
        CPPUNIT_ASSERT(!GSS_ERROR(gss_init_sec_context(&minor, pair.initiator.credential.get(), &pair.initiator.context, pair.target.get(), mech(), kUsualFlags, 0,
                                                       &own, &input, nullptr, &forth, nullptr, nullptr)));
        major = gss_accept_sec_context(&minor, &pair.acceptor.context, pair.acceptor.credential.get(), &forth, &other, nullptr, nullptr, &back, &flags, nullptr, nullptr);
        token = back.str();
      }
      return std::pair{GSS_ROUTINE_ERROR(major), (flags & GSS_C_CHANNEL_BOUND_FLAG) != 0};
    };
    CPPUNIT_ASSERT(shake(GSS_C_AF_INET, "x") == std::pair(OM_uint32{0}, true));
    CPPUNIT_ASSERT(shake(GSS_C_AF_INET, "y") == std::pair(OM_uint32{GSS_S_BAD_BINDINGS}, false));
    CPPUNIT_ASSERT(shake(GSS_C_AF_UNSPEC, "x") == std::pair(OM_uint32{GSS_S_BAD_BINDINGS}, false));
  }

  static gss_OID_desc question(char which) {
    static std::string octets[2] = {"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x0f", "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x05"};
    std::string& chosen = octets[which == 's' ? 0 : 1];
    return {static_cast<OM_uint32>(chosen.size()), chosen.data()};
  }

  // Neither a strength nor a key: who reads one takes the context for complete.
  static void tells_nothing(gss_ctx_id_t context) {
    for (const char which : {'s', 'k'}) {
      gss_OID_desc oid = question(which);
      gss_buffer_set_t set = reinterpret_cast<gss_buffer_set_t>(1);
      Status status;
      status.major = gss_inquire_sec_context_by_oid(&status.minor, context, &oid, &set);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(message_of(status), OM_uint32{GSS_S_NO_CONTEXT}, GSS_ROUTINE_ERROR(status.major));
      CPPUNIT_ASSERT(set == GSS_C_NO_BUFFER_SET);
      // Of no context at all libgssapi itself says so.
      if (context == GSS_C_NO_CONTEXT) continue;
      CPPUNIT_ASSERT_EQUAL(minor_of(Code::NO_CONTEXT), status.minor);
      CPPUNIT_ASSERT_MESSAGE(message_of(status), message_of(status).find("not established") != std::string::npos);
    }
  }

  // Every call that wants a complete context.
  static void all_refuse(gss_ctx_id_t& context) {
    tells_nothing(context);
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
    for (const int retries : {0, 1}) {
      twin_->knobs.retries = retries;
      Pair pair;
      std::string token;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_CONTINUE_NEEDED}, pair.initiator.init(pair.target.get(), kUsualFlags, token).major);
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_CONTINUE_NEEDED}, pair.acceptor.accept(token).major);
      for (End* end : {&pair.initiator, &pair.acceptor}) all_refuse(end->context);
    }
  }

  void t_context_that_was_deleted_is_gone() {
    Pair pair;
    pair.must_shake();
    OM_uint32 minor;
    Buffer token;
    must(gss_delete_sec_context(&minor, &pair.initiator.context, &token), minor);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("RFC 2743: no token is made any more", std::size_t{0}, token.length);
    all_refuse(pair.initiator.context);
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
    out.source = source.text(), out.target = target.text(), out.ours = same_oid(mechanism, mech());
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
      CPPUNIT_ASSERT(found.ours && found.open == 0 && (end == &pair.initiator ? found.target : found.source).empty());
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

  static std::string session_key(End& end) {
    gss_OID_desc oid = question('k');
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    OM_uint32 minor;
    must(gss_inquire_sec_context_by_oid(&minor, end.context, &oid, &set), minor);
    CPPUNIT_ASSERT(set->count == 2 && set->elements[0].length == 32);
    const std::string key(static_cast<const char*>(set->elements[0].value), set->elements[0].length);
    gss_release_buffer_set(&minor, &set);
    return key;
  }

  void the_session_key_is_shared_and_of_its_context() {
    Pair pair, other;
    pair.must_shake();
    other.must_shake();
    CPPUNIT_ASSERT(session_key(pair.initiator) == session_key(pair.acceptor) && session_key(other.initiator) != session_key(pair.initiator));
    std::string empty;
    gss_buffer_desc input = in(empty);
    OM_uint32 minor;
    Buffer prf, token;
    must(gss_pseudo_random(&minor, pair.initiator.context, GSS_C_PRF_KEY_FULL, &input, 32, &prf), minor);
    const std::string key = session_key(pair.initiator);
    CPPUNIT_ASSERT(prf.str() != key);
    must(gss_export_sec_context(&minor, &pair.initiator.context, &token), minor);
    CPPUNIT_ASSERT(token.str().find(key) == std::string::npos);
    must(gss_import_sec_context(&minor, &token, &pair.initiator.context), minor);
    CPPUNIT_ASSERT(session_key(pair.initiator) == key);
  }

  void t_spnego_carries_messages() {
    Pair pair;
    through_spnego(pair);
    pair.must_shake();
    CPPUNIT_ASSERT(pair.initiator.flags & GSS_C_INTEG_FLAG);
    std::string token, text;
    must(pair.acceptor.wrap("through SPNEGO", token));
    must(pair.initiator.unwrap(token, text));
    CPPUNIT_ASSERT_EQUAL(std::string("through SPNEGO"), text);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ContextBehavioursTest);

}  // namespace
}  // namespace gssipsec::tests
