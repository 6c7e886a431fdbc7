// SPDX-License-Identifier: MIT
// Calls that the mechglue can dispatch and that this mechanism has nothing to offer for.
// Here each says so, whatever its arguments are, and touches nothing but the outputs. Not here, because the mechglue does right
// without them: gss_set_neg_mechs (it asks the credential's other mechanisms, and an error of ours would end that),
// gss_store_cred and gss_store_cred_into (an error of ours would be the answer for a credential of several mechanisms, although
// Kerberos has stored its own; without them who names mechanism ipsec gets success and an empty list of what was stored),
// gss_complete_auth_token, the calls of NegoEx, and the second names of imports, which are for interposers.
#include "gss-glue/boundary.h"
#include "gss-glue/oids.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

using base::Code;

OM_uint32 not_offered(OM_uint32* minor_status, const char* why) {
  return guarded(minor_status, [why](OM_uint32* minor) { return fail(minor, base::fail(Code::UNAVAILABLE, why)); });
}

void nothing(gss_cred_id_t* credential, gss_OID_set* mechs, OM_uint32* first, OM_uint32* second = nullptr) noexcept {
  if (credential) *credential = GSS_C_NO_CREDENTIAL;
  if (mechs) *mechs = GSS_C_NO_OID_SET;
  if (first) *first = 0;
  if (second) *second = 0;
}

constexpr const char* kNobodyElse = "the broker vouches for the process that asks, and for nobody else";
constexpr const char* kNoMapping = "names of mechanism ipsec map to no other kind of object";

}  // namespace

OM_uint32 gssspi_acquire_cred_with_password(OM_uint32* minor_status, const gss_name_t, const gss_buffer_t, OM_uint32, const gss_OID_set, gss_cred_usage_t,
                                            gss_cred_id_t* output_cred_handle, gss_OID_set* actual_mechs, OM_uint32* time_rec) {
  nothing(output_cred_handle, actual_mechs, time_rec);
  return not_offered(minor_status, "mechanism ipsec knows no passwords");
}

OM_uint32 gss_acquire_cred_impersonate_name(OM_uint32* minor_status, const gss_cred_id_t, const gss_name_t, OM_uint32, const gss_OID_set, gss_cred_usage_t,
                                            gss_cred_id_t* output_cred_handle, gss_OID_set* actual_mechs, OM_uint32* time_rec) {
  nothing(output_cred_handle, actual_mechs, time_rec);
  return not_offered(minor_status, kNobodyElse);
}

OM_uint32 gss_add_cred_impersonate_name(OM_uint32* minor_status, gss_cred_id_t, const gss_cred_id_t, const gss_name_t, const gss_OID, gss_cred_usage_t,
                                        OM_uint32, OM_uint32, gss_cred_id_t* output_cred_handle, gss_OID_set* actual_mechs,
                                        OM_uint32* initiator_time_rec, OM_uint32* acceptor_time_rec) {
  nothing(output_cred_handle, actual_mechs, initiator_time_rec, acceptor_time_rec);
  return not_offered(minor_status, kNobodyElse);
}

OM_uint32 gss_map_name_to_any(OM_uint32* minor_status, gss_name_t, int, gss_buffer_t, gss_any_t* output) {
  if (output) *output = nullptr;
  return not_offered(minor_status, kNoMapping);
}

OM_uint32 gss_release_any_name_mapping(OM_uint32* minor_status, gss_name_t, gss_buffer_t, gss_any_t*) { return not_offered(minor_status, kNoMapping); }
