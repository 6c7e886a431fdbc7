// SPDX-License-Identifier: MIT
#include "tests/support/krb5_ticket.h"

#include <krb5/krb5.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

// Exported by libkrb5 for the KDC.
extern "C" krb5_error_code krb5_encrypt_tkt_part(krb5_context, const krb5_keyblock*, krb5_ticket*);
extern "C" krb5_error_code encode_krb5_ticket(const krb5_ticket*, krb5_data**);

namespace gssipsec::support {
namespace {

constexpr char kConfig[] =
    "[libdefaults]\n"
    "  default_realm = EXAMPLE.ORG\n"
    "  dns_lookup_kdc = false\n"
    "  dns_lookup_realm = false\n"
    "  dns_canonicalize_hostname = false\n"
    "  rdns = false\n"
    "[realms]\n"
    "  EXAMPLE.ORG = {\n  }\n"
    "[domain_realm]\n"
    "  .example.org = EXAMPLE.ORG\n";
constexpr krb5_deltat kLifetime = 10 * 60 * 60;

class Maker {
 public:
  Maker(const Krb5Ticket& files, const std::string& enctype) : files_(files) {
    setenv("KRB5_CONFIG", files.config().c_str(), 1);
    must(krb5_init_context(&context_), "krb5_init_context");
    std::string name = enctype;
    must(krb5_string_to_enctype(name.data(), &enctype_), "enctype");
    must(krb5_parse_name(context_, "user@EXAMPLE.ORG", &client_), "client");
    must(krb5_parse_name(context_, "host/server.example.org@EXAMPLE.ORG", &server_), "server");
    must(krb5_c_make_random_key(context_, enctype_, &service_key_), "key");
    must(krb5_c_make_random_key(context_, enctype_, &session_key_), "session key");
  }
  ~Maker() {
    if (context_ == nullptr) return;
    krb5_free_keyblock_contents(context_, &service_key_);
    krb5_free_keyblock_contents(context_, &session_key_);
    krb5_free_principal(context_, client_);
    krb5_free_principal(context_, server_);
    krb5_free_context(context_);
  }
  Maker(const Maker&) = delete;
  Maker& operator=(const Maker&) = delete;

  void write_keytab() {
    krb5_keytab keytab;
    must(krb5_kt_resolve(context_, files_.keytab().c_str(), &keytab), "keytab");
    krb5_keytab_entry entry{};
    entry.principal = server_;
    entry.vno = 1;
    entry.key = service_key_;
    must(krb5_kt_add_entry(context_, keytab, &entry), "keytab entry");
    krb5_kt_close(context_, keytab);
  }

  void write_ccache() {
    krb5_creds creds{};
    creds.client = client_;
    creds.server = server_;
    creds.keyblock = session_key_;
    creds.ticket_flags = TKT_FLG_PRE_AUTH | TKT_FLG_INITIAL;
    const auto now = static_cast<krb5_timestamp>(time(nullptr));
    creds.times = {now, now, now + kLifetime, 0};
    krb5_data* ticket = sealed_ticket(creds);
    creds.ticket = *ticket;
    krb5_ccache ccache;
    must(krb5_cc_resolve(context_, files_.ccache().c_str(), &ccache), "ccache");
    must(krb5_cc_initialize(context_, ccache, client_), "ccache");
    must(krb5_cc_store_cred(context_, ccache, &creds), "ccache entry");
    krb5_cc_close(context_, ccache);
    krb5_free_data(context_, ticket);
  }

 private:
  // What a KDC would send.
  krb5_data* sealed_ticket(const krb5_creds& creds) {
    krb5_enc_tkt_part part{};
    part.flags = creds.ticket_flags;
    part.session = &session_key_;
    part.client = client_;
    part.transited.tr_type = KRB5_DOMAIN_X500_COMPRESS;
    part.times = creds.times;
    krb5_ticket ticket{};
    ticket.server = server_;
    ticket.enc_part.kvno = 1;
    ticket.enc_part2 = &part;
    krb5_data* encoded = nullptr;
    must(krb5_encrypt_tkt_part(context_, &service_key_, &ticket), "krb5_encrypt_tkt_part");
    must(encode_krb5_ticket(&ticket, &encoded), "encode_krb5_ticket");
    krb5_free_data_contents(context_, &ticket.enc_part.ciphertext);
    return encoded;
  }

  void must(krb5_error_code code, const char* what) {
    if (code == 0) return;
    const char* text = krb5_get_error_message(context_, code);
    const std::string message = std::string(what) + ": " + text;
    krb5_free_error_message(context_, text);
    throw std::runtime_error(message);
  }

  const Krb5Ticket& files_;
  krb5_context context_ = nullptr;
  krb5_enctype enctype_ = 0;
  krb5_principal client_ = nullptr, server_ = nullptr;
  krb5_keyblock service_key_{}, session_key_{};
};

std::string new_directory() {
  std::string path = (std::filesystem::temp_directory_path() / "gss-ipsec-krb5.XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory " + path);
  return path;
}

}  // namespace

Krb5Ticket::Krb5Ticket(const std::string& enctype) : directory_(new_directory()) {
  std::ofstream(config()) << kConfig;
  Maker maker(*this, enctype);
  maker.write_keytab();
  maker.write_ccache();
}

Krb5Ticket::~Krb5Ticket() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void Krb5Ticket::use() const {
  setenv("KRB5_CONFIG", config().c_str(), 1);
  setenv("KRB5CCNAME", ccache().c_str(), 1);
  setenv("KRB5_KTNAME", keytab().c_str(), 1);
  setenv("KRB5RCACHEDIR", directory_.c_str(), 1);
}

}  // namespace gssipsec::support
