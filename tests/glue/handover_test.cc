// SPDX-License-Identifier: MIT
// libgss-ipsec as programs see it: by its versioned symbols, with the plugin behind libgssapi.
#include <cppunit/extensions/HelperMacros.h>
#include <dlfcn.h>
#include <gss-ipsec/gss_ipsec.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>
#include <thread>

#include "tests/glue/gss_support.h"
#include "tests/support/source_dir.h"
#include "tests/support/twin_broker.h"

namespace gssipsec::tests {
namespace {

template <typename Function>
Function* of_library(const char* name) {
  static void* const library = dlopen(support::built_path(".libs/libgss-ipsec.so.0").c_str(), RTLD_NOW | RTLD_LOCAL);
  CPPUNIT_ASSERT_MESSAGE("libgss-ipsec.so.0", library);
  auto* found = reinterpret_cast<Function*>(dlvsym(library, name, "GSS_IPSEC_1.0"));
  CPPUNIT_ASSERT_MESSAGE(name, found);
  return found;
}
int set_socket(int fd) { return of_library<decltype(gss_ipsec_set_socket)>("gss_ipsec_set_socket")(fd); }
int external(int fd, gss_ipsec_external* out) { return of_library<decltype(gss_ipsec_get_external)>("gss_ipsec_get_external")(fd, out); }
std::string error_text(int code) { return of_library<decltype(gss_ipsec_error_text)>("gss_ipsec_error_text")(code); }

class HandoverTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HandoverTest);
  CPPUNIT_TEST(a_context_rests_on_the_threads_socket);
  CPPUNIT_TEST(a_name_is_of_the_calling_thread);
  CPPUNIT_TEST(a_named_number_that_is_another_connection_by_now_is_refused);
  CPPUNIT_TEST(what_cannot_be_named_is_told);
  CPPUNIT_TEST(strength_and_identity_come_without_a_context);
  CPPUNIT_TEST(an_unprotected_socket_has_neither);
  CPPUNIT_TEST(another_socket_than_the_broker_saw_has_neither);
  CPPUNIT_TEST(broken_requests_are_refused);
  CPPUNIT_TEST(errors_have_texts);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<TwinBroker> twin_;

 public:
  void setUp() override { twin_ = std::make_unique<TwinBroker>(); }
  void tearDown() override {
    (void)set_socket(-1);
    twin_.reset();
  }

  void a_context_rests_on_the_threads_socket() {
    Connection connection;
    CPPUNIT_ASSERT_EQUAL(0, set_socket(connection.client.get()));
    GssCredential credential;
    CPPUNIT_ASSERT(credential.acquire(GSS_C_INITIATE, {}).ok());
    CPPUNIT_ASSERT(twin_->queried->found == protocol::Found::named);
    CPPUNIT_ASSERT_EQUAL(0, set_socket(-1));
    CPPUNIT_ASSERT_EQUAL(minor_of(base::Code::NO_SOCKET), credential.acquire(GSS_C_INITIATE, {}).minor);
  }

  void a_name_is_of_the_calling_thread() {
    Connection connection;
    CPPUNIT_ASSERT_EQUAL(0, set_socket(connection.client.get()));
    OM_uint32 minor = 0;
    std::thread([&] { minor = GssCredential().acquire(GSS_C_INITIATE, {}).minor; }).join();
    CPPUNIT_ASSERT_EQUAL(minor_of(base::Code::NO_SOCKET), minor);
  }

  void a_named_number_that_is_another_connection_by_now_is_refused() {
    Connection connection, other;
    CPPUNIT_ASSERT_EQUAL(0, set_socket(connection.client.get()));
    CPPUNIT_ASSERT(dup2(other.client.get(), connection.client.get()) >= 0);
    CPPUNIT_ASSERT_EQUAL(minor_of(base::Code::SOCKET_CHANGED), GssCredential().acquire(GSS_C_INITIATE, {}).minor);
    CPPUNIT_ASSERT_EQUAL(0, twin_->requests(protocol::Verb::query));
  }

  void what_cannot_be_named_is_told() {
    const base::UniqueFd fresh(socket(AF_INET, SOCK_STREAM, 0));
    CPPUNIT_ASSERT_EQUAL(int{GSS_IPSEC_E_NOT_CONNECTED}, set_socket(fresh.get()));
    CPPUNIT_ASSERT_EQUAL(int{GSS_IPSEC_E_NOT_A_SOCKET}, set_socket(9999));
  }

  void strength_and_identity_come_without_a_context() {
    Connection connection;
    gss_ipsec_external told{};
    CPPUNIT_ASSERT_EQUAL(0, external(connection.server.get(), &told));
    CPPUNIT_ASSERT_EQUAL(128u, told.ssf);
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:server.example.org"), std::string(told.authid));
    CPPUNIT_ASSERT_EQUAL(1, twin_->requests(protocol::Verb::latch));
  }

  void an_unprotected_socket_has_neither() {
    Connection connection;
    gss_ipsec_external told{};
    twin_->knobs.query = base::Code::NO_POLICY;
    CPPUNIT_ASSERT_EQUAL(int{GSS_IPSEC_E_NO_POLICY}, external(connection.server.get(), &told));
    twin_->knobs.query = base::Code::ok;
    twin_->knobs.peer_authenticated = false;
    CPPUNIT_ASSERT_EQUAL(int{GSS_IPSEC_E_PEER_UNAUTHENTICATED}, external(connection.server.get(), &told));
    CPPUNIT_ASSERT(told.ssf == 0 && told.authid[0] == '\0');
    CPPUNIT_ASSERT_EQUAL(int{GSS_IPSEC_E_NOT_A_SOCKET}, external(0, &told));
  }

  void another_socket_than_the_broker_saw_has_neither() {
    Connection connection;
    gss_ipsec_external told{};
    twin_->knobs.other_cookie = true;
    CPPUNIT_ASSERT_EQUAL(int{GSS_IPSEC_E_SOCKET_CHANGED}, external(connection.server.get(), &told));
  }

  void broken_requests_are_refused() {
    CPPUNIT_ASSERT_EQUAL(int{GSS_IPSEC_E_BAD_ARGUMENT}, external(0, nullptr));
    gss_ipsec_external_request request{0, nullptr};
    OM_uint32 minor;
    for (const std::size_t size : {std::size_t{0}, sizeof request - 1, sizeof request}) {
      gss_buffer_desc value{size, &request};
      CPPUNIT_ASSERT(GSS_ERROR(gssspi_mech_invoke(&minor, mech(), project_oid(6), &value)));
      CPPUNIT_ASSERT_EQUAL(minor_of(base::Code::BAD_ARGUMENT), minor);
    }
  }

  void errors_have_texts() {
    CPPUNIT_ASSERT_EQUAL(std::string(base::code_text(base::Code::NO_POLICY)), error_text(GSS_IPSEC_E_NO_POLICY));
    CPPUNIT_ASSERT_EQUAL(std::string("no error"), error_text(0));
    CPPUNIT_ASSERT_EQUAL(std::string("unknown error"), error_text(12345));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HandoverTest);

}  // namespace
}  // namespace gssipsec::tests
