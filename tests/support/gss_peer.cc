// SPDX-License-Identifier: MIT
// One end of a connection, driven line by line from a scenario: makes sockets, credentials, contexts and messages through
// the real libgssapi_krb5 and answers each command with one JSON object. Tokens travel as hex, so that a scenario can
// flip, replay and reorder them. Values of a command are separated by blanks; "-" is empty. No state survives the process.
#include <gss-ipsec/gss_ipsec.h>
#include <arpa/inet.h>
#include <linux/xfrm.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

extern "C" {
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
}

#include "tests/support/latch_commands.h"
#include "tests/support/process_commands.h"

namespace {

using Words = std::vector<std::string>;

class Json {
 public:
  Json& text(const char* key, const std::string& value) {
    std::string quoted = "\"";
    for (const char c : value) {
      const auto octet = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') quoted += '\\';
      if (octet < 0x20 || octet > 0x7e) {
        char code[8];
        snprintf(code, sizeof code, "\\u%04x", octet);
        quoted += code;
      } else {
        quoted += c;
      }
    }
    return raw(key, quoted + "\"");
  }
  Json& number(const char* key, long long value) { return raw(key, std::to_string(value)); }
  [[nodiscard]] std::string str() const { return "{" + body_ + "}"; }

 private:
  Json& raw(const char* key, const std::string& value) {
    body_ += (body_.empty() ? "\"" : ", \"") + std::string(key) + "\": " + value;
    return *this;
  }
  std::string body_;
};

std::string to_hex(const void* data, size_t size) {
  std::string out;
  char pair[3];
  for (size_t i = 0; i < size; ++i) {
    snprintf(pair, sizeof pair, "%02x", static_cast<const unsigned char*>(data)[i]);
    out += pair;
  }
  return out;
}

std::string from_hex(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

// An output buffer of GSS-API, released when it goes.
struct Buffer : gss_buffer_desc {
  Buffer() : gss_buffer_desc{0, nullptr} {}
  Buffer(const Buffer&) = delete;
  ~Buffer() {
    OM_uint32 minor = 0;
    gss_release_buffer(&minor, this);
  }
  [[nodiscard]] std::string str() const { return {static_cast<const char*>(value), length}; }
};

gss_buffer_desc in(std::string& data) { return {data.size(), data.data()}; }

struct Peer {
  int fd = -1, listener = -1;
  gss_OID mech = GSS_C_NO_OID;
  gss_name_t target = GSS_C_NO_NAME;
  gss_cred_id_t cred = GSS_C_NO_CREDENTIAL, delegated = GSS_C_NO_CREDENTIAL;
  std::map<std::string, gss_ctx_id_t> contexts;
  std::string current = "0";
  std::string bindings;
  gss_ctx_id_t& ctx() { return contexts[current]; }
};

std::string status_text(OM_uint32 code, int type, gss_OID mech) {
  std::string text;
  OM_uint32 more = 0, minor;
  do {
    Buffer part;
    if (gss_display_status(&minor, code, type, mech, &more, &part) != GSS_S_COMPLETE) break;
    text += (text.empty() ? "" : "; ") + part.str();
  } while (more != 0);
  return text;
}

Json outcome(const Peer& peer, OM_uint32 major, OM_uint32 minor) {
  Json json;
  json.number("major", major).number("minor", minor).text("error", GSS_ERROR(major) ? status_text(major, GSS_C_GSS_CODE, peer.mech) : "");
  return json.text("why", GSS_ERROR(major) ? status_text(minor, GSS_C_MECH_CODE, peer.mech) : "");
}

Json failed(const char* call) { return Json().number("errno", errno).text("error", std::string(call) + ": " + strerror(errno)); }

sockaddr_storage address_of(const std::string& host, int port, socklen_t& size) {
  sockaddr_storage out{};
  if (host.find(':') != std::string::npos) {
    auto& six = reinterpret_cast<sockaddr_in6&>(out);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(static_cast<uint16_t>(port));
    inet_pton(AF_INET6, host.c_str(), &six.sin6_addr);
    size = sizeof six;
  } else {
    auto& four = reinterpret_cast<sockaddr_in&>(out);
    four.sin_family = AF_INET;
    four.sin_port = htons(static_cast<uint16_t>(port));
    inet_pton(AF_INET, host.c_str(), &four.sin_addr);
    size = sizeof four;
  }
  return out;
}

std::string option(const Words& words, const std::string& key, const std::string& otherwise = "") {
  for (const std::string& word : words)
    if (word.rfind(key + "=", 0) == 0) return word.substr(key.size() + 1);
  return otherwise;
}

// Options: proto=tcp|udp|sctp|mptcp, mark=N, dev=DEVICE, v6only=0|1
int bound_socket(const std::string& host, int port, const Words& words) {
  static const std::map<std::string, int> kProtocols = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP}, {"mptcp", 262}};
  socklen_t size = 0;
  const sockaddr_storage where = address_of(host, port, size);
  const int protocol = kProtocols.at(option(words, "proto", "tcp"));
  const int fd = socket(where.ss_family, (protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, protocol);
  const int one = 1, mark = std::stoi(option(words, "mark", "0")), only = std::stoi(option(words, "v6only", "0"));
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (mark != 0) setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark);
  const std::string device = option(words, "dev");
  if (!device.empty()) setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device.c_str(), static_cast<socklen_t>(device.size()));
  if (where.ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&where), size) == 0) return fd;
  close(fd);
  return -1;
}

