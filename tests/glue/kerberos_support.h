// SPDX-License-Identifier: MIT
// Both ends of a Kerberos context through the real libgssapi, on a connection that each names; a broker of both hosts and a ticket
// for the time of a test.
#pragma once

#include <cppunit/extensions/HelperMacros.h>
#include <string.h>

#include <memory>

#include "tests/glue/gss_support.h"
#include "tests/support/krb5_ticket.h"
#include "tests/support/twin_broker.h"
// After gss_support.h, which makes all of gssapi.h C.
#include <gssapi/gssapi_krb5.h>

namespace gssipsec::tests {

inline constexpr char kWithSwitch = 0x14, kByChannel = 0x11, kBySeal = 0x12, kByKerberos = 0x05;
inline constexpr std::size_t kSwitchSize = 42;

[[nodiscard]] constexpr OM_uint32 minor_here(base::Code code) { return minor_of(code) + 0x10000; }

inline void name_socket(int fd) {
  std::string number = fd < 0 ? "clear" : std::to_string(fd);
  gss_buffer_desc value = in(number);
  OM_uint32 minor;
  CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gssspi_mech_invoke(&minor, mech(), project_oid(4), &value));
}

struct KerberosCredential {
  gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
  KerberosCredential() = default;
  KerberosCredential(const KerberosCredential&) = delete;
  KerberosCredential& operator=(const KerberosCredential&) = delete;
  ~KerberosCredential() {
    OM_uint32 minor;
    gss_release_cred(&minor, &cred);
  }
  Status acquire(gss_cred_usage_t usage = GSS_C_INITIATE, const GssCredential::Store& store = {}, gss_name_t name = GSS_C_NO_NAME, bool any_mech = false) {
    std::vector<gss_key_value_element_desc> elements;
    for (const auto& [key, value] : store) elements.push_back({key.c_str(), value.c_str()});
    const gss_key_value_set_desc set{static_cast<OM_uint32>(elements.size()), elements.data()};
    gss_OID_set_desc mechs{1, gss_mech_krb5};
    Status status;
    status.major = gss_acquire_cred_from(&status.minor, name, GSS_C_INDEFINITE, any_mech ? GSS_C_NO_OID_SET : &mechs, usage,
                                         store.empty() ? GSS_C_NO_CRED_STORE : &set, &cred, nullptr, nullptr);
    return status;
  }
};

// One end of a Kerberos context; messages by End.
struct KerberosEnd : End {
  gss_OID mechanism = gss_mech_krb5;
  KerberosCredential kerberos;  // none: the default one

  Status begin(gss_name_t target, OM_uint32 request, std::string& token, gss_channel_bindings_t own = GSS_C_NO_CHANNEL_BINDINGS) {
    gss_buffer_desc input = in(token);
    Buffer output;
    Status status;
    status.major = gss_init_sec_context(&status.minor, kerberos.cred, &context, target, mechanism, request, 0, own,
                                        token.empty() ? GSS_C_NO_BUFFER : &input, nullptr, &output, &flags, &lifetime);
    token = output.str();
    return status;
  }
  Status take(std::string& token, gss_channel_bindings_t own = GSS_C_NO_CHANNEL_BINDINGS) {
    gss_buffer_desc input = in(token);
    Buffer output;
    Status status;
    status.major = gss_accept_sec_context(&status.minor, &context, kerberos.cred, &input, own, source.out(), nullptr, &output, &flags, &lifetime, nullptr);
    token = output.str();
    return status;
  }
};

struct KerberosPair {
  Connection connection;
  GssName target{support::Krb5Ticket::kService, GSS_C_NT_HOSTBASED_SERVICE};
  KerberosEnd initiator, acceptor;
  OM_uint32 request = kUsualFlags;
  std::vector<std::string> tokens;

  bool names_sockets = true;  // for the thread

  Status shake() {
    std::string token;
    Status status;
    for (int leg = 0; leg < 6; ++leg) {
      if (names_sockets) name_socket((leg % 2 == 0 ? connection.client : connection.server).get());
      status = leg % 2 == 0 ? initiator.begin(target.get(), request, token) : acceptor.take(token);
      name_socket(-1);
      if (GSS_ERROR(status.major) || token.empty()) return status;
      tokens.push_back(token);
    }
    return status;
  }
  void must_shake() {
    const Status status = shake();
    CPPUNIT_ASSERT_MESSAGE(message_of(status), status.ok());
  }
};

// One message; the first octet of its token.
inline char pass(End& from, End& to, const std::string& message = "attack at dawn", std::string* sent = nullptr) {
  std::string token, got;
  int confidential = 0, confidential_there = 0;
  const Status wrapped = from.wrap(message, token, 1, 0, &confidential);
  CPPUNIT_ASSERT_MESSAGE(message_of(wrapped), wrapped.ok());
  const Status unwrapped = to.unwrap(token, got, &confidential_there);
  CPPUNIT_ASSERT_MESSAGE(message_of(unwrapped), unwrapped.ok());
  CPPUNIT_ASSERT_EQUAL(message, got);
  CPPUNIT_ASSERT(confidential && confidential_there);
  if (sent) *sent = token;
  return token.front();
}

// Until both ends send by the channel.
inline void switch_both(KerberosPair& pair) {
  pair.must_shake();
  CPPUNIT_ASSERT_EQUAL(kWithSwitch, pass(pair.acceptor, pair.initiator));
  CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.initiator, pair.acceptor));
  CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.acceptor, pair.initiator));
}

class KerberosFixture : public CppUnit::TestFixture {
 public:
  void setUp() override {
    twin_ = std::make_unique<TwinBroker>();
    ticket_ = std::make_unique<support::Krb5Ticket>();
    ticket_->use();
    use(protocol::KerberosUse::skip, protocol::KerberosUse::skip);
  }
  void tearDown() override {
    name_socket(-1);
    ticket_.reset();
    twin_.reset();
  }

 protected:
  void use(protocol::KerberosUse initiator, protocol::KerberosUse acceptor) {
    twin_->knobs.initiator_use = initiator;
    twin_->knobs.acceptor_use = acceptor;
  }

  std::unique_ptr<TwinBroker> twin_;
  std::unique_ptr<support::Krb5Ticket> ticket_;
};

}  // namespace gssipsec::tests
