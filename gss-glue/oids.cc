// SPDX-License-Identifier: MIT
#include "gss-glue/oids.h"

#include <cstring>
#include <iterator>
#include <memory>
#include <new>

#include "mech_ipsec/oids.h"

namespace gssipsec::glue {
namespace {

using mech::NameType;

// gss_OID has no const; nobody writes through it.
constexpr gss_OID_desc desc(const void* octets, OM_uint32 length) noexcept { return {length, const_cast<void*>(octets)}; }
constexpr gss_OID_desc desc(const mech::Oid& oid) noexcept { return desc(oid.data(), static_cast<OM_uint32>(oid.size())); }

enum Index : std::size_t {
  kMech, kThreadSocket, kCredSocket, kExternal, kNtIpsec, kNtHostbased, kNtUser, kNtAnonymous, kNtExport, kNtComposite, kNtHostbasedX, kSsf, kSessionKey,
  kCount
};

constinit gss_OID_desc oids[kCount] = {
    desc(mech::kMechanism),
    desc(mech::kSetThreadSocket),
    desc(mech::kSetCredentialSocket),
    desc(mech::kExternal),
    desc(mech::kNameType),
    desc("\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04", 10),      // GSS_C_NT_HOSTBASED_SERVICE
    desc("\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x01", 10),      // GSS_C_NT_USER_NAME
    desc("\x2b\x06\x01\x05\x06\x03", 6),                       // GSS_C_NT_ANONYMOUS
    desc("\x2b\x06\x01\x05\x06\x04", 6),                       // GSS_C_NT_EXPORT_NAME
    desc("\x2b\x06\x01\x05\x06\x06", 6),                       // GSS_C_NT_COMPOSITE_EXPORT
    desc("\x2b\x06\x01\x05\x06\x02", 6),                       // GSS_C_NT_HOSTBASED_SERVICE_X
    desc("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x0f", 11),  // GSS_C_SEC_CONTEXT_SASL_SSF
    desc("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x05", 11),  // GSS_C_INQ_SSPI_SESSION_KEY
};

struct TypeOid {
  Index oid;
  NameType type;
};
// The first of a type is the one that is handed out.
constexpr TypeOid kTypes[] = {{kNtIpsec, NameType::ipsec_id}, {kNtHostbased, NameType::hostbased}, {kNtHostbasedX, NameType::hostbased},
                              {kNtUser, NameType::user},      {kNtAnonymous, NameType::anonymous}, {kNtExport, NameType::exported},
                              {kNtComposite, NameType::composite}};

void* allocated(std::size_t size) {
  void* room = calloc(1, size);
  if (!room) throw std::bad_alloc();
  return room;
}

// Not calloc(3): SPNEGO asks for sets of forty in each acquisition, and only malloc(3) takes freed ones from its thread's cache.
void* copied(gss_const_OID oid) {
  void* room = malloc(oid->length);
  if (!room) throw std::bad_alloc();
  return memcpy(room, oid->elements, oid->length);
}

struct FreeSet {
  void operator()(gss_OID_set set) const noexcept {
    for (std::size_t i = 0; i < set->count; ++i) free(set->elements[i].elements);
    free(set->elements);
    free(set);
  }
};

}  // namespace

gss_OID mechanism() noexcept { return &oids[kMech]; }
gss_OID set_thread_socket() noexcept { return &oids[kThreadSocket]; }
gss_OID set_credential_socket() noexcept { return &oids[kCredSocket]; }
gss_OID external() noexcept { return &oids[kExternal]; }
gss_OID sasl_strength() noexcept { return &oids[kSsf]; }
gss_OID session_key() noexcept { return &oids[kSessionKey]; }

bool same(gss_const_OID a, gss_const_OID b) noexcept {
  return a && b && a->length == b->length && (a->length == 0 || memcmp(a->elements, b->elements, a->length) == 0);
}

bool is_ours(gss_const_OID oid) noexcept { return !oid || same(oid, mechanism()); }

bool is_static(gss_const_OID oid) noexcept {
  for (const gss_OID_desc& own : oids)
    if (oid == &own) return true;
  return false;
}

gss_OID oid_of(NameType type) noexcept {
  for (const TypeOid& entry : kTypes)
    if (entry.type == type) return &oids[entry.oid];
  return &oids[kNtIpsec];
}

std::optional<NameType> name_type_of(gss_const_OID oid) noexcept {
  if (!oid) return NameType::unspecified;
  for (const TypeOid& entry : kTypes)
    if (same(oid, &oids[entry.oid])) return entry.type;
  return std::nullopt;
}

gss_OID_set make_set(std::initializer_list<gss_const_OID> members) {
  std::unique_ptr<gss_OID_set_desc, FreeSet> set(static_cast<gss_OID_set>(allocated(sizeof(gss_OID_set_desc))));
  set->elements = static_cast<gss_OID>(allocated(sizeof(gss_OID_desc) * (members.size() + 1)));
  for (gss_const_OID member : members) {
    gss_OID_desc& copy = set->elements[set->count];
    copy.elements = copied(member);
    copy.length = member->length;
    ++set->count;
  }
  return set.release();
}

}  // namespace gssipsec::glue

using namespace gssipsec::glue;

// Called under the mechglue's lock, with anything, null too: calls nothing.
OM_uint32 gss_internal_release_oid(OM_uint32* minor_status, gss_OID* oid) {
  if (minor_status) *minor_status = 0;
  if (!oid || !is_static(*oid)) return GSS_S_CONTINUE_NEEDED;
  *oid = GSS_C_NO_OID;
  return GSS_S_COMPLETE;
}
