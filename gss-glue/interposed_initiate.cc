// SPDX-License-Identifier: MIT
// gssi_init_sec_context: bound to the channel where the program gives no bindings of its own and a socket is found. Without a ticket,
// and where the administrator wants it of this program, the context is one of mechanism ipsec. SPNEGO's is left to itself.
#include "gss-glue/caller.h"
#include "gss-glue/interposed_cred.h"
#include "gss-glue/interposed_spnego.h"
#include "gss-glue/oids.h"

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
  if (major == GSS_S_COMPLETE) complete_on_channel(context, true, flags);  // as far as it is told
}

// What the first call takes for the program's credential: mechanism ipsec's, for as long as this lives, where Kerberos has none. SPNEGO
// offers mechanism ipsec under its own name, and goes on to it when Kerberos says that it has none.
class InitiatorCredential {
 public:
  InitiatorCredential(gss_cred_id_t given, OM_uint32 flags) : given_(given) {
    const bool none = given == GSS_C_NO_CREDENTIAL;
    if (none ? !stand_in_is_wanted() : !stands_in(given)) return;
    const bool may = !(flags & GSS_C_DCE_STYLE) && !is_called_by_mechanism();
    if (none && may) own_ = default_stand_in();
    if (!none && !may) given_ = GSS_C_NO_CREDENTIAL;
  }
  InitiatorCredential(const InitiatorCredential&) = delete;
  InitiatorCredential& operator=(const InitiatorCredential&) = delete;
  ~InitiatorCredential() { (void)InterposedCredentialHandle::take(own_); }
  [[nodiscard]] gss_cred_id_t get() const noexcept { return own_ == GSS_C_NO_CREDENTIAL ? given_ : own_; }

 private:
  gss_cred_id_t given_, own_ = GSS_C_NO_CREDENTIAL;
};

// One call's arguments, as the mechglue gave them.
struct Initiation {
  gss_name_t target;
  gss_OID mech;
  OM_uint32 flags, seconds_wanted;
  gss_channel_bindings_t applications_bindings;
  gss_buffer_t input;
  gss_OID* actual_mech;
  gss_buffer_t output;
  OM_uint32* seconds;
};

OM_uint32 step(OM_uint32* minor, InterposedContext& context, gss_cred_id_t credential, const Initiation& with, OM_uint32& flags) {
  OwnBindings bindings(context, with.applications_bindings);
  // A name that Kerberos made canonical keeps the text it was made from, and mechanism ipsec reads that.
  const gss_OID mech = context.inside == Inside::ipsec ? mechanism() : past_us(with.mech);
  const gss_cred_id_t claimed = real_of(credential == GSS_C_NO_CREDENTIAL ? context.own_credential : credential);
  const OM_uint32 major = mechglue().gss_init_sec_context(minor, claimed, &context.real, with.target, mech, with.flags, with.seconds_wanted,
                                                          bindings.get(), with.input, with.actual_mech, with.output, &flags, with.seconds);
  initiated(context, major, flags, with.input, with.output);
  return major;
}

OM_uint32 first_step_of_kerberos(OM_uint32* minor, InterposedContext& context, gss_cred_id_t given, const Initiation& with, OM_uint32& flags) {
  const InitiatorCredential credential(given, with.flags);
  if (stands_in(credential.get())) context.inside = Inside::ipsec;
  else if (!steps_aside(with.flags, with.applications_bindings)) bind_to_channel(context, channel::Role::initiator, credential.get(), {});
  return step(minor, context, credential.get(), with, flags);
}

OM_uint32 first_step(OM_uint32* minor, InterposedContext& context, gss_cred_id_t given, const Initiation& with, OM_uint32& flags) {
  context.inside = named_by(with.mech);
  if (context.inside != Inside::spnego) return first_step_of_kerberos(minor, context, given, with, flags);
  if (given == GSS_C_NO_CREDENTIAL) context.own_credential = default_for_spnego(with.flags);
  return step(minor, context, given, with, flags);
}

}  // namespace

OM_uint32 gssi_init_sec_context(OM_uint32* minor_status, gss_cred_id_t claimant_cred_handle, gss_ctx_id_t* context_handle, gss_name_t target_name,
                                gss_OID mech_type, OM_uint32 req_flags, OM_uint32 time_req, gss_channel_bindings_t input_chan_bindings,
                                gss_buffer_t input_token, gss_OID* actual_mech_type, gss_buffer_t output_token, OM_uint32* ret_flags,
                                OM_uint32* time_rec) {
  return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!context_handle || !output_token) return no_output(minor);
    const Initiation with{target_name, mech_type, req_flags, time_req, input_chan_bindings, input_token, actual_mech_type, output_token, time_rec};
    const bool first = *context_handle == GSS_C_NO_CONTEXT;
    auto made = first ? InterposedHandle::make() : nullptr;
    auto* handle = first ? made.get() : InterposedHandle::of(*context_handle);
    if (!handle) return no_context(minor);
    OM_uint32 flags = 0;
    const OM_uint32 major = first ? first_step(minor, handle->object, claimant_cred_handle, with, flags)
                                  : step(minor, handle->object, claimant_cred_handle, with, flags);
    if (ret_flags) *ret_flags = flags;
    if (made && !GSS_ERROR(major)) *context_handle = InterposedHandle::give(std::move(made));
    return major;
  });
}
