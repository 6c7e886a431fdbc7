// SPDX-License-Identifier: MIT
// <ipsec/ipsecapi.h> for C++17: owners instead of handles, exceptions instead of -1. ipsecapi(3) says what each function does. Threads:
// an object is used by one thread at a time, functions by any.
#ifndef IPSEC_IPSECAPI_HPP
#define IPSEC_IPSECAPI_HPP

#include <ipsec/ipsecapi.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace ipsec {

// errno as its code(); reason() is finer.
class Error : public std::system_error {
 public:
  Error() : Error(errno, text_of_last()) {}
  ipsec_err reason() const noexcept { return reason_; }

 private:
  Error(int number, const std::string& text) : std::system_error(number, std::generic_category(), text), reason_(ipsec_get_error(nullptr, 0)) {}
  static std::string text_of_last() {
    char text[1024] = "";
    (void)ipsec_get_error(text, sizeof text);
    return text;
  }
  ipsec_err reason_;
};

namespace detail {

template <typename T>
T checked(T result) {
  if (result < 0) throw Error();
  return result;
}

template <typename T>
T* made(T* handle) {
  if (!handle) throw Error();
  return handle;
}

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* handle) const noexcept {
    (void)kFree(handle);
  }
};
template <typename T, auto kFree>
using Owner = std::unique_ptr<T, Free<kFree>>;

// What is wanted, or null. An object that was moved from wants nothing of anybody any more, which must not pass for null.
template <typename Token>
auto wanted(const Token* token) {
  if (token && !token->get()) throw std::system_error(EINVAL, std::generic_category(), "what is wanted was moved from");
  return token ? token->get() : nullptr;
}

inline std::uint32_t number_of(const void* token, std::uint32_t attribute) {
  std::uint32_t value = 0, length = sizeof value;
  checked(ipsec_get_token_attr(token, attribute, &length, &value));
  return value;
}
inline std::string text_of(const void* token, std::uint32_t attribute) {
  std::uint32_t length = 0;
  checked(ipsec_get_token_attr(token, attribute, &length, nullptr));
  std::string text(length, '\0');
  checked(ipsec_get_token_attr(token, attribute, &length, text.data()));
  text.resize(length - 1);
  return text;
}

}  // namespace detail

// What protects a connected socket now: IPSEC_INFO_... in `flags`.
inline ipsec_security_info query(int fd) {
  ipsec_security_info info{};
  info.size = sizeof info;
  detail::checked(ipsec_query(fd, &info));
  return info;
}

// Who is there, proven by IKE: "fqdn:client.example.org".
inline std::string peer(int fd) {
  char name[IPSEC_PEER_SIZE];
  detail::checked(ipsec_get_peer(fd, name, sizeof name));
  return name;
}

class Identity {
 public:
  // One that is wanted: "fqdn:server.example.org".
  explicit Identity(const std::string& name) : token_(detail::made(ipsec_create_iToken())) {
    detail::checked(ipsec_set_token_attr(get(), IPSEC_API_ATTR_identity, static_cast<std::uint32_t>(name.size()), name.data()));
  }
  // Takes the handle over. EINVAL: null, which elsewhere is anybody.
  explicit Identity(ipsec_iToken_t token) : token_(token) {
    if (!token) throw std::system_error(EINVAL, std::generic_category(), "wanted an identity, found null");
  }
  Identity(std::nullptr_t) = delete;
  // Of what to_octets() gave.
  static Identity from_octets(const std::vector<unsigned char>& octets) {
    ipsec_iToken_t token = nullptr;
    detail::checked(ipsec_import_iToken(octets.data(), octets.size(), &token));
    return Identity(token);
  }
  std::vector<unsigned char> to_octets() const {
    std::vector<unsigned char> octets(IPSEC_IDENTITY_SIZE);
    std::size_t size = octets.size();
    detail::checked(ipsec_export_iToken(get(), octets.data(), &size));
    octets.resize(size);
    return octets;
  }

  std::string name() const { return detail::text_of(get(), IPSEC_API_ATTR_identity); }
  bool authenticated() const { return detail::number_of(get(), IPSEC_API_ATTR_authenticated) != 0; }
  ipsec_iToken_t get() const noexcept { return token_.get(); }
  // The same, and each proven or wanted.
  friend bool operator==(const Identity& one, const Identity& other) { return detail::checked(ipsec_cmp_iToken(one.get(), other.get())) == 0; }
  friend bool operator!=(const Identity& one, const Identity& other) { return !(one == other); }

 private:
  detail::Owner<ipsec_iToken, ipsec_free_iToken> token_;
};

class Protection {
 public:
  // A template that wants nothing yet.
  Protection() : token_(detail::made(ipsec_create_pToken())) {}
  explicit Protection(int fd) : Protection() { detail::checked(ipsec_get_socket_pToken(fd, get())); }
  // Of a datagram as recvmsg(2) left it.
  Protection(int fd, const msghdr& message) : Protection() { detail::checked(ipsec_get_msg_pToken(fd, &message, get())); }
  // What a connection to `to` would have.
  Protection(int fd, const sockaddr* to, socklen_t length) : Protection() { detail::checked(ipsec_probe(fd, to, length, get())); }
  // Of what to_octets() gave; templates alone.
  static Protection from_octets(const std::vector<unsigned char>& octets) {
    Protection made;
    ipsec_pToken_t token = nullptr;
    detail::checked(ipsec_import_template(octets.data(), octets.size(), &token));
    made.token_.reset(token);
    return made;
  }
  std::vector<unsigned char> to_octets() const {
    std::vector<unsigned char> octets(IPSEC_TEMPLATE_SIZE);
    std::size_t size = octets.size();
    detail::checked(ipsec_export_template(get(), octets.data(), &size));
    octets.resize(size);
    return octets;
  }

