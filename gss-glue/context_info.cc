// SPDX-License-Identifier: MIT
// What can be asked of a context, and its end.
#include "gss-glue/boundary.h"
#include "gss-glue/context_flags.h"
#include "gss-glue/handle.h"
#include "gss-glue/oids.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

std::unique_ptr<NameHandle> copy_of(const std::optional<mech::Name>& name, bool wanted) {
  return wanted && name ? NameHandle::make(*name) : nullptr;
}

}  // namespace

OM_uint32 gss_inquire_context(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_name_t* src_name, gss_name_t* targ_name,
                              OM_uint32* lifetime_rec, gss_OID* mech_type, OM_uint32* ctx_flags, int* locally_initiated, int* open) {
  if (src_name) *src_name = GSS_C_NO_NAME;
  if (targ_name) *targ_name = GSS_C_NO_NAME;
  if (mech_type) *mech_type = mechanism();  // the mechglue reads it after failures too
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    const auto* handle = ContextHandle::of(context_handle);
    if (!handle) return no_context(minor);
    const mech::Facts facts = handle->object.facts();
    // Before the end of the exchange nobody has proven who he is.
    auto source = copy_of(facts.initiator ? facts.local : facts.peer, src_name && (facts.initiator || facts.open));
    auto target = copy_of(facts.initiator ? facts.peer : facts.local, targ_name && (!facts.initiator || facts.open));
    if (src_name) *src_name = NameHandle::give(std::move(source));
    if (targ_name) *targ_name = NameHandle::give(std::move(target));
    if (lifetime_rec) *lifetime_rec = facts.seconds_left;
    if (ctx_flags) *ctx_flags = flags_of(facts);
    if (locally_initiated) *locally_initiated = facts.initiator ? 1 : 0;
    if (open) *open = facts.open ? 1 : 0;
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_context_time(OM_uint32* minor_status, gss_ctx_id_t context_handle, OM_uint32* time_rec) {
  if (time_rec) *time_rec = 0;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!time_rec) return no_output(minor);
    const auto* handle = ContextHandle::of(context_handle);
    if (!handle) return no_context(minor);
    if (!handle->object.open()) return fail(minor, base::fail(base::Code::NO_CONTEXT));
    *time_rec = handle->object.facts().seconds_left;
    return *time_rec == 0 ? fail(minor, base::fail(base::Code::EXPIRED)) : GSS_S_COMPLETE;
  });
}

OM_uint32 gss_delete_sec_context(OM_uint32* minor_status, gss_ctx_id_t* context_handle, gss_buffer_t output_token) {
  clear(output_token);
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!context_handle || *context_handle == GSS_C_NO_CONTEXT) return GSS_S_COMPLETE;
    if (!ContextHandle::of(*context_handle)) return no_context(minor);
    (void)ContextHandle::take(*context_handle);
    return GSS_S_COMPLETE;
  });
}

// No token of ours is ever for this call.
OM_uint32 gss_process_context_token(OM_uint32* minor_status, gss_ctx_id_t context_handle, gss_buffer_t) {
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!ContextHandle::of(context_handle)) return no_context(minor);
    return fail(minor, base::fail(base::Code::BAD_TOKEN, "there are no tokens for an established context"));
  });
}

// RFC 2743 2.2.9: what was exported is gone here.
OM_uint32 gss_export_sec_context(OM_uint32* minor_status, gss_ctx_id_t* context_handle, gss_buffer_t interprocess_token) {
  clear(interprocess_token);
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!interprocess_token) return no_output(minor);
    auto* handle = context_handle ? ContextHandle::of(*context_handle) : nullptr;
    if (!handle) return no_context(minor);
    const auto token = handle->object.leave();
    if (!token) return fail(minor, token.error());
    give(interprocess_token, *token);
    (void)ContextHandle::take(*context_handle);
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_import_sec_context(OM_uint32* minor_status, gss_buffer_t interprocess_token, gss_ctx_id_t* context_handle) {
  if (context_handle) *context_handle = GSS_C_NO_CONTEXT;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!context_handle) return no_output(minor);
    if (!interprocess_token) return no_input(minor);
    auto handle = ContextHandle::make(channel::Role::acceptor, mech::Terms{});
    const base::Status arrived = handle->object.arrive(view_of(interprocess_token));
    if (!arrived) return fail(minor, arrived.error(), arrived.error().code == base::Code::BAD_MAC ? GSS_S_DEFECTIVE_TOKEN : 0);
    *context_handle = ContextHandle::give(std::move(handle));
    return GSS_S_COMPLETE;
  });
}
