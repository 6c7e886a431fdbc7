// SPDX-License-Identifier: MIT
// Protection tokens: made, copied, compared, and filled with what is found on a socket; and the same in short.
#include "ipsecapi/boundary.h"
#include "ipsecapi/facts.h"
#include "ipsecapi/look.h"

namespace gssipsec::api {
namespace {

using base::Code;

int no_protection() noexcept { return bad_argument("wanted a protection token"); }

ipsec_security_info info_of(const protocol::Report& report) noexcept {
  const bool is_secured = secured(report);
  ipsec_security_info info{};
  info.size = sizeof info;
  info.flags = flags_of(report);
  info.latch_state = static_cast<std::uint32_t>(report.latch);
  info.auth_method = number_of(is_secured ? peer_of(report).method : channel::AuthMethod::unknown);
  info.mode = mode_of(report);
  info.key_bits = strength_of(report).key_bits;
  info.why = static_cast<std::uint32_t>(why_not(report).code);
  return info;
}

int peer_name(int fd, char* name, std::size_t size) {
  const auto report = look_at(fd);
  if (!report) return fail(report.error());
  if (!secured(*report)) return fail(why_not(*report), EACCES);
  const Identity peer = peer_of(*report);
  if (!peer.proven) return fail(base::fail(Code::PEER_UNAUTHENTICATED, "found " + audit_line(peer)));
  return give_text(format(peer.id), name, size);
}

}  // namespace

}  // namespace gssipsec::api

using namespace gssipsec;
using namespace gssipsec::api;

#pragma GCC visibility push(default)

ipsec_pToken_t ipsec_create_pToken(void) {
  ipsec_pToken_t token = nullptr;
  (void)guarded([&token] { return token = ProtectionHandle::give(ProtectionHandle::make()), 0; });
  return token;
}

int ipsec_free_pToken(ipsec_pToken_t token) {
  if (!token) return 0;
  return ProtectionHandle::take(token) ? 0 : no_protection();
}

int ipsec_dup_pToken(const ipsec_pToken_t token, ipsec_pToken_t* copy) {
  const Protection* protection = protection_of(token);
  if (!protection || !copy) return no_protection();
  return guarded([&] { return *copy = ProtectionHandle::give(ProtectionHandle::make(*protection)), 0; });
}

int ipsec_cmp_pToken(ipsec_pToken_t one, ipsec_pToken_t other) {
  const Protection *first = protection_of(one), *second = protection_of(other);
  if (!first || !second) return no_protection();
  return guarded([&] {
    if (first->found && second->found) return equivalent(first->found->report, second->found->report) ? 0 : 1;
    return !first->found && !second->found && first->wanted == second->wanted ? 0 : 1;
  });
}

int ipsec_get_socket_pToken(int fd, ipsec_pToken_t token) {
  Protection* protection = protection_of(token);
  if (!protection) return no_protection();
  return guarded([&] {
    auto found = survey_at(fd);
    if (!found) return fail(found.error());
    return *protection = {*std::move(found), {}}, 0;
  });
}

int ipsec_query(int fd, ipsec_security_info* info) {
  if (!info || info->size < sizeof *info) return bad_argument("wanted a struct ipsec_security_info whose size is set");
  return guarded([&] {
    const auto report = look_at(fd);
    if (!report) return fail(report.error());
    return *info = info_of(*report), 0;
  });
}

int ipsec_get_peer(int fd, char* name, size_t size) {
  if (!name) return bad_argument("wanted room for a name");
  return guarded([&] { return peer_name(fd, name, size); });
}

#pragma GCC visibility pop
