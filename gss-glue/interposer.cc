// SPDX-License-Identifier: MIT
// The interposer as a whole: what it stands before, and the object identifiers by which it passes itself.
#include <algorithm>
#include <cstring>

#include "gss-glue/interposed.h"
#include "gss-glue/oids.h"
#include "mech_ipsec/oids.h"

namespace gssipsec::glue {
namespace {

constexpr std::size_t kKerberosSize = 9, kPastSize = mech::kInterposer.size() + kKerberosSize;
constexpr unsigned char kKerberos[kKerberosSize + 1] = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
// gss_OID has no const; nobody writes through it.
constinit gss_OID_desc kerberos_oid{kKerberosSize, const_cast<unsigned char*>(kKerberos)};

struct PastOctets {
  unsigned char octets[kPastSize];
};
constexpr PastOctets make_past() {
  PastOctets all{};
  std::copy(mech::kInterposer.begin(), mech::kInterposer.end(), all.octets);
  std::copy(kKerberos, kKerberos + kKerberosSize, all.octets + mech::kInterposer.size());
  return all;
}
constinit PastOctets past_octets = make_past();
constinit gss_OID_desc past_oid{kPastSize, past_octets.octets};

}  // namespace

gss_OID kerberos() noexcept { return &kerberos_oid; }

gss_OID past_us(gss_const_OID mechanism) noexcept {
  return !mechanism || same(mechanism, &kerberos_oid) ? &past_oid : const_cast<gss_OID>(mechanism);
}

SetPastUs::SetPastUs(gss_OID_set mechanisms) {
  set_.count = mechanisms ? mechanisms->count : 1;
  oids_ = std::make_unique<gss_OID_desc[]>(set_.count + 1);
  for (std::size_t i = 0; i < set_.count; ++i) oids_[i] = *past_us(mechanisms ? &mechanisms->elements[i] : GSS_C_NO_OID);
  set_.elements = oids_.get();
}

}  // namespace gssipsec::glue

using namespace gssipsec;
using namespace gssipsec::glue;

// IAKERB is left alone: its first tokens go to a KDC, over whatever it finds. Called under the mechglue's lock.
gss_OID_set gss_mech_interposer(gss_OID) {
  const base::Uncancelled whole;
  try {
    return find_mechglue() ? make_set({kerberos()}) : GSS_C_NO_OID_SET;
  } catch (...) {
    return GSS_C_NO_OID_SET;
  }
}

OM_uint32 gssi_internal_release_oid(OM_uint32* minor_status, gss_OID* oid) {
  if (minor_status) *minor_status = 0;
  if (!oid || (*oid != &kerberos_oid && *oid != &past_oid)) return GSS_S_CONTINUE_NEEDED;
  *oid = GSS_C_NO_OID;
  return GSS_S_COMPLETE;
}
