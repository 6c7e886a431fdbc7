// SPDX-License-Identifier: MIT
// gssi_init_sec_context: bound to the channel where the program gives no bindings of its own and a socket is found.
#include "gss-glue/interposed.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

// DCE style has a third token, and messages in pieces of the program's own.
bool steps_aside(OM_uint32 flags, gss_channel_bindings_t bindings) noexcept {
  return bindings != GSS_C_NO_CHANNEL_BINDINGS || (flags & GSS_C_DCE_STYLE) != 0;
}

void initiated(InterposedContext& context, OM_uint32 major, OM_uint32 flags, gss_const_buffer_t input, gss_const_buffer_t output) {
  if (!context.channel) return;
  context.channel->note_token(view_of(input));
  context.channel->note_token(view_of(output));
  if (major == GSS_S_COMPLETE) complete_on_channel(context, flags);
}

}  // namespace

OM_uint32 gssi_init_sec_context(OM_uint32* minor_status, gss_cred_id_t claimant_cred_handle, gss_ctx_id_t* context_handle, gss_name_t target_name,
                                gss_OID mech_type, OM_uint32 req_flags, OM_uint32 time_req, gss_channel_bindings_t input_chan_bindings,
                                gss_buffer_t input_token, gss_OID* actual_mech_type, gss_buffer_t output_token, OM_uint32* ret_flags,
                                OM_uint32* time_rec) {
  return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!context_handle || !output_token) return no_output(minor);
    const bool first = *context_handle == GSS_C_NO_CONTEXT;
    auto made = first ? InterposedHandle::make() : nullptr;
    auto* handle = first ? made.get() : InterposedHandle::of(*context_handle);
    if (!handle) return no_context(minor);
    InterposedContext& context = handle->object;
    if (first && !steps_aside(req_flags, input_chan_bindings)) bind_to_channel(context, channel::Role::initiator, {});
    OwnBindings bindings(context.channel.get(), input_chan_bindings);
    OM_uint32 flags = 0;
    const OM_uint32 major = mechglue().gss_init_sec_context(minor, claimant_cred_handle, &context.kerberos, target_name, past_us(mech_type), req_flags,
                                                            time_req, bindings.get(), input_token, actual_mech_type, output_token, &flags, time_rec);
    initiated(context, major, flags, input_token, output_token);
    if (ret_flags) *ret_flags = flags;
    if (made && !GSS_ERROR(major)) *context_handle = InterposedHandle::give(std::move(made));
    return major;
  });
}