// connect HOST PORT [from=ADDRESS] [port=LOCALPORT] and the options of bound_socket
Json do_connect(Peer& peer, const Words& words) {
  socklen_t size = 0;
  const sockaddr_storage to = address_of(words.at(1), std::stoi(words.at(2)), size);
  const std::string any = to.ss_family == AF_INET6 ? "::" : "0.0.0.0";
  peer.fd = bound_socket(option(words, "from", any), std::stoi(option(words, "port", "0")), words);
  if (peer.fd < 0) return failed("bind");
  timeval limit{std::stoi(option(words, "wait", "8")), 0};
  setsockopt(peer.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(peer.fd, reinterpret_cast<const sockaddr*>(&to), size) != 0) return failed("connect");
  return Json().number("fd", peer.fd);
}

// reconnect HOST PORT: the same socket, connected elsewhere
Json do_reconnect(Peer& peer, const Words& words) {
  const sockaddr none{AF_UNSPEC, {}};
  if (connect(peer.fd, &none, sizeof none) != 0) return failed("connect(AF_UNSPEC)");
  socklen_t size = 0;
  const sockaddr_storage to = address_of(words.at(1), std::stoi(words.at(2)), size);
  if (connect(peer.fd, reinterpret_cast<const sockaddr*>(&to), size) != 0) return failed("connect");
  return Json().number("fd", peer.fd);
}

Json do_listen(Peer& peer, const Words& words) {
  peer.listener = bound_socket(words.at(1), std::stoi(words.at(2)), words);
  const bool datagrams = option(words, "proto") == "udp";
  if (peer.listener < 0 || (!datagrams && listen(peer.listener, 16) != 0)) return failed("listen");
  if (datagrams) peer.fd = peer.listener;
  return Json().number("fd", peer.listener);
}

Json do_accept(Peer& peer, const Words& words) {
  pollfd waiting{peer.listener, POLLIN, 0};
  if (poll(&waiting, 1, std::stoi(option(words, "wait", "8")) * 1000) != 1) return Json().text("error", "nobody connected");
  peer.fd = accept4(peer.listener, nullptr, nullptr, SOCK_CLOEXEC);
  return peer.fd < 0 ? failed("accept") : Json().number("fd", peer.fd);
}

Json do_send(Peer& peer, const Words& words) {
  const std::string data = from_hex(words.at(1));
  const ssize_t sent = send(peer.fd, data.data(), data.size(), MSG_NOSIGNAL);
  return sent < 0 ? failed("send") : Json().number("sent", sent);
}

// sendto HOST PORT DATA
Json do_sendto(Peer& peer, const Words& words) {
  socklen_t size = 0;
  const sockaddr_storage to = address_of(words.at(1), std::stoi(words.at(2)), size);
  const std::string data = from_hex(words.at(3));
  const ssize_t sent = sendto(peer.fd, data.data(), data.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), size);
  return sent < 0 ? failed("sendto") : Json().number("sent", sent);
}

