// SPDX-License-Identifier: MIT
#include "gss-glue/context_flags.h"

#include "gss-glue/boundary.h"
#include "mech_ipsec/bindings.h"

namespace gssipsec::glue {

// Anonymity is allowed only where it is asked for: an initiator that wants to stay unnamed takes an unnamed channel too.
std::uint32_t want_of(OM_uint32 flags) noexcept {
  std::uint32_t want = 0;
  if (flags & GSS_C_INTEG_FLAG) want |= protocol::kWantIntegrity;
  if (flags & GSS_C_CONF_FLAG) want |= protocol::kWantConfidentiality;
  if (flags & GSS_C_MUTUAL_FLAG) want |= protocol::kWantMutual;
  if (flags & GSS_C_ANON_FLAG) want |= protocol::kWantAnonymous | protocol::kAllowAnonymous;
  return want;
}

// QOP 1 gives integrity on every channel, and confidentiality unless the administrator forbids what the channel does not
// give by itself; conf_state tells a message's.
OM_uint32 flags_of(const mech::Facts& facts) noexcept {
  OM_uint32 flags = GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_INTEG_FLAG | GSS_C_TRANS_FLAG;
  if (facts.conceals) flags |= GSS_C_CONF_FLAG;
  if (facts.mutual) flags |= GSS_C_MUTUAL_FLAG;
  if (facts.anonymous) flags |= GSS_C_ANON_FLAG;
  if (facts.open) flags |= GSS_C_PROT_READY_FLAG;
  if (facts.open && facts.bound) flags |= GSS_C_CHANNEL_BOUND_FLAG;
  return flags;
}

base::Result<std::optional<mech::Digest>> bindings_of(gss_channel_bindings_t bindings) {
  if (bindings == GSS_C_NO_CHANNEL_BINDINGS) return std::optional<mech::Digest>();
  const auto digest = mech::digest_of({bindings->initiator_addrtype, view_of(&bindings->initiator_address), bindings->acceptor_addrtype,
                                       view_of(&bindings->acceptor_address), view_of(&bindings->application_data)});
  if (!digest) return digest.error();
  return std::optional<mech::Digest>(*digest);
}

}  // namespace gssipsec::glue
