// SPDX-License-Identifier: MIT
// Identity tokens: made, copied, compared, and as octets that are kept.
#include "ipsecapi/boundary.h"
#include "ipsecapi/tokens.h"

namespace gssipsec::api {
namespace {

using base::Code;

// "IPid" and a version: never a pointer, never what another version would read otherwise.
constexpr std::uint32_t kIdentityMagic = 0x49506964;
constexpr std::uint8_t kIdentityVersion = 1;
constexpr std::size_t kMaxTyped = IPSEC_IDENTITY_SIZE - 7;

bool counts(const Identity& identity) noexcept { return identity.id.type != channel::IdType::none && (identity.proven || identity.wanted); }

int no_identity() noexcept { return bad_argument("wanted an identity token"); }

}  // namespace

bool same_identity(const Identity& one, const Identity& other) noexcept { return counts(one) && counts(other) && one.id == other.id; }

base::Result<base::Bytes> export_identity(const Identity& identity) {
  if (!counts(identity)) return base::fail(Code::PEER_UNAUTHENTICATED, "an identity that nobody proved is not written down");
  base::Writer out;
  out.u32(kIdentityMagic).u8(kIdentityVersion).block16(format(identity.id));
  return std::move(out).take();
}

base::Result<Identity> import_identity(base::View octets) {
  base::Reader in(octets);
  const std::uint32_t magic = in.u32();
  const std::uint8_t version = in.u8();
  if (in.failed() || magic != kIdentityMagic) return base::fail(Code::BAD_NAME, "these octets are no exported identity");
  if (version != kIdentityVersion) return base::fail(Code::TOKEN_VERSION, "wanted version 1, found " + std::to_string(version));
  const std::string typed = in.text16(kMaxTyped);
  if (!in.done()) return base::fail(Code::BAD_NAME, "the exported identity is cut or has octets left over");
  auto id = channel::parse_identity(typed);
  if (!id) return id.error();
  if (format(*id) != typed) return base::fail(Code::BAD_NAME, "the exported identity is not in canonical form");
  Identity out;
  out.id = *std::move(id);
  out.wanted = true;
  return out;
}

}  // namespace gssipsec::api

using namespace gssipsec;
using namespace gssipsec::api;

#pragma GCC visibility push(default)

ipsec_iToken_t ipsec_create_iToken(void) {
  ipsec_iToken_t token = nullptr;
  (void)guarded([&token] {
    Identity identity;
    identity.wanted = true;
    return token = new_token(std::move(identity)), 0;
  });
  return token;
}

int ipsec_free_iToken(ipsec_iToken_t token) {
  if (!token) return 0;
  return IdentityHandle::take(token) ? 0 : no_identity();
}

int ipsec_dup_iToken(const ipsec_iToken_t token, ipsec_iToken_t* copy) {
  const Identity* identity = identity_of(token);
  if (!identity || !copy) return no_identity();
  return guarded([&] { return *copy = new_token(*identity), 0; });
}

int ipsec_cmp_iToken(ipsec_iToken_t one, ipsec_iToken_t other) {
  const Identity *first = identity_of(one), *second = identity_of(other);
  if (!first || !second) return no_identity();
  return same_identity(*first, *second) ? 0 : 1;
}

int ipsec_export_iToken(const ipsec_iToken_t token, void* octets, size_t* size) {
  const Identity* identity = identity_of(token);
  if (!identity || !size) return no_identity();
  return guarded([&] {
    const auto made = export_identity(*identity);
    return made.ok() ? give_octets(*made, octets, size) : fail(made.error());
  });
}

int ipsec_import_iToken(const void* octets, size_t size, ipsec_iToken_t* token) {
  if (!octets || !token) return bad_argument("wanted octets and a place for the token");
  return guarded([&] {
    auto identity = import_identity({static_cast<const std::byte*>(octets), size});
    if (!identity) return fail(identity.error(), EINVAL);
    return *token = new_token(*std::move(identity)), 0;
  });
}

#pragma GCC visibility pop