Json do_recv(Peer& peer, const Words& words) {
  pollfd waiting{peer.fd, POLLIN, 0};
  if (poll(&waiting, 1, static_cast<int>(std::stod(option(words, "wait", "5")) * 1000)) != 1) return Json().text("error", "nothing came");
  std::string data(65536, 0);
  const ssize_t got = recv(peer.fd, data.data(), data.size(), 0);
  return got < 0 ? failed("recv") : Json().text("data", to_hex(data.data(), static_cast<size_t>(got)));
}

// A socket policy that lets everything pass, as IKE daemons set on their own sockets.
Json do_bypass(Peer& peer, const Words&) {
  for (const int direction : {XFRM_POLICY_IN, XFRM_POLICY_OUT}) {
    xfrm_userpolicy_info policy{};
    policy.sel.family = AF_INET;
    policy.dir = static_cast<unsigned char>(direction);
    policy.action = XFRM_POLICY_ALLOW;
    if (setsockopt(peer.fd, IPPROTO_IP, IP_XFRM_POLICY, &policy, sizeof policy) != 0) return failed("IP_XFRM_POLICY");
  }
  return Json().number("fd", peer.fd);
}

// mech DOTTED
Json do_mech(Peer& peer, const Words& words) {
  std::string braces = "{ " + words.at(1) + " }";
  for (char& c : braces)
    if (c == '.') c = ' ';
  gss_buffer_desc text = in(braces);
  OM_uint32 minor = 0;
  if (peer.mech != GSS_C_NO_OID) gss_release_oid(&minor, &peer.mech);
  const OM_uint32 major = gss_str_to_oid(&minor, &text, &peer.mech);
  return outcome(peer, major, minor);
}

gss_OID parsed(std::string dotted) {
  gss_buffer_desc text{dotted.size(), dotted.data()};
  OM_uint32 minor;
  gss_OID oid = GSS_C_NO_OID;
  (void)gss_str_to_oid(&minor, &text, &oid);
  return oid;
}

// thread: names the connection for the thread, whatever the mechanism
Json do_thread(Peer& peer, const Words&) {
  gss_OID mechanism = parsed(GSS_IPSEC_OID_MECHANISM), option = parsed(GSS_IPSEC_OID_THREAD_SOCKET);
  std::string number = std::to_string(peer.fd);
  gss_buffer_desc value{number.size(), number.data()};
  OM_uint32 minor = 0, ignored;
  const OM_uint32 major = gssspi_mech_invoke(&minor, mechanism, option, &value);
  gss_release_oid(&ignored, &mechanism);
  gss_release_oid(&ignored, &option);
  return outcome(peer, major, minor);
}

// target hostbased|user|ipsec NAME   ("ipsec" gives OID by its last arc, see mech)
gss_name_t import_name(Peer& peer, const std::string& kind, std::string text, OM_uint32& major, OM_uint32& minor) {
  gss_OID_desc own{peer.mech == GSS_C_NO_OID ? 0 : peer.mech->length, nullptr};
  std::string elements;
  if (peer.mech != GSS_C_NO_OID) elements.assign(static_cast<char*>(peer.mech->elements), peer.mech->length);
  if (!elements.empty()) elements.back() = 3;  // GSS_C_NT_IPSEC_ID is arc .3 beside the mechanism's .1
  own.elements = elements.data();
  gss_OID type = kind == "hostbased" ? GSS_C_NT_HOSTBASED_SERVICE : kind == "user" ? GSS_C_NT_USER_NAME : &own;
  gss_buffer_desc buffer = in(text);
  gss_name_t name = GSS_C_NO_NAME;
  major = gss_import_name(&minor, &buffer, type, &name);
  return name;
}

Json do_target(Peer& peer, const Words& words) {
  OM_uint32 major = 0, minor = 0;
  gss_release_name(&minor, &peer.target);
  peer.target = import_name(peer, words.at(1), words.at(2), major, minor);
  return outcome(peer, major, minor);
}

