// SPDX-License-Identifier: MIT
#include "gss-glue/interposed_spnego.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "base/trace.h"
#include "gss-glue/oids.h"

namespace gssipsec::glue {
namespace {

// A set of the mechglue's, released with this.
struct MechglueSet {
  MechglueSet() = default;
  MechglueSet(const MechglueSet&) = delete;
  MechglueSet& operator=(const MechglueSet&) = delete;
  ~MechglueSet() {
    OM_uint32 ignored;
    (void)mechglue().gss_release_oid_set(&ignored, &set);
  }
  gss_OID_set set = GSS_C_NO_OID_SET;
};

// Who names a principal, a cache or a keytab wants that and nothing else. A credential that can accept as well is an acceptor's.
bool leaves_the_choice(const Acquisition& asked) noexcept {
  return asked.usage == GSS_C_INITIATE && asked.name == GSS_C_NO_NAME && is_ours_alone(asked.store);
}

// SPNEGO offers those of the list that its credential has: where mechanism ipsec found no protected connection, all is as it was.
void put_ipsec_first(gss_cred_id_t credential) {
  MechglueSet known;
  OM_uint32 ignored;
  if (GSS_ERROR(mechglue().gss_indicate_mechs(&ignored, &known.set))) return;
  std::vector<gss_OID_desc> order{*mechanism()};
  std::copy_if(known.set->elements, known.set->elements + known.set->count, std::back_inserter(order),
               [](const gss_OID_desc& each) { return !same(&each, mechanism()); });
  gss_OID_set_desc set{order.size(), order.data()};
  const bool put = !GSS_ERROR(mechglue().gss_set_neg_mechs(&ignored, credential, &set));
  if (base::tracing()) base::trace("spnego", put ? "mechanism ipsec before all others" : "the mechanisms stay in their order");
}

}  // namespace

bool is_spnego(gss_const_OID_set mechanisms) noexcept {
  return mechanisms && mechanisms->count == 1 && named_by(mechanisms->elements) == Inside::spnego;
}

NewCredential::NewCredential(bool of_spnego, gss_cred_id_t* output)
    : wrapper_(of_spnego && output ? InterposedCredentialHandle::make(GSS_C_NO_CREDENTIAL, Inside::spnego) : nullptr), output_(output) {}

OM_uint32 NewCredential::done(OM_uint32 major) noexcept {
  if (!GSS_ERROR(major) && wrapper_) *output_ = InterposedCredentialHandle::give(std::move(wrapper_));
  return major;
}

OM_uint32 acquire_for_spnego(OM_uint32* minor, const Acquisition& asked, gss_cred_id_t* output, gss_OID_set* actual_mechs, OM_uint32* seconds) {
  gss_OID_set_desc mechs{1, past_us(spnego())};
  NewCredential made(true, output);
  const OM_uint32 major =
      mechglue().gss_acquire_cred_from(minor, asked.name, asked.seconds, &mechs, asked.usage, asked.store, made.place(), actual_mechs, seconds);
  if (!GSS_ERROR(major) && leaves_the_choice(asked) && policy_of_program().ipsec_first) put_ipsec_first(*made.place());
  return made.done(major);
}

// DCE style has tokens and messages that mechanism ipsec does not know, and who delegates wants what it cannot hand over.
gss_cred_id_t default_for_spnego(OM_uint32 flags) {
  constexpr OM_uint32 kKerberosAlone = GSS_C_DCE_STYLE | GSS_C_DELEG_FLAG | GSS_C_DELEG_POLICY_FLAG;
  gss_cred_id_t made = GSS_C_NO_CREDENTIAL;
  OM_uint32 ignored;
  if (!(flags & kKerberosAlone) && policy_of_program().ipsec_first) (void)acquire_for_spnego(&ignored, {}, &made, nullptr, nullptr);
  return made;
}

}  // namespace gssipsec::glue
