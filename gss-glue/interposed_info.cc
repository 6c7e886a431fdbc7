// SPDX-License-Identifier: MIT
// What can be asked of an interposed context, and how it leaves the process.
#include <algorithm>

#include "gss-glue/interposed.h"
#include "gss-glue/oids.h"
#include "gss-glue/union_token.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

// GSS_KRB5_EXPORT_LUCID_SEC_CONTEXT_OID, to which a version is appended: it gives the keys away, and its context up.
constexpr unsigned char kLucid[] = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x06";
constexpr std::size_t kLucidSize = sizeof kLucid - 1;

bool is_lucid(gss_const_OID oid) noexcept {
  return oid && oid->length >= kLucidSize && std::equal(kLucid, kLucid + kLucidSize, static_cast<const unsigned char*>(oid->elements));
}

}  // namespace

OM_uint32 gssi_inquire_context(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_name_t* src_name, gss_name_t* targ_name,
                               OM_uint32* lifetime_rec, gss_OID* mech_type, OM_uint32* ctx_flags, int* locally_initiated, int* open) {
  if (mech_type) *mech_type = kerberos();  // the mechglue reads it after failures too
  const OM_uint32 major = mechglue().gss_inquire_context(minor_status, real_of(context_handle), src_name, targ_name, lifetime_rec, mech_type,
                                                         ctx_flags, locally_initiated, open);
  // The program gave no bindings, and is not told of ours.
  const auto* handle = InterposedHandle::of(context_handle);
  if (ctx_flags && handle && handle->object.own_bindings) *ctx_flags &= ~static_cast<OM_uint32>(GSS_C_CHANNEL_BOUND_FLAG);
  return major;
}

OM_uint32 gssi_inquire_sec_context_by_oid(OM_uint32* minor_status, const gss_ctx_id_t context_handle, const gss_OID desired_object,
                                          gss_buffer_set_t* data_set) {
  if (data_set) *data_set = GSS_C_NO_BUFFER_SET;
  return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    auto* channel = channel_of(context_handle);
    if (channel && is_lucid(desired_object))
      if (const base::Status may = channel->let_go(); !may) return fail(minor, may.error());
    if (channel && data_set && same(desired_object, sasl_strength()) && channel->switched()) {
      base::Writer strength;
      strength.u32(channel->strength());
      *data_set = make_buffer_set({strength.bytes()});
      return GSS_S_COMPLETE;
    }
    return mechglue().gss_inquire_sec_context_by_oid(minor, real_of(context_handle), desired_object, data_set);
  });
}

// The mechglue writes its own mechanism in front, by which Kerberos imports it, whatever it is.
OM_uint32 gssi_export_sec_context(OM_uint32* minor_status, gss_ctx_id_t* context_handle, gss_buffer_t interprocess_token) {
  clear(interprocess_token);
  return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    auto* handle = context_handle ? InterposedHandle::of(*context_handle) : nullptr;
    if (!handle) return no_context(minor);
    if (!interprocess_token) return no_output(minor);
    if (handle->object.inside == Inside::ipsec) return fail(minor, base::fail(base::Code::UNAVAILABLE, "a context in the place of Kerberos stays in its process"));
    if (handle->object.channel)
      if (const base::Status may = handle->object.channel->let_go(); !may) return fail(minor, may.error());
    MechglueBuffer whole;
    const OM_uint32 major = mechglue().gss_export_sec_context(minor, &handle->object.real, &whole);
    if (GSS_ERROR(major)) return major;
    (void)InterposedHandle::take(*context_handle);
    const auto inside = inside_of(view_of(&whole));
    if (inside.ok()) give(interprocess_token, *inside);
    return inside.ok() ? GSS_S_COMPLETE : fail(minor, inside.error());
  });
}