// cred initiate|accept [socket=N|socket=current] [anonymous=allow] [name=SERVICE@HOST]
Json do_cred(Peer& peer, const Words& words) {
  OM_uint32 major = 0, minor = 0, ignored = 0;
  std::string socket = option(words, "socket"), name_text = option(words, "name");
  if (socket == "current") socket = std::to_string(peer.fd);
  const std::string anonymous = option(words, "anonymous");
  std::vector<gss_key_value_element_desc> elements;
  if (!socket.empty()) elements.push_back({"ipsec-socket", socket.c_str()});
  if (!anonymous.empty()) elements.push_back({"ipsec-anonymous", anonymous.c_str()});
  const gss_key_value_set_desc store{static_cast<OM_uint32>(elements.size()), elements.data()};
  gss_name_t name = GSS_C_NO_NAME;
  if (!name_text.empty()) name = import_name(peer, "hostbased", name_text, major, minor);
  gss_release_cred(&ignored, &peer.cred);
  gss_OID_set_desc mechs{1, peer.mech};
  major = gss_acquire_cred_from(&minor, name, GSS_C_INDEFINITE, peer.mech == GSS_C_NO_OID ? GSS_C_NO_OID_SET : &mechs,
                                words.at(1) == "accept" ? GSS_C_ACCEPT : GSS_C_INITIATE,
                                elements.empty() ? GSS_C_NO_CRED_STORE : &store, &peer.cred, nullptr, nullptr);
  gss_release_name(&ignored, &name);
  return outcome(peer, major, minor);
}

Json token_step(Peer& peer, OM_uint32 major, OM_uint32 minor, const Buffer& token, OM_uint32 flags) {
  return outcome(peer, major, minor).number("continue", (major & GSS_S_CONTINUE_NEEDED) != 0).number("flags", flags).text("token", to_hex(token.value, token.length));
}

// init TOKEN [flags=N]
Json do_init(Peer& peer, const Words& words) {
  std::string token = words.size() > 1 && words[1] != "-" ? from_hex(words[1]) : "";
  gss_buffer_desc input = in(token);
  gss_channel_bindings_struct bindings{};
  bindings.application_data = in(peer.bindings);
  Buffer output;
  OM_uint32 minor = 0, flags = 0;
  const auto wanted = static_cast<OM_uint32>(std::stoul(option(words, "flags", "62")));  // MUTUAL|REPLAY|SEQUENCE|CONF|INTEG
  const OM_uint32 major = gss_init_sec_context(&minor, peer.cred, &peer.ctx(), peer.target, peer.mech, wanted, 0,
                                               peer.bindings.empty() ? GSS_C_NO_CHANNEL_BINDINGS : &bindings,
                                               token.empty() ? GSS_C_NO_BUFFER : &input, nullptr, &output, &flags, nullptr);
  return token_step(peer, major, minor, output, flags);
}

// step TOKEN: the acceptor's; a credential that was delegated is kept
Json do_step(Peer& peer, const Words& words) {
  std::string token = from_hex(words.at(1));
  gss_buffer_desc input = in(token);
  gss_channel_bindings_struct bindings{};
  bindings.application_data = in(peer.bindings);
  Buffer output;
  OM_uint32 minor = 0, flags = 0, ignored;
  gss_release_cred(&ignored, &peer.delegated);
  const OM_uint32 major = gss_accept_sec_context(&minor, &peer.ctx(), peer.cred, &input,
                                                 peer.bindings.empty() ? GSS_C_NO_CHANNEL_BINDINGS : &bindings, nullptr,
                                                 nullptr, &output, &flags, nullptr, &peer.delegated);
  return token_step(peer, major, minor, output, flags);
}

// delegated NAME: the first token of a context with this service, by the credential that came last
Json do_delegated(Peer& peer, const Words& words) {
  if (peer.delegated == GSS_C_NO_CREDENTIAL) return Json().number("major", -1).text("why", "no credential was delegated").text("token", "");
  OM_uint32 major = 0, minor = 0, ignored, flags = 0;
  gss_name_t target = import_name(peer, "hostbased", words.at(1), major, minor);
  gss_ctx_id_t context = GSS_C_NO_CONTEXT;
  Buffer output;
  major = gss_init_sec_context(&minor, peer.delegated, &context, target, peer.mech, 0, 0, GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER, nullptr, &output, &flags, nullptr);
  gss_delete_sec_context(&ignored, &context, GSS_C_NO_BUFFER);
  gss_release_name(&ignored, &target);
  return token_step(peer, major, minor, output, flags);
}

