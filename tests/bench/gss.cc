// SPDX-License-Identifier: MIT
#include "tests/bench/gss.h"

#include <arpa/inet.h>
#include <gssapi/gssapi_krb5.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>

namespace gssipsec::bench {
namespace {

constexpr char kIpsec[] = "{ 1 2 840 113556 1 8000 2554 29037 34951 56904 17186 41534 6054741 10980991 1 }";
// The interposer's, with Kerberos' own behind it.
constexpr char kPastUs[] = "{ 1 2 840 113556 1 8000 2554 29037 34951 56904 17186 41534 6054741 10980991 2 42 840 113554 1 2 2 }";
constexpr char kThreadSocket[] = "{ 1 2 840 113556 1 8000 2554 29037 34951 56904 17186 41534 6054741 10980991 4 }";
constexpr OM_uint32 kFlags = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG;

constexpr char kByChannel = 0x11, kWithOffer = 0x14;  // docs/protocol.md, Per-message tokens

gss_OID parse_oid(std::string text) {
  gss_buffer_desc buffer{text.size(), text.data()};
  OM_uint32 minor;
  gss_OID oid = GSS_C_NO_OID;
  if (gss_str_to_oid(&minor, &buffer, &oid) != GSS_S_COMPLETE) throw std::runtime_error("gss_str_to_oid");
  return oid;
}

std::string text_of(OM_uint32 code, int type, gss_OID mechanism) {
  std::string all;
  OM_uint32 more = 0, minor;
  do {
    Buffer text;
    if (gss_display_status(&minor, code, type, mechanism, &more, &text) != GSS_S_COMPLETE) break;
    all += " " + std::string(static_cast<char*>(text.value), text.length);
  } while (more != 0);
  return all;
}

void must(const char* call, OM_uint32 major, OM_uint32 minor, Mechanism mechanism) {
  if (!GSS_ERROR(major)) return;
  const gss_OID oid = oid_of(mechanism);
  throw std::runtime_error(std::string(call) + ":" + text_of(major, GSS_C_GSS_CODE, oid) + " /" + text_of(minor, GSS_C_MECH_CODE, oid));
}

gss_buffer_desc view(const std::string& text) { return {text.size(), const_cast<char*>(text.data())}; }
std::string string_of(const Buffer& buffer) { return {static_cast<const char*>(buffer.value), buffer.length}; }

}  // namespace

gss_OID oid_of(Mechanism mechanism) {
  static const gss_OID ipsec = parse_oid(kIpsec), krb5 = parse_oid(kPastUs);
  if (mechanism == Mechanism::ipsec) return ipsec;
  return mechanism == Mechanism::krb5 ? krb5 : gss_mech_krb5;
}

void name_socket(int fd) {
  static const gss_OID thread_socket = parse_oid(kThreadSocket);
  std::string number = fd < 0 ? "clear" : std::to_string(fd);
  gss_buffer_desc value{number.size(), number.data()};
  OM_uint32 minor;
  const OM_uint32 major = gssspi_mech_invoke(&minor, oid_of(Mechanism::ipsec), thread_socket, &value);
  must("gssspi_mech_invoke", major, minor, Mechanism::ipsec);
}

Buffer::~Buffer() {
  OM_uint32 minor;
  gss_release_buffer(&minor, this);
}

Credential::Credential(Mechanism mechanism, gss_cred_usage_t usage, const Store& store) {
  std::vector<gss_key_value_element_desc> elements;
  for (const auto& [key, value] : store) elements.push_back({key.c_str(), value.c_str()});
  const gss_key_value_set_desc set{static_cast<OM_uint32>(elements.size()), elements.data()};
  gss_OID_set_desc wanted{1, oid_of(mechanism)};
  OM_uint32 minor;
  const OM_uint32 major =
      gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &wanted, usage, &set, &credential_, nullptr, nullptr);
  must("gss_acquire_cred_from", major, minor, mechanism);
}

Credential::~Credential() {
  OM_uint32 minor;
  gss_release_cred(&minor, &credential_);
}

Target::Target(const std::string& service) {
  gss_buffer_desc text = view(service);
  OM_uint32 minor;
  const OM_uint32 major = gss_import_name(&minor, &text, GSS_C_NT_HOSTBASED_SERVICE, &name_);
  must("gss_import_name", major, minor, Mechanism::krb5);
}

Target::~Target() {
  OM_uint32 minor;
  gss_release_name(&minor, &name_);
}

Context::~Context() {
  OM_uint32 minor;
  gss_delete_sec_context(&minor, &context_, GSS_C_NO_BUFFER);
}

