// SPDX-License-Identifier: MIT
#include "channel/assertion.h"

namespace gssipsec::channel {
namespace {

using base::Code;
using base::View;

constexpr std::uint8_t kAssertionVersion = 1;
constexpr std::size_t kMaxName = 255, kMaxWanted = 1024, kMaxServices = 32, kMaxService = 64;

// Caller and channel, one bit each.
enum Bit : std::uint16_t {
  kAnonymous = 1, kPrivileged = 2, kMutual = 4, kLatched = 8, kIntegrity = 16, kConfidentiality = 32, kReplay = 64, kSinceStart = 128
};
constexpr std::uint16_t kAllBits = 255;

std::uint16_t bits_of(const Assertion& a) {
  const auto bit = [](bool on, Bit value) { return on ? static_cast<unsigned>(value) : 0u; };
  return static_cast<std::uint16_t>(bit(a.anonymous, kAnonymous) | bit(a.privileged, kPrivileged) | bit(a.wants_mutual, kMutual) |
                                    bit(a.latched, kLatched) | bit(a.integrity, kIntegrity) | bit(a.confidentiality, kConfidentiality) |
                                    bit(a.replay_protection, kReplay) | bit(a.since_start, kSinceStart));
}

void read_bits(std::uint16_t bits, Assertion& a) {
  a.anonymous = bits & kAnonymous;
  a.privileged = bits & kPrivileged;
  a.wants_mutual = bits & kMutual;
  a.latched = bits & kLatched;
  a.integrity = bits & kIntegrity;
  a.confidentiality = bits & kConfidentiality;
  a.replay_protection = bits & kReplay;
  a.since_start = bits & kSinceStart;
}

std::vector<std::string> read_services(base::Reader& in) {
  const std::uint8_t count = in.u8();
  if (count > kMaxServices) in.mark_failed();
  std::vector<std::string> services;
  for (unsigned i = 0; i < count && !in.failed(); ++i) services.push_back(in.text16(kMaxService));
  return services;
}

base::Result<View> split(View sealed, View& mac) {
  base::Reader in(sealed);
  const View body = in.block16(kMaxAssertion);
  mac = in.take(kMacSize);
  if (!in.done()) return base::fail(sealed.size() > kMaxAssertion + 2 + kMacSize ? Code::TOKEN_TOO_LONG : Code::BAD_TOKEN, "sealed assertion");
  return body;
}

// Depends on who claims to speak: a reflected assertion does not verify.
base::Result<base::Secret> key_of(const Assertion& assertion, const Exporter& exporter) {
  return exporter.derive("assertion", static_cast<std::uint8_t>(assertion.role), assertion.flow, {}, kMacSize);
}

base::Status check_mac(View sealed, View key) {
  View mac;
  const auto body = split(sealed, mac);
  if (!body.ok()) return body.error();
  const auto wanted = hmac_sha256(key, *body);
  if (!wanted.ok()) return wanted.error();
  return base::equal_secret(wanted->view(), mac) ? base::Status() : base::Status(base::fail(Code::BAD_MAC, "sealed assertion"));
}

}  // namespace

base::Bytes encode(const Assertion& a) {
  base::Writer out;
  out.u8(kAssertionVersion).u8(static_cast<std::uint8_t>(a.role)).raw(a.nonce);
  out.raw(encode(a.flow)).u16(bits_of(a)).u32(a.uid).block16(a.user).u8(static_cast<std::uint8_t>(a.services.size()));
  for (const std::string& service : a.services) out.block16(service);
  out.block16(a.wanted).raw(a.bindings).raw(a.transcript);
  return std::move(out).take();
}

base::Result<Assertion> decode_assertion(View data) {
  if (data.size() > kMaxAssertion) return base::fail(Code::TOKEN_TOO_LONG, "assertion of " + std::to_string(data.size()) + " octets");
  base::Reader in(data);
  const std::uint8_t version = in.u8(), role = in.u8();
  if (!in.failed() && version != kAssertionVersion) return base::fail(Code::TOKEN_VERSION, "assertion of version " + std::to_string(version));
  Assertion a;
  a.role = static_cast<Role>(role);
  in.array(a.nonce);
  a.flow = decode_flow_label(in);
  const std::uint16_t bits = in.u16();
  read_bits(bits, a);
  a.uid = in.u32();
  a.user = in.text16(kMaxName);
  a.services = read_services(in);
  a.wanted = in.text16(kMaxWanted);
  in.array(a.bindings);
  in.array(a.transcript);
  if (!in.done() || (role != 1 && role != 2) || (bits & ~kAllBits) != 0) return base::fail(Code::BAD_TOKEN, "assertion");
  return a;
}

base::Result<base::Bytes> seal(const Assertion& assertion, const Exporter& exporter) {
  const auto key = key_of(assertion, exporter);
  return key.ok() ? seal(assertion, key->view()) : base::Result<base::Bytes>(key.error());
}

base::Result<base::Bytes> seal(const Assertion& assertion, View key) {
  if (assertion.services.size() > kMaxServices) return base::fail(Code::LIMIT, "too many services in one assertion");
  const base::Bytes body = encode(assertion);
  // What we could not read back must not leave.
  if (const auto again = decode_assertion(body); !again.ok()) return again.error();
  const auto mac = hmac_sha256(key, body);
  if (!mac.ok()) return mac.error();
  base::Writer out;
  out.block16(body).raw(mac->view());
  return std::move(out).take();
}

base::Result<Assertion> peek(View sealed) {
  View mac;
  const auto body = split(sealed, mac);
  return body.ok() ? decode_assertion(*body) : base::Result<Assertion>(body.error());
}

base::Result<Assertion> open(View sealed, const Exporter& exporter) {
  const auto claimed = peek(sealed);
  if (!claimed.ok()) return claimed;
  const auto key = key_of(*claimed, exporter);
  if (!key.ok()) return key.error();
  const base::Status authentic = check_mac(sealed, key->view());
  return authentic.ok() ? claimed : base::Result<Assertion>(authentic.error());
}

base::Result<Assertion> open(View sealed, View key) {
  const base::Status authentic = check_mac(sealed, key);
  return authentic.ok() ? peek(sealed) : base::Result<Assertion>(authentic.error());
}

}  // namespace gssipsec::channel
