// SPDX-License-Identifier: MIT
// How the fields of a body lie on the wire. Every body has one `layout(codec, message)` that names its fields once, in
// order; Out writes them and In reads them, so that the two directions cannot drift apart. Internal to protocol/.
// Failures: In collects them (ask finish()); Out throws std::length_error where a caller did not bound a name, because a
// shortened name would be another name. Text for people is shortened instead. Threads: plain values.
#pragma once

#include <algorithm>
#include <concepts>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "protocol/events.h"

namespace gssipsec::protocol {

inline constexpr std::size_t kSessionKey = 32;
inline constexpr std::uint32_t kAllWants = kWantIntegrity | kWantConfidentiality | kWantMutual | kAllowAnonymous | kWantAnonymous;

// No control characters: texts end in terminals, logs and C strings.
[[nodiscard]] inline bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
[[nodiscard]] inline bool clean(std::string_view text) noexcept { return std::none_of(text.begin(), text.end(), is_control); }
// Cut to `limit` octets, control characters replaced.
[[nodiscard]] std::string presentable(std::string_view text, std::size_t limit);

class Out {
 public:
  Out& u16(std::uint16_t value) { return out_.u16(value), *this; }
  Out& u32(std::uint32_t value) { return out_.u32(value), *this; }
  Out& u64(std::uint64_t value) { return out_.u64(value), *this; }
  Out& flag(bool value) { return out_.u8(value ? 1 : 0), *this; }
  Out& code(base::Code value) { return u32(static_cast<std::uint32_t>(value)); }
  Out& want(std::uint32_t value) { return u32(value); }
  Out& bits(std::uint32_t value, std::uint32_t) { return u32(value); }
  template <typename E>
  Out& choice(E value, E, E) { return out_.u8(static_cast<std::uint8_t>(value)), *this; }
  Out& name(const std::string& value, std::size_t limit = kMaxName);
  Out& prose(const std::string& value) { return out_.block16(presentable(value, kMaxName)), *this; }
  Out& names(const std::vector<std::string>& values, std::size_t limit);
  Out& lines(const std::vector<std::string>& values, std::size_t limit);
  template <typename Entry>
  Out& list(const std::vector<Entry>& entries) {
    if (entries.size() > kMaxList) throw std::length_error("list in a broker message");
    u16(static_cast<std::uint16_t>(entries.size()));
    for (const Entry& entry : entries) layout(*this, entry);
    return *this;
  }
  // Text of several lines; the only place where line feeds are allowed. Throws when it is too long.
  Out& document(const std::string& value);
  Out& sealed(const base::Bytes& value);
  Out& digest(const Digest& value) { return out_.raw(value), *this; }
  Out& address(const channel::Address& value);
  // Must be the last field: what is written later could move the buffer and leave the key behind.
  Out& key(const base::Secret& value);

  [[nodiscard]] base::Bytes take() && noexcept { return std::move(out_).take(); }

 private:
  base::Writer out_;
};

class In {
 public:
  explicit In(base::View body) noexcept : in_(body) {}

  In& u16(std::uint16_t& value) { return value = in_.u16(), *this; }
  In& u32(std::uint32_t& value) { return value = in_.u32(), *this; }
  In& u64(std::uint64_t& value) { return value = in_.u64(), *this; }
  In& flag(bool& value) { return value = one_of(0, 1) == 1, *this; }
  In& code(base::Code& value) { return value = static_cast<base::Code>(in_.u32()), *this; }
  In& want(std::uint32_t& value) { return bits(value, kAllWants); }
  // A wish that this version does not know cannot be granted by leaving it out.
  In& bits(std::uint32_t& value, std::uint32_t known);
  template <typename E>
  In& choice(E& value, E lowest, E highest) {
    return value = static_cast<E>(one_of(static_cast<std::uint8_t>(lowest), static_cast<std::uint8_t>(highest))), *this;
  }
  In& name(std::string& value, std::size_t limit = kMaxName);
  In& prose(std::string& value) { return name(value); }
  In& names(std::vector<std::string>& values, std::size_t limit);
  In& lines(std::vector<std::string>& values, std::size_t limit) { return names(values, limit); }
  template <typename Entry>
  In& list(std::vector<Entry>& entries) {
    const std::size_t count = in_.u16();
    if (count > kMaxList) in_.mark_failed();
    for (std::size_t i = 0; i < count && !in_.failed(); ++i) layout(*this, entries.emplace_back());
    return *this;
  }
  In& document(std::string& value);
  In& sealed(base::Bytes& value);
  In& digest(Digest& value) { return in_.array(value), *this; }
  In& address(channel::Address& value);
  In& key(base::Secret& value);

  [[nodiscard]] bool done() const noexcept { return in_.done(); }

 private:
  std::uint8_t one_of(std::uint8_t lowest, std::uint8_t highest) noexcept;

  base::Reader in_;
};

template <typename T, typename Message>
concept Of = std::same_as<std::remove_const_t<T>, Message>;

[[nodiscard]] base::Error broken_body(const char* what);

template <typename Message>
base::Bytes encode_body(const Message& message) {
  Out out;
  layout(out, message);
  return std::move(out).take();
}

template <typename Message>
base::Result<Message> decode_body(base::View body, const char* what) {
  Message message;
  In in(body);
  layout(in, message);
  if (!in.done()) return broken_body(what);
  return message;
}

// The two functions of GSS_IPSEC_MESSAGE in messages.h, from the body's layout.
#define GSS_IPSEC_BODY(Type, function)                                           \
  base::Bytes encode(const Type& message) { return encode_body(message); }       \
  base::Result<Type> function(base::View body) { return decode_body<Type>(body, #Type); }

template <typename Codec>
void layout(Codec& c, Of<channel::Flow> auto& flow) {
  c.u16(flow.protocol).address(flow.local).address(flow.remote).u16(flow.local_port).u16(flow.remote_port);
  c.u32(flow.mark).u32(flow.if_id).u32(flow.output_ifindex).flag(flow.on_ipv6_socket);
}

template <typename Codec>
void layout(Codec& c, Of<ChannelInfo> auto& m) {
  c.flag(m.integrity).flag(m.confidentiality).flag(m.replay_protection).flag(m.peer_authenticated).flag(m.breaks_shut).u16(m.key_bits);
  c.prose(m.suite).name(m.local_name).name(m.peer_name).names(m.peer_services, kMaxService);
  c.choice(m.latch, LatchState::none, LatchState::monitored).u32(m.slot).u32(m.generation).u64(m.cookie).u32(m.lifetime);
  c.sealed(m.statement);
}

}  // namespace gssipsec::protocol
