// SPDX-License-Identifier: MIT
// What the mechanism is: RFC 5587 attributes, the SASL name of RFC 5801, and the list of one mechanism.
//
// PFS is not claimed (IKE may or may not give it, and Cyrus prefers a mechanism that claims it: docs/decisions/0024-pfs-is-not-claimed.md); NOT_DFLT_MECH is not, for it
// hides a mechanism from SPNEGO and default acceptors; AUTH_INIT_ANON is not, for acceptors refuse anonymous initiators
// unless told otherwise.
#include <array>
#include <utility>

#include "gss-glue/boundary.h"
#include "gss-glue/oids.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

// 1.3.6.1.5.5.13.<n>
constexpr std::size_t kAttributes = 27;
struct Attribute {
  unsigned char octets[7];
};

constexpr std::array<Attribute, kAttributes + 1> make_attributes() {
  std::array<Attribute, kAttributes + 1> all{};
  for (unsigned char n = 0; n <= kAttributes; ++n) all[n] = {{0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, n}};
  return all;
}
constexpr auto kOctets = make_attributes();

enum Number : unsigned char {
  kConcrete = 1, kPseudo = 2, kComposite = 3, kNego = 4, kGlue = 5, kNotMech = 6, kDeprecated = 7, kNotDefault = 8, kFramed = 9,
  kAuthInit = 10, kAuthTarg = 11, kAuthInitInit = 12, kAuthTargInit = 13, kAuthInitAnon = 14, kAuthTargAnon = 15, kDelegCred = 16,
  kInteg = 17, kConf = 18, kMic = 19, kWrap = 20, kProtReady = 21, kReplay = 22, kOrder = 23, kBindings = 24, kPfs = 25, kCompress = 26,
  kTrans = 27
};

gss_OID_desc oid(Number n) { return {sizeof(Attribute), const_cast<unsigned char*>(kOctets[n].octets)}; }

template <typename... Numbers>
gss_OID_set set_of(Numbers... numbers) {
  const gss_OID_desc oids[] = {oid(numbers)...};
  return [&]<std::size_t... I>(std::index_sequence<I...>) { return make_set({&oids[I]...}); }(std::index_sequence_for<Numbers...>{});
}

gss_OID_set own_attributes() {
  return set_of(kConcrete, kFramed, kAuthInit, kAuthTarg, kInteg, kConf, kMic, kWrap, kReplay, kOrder, kBindings, kTrans);
}

gss_OID_set known_attributes() {
  return set_of(kConcrete, kPseudo, kComposite, kNego, kGlue, kNotMech, kDeprecated, kNotDefault, kFramed, kAuthInit, kAuthTarg, kAuthInitInit,
                kAuthTargInit, kAuthInitAnon, kAuthTargAnon, kDelegCred, kInteg, kConf, kMic, kWrap, kProtReady, kReplay, kOrder, kBindings, kPfs,
                kCompress, kTrans);
}

// "GS2-" and 55 bits of SHA-1 over the OID in base 32 (RFC 5801 3.1): a nicer name would need IANA's leave.
constexpr std::string_view kSaslName = "GS2-P53REVX3TK4";
constexpr std::string_view kMechName = "ipsec";
constexpr std::string_view kDescription = "IPsec mechanism: rests on the ESP-protected connection under the context";

void give_if(gss_buffer_t out, std::string_view text) {
  if (out) give(out, text);
}

}  // namespace

OM_uint32 gss_indicate_mechs(OM_uint32* minor_status, gss_OID_set* mech_set) {
  if (mech_set) *mech_set = GSS_C_NO_OID_SET;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!mech_set) return no_output(minor);
    *mech_set = make_set({mechanism()});
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_inquire_attrs_for_mech(OM_uint32* minor_status, gss_const_OID mech, gss_OID_set* mech_attrs, gss_OID_set* known_mech_attrs) {
  if (mech_attrs) *mech_attrs = GSS_C_NO_OID_SET;
  if (known_mech_attrs) *known_mech_attrs = GSS_C_NO_OID_SET;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!is_ours(mech)) return bad_mechanism(minor);
    if (mech_attrs) *mech_attrs = own_attributes();
    if (known_mech_attrs) *known_mech_attrs = known_attributes();
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_inquire_saslname_for_mech(OM_uint32* minor_status, const gss_OID desired_mech, gss_buffer_t sasl_mech_name, gss_buffer_t mech_name,
                                        gss_buffer_t mech_description) {
  clear(sasl_mech_name);
  clear(mech_name);
  clear(mech_description);
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!is_ours(desired_mech)) return bad_mechanism(minor);
    give_if(sasl_mech_name, kSaslName);
    give_if(mech_name, kMechName);
    give_if(mech_description, kDescription);
    return GSS_S_COMPLETE;
  });
}

// BAD_MECH for every other name: any other error stops the mechglue's search in later mechanisms.
OM_uint32 gss_inquire_mech_for_saslname(OM_uint32* minor_status, const gss_buffer_t sasl_mech_name, gss_OID* mech_type) {
  if (mech_type) *mech_type = GSS_C_NO_OID;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (base::text_of(view_of(sasl_mech_name)) != kSaslName) return bad_mechanism(minor);
    if (mech_type) *mech_type = mechanism();
    return GSS_S_COMPLETE;
  });
}
