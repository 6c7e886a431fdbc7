// SPDX-License-Identifier: MIT
// Both ends of a negotiation by SPNEGO through the real libgssapi.
#pragma once

#include <cppunit/TestAssert.h>
#include <stdlib.h>
#include <string.h>

#include <fstream>
#include <iterator>

#include "tests/glue/kerberos_support.h"

namespace gssipsec::tests {

inline gss_OID_desc spnego = {6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};
inline gss_OID_desc krb5 = {9, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02")};

inline bool is(gss_const_OID a, gss_const_OID b) { return a && a->length == b->length && memcmp(a->elements, b->elements, a->length) == 0; }
inline bool holds(const std::string& token, gss_const_OID oid) { return token.find(std::string(static_cast<const char*>(oid->elements), oid->length)) != std::string::npos; }

inline constexpr char kIpsecPeer[] = "ipsec:fqdn:client.example.org", kKerberosPeer[] = "user@EXAMPLE.ORG";

inline std::string octets_of(gss_const_OID oid) { return {static_cast<const char*>(oid->elements), oid->length}; }

// Whether libgssapi's configuration has the line.
inline bool is_interposed() {
  std::ifstream config(getenv("GSS_MECH_CONFIG"));
  const std::string text{std::istreambuf_iterator<char>(config), {}};
  return text.find("10980991.8 ") != std::string::npos;
}

// SPNEGO itself.
inline gss_OID past_interposer() {
  static std::string octets = octets_of(project_oid(8)) + octets_of(&spnego);
  static gss_OID_desc oid{static_cast<OM_uint32>(octets.size()), octets.data()};
  return is_interposed() ? &oid : &spnego;
}

struct Side {
  gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
  gss_ctx_id_t context = GSS_C_NO_CONTEXT;
  OM_uint32 flags = 0;
  Status status;
  Side() = default;
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;
  ~Side() {
    OM_uint32 minor;
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    gss_release_cred(&minor, &cred);
  }
  Status acquire(gss_cred_usage_t usage, int fd, gss_OID mechanism = &spnego) {
    const std::string number = std::to_string(fd);
    gss_key_value_element_desc element{"ipsec-socket", number.c_str()};
    const gss_key_value_set_desc store{1, &element};
    gss_OID_set_desc mechs{1, mechanism};
    Status got;
    got.major = gss_acquire_cred_from(&got.minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechs, usage, &store, &cred, nullptr, nullptr);
    return got;
  }
  // In this order, of those that the credential has.
  void prefer(std::initializer_list<gss_OID_desc> order) {
    gss_OID_set_desc set{order.size(), const_cast<gss_OID_desc*>(order.begin())};
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_set_neg_mechs(&minor, cred, &set));
  }
};

// A negotiation over one connection; each end has what credentials it can get there.
struct Negotiation {
  Connection connection;
  GssName target{"host@server.example.org", GSS_C_NT_HOSTBASED_SERVICE};
  Side initiator, acceptor;
  std::vector<std::string> tokens;
  gss_OID mechanism = &spnego;  // that the initiator asks for
  OM_uint32 request = kUsualFlags;
  bool names_sockets = false;   // for the thread, where credentials do not
  GssName source;               // as the acceptor sees it

  void must_acquire() {
    const Status accepts = acceptor.acquire(GSS_C_ACCEPT, connection.server.get()), initiates = initiator.acquire(GSS_C_INITIATE, connection.client.get());
    CPPUNIT_ASSERT_MESSAGE(message_of(accepts), accepts.ok());
    CPPUNIT_ASSERT_MESSAGE(message_of(initiates), initiates.ok());
  }

  void init(std::string& token) {
    gss_buffer_desc input = in(token);
    Buffer output;
    initiator.status.major = gss_init_sec_context(&initiator.status.minor, initiator.cred, &initiator.context, target.get(), mechanism, request, 0,
                                                  GSS_C_NO_CHANNEL_BINDINGS, &input, nullptr, &output, &initiator.flags, nullptr);
    token = output.str();
  }

  void accept(std::string& token) {
    gss_buffer_desc input = in(token);
    Buffer output;
    acceptor.status.major = gss_accept_sec_context(&acceptor.status.minor, &acceptor.context, acceptor.cred, &input, GSS_C_NO_CHANNEL_BINDINGS, source.out(),
                                                   nullptr, &output, &acceptor.flags, nullptr, nullptr);
    token = output.str();
  }

  // Until one end fails or nothing more is to be said; `change` may change a token on its way.
  template <typename Change>
  bool run(Change change) {
    std::string token;
    for (int leg = 0; leg < 12; ++leg) {
      if (names_sockets) name_socket((leg % 2 == 0 ? connection.client : connection.server).get());
      leg % 2 == 0 ? init(token) : accept(token);
      if (names_sockets) name_socket(-1);
      if (GSS_ERROR((leg % 2 == 0 ? initiator : acceptor).status.major)) return false;
      if (token.empty()) break;
      tokens.push_back(token);
      change(leg, token);
    }
    return initiator.status.ok() && acceptor.status.ok();
  }
  bool run() {
    return run([](int, std::string&) {});
  }
  [[nodiscard]] std::string why() const { return message_of(initiator.status) + " | " + message_of(acceptor.status); }

  [[nodiscard]] bool chose(gss_const_OID wanted) const {
    for (const Side* side : {&initiator, &acceptor}) {
      gss_OID mech = GSS_C_NO_OID;
      OM_uint32 minor;
      if (gss_inquire_context(&minor, side->context, nullptr, nullptr, nullptr, &mech, nullptr, nullptr, nullptr) != GSS_S_COMPLETE || !is(mech, wanted)) return false;
    }
    return true;
  }
};

}  // namespace gssipsec::tests
