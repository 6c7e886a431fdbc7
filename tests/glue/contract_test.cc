// SPDX-License-Identifier: MIT
// The plugin's own functions as the mechglue calls them, with everything that may come: null, other kinds of handles,
// memory that is no handle, and texts for every error.
#include <cppunit/extensions/HelperMacros.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

#include "tests/glue/gss_support.h"
#include "tests/support/source_dir.h"
#include "tests/support/twin_broker.h"

namespace gssipsec::tests {
namespace {

using base::Code;
using protocol::Verb;

// The plugin's file, from the configuration that libgssapi reads.
std::string plugin_path() {
  std::ifstream config(getenv("GSS_MECH_CONFIG"));
  for (std::string line; std::getline(config, line);) {
    std::istringstream words(line);
    std::string name, oid, path;
    if (line[0] != '#' && words >> name >> oid >> path) return path;
  }
  return {};
}

void* plugin() {
  static void* const handle = dlopen(plugin_path().c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!handle) throw std::runtime_error(dlerror());
  return handle;
}

// Which functions a test called.
std::set<std::string>& called() {
  static std::set<std::string> names;
  return names;
}

template <typename Function>
Function* own(const char* name) {
  called().insert(name);
  void* const found = dlsym(plugin(), name);
  if (!found) throw std::runtime_error(std::string("no ") + name);
  return reinterpret_cast<Function*>(found);
}
#define OWN(name) own<decltype(name)>(#name)
// Of the interposer: what stands before the same function.
#define BEFORE(name) own<decltype(gss_##name)>("gssi_" #name)

std::vector<std::string> exports() {
  std::ifstream map(support::source_path("gss-glue/mech_ipsec.map"));
  std::vector<std::string> names;
  for (std::string line; std::getline(map, line);) {
    const auto at = line.find_first_not_of(' ');
    if (at != std::string::npos && line.compare(at, 3, "gss") == 0) names.push_back(line.substr(at, line.find(';') - at));
  }
  return names;
}

// Those hand everything but contexts on to libgssapi, which hands it to Kerberos: names and credentials are libgssapi's own.
bool is_interposers(const std::string& name) { return name.starts_with("gssi_") || name == "gss_mech_interposer"; }

// All handles of the plugin itself, and things that are none.
struct Zoo {
  std::array<std::uint64_t, 64> garbage{};
  gss_name_t name = GSS_C_NO_NAME;
  gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
  gss_ctx_id_t context = GSS_C_NO_CONTEXT;
  Connection connection;
  // Of other mechanisms, as libgssapi has them.
  GssName foreign_name;
  GssCredential foreign_cred;

  Zoo() {
    garbage.fill(0x5a5a5a5a5a5a5a5a);
    OM_uint32 minor;
    std::string text = "test@server.example.org", fd = std::to_string(connection.client.get());
    gss_buffer_desc buffer = in(text);
    OWN(gss_import_name)(&minor, &buffer, GSS_C_NT_HOSTBASED_SERVICE, &name);
    gss_key_value_element_desc element{"ipsec-socket", fd.c_str()};
    const gss_key_value_set_desc store{1, &element};
    OWN(gss_acquire_cred_from)(&minor, GSS_C_NO_NAME, 0, GSS_C_NO_OID_SET, GSS_C_INITIATE, &store, &cred, nullptr, nullptr);
    Buffer token;
    OWN(gss_init_sec_context)(&minor, cred, &context, name, GSS_C_NO_OID, 0, 0, nullptr, nullptr, nullptr, &token, nullptr, nullptr);
    if (!name || !cred || !context) throw std::runtime_error("the plugin gives no handles");
    gss_OID_desc krb5{9, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02")}, spnego{6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};
    gss_OID_set_desc mechs{1, &spnego};
    const GssName service(text, GSS_C_NT_HOSTBASED_SERVICE);
    if (gss_canonicalize_name(&minor, service.get(), &krb5, foreign_name.out()) != 0 ||
        gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, &mechs, GSS_C_ACCEPT, foreign_cred.out(), nullptr, nullptr) != 0)
      throw std::runtime_error("libgssapi gives no handles of other mechanisms");
  }
  ~Zoo() {
    OM_uint32 minor;
    OWN(gss_release_name)(&minor, &name);
    OWN(gss_release_cred)(&minor, &cred);
    OWN(gss_delete_sec_context)(&minor, &context, nullptr);
  }
  // Everything that may stand where a pointer is wanted. The first is null.
  std::vector<void*> pointers() {
    return {nullptr, garbage.data(), reinterpret_cast<char*>(garbage.data()) + 1, name, cred, context, foreign_name.get(), foreign_cred.get()};
  }
};

using Any = OM_uint32(OM_uint32*, void*, void*, void*, void*, void*, void*, void*, void*, void*, void*, void*, void*);

class ContractTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ContractTest);
  CPPUNIT_TEST(every_function_survives_nulls);
  CPPUNIT_TEST(handles_of_another_kind_are_refused);
  CPPUNIT_TEST(the_interposer_takes_no_context_but_its_own);
  CPPUNIT_TEST(the_interposer_hands_on_names_and_credentials_of_other_mechanisms);
  CPPUNIT_TEST(no_strength_and_no_key_of_what_is_no_complete_context);
  CPPUNIT_TEST(outputs_are_cleared_on_failure);
  CPPUNIT_TEST(the_interposer_stands_before_one_mechanism_a_line);
  CPPUNIT_TEST(every_error_has_a_text);
  CPPUNIT_TEST(the_detail_is_of_the_threads_last_error);
  CPPUNIT_TEST(foreign_status_codes_are_refused);
  CPPUNIT_TEST(static_oids_are_claimed_and_others_are_not);
  CPPUNIT_TEST(the_mechanism_describes_itself);
  CPPUNIT_TEST(the_sasl_name_is_the_derived_one);
  CPPUNIT_TEST(foreign_mechanisms_are_refused);
  CPPUNIT_TEST(who_has_no_socket_has_no_credential);
  CPPUNIT_TEST(who_is_not_protected_has_no_credential);
  CPPUNIT_TEST(an_acceptor_needs_a_broker_with_policies);
  CPPUNIT_TEST(without_broker_there_is_no_credential);
  CPPUNIT_TEST(a_named_socket_must_be_right);
  CPPUNIT_TEST(credential_stores_are_read_strictly);
  CPPUNIT_TEST(a_credential_is_for_its_own_name_only);
  CPPUNIT_TEST(credentials_tell_about_themselves);
  CPPUNIT_TEST(credentials_are_exported_and_imported);
  CPPUNIT_TEST(broken_exported_credentials_are_refused);
  CPPUNIT_TEST(options_set_the_socket);
  CPPUNIT_TEST(a_thread_names_its_socket);
  CPPUNIT_TEST(unknown_options_are_unavailable);
  CPPUNIT_TEST(names_come_in_and_go_out);
  CPPUNIT_TEST(names_of_wrong_form_or_type_are_refused);
  CPPUNIT_TEST(exported_names_are_equal_octets);
  CPPUNIT_TEST(only_the_map_gives_local_names);
  CPPUNIT_TEST(an_anonymous_name_equals_nothing);
  CPPUNIT_TEST(nothing_is_stored);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<TwinBroker> twin_;