bool Context::init(const Credential& credential, const Target& target, const std::string& input, std::string& output) {
  gss_buffer_desc in = view(input);
  Buffer out;
  OM_uint32 minor;
  const OM_uint32 major = gss_init_sec_context(&minor, credential.get(), &context_, target.get(), oid_of(mechanism_), kFlags, 0,
                                               GSS_C_NO_CHANNEL_BINDINGS, &in, nullptr, &out, &flags_, nullptr);
  must("gss_init_sec_context", major, minor, mechanism_);
  output = string_of(out);
  return major == GSS_S_COMPLETE;
}

bool Context::accept(const Credential& credential, const std::string& input, std::string& output) {
  gss_buffer_desc in = view(input);
  Buffer out;
  OM_uint32 minor;
  const OM_uint32 major = gss_accept_sec_context(&minor, &context_, credential.get(), &in, GSS_C_NO_CHANNEL_BINDINGS, nullptr, nullptr,
                                                 &out, &flags_, nullptr, nullptr);
  must("gss_accept_sec_context", major, minor, mechanism_);
  output = string_of(out);
  return major == GSS_S_COMPLETE;
}

void Context::wrap(const std::string& message, gss_qop_t qop, Buffer& token) {
  gss_buffer_desc in = view(message);
  OM_uint32 minor;
  int confidential = 0;
  const OM_uint32 major = gss_wrap(&minor, context_, 1, qop, &in, &confidential, &token);
  must("gss_wrap", major, minor, mechanism_);
  if (!confidential) throw std::runtime_error("gss_wrap: not confidential");
}

void Context::unwrap(Buffer& token, Buffer& message) {
  OM_uint32 minor;
  int confidential = 0;
  const OM_uint32 major = gss_unwrap(&minor, context_, &token, &message, &confidential, nullptr);
  must("gss_unwrap", major, minor, mechanism_);
  if (!confidential) throw std::runtime_error("gss_unwrap: not confidential");
}

namespace {

using Pieces = std::array<gss_iov_buffer_desc, 4>;

Pieces pieces_of(std::string& message, std::string& header) {
  return {{{GSS_IOV_BUFFER_TYPE_HEADER, {header.size(), header.data()}},
           {GSS_IOV_BUFFER_TYPE_DATA, {message.size(), message.data()}},
           {GSS_IOV_BUFFER_TYPE_PADDING, {0, nullptr}},
           {GSS_IOV_BUFFER_TYPE_TRAILER, {0, nullptr}}}};
}

}  // namespace

void Context::wrap_pieces(std::string& message, std::string& header) {
  Pieces pieces = pieces_of(message, header);
  OM_uint32 minor;
  int confidential = 0;
  const OM_uint32 major = gss_wrap_iov(&minor, context_, 1, 0, &confidential, pieces.data(), pieces.size());
  must("gss_wrap_iov", major, minor, mechanism_);
  if (!confidential) throw std::runtime_error("gss_wrap_iov: not confidential");
  header.resize(pieces[0].buffer.length);
}

void Context::unwrap_pieces(std::string& message, std::string& header) {
  Pieces pieces = pieces_of(message, header);
  OM_uint32 minor;
  int confidential = 0;
  const OM_uint32 major = gss_unwrap_iov(&minor, context_, &confidential, nullptr, pieces.data(), pieces.size());
  must("gss_unwrap_iov", major, minor, mechanism_);
  if (!confidential) throw std::runtime_error("gss_unwrap_iov: not confidential");
}

bool by_channel(const Buffer& token) { return token.length > 0 && *static_cast<const char*>(token.value) == kByChannel; }
bool with_offer(const std::string& token) { return token.starts_with(kWithOffer); }

void Context::must_be_mutual() const {
  constexpr OM_uint32 wanted = GSS_C_MUTUAL_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG;
  if ((flags_ & wanted) != wanted || (flags_ & GSS_C_ANON_FLAG)) throw std::runtime_error("context flags " + std::to_string(flags_));
}

void send_token(int fd, const std::string& token) {
  const std::uint32_t length = htonl(static_cast<std::uint32_t>(token.size()));
  std::string frame(reinterpret_cast<const char*>(&length), sizeof length);
  frame += token;
  if (send(fd, frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size())) throw std::runtime_error("send");
}

std::string receive_token(int fd) {
  std::uint32_t length = 0;
  if (recv(fd, &length, sizeof length, MSG_WAITALL) != sizeof length) throw std::runtime_error("the peer hung up");
  std::string token(ntohl(length), '\0');
  if (!token.empty() && recv(fd, token.data(), token.size(), MSG_WAITALL) != static_cast<ssize_t>(token.size())) throw std::runtime_error("half a token");
  return token;
}

}  // namespace gssipsec::bench