std::string display(gss_name_t name) {
  Buffer text;
  OM_uint32 minor = 0;
  if (name == GSS_C_NO_NAME || gss_display_name(&minor, name, &text, nullptr) != GSS_S_COMPLETE) return "";
  return text.str();
}

Json do_inquire(Peer& peer, const Words&) {
  gss_name_t source = GSS_C_NO_NAME, target = GSS_C_NO_NAME;
  OM_uint32 minor, ignored, lifetime = 0, flags = 0;
  int local = 0, open = 0;
  const OM_uint32 major = gss_inquire_context(&minor, peer.ctx(), &source, &target, &lifetime, nullptr, &flags, &local, &open);
  Json json = outcome(peer, major, minor);
  json.text("source", display(source)).text("target", display(target)).number("flags", flags).number("open", open).number("lifetime", lifetime);
  gss_release_name(&ignored, &source);
  gss_release_name(&ignored, &target);
  return json;
}

// All values of one, behind each other; what is not authenticated says so.
std::string attribute(gss_name_t name, gss_buffer_t asked) {
  std::string all;
  for (int more = -1, authenticated = 0; more != 0;) {
    Buffer value;
    OM_uint32 minor = 0;
    if (gss_get_name_attribute(&minor, name, asked, &authenticated, nullptr, &value, nullptr, &more) != GSS_S_COMPLETE) break;
    all += (all.empty() ? "" : " ") + value.str() + (authenticated ? "" : " (claimed)");
  }
  return all;
}

// Of the context's other end, without the project's part of their names.
Json do_attributes(Peer& peer, const Words&) {
  gss_name_t source = GSS_C_NO_NAME, target = GSS_C_NO_NAME;
  gss_buffer_set_t names = GSS_C_NO_BUFFER_SET;
  OM_uint32 minor, ignored;
  int local = 0;
  OM_uint32 major = gss_inquire_context(&minor, peer.ctx(), &source, &target, nullptr, nullptr, nullptr, &local, nullptr);
  const gss_name_t other = local ? target : source;
  if (!GSS_ERROR(major)) major = gss_inquire_name(&minor, other, nullptr, nullptr, &names);
  Json json = outcome(peer, major, minor);
  for (size_t i = 0; names != GSS_C_NO_BUFFER_SET && i < names->count; ++i) {
    const std::string name(static_cast<const char*>(names->elements[i].value), names->elements[i].length);
    json.text(name.substr(name.find(' ') + 1).c_str(), attribute(other, &names->elements[i]));
  }
  gss_release_buffer_set(&ignored, &names);
  gss_release_name(&ignored, &source);
  gss_release_name(&ignored, &target);
  return json;
}

// wrap QOP CONF DATA
Json do_wrap(Peer& peer, const Words& words) {
  std::string data = from_hex(words.at(3));
  gss_buffer_desc input = in(data);
  Buffer output;
  OM_uint32 minor = 0;
  int conf = 0;
  const OM_uint32 major = gss_wrap(&minor, peer.ctx(), std::stoi(words.at(2)), static_cast<gss_qop_t>(std::stoul(words.at(1))), &input, &conf, &output);
  return outcome(peer, major, minor).number("conf", conf).text("token", to_hex(output.value, output.length));
}

Json do_unwrap(Peer& peer, const Words& words) {
  std::string data = from_hex(words.at(1));
  gss_buffer_desc input = in(data);
  Buffer output;
  OM_uint32 minor = 0;
  int conf = 0;
  gss_qop_t qop = 0;
  const OM_uint32 major = gss_unwrap(&minor, peer.ctx(), &input, &output, &conf, &qop);
  return outcome(peer, major, minor).number("conf", conf).number("qop", qop).text("data", to_hex(output.value, output.length));
}

Json do_mic(Peer& peer, const Words& words) {
  std::string data = from_hex(words.at(1));
  gss_buffer_desc input = in(data);
  Buffer output;
  OM_uint32 minor = 0;
  const OM_uint32 major = gss_get_mic(&minor, peer.ctx(), GSS_C_QOP_DEFAULT, &input, &output);
  return outcome(peer, major, minor).text("token", to_hex(output.value, output.length));
}

