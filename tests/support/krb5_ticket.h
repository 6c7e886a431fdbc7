// SPDX-License-Identifier: MIT
// Kerberos without a KDC: a keytab with a random key for host@server.example.org, and a credential cache of
// user@EXAMPLE.ORG that holds a service ticket under that key, both with a krb5.conf in a temporary directory of their
// own, which goes with the object. For tests only: the ticket is made with functions of libkrb5 that krb5.h does not show.
// Threads: none. Failures: std::runtime_error with libkrb5's text.
#pragma once

#include <string>

namespace gssipsec::support {

class Krb5Ticket {
 public:
  // An encryption type's name, as kinit knows it; of the ticket, the session key and the service's key.
  explicit Krb5Ticket(const std::string& enctype = "aes256-cts-hmac-sha1-96");
  ~Krb5Ticket();
  Krb5Ticket(const Krb5Ticket&) = delete;
  Krb5Ticket& operator=(const Krb5Ticket&) = delete;

  // Sets KRB5_CONFIG, KRB5CCNAME, KRB5_KTNAME and KRB5RCACHEDIR for this process and its children.
  void use() const;

  [[nodiscard]] std::string config() const { return directory_ + "/krb5.conf"; }
  [[nodiscard]] std::string ccache() const { return "FILE:" + directory_ + "/ccache"; }
  [[nodiscard]] std::string keytab() const { return "FILE:" + directory_ + "/keytab"; }
  // As GSS_C_NT_HOSTBASED_SERVICE.
  static constexpr const char* kService = "host@server.example.org";

 private:
  std::string directory_;
};

}  // namespace gssipsec::support