  static void expect(OM_uint32 major, OM_uint32 minor, OM_uint32 wanted, Code code) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(message_of({major, minor}), wanted, GSS_ROUTINE_ERROR(major));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(message_of({major, minor}), minor_of(code), minor);
  }
  static void expect(const Status& status, OM_uint32 wanted, Code code) { expect(status.major, status.minor, wanted, code); }

 public:
  void setUp() override { twin_ = std::make_unique<TwinBroker>(); }
  void tearDown() override {
    clear_thread_socket();
    twin_.reset();
  }

  static void clear_thread_socket() {
    OM_uint32 minor;
    std::string clear = "clear";
    gss_buffer_desc value = in(clear);
    gssspi_mech_invoke(&minor, mech(), project_oid(4), &value);
  }

  void every_function_survives_nulls() {
    const auto names = exports();
    CPPUNIT_ASSERT(names.size() >= 63);
    the_interposer_stands_before_one_mechanism_a_line();  // which the mechglue asks before it calls anything of it
    for (const std::string& name : names) {
      if (name == "gss_mech_interposer") continue;  // of another type
      OM_uint32 minor = 77;
      auto* function = own<Any>(name.c_str());
      for (OM_uint32* where : {&minor, static_cast<OM_uint32*>(nullptr)})
        (void)function(where, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
    }
  }

  void the_interposer_stands_before_one_mechanism_a_line() {
    auto* stands_before = own<gss_OID_set(gss_OID)>("gss_mech_interposer");
    for (const auto& [line, wanted] : {std::pair(project_oid(2), krb5_mech()), std::pair(project_oid(8), spnego_mech())}) {
      gss_OID_set set = stands_before(line);
      CPPUNIT_ASSERT(set != GSS_C_NO_OID_SET && set->count == 1 && same_oid(set->elements, wanted));
      OM_uint32 minor;
      gss_release_oid_set(&minor, &set);
    }
    for (gss_OID other : {static_cast<gss_OID>(GSS_C_NO_OID), mech(), project_oid(9), krb5_mech()}) CPPUNIT_ASSERT(stands_before(other) == GSS_C_NO_OID_SET);
  }

  void handles_of_another_kind_are_refused() {
    Zoo zoo;
    OM_uint32 minor, number;
    int state;
    std::string text = "text";
    gss_buffer_desc buffer = in(text);
    called().clear();
    for (void* pointer : zoo.pointers()) {
      Buffer out;
      int more = -1;
      gss_iov_buffer_desc iov[2] = {{GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE, {0, nullptr}}, {GSS_IOV_BUFFER_TYPE_DATA, buffer}};
      gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
      if (pointer != zoo.name) {
        auto* name = static_cast<gss_name_t>(pointer);
        gss_name_t copy;
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_display_name)(&minor, name, &out, nullptr)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_duplicate_name)(&minor, name, &copy)) && copy == GSS_C_NO_NAME);
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_canonicalize_name)(&minor, name, GSS_C_NO_OID, &copy)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_export_name)(&minor, name, &out)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_compare_name)(&minor, name, zoo.name, &state)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_localname)(&minor, name, nullptr, &out)));
        CPPUNIT_ASSERT(GSS_ERROR(own<OM_uint32(OM_uint32*, gss_name_t, gss_buffer_t, gss_OID)>("gssspi_authorize_localname")(&minor, name, &buffer, nullptr)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_inquire_name)(&minor, name, &state, nullptr, &set)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_display_name_ext)(&minor, name, project_oid(3), &out)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_get_name_attribute)(&minor, name, &buffer, nullptr, nullptr, &out, nullptr, &more)) && more == 0);
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_set_name_attribute)(&minor, name, 1, &buffer, &buffer)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_delete_name_attribute)(&minor, name, &buffer)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_export_name_composite)(&minor, name, &out)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_map_name_to_any)(&minor, name, 1, &buffer, nullptr)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_release_any_name_mapping)(&minor, name, &buffer, nullptr)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_inquire_mechs_for_name)(&minor, name, nullptr)));
        gss_cred_id_t none;
        if (pointer) CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_acquire_cred)(&minor, name, 0, nullptr, GSS_C_ACCEPT, &none, nullptr, nullptr)));
        if (pointer) CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_acquire_cred_from)(&minor, name, 0, nullptr, GSS_C_ACCEPT, nullptr, &none, nullptr, nullptr)));
        if (pointer) CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_release_name)(&minor, &name)));
      }
      if (pointer != zoo.cred) {
        auto* cred = static_cast<gss_cred_id_t>(pointer);
        gss_ctx_id_t context = GSS_C_NO_CONTEXT;
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_export_cred)(&minor, cred, &out)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_inquire_cred_by_oid)(&minor, cred, project_oid(4), &set)));
        if (pointer) {
          CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_inquire_cred)(&minor, cred, nullptr, nullptr, nullptr, nullptr)));
          CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_inquire_cred_by_mech)(&minor, cred, nullptr, nullptr, nullptr, nullptr, nullptr)));
          CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_accept_sec_context)(&minor, &context, cred, &buffer, nullptr, nullptr, nullptr, &out, nullptr, nullptr, nullptr)));
          CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_init_sec_context)(&minor, cred, &context, zoo.name, nullptr, 0, 0, nullptr, nullptr, nullptr, &out, nullptr, nullptr)));
          gss_cred_id_t more_cred;
          CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_add_cred)(&minor, cred, nullptr, nullptr, GSS_C_ACCEPT, 0, 0, &more_cred, nullptr, nullptr, nullptr)));
          CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_acquire_cred_impersonate_name)(&minor, cred, zoo.name, 0, nullptr, GSS_C_INITIATE, &more_cred, nullptr, nullptr)));
          CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_add_cred_impersonate_name)(&minor, cred, cred, zoo.name, nullptr, GSS_C_INITIATE, 0, 0, &more_cred, nullptr, nullptr, nullptr)));
          CPPUNIT_ASSERT(GSS_ERROR(own<OM_uint32(OM_uint32*, gss_cred_id_t*, gss_OID, gss_buffer_t)>("gssspi_set_cred_option")(&minor, &cred, project_oid(5), &buffer)));
          CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_release_cred)(&minor, &cred)));
        }
      }
      if (pointer != zoo.context) {
        auto* context = static_cast<gss_ctx_id_t>(pointer);
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_wrap)(&minor, context, 1, 0, &buffer, &state, &out)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_unwrap)(&minor, context, &buffer, &out, &state, nullptr)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_get_mic)(&minor, context, 0, &buffer, &out)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_verify_mic)(&minor, context, &buffer, &buffer, nullptr)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_wrap_size_limit)(&minor, context, 1, 0, 100, &number)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_context_time)(&minor, context, &number)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_inquire_context)(&minor, context, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_pseudo_random)(&minor, context, 0, &buffer, 1, &out)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_process_context_token)(&minor, context, &buffer)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_inquire_sec_context_by_oid)(&minor, context, project_oid(4), &set)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_wrap_aead)(&minor, context, 1, 0, &buffer, &buffer, &state, &out)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_unwrap_aead)(&minor, context, &buffer, &buffer, &out, &state, nullptr)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_wrap_iov)(&minor, context, 1, 0, &state, iov, 2)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_wrap_iov_length)(&minor, context, 1, 0, &state, iov, 2)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_unwrap_iov)(&minor, context, &state, nullptr, iov, 2)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_get_mic_iov)(&minor, context, 0, iov, 2)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_get_mic_iov_length)(&minor, context, 0, iov, 2)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_verify_mic_iov)(&minor, context, nullptr, iov, 2)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_export_sec_context)(&minor, &context, &out)));
        CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_set_sec_context_option)(&minor, &context, project_oid(5), &buffer)));
        if (pointer) CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_delete_sec_context)(&minor, &context, nullptr)));
      }
    }
    // Those that take no handle at all.
    for (const char* name : {"gss_display_status", "gss_import_cred", "gss_import_name", "gss_import_sec_context", "gss_indicate_mechs", "gss_inquire_attrs_for_mech",
                             "gss_inquire_mech_for_saslname", "gss_inquire_names_for_mech", "gss_inquire_saslname_for_mech", "gss_internal_release_oid",
                             "gssspi_acquire_cred_with_password", "gssspi_mech_invoke"})
      called().insert(name);
    for (const std::string& name : exports())
      if (!is_interposers(name)) CPPUNIT_ASSERT_MESSAGE("not tried with wrong handles: " + name, called().contains(name));
    // An initiator's context is no acceptor's; one that is not complete protects nothing.
    Buffer out;
    CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_accept_sec_context)(&minor, &zoo.context, GSS_C_NO_CREDENTIAL, &buffer, nullptr, nullptr, nullptr, &out, nullptr, nullptr, nullptr)));
    CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_wrap)(&minor, zoo.context, 1, 0, &buffer, &state, &out)));
    CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_get_mic)(&minor, zoo.context, 0, &buffer, &out)));
  }

  void the_interposer_takes_no_context_but_its_own() {
    Zoo zoo;
    OM_uint32 minor, number;
    int state;
    std::string text = "text";
    gss_buffer_desc buffer = in(text);
    for (void* pointer : zoo.pointers()) {
      auto* context = static_cast<gss_ctx_id_t>(pointer);
      Buffer out;
      gss_iov_buffer_desc iov[2] = {{GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE, {0, nullptr}}, {GSS_IOV_BUFFER_TYPE_DATA, buffer}};
      gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(wrap)(&minor, context, 1, 0, &buffer, &state, &out)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(unwrap)(&minor, context, &buffer, &out, &state, nullptr)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(get_mic)(&minor, context, 0, &buffer, &out)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(verify_mic)(&minor, context, &buffer, &buffer, nullptr)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(wrap_size_limit)(&minor, context, 1, 0, 100, &number)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(context_time)(&minor, context, &number)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(inquire_context)(&minor, context, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(pseudo_random)(&minor, context, 0, &buffer, 1, &out)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(process_context_token)(&minor, context, &buffer)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(complete_auth_token)(&minor, context, &buffer)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(inquire_sec_context_by_oid)(&minor, context, project_oid(4), &set)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(wrap_aead)(&minor, context, 1, 0, &buffer, &buffer, &state, &out)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(unwrap_aead)(&minor, context, &buffer, &buffer, &out, &state, nullptr)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(wrap_iov)(&minor, context, 1, 0, &state, iov, 2)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(wrap_iov_length)(&minor, context, 1, 0, &state, iov, 2)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(unwrap_iov)(&minor, context, &state, nullptr, iov, 2)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(get_mic_iov)(&minor, context, 0, iov, 2)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(get_mic_iov_length)(&minor, context, 0, iov, 2)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(verify_mic_iov)(&minor, context, nullptr, iov, 2)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(export_sec_context)(&minor, &context, &out)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(set_sec_context_option)(&minor, &context, project_oid(5), &buffer)));
      if (!pointer) continue;
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(init_sec_context)(&minor, nullptr, &context, zoo.foreign_name.get(), nullptr, 0, 0, nullptr, nullptr, nullptr, &out, nullptr, nullptr)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(accept_sec_context)(&minor, &context, nullptr, &buffer, nullptr, nullptr, nullptr, &out, nullptr, nullptr, nullptr)));
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_COMPLETE}, BEFORE(delete_sec_context)(&minor, &context, nullptr));  // nobody's is deleted
    }
    Buffer out;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, OWN(gss_display_name)(&minor, zoo.name, &out, nullptr));
  }

  // What the mechglue gives the interposer is what it got from it, or what another mechanism made: SPNEGO's credential, a name of mechanism ipsec.
  void the_interposer_hands_on_names_and_credentials_of_other_mechanisms() {
    Zoo zoo;
    OM_uint32 minor;
    int state;
    std::string text = "text";
    gss_buffer_desc buffer = in(text);
    GssName ipsec;
    const GssName service("test@server.example.org", GSS_C_NT_HOSTBASED_SERVICE);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_canonicalize_name(&minor, service.get(), mech(), ipsec.out()));
    for (gss_name_t name : {static_cast<gss_name_t>(nullptr), zoo.foreign_name.get(), ipsec.get()}) {
      Buffer out, value, shown;
      gss_name_t copy = GSS_C_NO_NAME;
      gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
      gss_any_t any = nullptr;
      int more = -1;
      CPPUNIT_ASSERT_EQUAL(name != nullptr, BEFORE(duplicate_name)(&minor, name, &copy) == GSS_S_COMPLETE);
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_COMPLETE}, BEFORE(release_name)(&minor, &copy));
      CPPUNIT_ASSERT_EQUAL(name != nullptr, BEFORE(display_name)(&minor, name, &out, nullptr) == GSS_S_COMPLETE);
      CPPUNIT_ASSERT_EQUAL(name != nullptr, BEFORE(compare_name)(&minor, name, name, &state) == GSS_S_COMPLETE);
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(get_name_attribute)(&minor, name, &buffer, nullptr, nullptr, &value, &shown, &more)) && more == 0);
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(set_name_attribute)(&minor, name, 1, &buffer, &buffer)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(delete_name_attribute)(&minor, name, &buffer)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(map_name_to_any)(&minor, name, 1, &buffer, &any)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(release_any_name_mapping)(&minor, name, &buffer, &any)));
      for (const OM_uint32 major : {BEFORE(display_name_ext)(&minor, name, project_oid(3), &value), BEFORE(export_name)(&minor, name, &shown),
                                    BEFORE(inquire_name)(&minor, name, &state, nullptr, &set)})
        CPPUNIT_ASSERT(name || GSS_ERROR(major));
      gss_release_buffer_set(&minor, &set);
      Buffer composite, local;
      (void)BEFORE(export_name_composite)(&minor, name, &composite);
      (void)BEFORE(localname)(&minor, name, nullptr, &local);
      CPPUNIT_ASSERT(GSS_ERROR(own<OM_uint32(OM_uint32*, gss_name_t, gss_buffer_t, gss_OID)>("gssi_authorize_localname")(&minor, name, &buffer, GSS_C_NT_USER_NAME)));
    }
    for (gss_cred_id_t cred : {static_cast<gss_cred_id_t>(nullptr), zoo.foreign_cred.get()}) {
      Buffer out;
      gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
      gss_cred_id_t more = GSS_C_NO_CREDENTIAL;
      gss_ctx_id_t context = GSS_C_NO_CONTEXT;
      GssName found;
      CPPUNIT_ASSERT_EQUAL(cred != nullptr, BEFORE(inquire_cred)(&minor, cred, found.out(), nullptr, nullptr, nullptr) == GSS_S_COMPLETE);
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(inquire_cred_by_mech)(&minor, cred, nullptr, nullptr, nullptr, nullptr, nullptr)));
      const OM_uint32 told = BEFORE(inquire_cred_by_oid)(&minor, cred, project_oid(4), &set);
      CPPUNIT_ASSERT(cred || GSS_ERROR(told));
      gss_release_buffer_set(&minor, &set);
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(init_sec_context)(&minor, cred, &context, zoo.foreign_name.get(), nullptr, 0, 0, nullptr, nullptr, nullptr, &out, nullptr, nullptr)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(accept_sec_context)(&minor, &context, cred, &buffer, nullptr, nullptr, nullptr, &out, nullptr, nullptr, nullptr)));
      CPPUNIT_ASSERT(context == GSS_C_NO_CONTEXT);
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(acquire_cred_impersonate_name)(&minor, cred, zoo.foreign_name.get(), 0, nullptr, GSS_C_INITIATE, &more, nullptr, nullptr)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(store_cred)(&minor, cred, GSS_C_INITIATE, nullptr, 0, 0, nullptr, nullptr)));
      CPPUNIT_ASSERT(GSS_ERROR(BEFORE(store_cred_into)(&minor, cred, GSS_C_INITIATE, nullptr, 0, 0, nullptr, nullptr, nullptr)));
      (void)BEFORE(export_cred)(&minor, cred, &out);
    }
  }

  // The strength for SASL and the session key, by both ways into the plugin; zoo.context is complete for neither.
  void no_strength_and_no_key_of_what_is_no_complete_context() {
    Zoo zoo;
    gss_OID_desc questions[] = {{11, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x0f")}, {11, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x05")}};
    for (auto* inquire : {OWN(gss_inquire_sec_context_by_oid), BEFORE(inquire_sec_context_by_oid)})
      for (void* pointer : zoo.pointers())
        for (gss_OID_desc& question : questions) {
          auto* const context = static_cast<gss_ctx_id_t>(pointer);
          gss_buffer_set_t set = reinterpret_cast<gss_buffer_set_t>(1);
          Status status;
          status.major = inquire(&status.minor, context, &question, &set);
          CPPUNIT_ASSERT_EQUAL_MESSAGE(message_of(status), OM_uint32{GSS_S_NO_CONTEXT}, GSS_ROUTINE_ERROR(status.major));
          CPPUNIT_ASSERT(set == GSS_C_NO_BUFFER_SET);
          CPPUNIT_ASSERT(GSS_ERROR(inquire(&status.minor, context, &question, nullptr)));
          CPPUNIT_ASSERT(GSS_ERROR(inquire(&status.minor, context, GSS_C_NO_OID, &set)) && set == GSS_C_NO_BUFFER_SET);
        }
    for (const auto& [context, why] : {std::pair{GSS_C_NO_CONTEXT, Code::BAD_ARGUMENT}, {zoo.context, Code::NO_CONTEXT}}) {
      gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
      Status status;
      status.major = OWN(gss_inquire_sec_context_by_oid)(&status.minor, context, &questions[0], &set);
      expect(status, GSS_S_NO_CONTEXT, why);
    }
  }

  void outputs_are_cleared_on_failure() {
    gss_name_t name = reinterpret_cast<gss_name_t>(1);
    gss_cred_id_t cred = reinterpret_cast<gss_cred_id_t>(1);
    gss_OID_set set = reinterpret_cast<gss_OID_set>(1);
    gss_buffer_desc buffer{7, reinterpret_cast<void*>(1)}, bad = {3, const_cast<char*>("a@b")};
    OM_uint32 minor, seconds = 5;
    CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_import_name)(&minor, &bad, project_oid(3), &name)) && name == GSS_C_NO_NAME);
    CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_acquire_cred)(&minor, nullptr, 0, nullptr, 9, &cred, &set, &seconds)));
    CPPUNIT_ASSERT(cred == GSS_C_NO_CREDENTIAL && set == GSS_C_NO_OID_SET && seconds == 0);
    CPPUNIT_ASSERT(GSS_ERROR(OWN(gss_wrap)(&minor, nullptr, 0, 0, &bad, nullptr, &buffer)) && buffer.length == 0 && buffer.value == nullptr);
  }

  void every_error_has_a_text() {
    int count = 0;
#define GSS_IPSEC_ERROR(number, name, text)                                                                     \
  {                                                                                                            \
    Buffer out;                                                                                                \
    OM_uint32 minor, more = 1;                                                                                 \
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, OWN(gss_display_status)(&minor, kMinorBase + (number), GSS_C_MECH_CODE, mech(), &more, &out)); \
    CPPUNIT_ASSERT_MESSAGE(out.str(), out.str().starts_with(text) && more == 0);                               \
    ++count;                                                                                                   \
  }
