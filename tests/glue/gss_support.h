// SPDX-License-Identifier: MIT
// What tests through the real libgssapi share: a TCP connection in this process, both ends of a context on it, buffers.
#pragma once

#include <stdlib.h>
#include <sys/types.h>

extern "C" {
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
}

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace gssipsec::tests {

inline constexpr OM_uint32 kMinorBase = 0x49500000;
[[nodiscard]] constexpr OM_uint32 minor_of(base::Code code) { return kMinorBase + static_cast<OM_uint32>(code); }
// The "{ 1 2 840 ... 1 }" of the mechanism, and of other arcs of the project.
[[nodiscard]] gss_OID project_oid(unsigned arc);
[[nodiscard]] inline gss_OID mech() { return project_oid(1); }
[[nodiscard]] gss_OID spnego_mech();
[[nodiscard]] gss_OID krb5_mech();
[[nodiscard]] bool same_oid(gss_const_OID a, gss_const_OID b);

// An output buffer that releases itself.
struct Buffer : gss_buffer_desc {
  Buffer() : gss_buffer_desc{0, nullptr} {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();
  [[nodiscard]] std::string str() const { return {static_cast<const char*>(value), length}; }
};
[[nodiscard]] inline gss_buffer_desc in(const std::string& text) { return {text.size(), const_cast<char*>(text.data())}; }

class GssName {
 public:
  GssName() = default;
  GssName(const std::string& text, gss_OID type);
  GssName(GssName&& other) noexcept : name_(std::exchange(other.name_, GSS_C_NO_NAME)) {}
  GssName& operator=(GssName&& other) noexcept { return std::swap(name_, other.name_), *this; }
  ~GssName();
  [[nodiscard]] gss_name_t get() const { return name_; }
  [[nodiscard]] gss_name_t* out() { return &name_; }
  [[nodiscard]] std::string text() const;

 private:
  gss_name_t name_ = GSS_C_NO_NAME;
};

// Both ends of a connection over loopback.
struct Connection {
  Connection();
  // What a TwinBroker that names by port calls its client.
  [[nodiscard]] std::string client_name() const;
  base::UniqueFd client, server;
};

struct Status {
  OM_uint32 major = 0, minor = 0;
  [[nodiscard]] bool ok() const { return major == GSS_S_COMPLETE; }
  bool operator==(const Status&) const = default;
};
[[nodiscard]] std::string message_of(const Status& status);
// Assertions.
void must(const Status& status);
void expect(const Status& status, OM_uint32 major, base::Code code);

class GssCredential {
 public:
  GssCredential() = default;
  GssCredential(GssCredential&& other) noexcept : cred_(std::exchange(other.cred_, GSS_C_NO_CREDENTIAL)) {}
  ~GssCredential();
  using Store = std::vector<std::pair<std::string, std::string>>;
  Status acquire(gss_cred_usage_t usage, const Store& store, gss_name_t name = GSS_C_NO_NAME);
  [[nodiscard]] gss_cred_id_t get() const { return cred_; }
  [[nodiscard]] gss_cred_id_t* out() { return &cred_; }

 private:
  gss_cred_id_t cred_ = GSS_C_NO_CREDENTIAL;
};

// One end of a context.
class End {
 public:
  End() = default;
  End(const End&) = delete;
  End& operator=(const End&) = delete;
  ~End();

  gss_ctx_id_t context = GSS_C_NO_CONTEXT;
  GssCredential credential;
  OM_uint32 flags = 0, lifetime = 0;
  std::string bindings;      // application data; empty: none
  gss_OID mechanism = mech();  // initiator: what is asked for
  GssName source;            // acceptor

  // One call; `token` becomes what came out.
  Status init(gss_name_t target, OM_uint32 request, std::string& token);
  Status accept(std::string& token);
  Status wrap(const std::string& message, std::string& token, int conf = 1, gss_qop_t qop = 0, int* state = nullptr);
  Status unwrap(const std::string& token, std::string& message, int* state = nullptr, gss_qop_t* qop = nullptr);
  Status mic(const std::string& message, std::string& token, gss_qop_t qop = 0);
  Status verify(const std::string& message, const std::string& token);
};

constexpr OM_uint32 kUsualFlags = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG;

// Two ends on one connection, with credentials that name it.
struct Pair {
  explicit Pair(const std::string& target = "test@server.example.org", const GssCredential::Store& acceptor_store = {});
  Connection connection;
  GssName target;
  End initiator, acceptor;
  std::vector<std::string> tokens;  // as they went over, in order

  OM_uint32 request = kUsualFlags;
  // Runs the exchange to its end; the status that ended it.
  Status shake();
  void must_shake();
};
// Both ends have SPNEGO's credentials, which name the connection.
void through_spnego(Pair& pair);

}  // namespace gssipsec::tests
