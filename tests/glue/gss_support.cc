// SPDX-License-Identifier: MIT
#include "tests/glue/gss_support.h"

#include <arpa/inet.h>
#include <cppunit/TestAssert.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <tuple>

namespace gssipsec::tests {
namespace {

constexpr char kBase[] = "1 2 840 113556 1 8000 2554 29037 34951 56904 17186 41534 6054741 10980991";

// The suites say where the plugin is; by hand the file lies where the build put it.
const bool kConfigured = [] {
  setenv("GSS_MECH_CONFIG", "tests/glue/mech.conf", 0);
  return true;
}();

gss_OID parse_oid(const std::string& text) {
  gss_buffer_desc buffer = in(text);
  OM_uint32 minor;
  gss_OID oid = GSS_C_NO_OID;
  if (gss_str_to_oid(&minor, &buffer, &oid) != GSS_S_COMPLETE) throw std::runtime_error("gss_str_to_oid");
  return oid;
}

std::string texts(OM_uint32 code, int type) {
  std::string all;
  OM_uint32 more = 0, minor;
  do {
    Buffer text;
    if (gss_display_status(&minor, code, type, mech(), &more, &text) != GSS_S_COMPLETE) break;
    all += (all.empty() ? "" : "; ") + text.str();
  } while (more != 0);
  return all;
}

}  // namespace

// All at once, for any thread; kept to the end of the program.
gss_OID project_oid(unsigned arc) {
  static const auto kKnown = [] {
    std::array<gss_OID, 128> all{};
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = parse_oid("{ " + std::string(kBase) + " " + std::to_string(i) + " }");
    return all;
  }();
  return kKnown.at(arc);
}

gss_OID spnego_mech() {
  static gss_OID_desc oid{6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};
  return &oid;
}

gss_OID krb5_mech() {
  static gss_OID_desc oid{9, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02")};
  return &oid;
}

bool same_oid(gss_const_OID a, gss_const_OID b) { return a && b && a->length == b->length && memcmp(a->elements, b->elements, a->length) == 0; }

Buffer::~Buffer() {
  OM_uint32 minor;
  gss_release_buffer(&minor, this);
}

GssName::GssName(const std::string& text, gss_OID type) {
  gss_buffer_desc buffer = in(text);
  OM_uint32 minor;
  if (gss_import_name(&minor, &buffer, type, &name_) != GSS_S_COMPLETE) throw std::runtime_error("gss_import_name " + text);
}

GssName::~GssName() {
  OM_uint32 minor;
  gss_release_name(&minor, &name_);
}

std::string GssName::text() const {
  Buffer text;
  OM_uint32 minor;
  if (name_ == GSS_C_NO_NAME || gss_display_name(&minor, name_, &text, nullptr) != GSS_S_COMPLETE) return {};
  return text.str();
}

Connection::Connection() {
  const base::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* at = reinterpret_cast<sockaddr*>(&address);
  client.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (bind(listener.get(), at, size) != 0 || listen(listener.get(), 1) != 0 || getsockname(listener.get(), at, &size) != 0 ||
      connect(client.get(), at, size) != 0)
    throw std::runtime_error("no connection over loopback");
  server.reset(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

std::string Connection::client_name() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(client.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) throw std::runtime_error("getsockname");
  return "ipsec:fqdn:port-" + std::to_string(ntohs(address.sin_port)) + ".example.org";
}

std::string message_of(const Status& status) {
  char numbers[64];
  snprintf(numbers, sizeof numbers, "%08x/%08x ", status.major, status.minor);
  return numbers + texts(status.major, GSS_C_GSS_CODE) + " / " + texts(status.minor, GSS_C_MECH_CODE);
}

void must(const Status& status) { CPPUNIT_ASSERT_MESSAGE(message_of(status), status.ok()); }

void expect(const Status& status, OM_uint32 major, base::Code code) {
  CPPUNIT_ASSERT_EQUAL_MESSAGE(message_of(status), major, status.major);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(message_of(status), minor_of(code), status.minor);
}

GssCredential::~GssCredential() {
  OM_uint32 minor;
  gss_release_cred(&minor, &cred_);
}

Status GssCredential::acquire(gss_cred_usage_t usage, const Store& store, gss_name_t name) {
  OM_uint32 ignored;
  gss_release_cred(&ignored, &cred_);
  std::vector<gss_key_value_element_desc> elements;
  for (const auto& [key, value] : store) elements.push_back({key.c_str(), value.c_str()});
  const gss_key_value_set_desc set{static_cast<OM_uint32>(elements.size()), elements.data()};
  gss_OID_set_desc mechs{1, mech()};
  Status status;
  status.major = gss_acquire_cred_from(&status.minor, name, GSS_C_INDEFINITE, &mechs, usage, store.empty() ? GSS_C_NO_CRED_STORE : &set, &cred_,
                                       nullptr, nullptr);
  return status;
}

End::~End() {
  OM_uint32 minor;
  gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
}

Status End::init(gss_name_t target, OM_uint32 request, std::string& token) {
  gss_channel_bindings_struct data{};
  data.application_data = in(bindings);
  gss_buffer_desc input = in(token);
  Buffer output;
  Status status;
  status.major = gss_init_sec_context(&status.minor, credential.get(), &context, target, mechanism, request, 0,
                                      bindings.empty() ? GSS_C_NO_CHANNEL_BINDINGS : &data, token.empty() ? GSS_C_NO_BUFFER : &input, nullptr,
                                      &output, &flags, &lifetime);
  token = output.str();
  return status;
}

Status End::accept(std::string& token) {
  gss_channel_bindings_struct data{};
  data.application_data = in(bindings);
  gss_buffer_desc input = in(token);
  Buffer output;
  Status status;
  OM_uint32 ignored;
  gss_release_name(&ignored, source.out());
  status.major = gss_accept_sec_context(&status.minor, &context, credential.get(), &input, bindings.empty() ? GSS_C_NO_CHANNEL_BINDINGS : &data,
                                        source.out(), nullptr, &output, &flags, &lifetime, nullptr);
  token = output.str();
  return status;
}

Status End::wrap(const std::string& message, std::string& token, int conf, gss_qop_t qop, int* state) {
  gss_buffer_desc input = in(message);
  Buffer output;
  Status status;
  status.major = gss_wrap(&status.minor, context, conf, qop, &input, state, &output);
  token = output.str();
  return status;
}

Status End::unwrap(const std::string& token, std::string& message, int* state, gss_qop_t* qop) {
  gss_buffer_desc input = in(token);
  Buffer output;
  Status status;
  status.major = gss_unwrap(&status.minor, context, &input, &output, state, qop);
  message = output.str();
  return status;
}

Status End::mic(const std::string& message, std::string& token, gss_qop_t qop) {
  gss_buffer_desc input = in(message);
  Buffer output;
  Status status;
  status.major = gss_get_mic(&status.minor, context, qop, &input, &output);
  token = output.str();
  return status;
}

Status End::verify(const std::string& message, const std::string& token) {
  gss_buffer_desc input = in(message), mic = in(token);
  Status status;
  status.major = gss_verify_mic(&status.minor, context, &input, &mic, nullptr);
  return status;
}

Pair::Pair(const std::string& target_text, const GssCredential::Store& acceptor_store)
    : target(target_text, target_text.starts_with("ipsec:") ? project_oid(3) : GSS_C_NT_HOSTBASED_SERVICE) {
  GssCredential::Store store = acceptor_store;
  store.emplace_back("ipsec-socket", std::to_string(connection.server.get()));
  const Status accepts = acceptor.credential.acquire(GSS_C_ACCEPT, store);
  if (!accepts.ok()) throw std::runtime_error("acceptor: " + message_of(accepts));
  const Status initiates = initiator.credential.acquire(GSS_C_INITIATE, {{"ipsec-socket", std::to_string(connection.client.get())}});
  if (!initiates.ok()) throw std::runtime_error("initiator: " + message_of(initiates));
}

Status Pair::shake() {
  std::string token;
  for (int leg = 0; leg < 10; ++leg) {
    const bool from_initiator = leg % 2 == 0;
    const Status status = from_initiator ? initiator.init(target.get(), request, token) : acceptor.accept(token);
    if (!token.empty()) tokens.push_back(token);
    if (GSS_ERROR(status.major) || token.empty()) return status;
  }
  return {GSS_S_FAILURE, 0};
}

void Pair::must_shake() {
  const Status status = shake();
  if (!status.ok()) throw std::runtime_error(message_of(status));
}

void through_spnego(Pair& pair) {
  gss_OID_set_desc mechs{1, spnego_mech()};
  for (const auto& [end, fd, usage] : {std::tuple{&pair.initiator, &pair.connection.client, GSS_C_INITIATE}, std::tuple{&pair.acceptor, &pair.connection.server, GSS_C_ACCEPT}}) {
    const std::string number = std::to_string(fd->get());
    gss_key_value_element_desc element{"ipsec-socket", number.c_str()};
    const gss_key_value_set_desc store{1, &element};
    Status status;
    gss_release_cred(&status.minor, end->credential.out());
    status.major = gss_acquire_cred_from(&status.minor, GSS_C_NO_NAME, 0, &mechs, usage, &store, end->credential.out(), nullptr, nullptr);
    must(status);
  }
  pair.initiator.mechanism = spnego_mech();
}

}  // namespace gssipsec::tests