#include "base/errors.def"
#undef GSS_IPSEC_ERROR
    CPPUNIT_ASSERT(count > 50);
  }

  void the_detail_is_of_the_threads_last_error() {
    GssCredential credential;
    const Status status = credential.acquire(GSS_C_INITIATE, {{"ipsec-socket", "4x"}});
    CPPUNIT_ASSERT_MESSAGE(message_of(status), message_of(status).find("found '4x'") != std::string::npos);
    const OM_uint32 other = minor_of(Code::LATCH_BROKEN);
    CPPUNIT_ASSERT(message_of({GSS_S_FAILURE, other}).find("4x") == std::string::npos);
  }

  void foreign_status_codes_are_refused() {
    for (const OM_uint32 code : {1u, 0x49500000u - 1, 0x49500000u + 99, 0xffffffffu}) {
      Buffer out;
      OM_uint32 minor, more = 0;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_STATUS}, OWN(gss_display_status)(&minor, code, GSS_C_MECH_CODE, mech(), &more, &out));
    }
  }

  void static_oids_are_claimed_and_others_are_not() {
    auto* release = own<OM_uint32(OM_uint32*, gss_OID*)>("gss_internal_release_oid");
    Zoo zoo;
    OM_uint32 minor;
    gss_OID type = GSS_C_NO_OID;
    Buffer text;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, OWN(gss_display_name)(&minor, zoo.name, &text, &type));
    CPPUNIT_ASSERT(type != GSS_C_NO_OID);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_COMPLETE}, release(&minor, &type));
    CPPUNIT_ASSERT(type == GSS_C_NO_OID);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_CONTINUE_NEEDED}, release(&minor, &type));
    gss_OID foreign = mech();
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_CONTINUE_NEEDED}, release(&minor, &foreign));
    CPPUNIT_ASSERT(foreign == mech());
  }

  static bool has(gss_OID_set set, unsigned char attribute) {
    const unsigned char octets[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, attribute};
    gss_OID_desc oid{sizeof octets, const_cast<unsigned char*>(octets)};
    int present = 0;
    OM_uint32 minor;
    gss_test_oid_set_member(&minor, &oid, set, &present);
    return present != 0;
  }

  void the_mechanism_describes_itself() {
    OM_uint32 minor;
    gss_OID_set attributes = GSS_C_NO_OID_SET, known = GSS_C_NO_OID_SET, types = GSS_C_NO_OID_SET, mechs = GSS_C_NO_OID_SET;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_attrs_for_mech(&minor, mech(), &attributes, &known));
    for (const unsigned char wanted : {1, 9, 10, 11, 17, 18, 19, 20, 22, 23, 24, 27}) CPPUNIT_ASSERT(has(attributes, wanted) && has(known, wanted));
    CPPUNIT_ASSERT(!has(attributes, 21) && has(known, 21));  // no message before the context is complete
    for (const unsigned char unwanted : {4, 6, 7, 8, 14, 25}) CPPUNIT_ASSERT(!has(attributes, unwanted) && has(known, unwanted));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_names_for_mech(&minor, mech(), &types));
    int present = 0;
    gss_test_oid_set_member(&minor, project_oid(3), types, &present);
    CPPUNIT_ASSERT(present && types->count == 6);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_indicate_mechs(&minor, &mechs));
    gss_test_oid_set_member(&minor, mech(), mechs, &present);
    CPPUNIT_ASSERT(present);
    for (gss_OID_set* set : {&attributes, &known, &types, &mechs}) gss_release_oid_set(&minor, set);
  }

  void the_sasl_name_is_the_derived_one() {
    Buffer sasl, name, description;
    OM_uint32 minor;
    gss_OID found = GSS_C_NO_OID;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_saslname_for_mech(&minor, mech(), &sasl, &name, &description));
    CPPUNIT_ASSERT_EQUAL(std::string("GS2-P53REVX3TK4"), sasl.str());
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec"), name.str());
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_mech_for_saslname(&minor, &sasl, &found));
    CPPUNIT_ASSERT(found && found->length == mech()->length);
    std::string other = "GS2-KRB5";
    gss_buffer_desc foreign = in(other);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_MECH}, OWN(gss_inquire_mech_for_saslname)(&minor, &foreign, &found));
  }

  void foreign_mechanisms_are_refused() {
    OM_uint32 minor;
    gss_OID_set set = GSS_C_NO_OID_SET;
    gss_cred_id_t cred;
    gss_OID_set_desc foreign{1, project_oid(2)};
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_MECH}, OWN(gss_inquire_attrs_for_mech)(&minor, project_oid(2), &set, nullptr));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_MECH}, OWN(gss_acquire_cred)(&minor, nullptr, 0, &foreign, GSS_C_ACCEPT, &cred, nullptr, nullptr));
  }

  void who_has_no_socket_has_no_credential() {
    GssCredential credential;
    expect(credential.acquire(GSS_C_INITIATE, {}), GSS_S_NO_CRED, Code::NO_SOCKET);
    expect(credential.acquire(GSS_C_BOTH, {}), GSS_S_NO_CRED, Code::NO_SOCKET);
    must(credential.acquire(GSS_C_ACCEPT, {}));
    OM_uint32 minor;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    const GssName target("test@server.example.org", GSS_C_NT_HOSTBASED_SERVICE);
    Buffer token;
    const OM_uint32 major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &context, target.get(), mech(), 0, 0, nullptr, nullptr, nullptr, &token, nullptr, nullptr);
    expect(major, minor, GSS_S_NO_CRED, Code::NO_SOCKET);
    CPPUNIT_ASSERT(context == GSS_C_NO_CONTEXT);
  }

  void who_is_not_protected_has_no_credential() {
    Connection connection;
    GssCredential credential;
    const GssCredential::Store store = {{"ipsec-socket", std::to_string(connection.client.get())}};
    for (const Code code : {Code::NO_POLICY, Code::ONE_DIRECTION, Code::OPTIONAL_POLICY, Code::LOOPBACK}) {
      twin_->knobs.query = code;
      expect(credential.acquire(GSS_C_INITIATE, store), GSS_S_NO_CRED, code);
    }
    twin_->knobs.query = Code::ok;
    must(credential.acquire(GSS_C_INITIATE, store));
    CPPUNIT_ASSERT(twin_->queried->found == protocol::Found::named);
  }

  void an_acceptor_needs_a_broker_with_policies() {
    twin_->knobs.has_policies = false;
    GssCredential credential;
    expect(credential.acquire(GSS_C_ACCEPT, {}), GSS_S_NO_CRED, Code::NO_POLICY);
  }

  void without_broker_there_is_no_credential() {
    twin_.reset();
    setenv("GSS_IPSEC_BROKER", "/nonexistent/broker", 1);
    Connection connection;
    GssCredential credential;
    expect(credential.acquire(GSS_C_ACCEPT, {}), GSS_S_NO_CRED, Code::NO_BROKER);
    expect(credential.acquire(GSS_C_INITIATE, {{"ipsec-socket", std::to_string(connection.client.get())}}), GSS_S_NO_CRED, Code::NO_BROKER);
  }

  void a_named_socket_must_be_right() {
    GssCredential credential;
    const base::UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC)), unconnected(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    for (const gss_cred_usage_t usage : {GSS_C_INITIATE, GSS_C_ACCEPT}) {
      expect(credential.acquire(usage, {{"ipsec-socket", std::to_string(file.get())}}), GSS_S_NO_CRED, Code::NOT_A_SOCKET);
      expect(credential.acquire(usage, {{"ipsec-socket", "98765"}}), GSS_S_NO_CRED, Code::NOT_A_SOCKET);
      expect(credential.acquire(usage, {{"ipsec-socket", std::to_string(unconnected.get())}}), GSS_S_NO_CRED, Code::NOT_CONNECTED);
    }
  }

  void credential_stores_are_read_strictly() {
    GssCredential credential;
    for (const char* value : {"", " 5", "5 ", "05", "+5", "-1", "5x", "0x5", "99999999999", "2147483648"})
      expect(credential.acquire(GSS_C_ACCEPT, {{"ipsec-socket", value}}), GSS_S_FAILURE, Code::BAD_ARGUMENT);
    expect(credential.acquire(GSS_C_ACCEPT, {{"ipsec-anonymous", "yes"}}), GSS_S_FAILURE, Code::BAD_ARGUMENT);
    expect(credential.acquire(GSS_C_INITIATE, {{"ipsec-last-token", "both"}}), GSS_S_FAILURE, Code::BAD_ARGUMENT);
    must(credential.acquire(GSS_C_ACCEPT, {{"keytab", "FILE:/nowhere"}, {"ccache", "x"}}));
  }

  void a_credential_is_for_its_own_name_only() {
    Connection connection;
    const GssCredential::Store store = {{"ipsec-socket", std::to_string(connection.client.get())}};
    twin_->knobs.local_name = "ipsec:fqdn:client.example.org/alice";
    GssCredential credential;
    const auto acquire = [&](const std::string& text, gss_OID type) {
      const GssName name(text, type);
      return credential.acquire(GSS_C_INITIATE, store, name.get());
    };
    must(acquire("ipsec:fqdn:client.example.org/alice", project_oid(3)));
    must(acquire("alice", GSS_C_NT_USER_NAME));
    for (const char* text : {"ipsec:fqdn:client.example.org/bob", "ipsec:fqdn:client.example.org", "ipsec:fqdn:other.example.org/alice"})
      expect(acquire(text, project_oid(3)), GSS_S_NO_CRED, Code::BAD_NAME);
    expect(acquire("bob", GSS_C_NT_USER_NAME), GSS_S_NO_CRED, Code::BAD_NAME);
    expect(acquire("root", GSS_C_NT_USER_NAME), GSS_S_NO_CRED, Code::BAD_NAME);
    expect(acquire("host@client.example.org", GSS_C_NT_HOSTBASED_SERVICE), GSS_S_NO_CRED, Code::BAD_NAME);
    twin_->knobs.local_name = "ipsec:fqdn:client.example.org";
    must(acquire("root", GSS_C_NT_USER_NAME));
    twin_->knobs.local_name = "";
    expect(acquire("root", GSS_C_NT_USER_NAME), GSS_S_NO_CRED, Code::BAD_NAME);
  }

  void credentials_tell_about_themselves() {
    const GssName service("test@server.example.org", GSS_C_NT_HOSTBASED_SERVICE);
    GssCredential credential, plain;
    must(credential.acquire(GSS_C_ACCEPT, {}, service.get()));
    OM_uint32 minor, lifetime = 0;
    gss_cred_usage_t usage = 9;
    gss_OID_set mechs = GSS_C_NO_OID_SET;
    GssName name;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_cred(&minor, credential.get(), name.out(), &lifetime, &usage, &mechs));
    CPPUNIT_ASSERT(name.text() == "test@server.example.org" && usage == GSS_C_ACCEPT && lifetime == GSS_C_INDEFINITE && mechs->count == 1);
    gss_release_oid_set(&minor, &mechs);
    must(plain.acquire(GSS_C_ACCEPT, {}));
    GssName own_name;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_cred_by_mech(&minor, plain.get(), mech(), own_name.out(), nullptr, &lifetime, &usage));
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:client.example.org"), own_name.text());
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_cred_by_oid(&minor, plain.get(), project_oid(9), &set));
    gss_release_buffer_set(&minor, &set);
  }

  void credentials_are_exported_and_imported() {
    Pair pair;
    for (End* end : {&pair.initiator, &pair.acceptor}) {
      Buffer token;
      OM_uint32 minor;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_export_cred(&minor, end->credential.get(), &token));
      GssCredential copy;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_import_cred(&minor, &token, copy.out()));
      std::swap(*copy.out(), *end->credential.out());
    }
    pair.must_shake();
    CPPUNIT_ASSERT(twin_->accepted->found == protocol::Found::named);
    // Where the number means another connection the copy is of no use.
    Buffer token;
    OM_uint32 minor;
    Pair other;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_export_cred(&minor, other.initiator.credential.get(), &token));
    CPPUNIT_ASSERT(dup2(pair.connection.client.get(), other.connection.client.get()) >= 0);
    GssCredential copy;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_import_cred(&minor, &token, copy.out()));
    std::swap(*copy.out(), *other.initiator.credential.out());
    const int before = twin_->requests(Verb::initiate);
    expect(other.shake(), GSS_S_FAILURE, Code::SOCKET_CHANGED);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("the other connection went to the broker", before, twin_->requests(Verb::initiate));
  }

  void broken_exported_credentials_are_refused() {
    Zoo zoo;
    Buffer token;
    OM_uint32 minor;
    gss_cred_id_t cred;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, OWN(gss_export_cred)(&minor, zoo.cred, &token));
    for (std::size_t size = 0; size < token.length; ++size) {
      std::string cut = token.str().substr(0, size);
      gss_buffer_desc buffer = in(cut);
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_DEFECTIVE_TOKEN}, OWN(gss_import_cred)(&minor, &buffer, &cred));
    }
    std::string longer = token.str() + "x", version = token.str();
    version[0] = 2;
    for (std::string* text : {&longer, &version}) {
      gss_buffer_desc buffer = in(*text);
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_DEFECTIVE_TOKEN}, OWN(gss_import_cred)(&minor, &buffer, &cred));
    }
  }

  void options_set_the_socket() {
    twin_->knobs.names_by_port = true;
    Pair pair;
    Connection other;
    OM_uint32 minor;
    const int fd = other.client.get();
    gss_buffer_desc value{sizeof fd, const_cast<int*>(&fd)};
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_set_cred_option(&minor, pair.initiator.credential.out(), project_oid(5), &value));
    std::string decimal = std::to_string(other.server.get());
    gss_buffer_desc text = in(decimal);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_set_cred_option(&minor, pair.acceptor.credential.out(), project_oid(5), &text));
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(other.client_name(), pair.acceptor.source.text());
    decimal = "x";
    text = in(decimal);
    CPPUNIT_ASSERT(GSS_ERROR(gss_set_cred_option(&minor, pair.acceptor.credential.out(), project_oid(5), &text)));
  }

  void a_thread_names_its_socket() {
    Connection connection;
    std::string fd = std::to_string(connection.client.get()), nonsense = "-7";
    gss_buffer_desc value = in(fd), bad = in(nonsense);
    OM_uint32 minor;
    CPPUNIT_ASSERT(GSS_ERROR(gssspi_mech_invoke(&minor, mech(), project_oid(4), &bad)));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gssspi_mech_invoke(&minor, mech(), project_oid(4), &value));
    GssCredential credential;
    must(credential.acquire(GSS_C_INITIATE, {}));
    CPPUNIT_ASSERT(twin_->queried->found == protocol::Found::named);
    clear_thread_socket();
    expect(credential.acquire(GSS_C_INITIATE, {}), GSS_S_NO_CRED, Code::NO_SOCKET);
  }

  void unknown_options_are_unavailable() {
    Pair pair;
    OM_uint32 minor;
    gss_buffer_desc value{0, nullptr};
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, gssspi_mech_invoke(&minor, mech(), project_oid(9), &value));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, own<OM_uint32(OM_uint32*, gss_cred_id_t*, gss_OID, gss_buffer_t)>("gssspi_set_cred_option")(&minor, nullptr, project_oid(9), &value));
    pair.must_shake();
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, gss_set_sec_context_option(&minor, &pair.initiator.context, project_oid(9), &value));
  }

  std::string canonical(const std::string& text, gss_OID type) {
    const GssName name(text, type);
    GssName own_name;
    OM_uint32 minor;
    const OM_uint32 major = gss_canonicalize_name(&minor, name.get(), mech(), own_name.out());
    return major == GSS_S_COMPLETE ? own_name.text() : message_of({major, minor});
  }

  void names_come_in_and_go_out() {
    CPPUNIT_ASSERT_EQUAL(std::string("ldap@server.example.org"), canonical("ldap@Server.Example.ORG", GSS_C_NT_HOSTBASED_SERVICE));
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:server.example.org"), canonical("fqdn:Server.Example.ORG", project_oid(3)));
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:rfc822:a%40b/bob"), canonical("ipsec:rfc822:a%40b/bob", project_oid(3)));
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), canonical("alice", GSS_C_NT_USER_NAME));
    CPPUNIT_ASSERT_EQUAL(std::string("test@host"), canonical(std::string("test@host\0", 10), GSS_C_NT_HOSTBASED_SERVICE));
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:anonymous"), canonical("whatever", GSS_C_NT_ANONYMOUS));
  }

  void names_of_wrong_form_or_type_are_refused() {
    Zoo zoo;
    OM_uint32 minor;
    gss_name_t name;
    const auto import = [&](std::string text, gss_OID type) {
      gss_buffer_desc buffer = in(text);
      return OWN(gss_import_name)(&minor, &buffer, type, &name);
    };
    for (const char* text : {"", "root@REALM", "ipsec:fqdn:", "ipsec:what:x", "ipsec:fqdn:a/", "fqdn:a@b"})
      CPPUNIT_ASSERT_EQUAL_MESSAGE(text, OM_uint32{GSS_S_BAD_NAME}, import(text, project_oid(3)));
    for (const char* text : {"", "@host", "a b@host", "ldap@"}) CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_NAME}, import(text, GSS_C_NT_HOSTBASED_SERVICE));
    for (const char* text : {"", "a@b", "a:b", "a b"}) CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_NAME}, import(text, GSS_C_NT_USER_NAME));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_NAMETYPE}, import("x", GSS_C_NT_STRING_UID_NAME));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_NAME}, import(std::string(2000, 'a'), project_oid(3)));
  }

  void exported_names_are_equal_octets() {
    OM_uint32 minor;
    for (const auto& [text, type] : std::vector<std::pair<std::string, gss_OID>>{
             {"ldap@server", GSS_C_NT_HOSTBASED_SERVICE}, {"ipsec:fqdn:h/u", project_oid(3)}, {"alice", GSS_C_NT_USER_NAME}}) {
      const GssName name(text, type);
      GssName own_name, back, own_back;
      Buffer first, second;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_canonicalize_name(&minor, name.get(), mech(), own_name.out()));
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_export_name(&minor, own_name.get(), &first));
      CPPUNIT_ASSERT_EQUAL(std::string("\x04\x01\x00\x25\x06\x23", 6), first.str().substr(0, 6));
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_import_name(&minor, &first, GSS_C_NT_EXPORT_NAME, back.out()));
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_canonicalize_name(&minor, back.get(), mech(), own_back.out()));
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_export_name(&minor, own_back.get(), &second));
      CPPUNIT_ASSERT_EQUAL(first.str(), second.str());
      int equal = 0;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_compare_name(&minor, own_name.get(), own_back.get(), &equal));
      CPPUNIT_ASSERT(equal);
    }
  }

  void only_the_map_gives_local_names() {
    Pair pair;
    pair.must_shake();
    const auto localname = [&] {
      Buffer user;
      OM_uint32 minor;
      return gss_localname(&minor, pair.acceptor.source.get(), mech(), &user) == GSS_S_COMPLETE ? user.str() : std::string("none");
    };
    CPPUNIT_ASSERT_EQUAL(std::string("none"), localname());
    CPPUNIT_ASSERT_EQUAL(0, gss_userok(pair.acceptor.source.get(), "alice"));
    twin_->knobs.map_from = "ipsec:fqdn:client.example.org";
    twin_->knobs.map_to = "alice";
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), localname());
    CPPUNIT_ASSERT_EQUAL(1, gss_userok(pair.acceptor.source.get(), "alice"));
    CPPUNIT_ASSERT_EQUAL(0, gss_userok(pair.acceptor.source.get(), "root"));
    const GssName alice("alice", GSS_C_NT_USER_NAME), root("root", GSS_C_NT_USER_NAME);
    int equal = 9;
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_compare_name(&minor, pair.acceptor.source.get(), alice.get(), &equal));
    CPPUNIT_ASSERT_EQUAL(1, equal);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_compare_name(&minor, pair.acceptor.source.get(), root.get(), &equal));
    CPPUNIT_ASSERT_EQUAL(0, equal);
  }

  void an_anonymous_name_equals_nothing() {
    OM_uint32 minor;
    gss_name_t first, second;
    gss_buffer_desc empty{0, nullptr};
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, OWN(gss_import_name)(&minor, &empty, GSS_C_NT_ANONYMOUS, &first));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, OWN(gss_import_name)(&minor, &empty, GSS_C_NT_ANONYMOUS, &second));
    int equal = 9;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, OWN(gss_compare_name)(&minor, first, second, &equal));
    CPPUNIT_ASSERT_EQUAL(0, equal);
    Buffer token;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_NAME}, OWN(gss_export_name)(&minor, first, &token));
    OWN(gss_release_name)(&minor, &first);
    OWN(gss_release_name)(&minor, &second);
  }

  // In whatever program: where libgssapi took its own function for ours, it would call itself with our handle.
  void nothing_is_stored() {
    Pair pair;
    OM_uint32 minor;
    for (gss_OID mechanism : {mech(), static_cast<gss_OID>(GSS_C_NO_OID)}) {
      gss_OID_set stored = reinterpret_cast<gss_OID_set>(1);
      const OM_uint32 major = gss_store_cred(&minor, pair.acceptor.credential.get(), GSS_C_ACCEPT, mechanism, 1, 1, &stored, nullptr);
      CPPUNIT_ASSERT(stored == GSS_C_NO_OID_SET);
      CPPUNIT_ASSERT_EQUAL(mechanism == GSS_C_NO_OID, GSS_ERROR(major) != 0);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ContractTest);

}  // namespace
}  // namespace gssipsec::tests
