// SPDX-License-Identifier: MIT
// Hand-made XFRM messages for tests, as a kernel would send them.
#pragma once

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <sys/socket.h>

#include <cstring>
#include <stdexcept>
#include <string>

#include "base/bytes.h"
#include "tests/support/recorded_netlink.h"
#include "tests/support/source_dir.h"

namespace gssipsec::kernel::testing {

using base::Bytes;
using base::View;

template <typename T>
Bytes octets_of(const T& value) {
  const auto* first = reinterpret_cast<const std::byte*>(&value);
  return Bytes(first, first + sizeof value);
}

inline Bytes& operator+=(Bytes& left, const Bytes& right) {
  left.resize((left.size() + 3) & ~std::size_t{3});
  left.insert(left.end(), right.begin(), right.end());
  left.resize((left.size() + 3) & ~std::size_t{3});
  return left;
}

inline Bytes operator+(Bytes left, const Bytes& right) { return left += right; }

inline Bytes attribute(std::uint16_t type, const Bytes& value) {
  Bytes out = octets_of(nlattr{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type});
  out.insert(out.end(), value.begin(), value.end());
  return out;
}

template <typename T>
Bytes attribute(std::uint16_t type, const T& value) {
  return attribute(type, octets_of(value));
}

inline Bytes message(std::uint16_t type, const Bytes& payload, std::uint16_t flags = 0, std::uint32_t sequence = 0) {
  Bytes out = octets_of(nlmsghdr{static_cast<std::uint32_t>(sizeof(nlmsghdr) + payload.size()), type, flags, sequence, 0});
  return out += payload;
}

// Name, key length in bits, length of the ICV (xfrm_algo has none), key of octets 0xa5.
inline Bytes algorithm(const char* name, std::uint32_t bits, std::uint32_t icv, bool with_icv = true) {
  Bytes out(64);
  std::memcpy(out.data(), name, std::strlen(name));
  out += octets_of(bits);
  if (with_icv) out += octets_of(icv);
  out.insert(out.end(), bits / 8, std::byte{0xa5});
  return out;
}

inline xfrm_usersa_info sa_info(std::uint32_t spi = 0x100) {
  xfrm_usersa_info info{};
  info.sel.family = info.family = AF_INET;
  info.id.spi = htonl(spi);
  info.id.proto = 50;
  info.id.daddr.a4 = htonl(0x0a010002);
  info.saddr.a4 = htonl(0x0a010001);
  info.reqid = 7;
  info.curlft.add_time = 1000;
  return info;
}

inline Bytes sa_payload(std::uint32_t spi = 0x100) {
  return octets_of(sa_info(spi)) + attribute(XFRMA_ALG_AEAD, algorithm("rfc4106(gcm(aes))", 160, 128));
}

inline xfrm_userpolicy_info policy_info(std::uint32_t index = 9, std::uint32_t priority = 5) {
  xfrm_userpolicy_info info{};
  info.sel.family = AF_INET;
  info.index = index;
  info.dir = static_cast<std::uint8_t>(index & 7);
  info.priority = priority;
  return info;
}

inline xfrm_user_tmpl user_template() {
  xfrm_user_tmpl out{};
  out.family = AF_INET;
  out.id.proto = 50;
  out.id.daddr.a4 = htonl(0x0a010002);
  out.saddr.a4 = htonl(0x0a010001);
  out.reqid = 7;
  out.aalgos = out.ealgos = out.calgos = ~0u;
  return out;
}

inline support::Recording recording(const std::string& name) {
  auto loaded = support::Recording::load(support::source_path("tests/support/recordings/" + name + ".bin"));
  if (!loaded) throw std::runtime_error(base::describe(loaded.error()));
  return *std::move(loaded);
}

}  // namespace gssipsec::kernel::testing
