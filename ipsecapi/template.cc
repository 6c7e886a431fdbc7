// SPDX-License-Identifier: MIT
// Templates as octets that are kept. What was found is not: it was true of one socket at one moment.
#include "ipsecapi/boundary.h"
#include "ipsecapi/tokens.h"

namespace gssipsec::api {
namespace {

using base::Code;
using protocol::Strength;

// "IPtp" and a version.
constexpr std::uint32_t kTemplateMagic = 0x49507470;
constexpr std::uint8_t kTemplateVersion = 1;
constexpr std::uint8_t kPrivacy = 1, kIntegrity = 2, kReplay = 4, kAuthenticated = 8, kAllWishes = 15;

Strength level_from(base::Reader& in, bool wished) noexcept {
  const std::uint8_t level = in.u8();
  if (level > static_cast<std::uint8_t>(Strength::high) || (level != 0 && !wished)) in.mark_failed();
  return static_cast<Strength>(level);
}

}  // namespace

base::Bytes export_template(const Wanted& wanted) {
  const int wishes = (wanted.privacy ? kPrivacy : 0) | (wanted.integrity ? kIntegrity : 0) | (wanted.replay ? kReplay : 0) |
                     (wanted.authenticated ? kAuthenticated : 0);
  base::Writer out;
  out.u32(kTemplateMagic).u8(kTemplateVersion).u8(static_cast<std::uint8_t>(wishes));
  out.u8(static_cast<std::uint8_t>(wanted.privacy_level)).u8(static_cast<std::uint8_t>(wanted.integrity_level)).u16(wanted.key_bits);
  return std::move(out).take();
}

// A wish that is not understood cannot be granted by leaving it out.
base::Result<Wanted> import_template(base::View octets) {
  base::Reader in(octets);
  const std::uint32_t magic = in.u32();
  const std::uint8_t version = in.u8();
  if (in.failed() || magic != kTemplateMagic) return base::fail(Code::BAD_ARGUMENT, "these octets are no exported template");
  if (version != kTemplateVersion) return base::fail(Code::TOKEN_VERSION, "wanted version 1, found " + std::to_string(version));
  const std::uint8_t wishes = in.u8();
  if (wishes > kAllWishes) in.mark_failed();
  Wanted wanted;
  wanted.privacy = wishes & kPrivacy, wanted.integrity = wishes & kIntegrity;
  wanted.replay = wishes & kReplay, wanted.authenticated = wishes & kAuthenticated;
  wanted.privacy_level = level_from(in, wanted.privacy);
  wanted.integrity_level = level_from(in, wanted.integrity);
  wanted.key_bits = in.u16();
  if (!in.done()) return base::fail(Code::BAD_ARGUMENT, "the exported template is cut, has octets left over, or wants what is unknown");
  return wanted;
}

}  // namespace gssipsec::api

using namespace gssipsec::api;

#pragma GCC visibility push(default)

int ipsec_export_template(const ipsec_pToken_t token, void* octets, size_t* size) {
  const Protection* protection = protection_of(token);
  if (!protection || protection->found || !size) return bad_argument("wanted a template, and a size");
  return guarded([&] { return give_octets(export_template(protection->wanted), octets, size); });
}

int ipsec_import_template(const void* octets, size_t size, ipsec_pToken_t* token) {
  if (!octets || !token) return bad_argument("wanted octets and a place for the token");
  return guarded([&] {
    const auto wanted = import_template({static_cast<const std::byte*>(octets), size});
    if (!wanted) return fail(wanted.error(), EINVAL);
    return *token = ProtectionHandle::give(ProtectionHandle::make(Protection{{}, *wanted, false})), 0;
  });
}

#pragma GCC visibility pop
