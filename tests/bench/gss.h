// SPDX-License-Identifier: MIT
// What the benchmarks need of GSS-API, in the shortest form: a mechanism, credentials from a store, one end of a context,
// tokens over a TCP connection. Threads: none. Failures: std::runtime_error with the mechanism's own words.
#pragma once

extern "C" {
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
}

#include <string>
#include <utility>
#include <vector>

namespace gssipsec::bench {

// Where the interposer stands before Kerberos, `krb5` goes past it.
enum class Mechanism { ipsec, krb5, interposed };
[[nodiscard]] gss_OID oid_of(Mechanism mechanism);
// The socket of this thread's contexts; -1: they look for it.
void name_socket(int fd);

// A buffer of the mechanism's, released with this.
struct Buffer : gss_buffer_desc {
  Buffer() : gss_buffer_desc{0, nullptr} {}
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
};

class Credential {
 public:
  using Store = std::vector<std::pair<std::string, std::string>>;
  Credential(Mechanism mechanism, gss_cred_usage_t usage, const Store& store);
  ~Credential();
  Credential(const Credential&) = delete;
  Credential& operator=(const Credential&) = delete;
  [[nodiscard]] gss_cred_id_t get() const { return credential_; }

 private:
  gss_cred_id_t credential_ = GSS_C_NO_CREDENTIAL;
};

class Target {
 public:
  explicit Target(const std::string& service);
  ~Target();
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  [[nodiscard]] gss_name_t get() const { return name_; }

 private:
  gss_name_t name_ = GSS_C_NO_NAME;
};

// One end. A step takes the peer's token (none in the initiator's first) and returns true when this end is done.
class Context {
 public:
  explicit Context(Mechanism mechanism) : mechanism_(mechanism) {}
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  bool init(const Credential& credential, const Target& target, const std::string& input, std::string& output);
  bool accept(const Credential& credential, const std::string& input, std::string& output);
  void wrap(const std::string& message, gss_qop_t qop, Buffer& token);
  void unwrap(Buffer& token, Buffer& message);
  // In place, with HEADER and no other octets around the message; `header` has room for any.
  void wrap_pieces(std::string& message, std::string& header);
  void unwrap_pieces(std::string& message, std::string& header);
  // Throws unless the peer is proven and messages can be protected.
  void must_be_mutual() const;

 private:
  Mechanism mechanism_;
  gss_ctx_id_t context_ = GSS_C_NO_CONTEXT;
  OM_uint32 flags_ = 0;
};

// What the first octet of a message's token says: it rests on the channel; its sender offers that.
[[nodiscard]] bool by_channel(const Buffer& token);
[[nodiscard]] bool with_offer(const std::string& token);

// A token behind its length, over a stream.
void send_token(int fd, const std::string& token);
[[nodiscard]] std::string receive_token(int fd);

}  // namespace gssipsec::bench