  Protection& want(ipsec_api_attr attribute, std::uint32_t value) {
    detail::checked(ipsec_set_token_attr(get(), attribute, sizeof value, &value));
    return *this;
  }
  std::uint32_t number(ipsec_api_attr attribute) const { return detail::number_of(get(), attribute); }
  std::string text(ipsec_api_attr attribute) const { return detail::text_of(get(), attribute); }
  // IPSEC_API_ATTR_innerAddrs, _outerAddrs.
  ipsec_ends ends(ipsec_api_attr attribute) const {
    ipsec_ends both{};
    std::uint32_t length = sizeof both;
    detail::checked(ipsec_get_token_attr(get(), attribute, &length, &both));
    return both;
  }
  Identity local() const { return end(IPSEC_API_ATTR_localId); }
  Identity peer() const { return end(IPSEC_API_ATTR_peerId); }
  ipsec_pToken_t get() const noexcept { return token_.get(); }
  // Both secured, equally strong, between the same proven ends.
  friend bool operator==(const Protection& one, const Protection& other) { return detail::checked(ipsec_cmp_pToken(one.get(), other.get())) == 0; }
  friend bool operator!=(const Protection& one, const Protection& other) { return !(one == other); }

 private:
  Identity end(std::uint32_t attribute) const {
    ipsec_iToken_t token = nullptr;
    std::uint32_t length = sizeof token;
    detail::checked(ipsec_get_token_attr(get(), attribute, &length, &token));
    return Identity(token);
  }
  detail::Owner<ipsec_pToken, ipsec_free_pToken> token_;
};

// Before connect(2): nothing leaves in clear from now on. EAGAIN of connect(2): IKE negotiates.
inline void require(int fd, const sockaddr* to, socklen_t length, const Protection* wanted = nullptr) {
  detail::checked(ipsec_require(fd, to, length, detail::wanted(wanted)));
}

// The kernel's latch stays when this object goes; release() takes it away. Null: nothing is wanted of the protection, or of the peer.
class Latch {
 public:
  // require(), connect(2) and connection() in one.
  static Latch connect(int fd, const sockaddr* to, socklen_t length, const Protection* wanted = nullptr, const Identity* peer = nullptr) {
    ipsec_latch_t latch = nullptr;
    detail::checked(ipsec_connect(fd, to, length, detail::wanted(wanted), detail::wanted(peer), &latch));
    return Latch(latch);
  }
  static Latch connection(int fd, const Protection* wanted = nullptr, const Identity* peer = nullptr) {
    ipsec_latch_t latch = nullptr;
    detail::checked(ipsec_create_connection_latch(fd, detail::wanted(wanted), detail::wanted(peer), &latch));
    return Latch(latch);
  }
  static Latch listener(int fd, const sockaddr* peer, socklen_t length) {
    ipsec_latch_t latch = nullptr;
    detail::checked(ipsec_create_listener_latch(fd, peer, length, &latch));
    return Latch(latch);
  }
  static Latch find(int fd) {
    ipsec_latch_t latch = nullptr;
    detail::checked(ipsec_find_latch(fd, &latch));
    return Latch(latch);
  }
  ipsec_latch_state state() const {
    ipsec_latch_state state = IPSEC_LATCH_NONE;
    detail::checked(ipsec_inquire_latch(latch_.get(), &state, nullptr));
    return state;
  }
  void set_break_policy(ipsec_break_policy policy) { detail::checked(ipsec_set_break_policy(latch_.get(), policy)); }
  void release() {
    detail::checked(ipsec_release_latch(latch_.get()));
    (void)latch_.release();
  }

 private:
  explicit Latch(ipsec_latch_t latch) noexcept : latch_(latch) {}
  detail::Owner<ipsec_latch, ipsec_free_latch> latch_;
};

// Before connect(2) or listen(2): bindings will be asked for.
inline void announce_bindings(int fd, const sockaddr* to, socklen_t length) { detail::checked(ipsec_cbinding(fd, to, length)); }
// "type:data" as RFC 5056 has it, equal at both ends.
inline std::string bindings(int fd, bool initiator, const char* type = IPSEC_CB_EXPORTER_NAME) {
  std::string octets(IP_SEC_CBINDING_DATA_BUFSIZE, '\0');
  std::size_t size = octets.size();
  detail::checked(ipsec_cbinding_data(fd, type, initiator ? 1 : 0, octets.data(), &size));
  octets.resize(size);
  return octets;
}

class Subscription {
 public:
  explicit Subscription(int fd, const std::vector<ipsec_event>& events = {{IPSEC_SN_ALL, 1}}) {
    ipsec_subscription_t subscription = nullptr;
    detail::checked(ipsec_event_subscribe(fd, events.data(), events.size(), &subscription));
    subscription_.reset(subscription);
  }
  // For poll(2).
  int fd() const { return detail::checked(ipsec_event_fd(subscription_.get())); }
  std::optional<ipsec_notification> next() {
    ipsec_notification event{};
    if (detail::checked(ipsec_event_next(subscription_.get(), &event)) == 0) return std::nullopt;
    return event;
  }
  // Data or a notification, as ipsec_recvmsg() says.
  ssize_t recvmsg(msghdr& message, int flags = 0) { return detail::checked(ipsec_recvmsg(subscription_.get(), &message, flags)); }

 private:
  detail::Owner<ipsec_subscription, ipsec_event_free> subscription_;
};

}  // namespace ipsec

#endif