Json do_verify(Peer& peer, const Words& words) {
  std::string data = from_hex(words.at(1)), mic = from_hex(words.at(2));
  gss_buffer_desc input = in(data), token = in(mic);
  OM_uint32 minor = 0;
  gss_qop_t qop = 0;
  const OM_uint32 major = gss_verify_mic(&minor, peer.ctx(), &input, &token, &qop);
  return outcome(peer, major, minor);
}

// export: the token; the context is gone then
Json do_export(Peer& peer, const Words&) {
  Buffer token;
  OM_uint32 minor = 0;
  const OM_uint32 major = gss_export_sec_context(&minor, &peer.ctx(), &token);
  return outcome(peer, major, minor).text("token", to_hex(token.value, token.length));
}

// import TOKEN
Json do_import(Peer& peer, const Words& words) {
  std::string token = from_hex(words.at(1));
  gss_buffer_desc input = in(token);
  OM_uint32 minor = 0;
  const OM_uint32 major = gss_import_sec_context(&minor, &input, &peer.ctx());
  return outcome(peer, major, minor);
}

Json do_delete(Peer& peer, const Words&) {
  OM_uint32 minor = 0;
  const OM_uint32 major = gss_delete_sec_context(&minor, &peer.ctx(), GSS_C_NO_BUFFER);
  return outcome(peer, major, minor);
}

Json do_small(Peer& peer, const Words& words) {
  const std::string& verb = words[0];
  if (verb == "context") peer.current = words.at(1);
  if (verb == "bindings") peer.bindings = words.at(1) == "-" ? "" : from_hex(words.at(1));
  if (verb == "close") close(words.size() > 1 && words[1] == "listener" ? peer.listener : peer.fd);
  if (verb == "shutdown") shutdown(peer.fd, SHUT_RDWR);
  if (verb == "setuid" && (setgid(static_cast<gid_t>(std::stoul(words.at(1)))) != 0 || setuid(static_cast<uid_t>(std::stoul(words.at(1)))) != 0)) return failed("setuid");
  return Json().number("fd", peer.fd);
}

Json run(Peer& peer, const Words& words) {
  using Handler = Json (*)(Peer&, const Words&);
  static const std::map<std::string, Handler> kVerbs = {
      {"connect", do_connect}, {"listen", do_listen},   {"accept", do_accept}, {"send", do_send},       {"recv", do_recv},
      {"bypass", do_bypass},   {"mech", do_mech},       {"target", do_target}, {"cred", do_cred},       {"init", do_init},
      {"step", do_step},       {"inquire", do_inquire}, {"attributes", do_attributes}, {"wrap", do_wrap},     {"unwrap", do_unwrap},   {"mic", do_mic},
      {"verify", do_verify},   {"delete", do_delete},   {"context", do_small}, {"bindings", do_small},  {"close", do_small},
      {"shutdown", do_small},  {"setuid", do_small},    {"reconnect", do_reconnect}, {"sendto", do_sendto}, {"thread", do_thread}, {"export", do_export}, {"import", do_import}, {"delegated", do_delegated}};
  const auto verb = kVerbs.find(words.empty() ? "" : words[0]);
  return verb == kVerbs.end() ? Json().text("error", "no such command") : verb->second(peer, words);
}

}  // namespace

int main() {
  Peer peer;
  peer.fd = connection_of_former_program();
  if (peer.fd >= 0) std::cout << Json().number("fd", peer.fd).str() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream stream(line);
    Words words;
    for (std::string word; stream >> word;) words.push_back(word);
    try {
      auto answer = latch_command(words, peer.fd, peer.listener);
      if (!answer) answer = process_command(words, peer.fd);
      std::cout << (answer ? *answer : run(peer, words).str()) << std::endl;
    } catch (const std::exception& fault) {
      std::cout << Json().text("error", std::string("bad command: ") + fault.what()).str() << std::endl;
    }
  }
  OM_uint32 minor = 0;
  for (auto& [name, context] : peer.contexts) gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
  gss_release_cred(&minor, &peer.cred);
  gss_release_cred(&minor, &peer.delegated);
  gss_release_name(&minor, &peer.target);
  if (peer.mech != GSS_C_NO_OID) gss_release_oid(&minor, &peer.mech);
  return 0;
}
