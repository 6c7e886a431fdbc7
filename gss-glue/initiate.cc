// SPDX-License-Identifier: MIT
// gss_init_sec_context.
#include "gss-glue/boundary.h"
#include "gss-glue/context_flags.h"
#include "gss-glue/handle.h"
#include "gss-glue/oids.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

using base::Code;
using channel::Role;

struct InitiatorOutputs {
  gss_ctx_id_t* context;
  gss_OID* mech;
  gss_buffer_t token;
  OM_uint32* flags;
  OM_uint32* seconds;
};

base::Result<client::FoundSocket> socket_for(CredentialHandle* credential) {
  if (!credential) return mech::default_socket(Role::initiator);
  const mech::Credential held = credential->object.copy();
  if (!held.may(Role::initiator)) return base::fail(Code::WRONG_USAGE, "wanted a credential to initiate");
  return held.socket(Role::initiator);
}

base::Result<std::string> wanted_peer(const mech::Name& target) {
  if (target.is_local_user()) return base::fail(Code::BAD_NAME, "wanted the name of a peer, found that of a local user: " + target.local_user);
  return mech::display(target);
}

base::Result<mech::Terms> terms_for(CredentialHandle* credential, const mech::Name& target, OM_uint32 flags, gss_channel_bindings_t bindings) {
  auto wanted = wanted_peer(target);
  if (!wanted) return wanted.error();
  const auto digest = bindings_of(bindings);
  if (!digest) return digest.error();
  const auto socket = socket_for(credential);
  if (!socket) return socket.error();
  std::uint32_t want = want_of(flags);
  if (credential && credential->object.copy().wanted() && credential->object.copy().wanted()->is_anonymous())
    want |= protocol::kWantAnonymous | protocol::kAllowAnonymous;
  return mech::Terms{*socket, want, *std::move(wanted), {}, *digest, credential && credential->object.copy().acceptor_ends()};
}

// The outcome of one step, told in GSS-API's outputs.
OM_uint32 told(OM_uint32* minor, const mech::Context& context, const mech::Step& step, const InitiatorOutputs& out) {
  if (!step.token.empty()) give(out.token, step.token);
  if (!step.status) return fail(minor, step.status.error());
  const mech::Facts facts = context.facts();
  if (out.mech) *out.mech = mechanism();
  if (out.flags) *out.flags = flags_of(facts);
  if (out.seconds) *out.seconds = facts.seconds_left;
  return facts.open ? GSS_S_COMPLETE : GSS_S_CONTINUE_NEEDED;
}

OM_uint32 first_step(OM_uint32* minor, gss_cred_id_t credential, gss_name_t target, OM_uint32 flags, gss_channel_bindings_t bindings,
                     gss_buffer_t input, const InitiatorOutputs& out) {
  auto* held = CredentialHandle::of(credential);
  if (credential != GSS_C_NO_CREDENTIAL && !held) return no_credential(minor);
  const auto* name = NameHandle::of(target);
  if (!name) return no_name(minor);
  auto terms = terms_for(held, name->object, flags, bindings);
  if (!terms) return fail(minor, terms.error(), terms.error().code == Code::NO_SOCKET ? GSS_S_NO_CRED : 0);
  auto handle = ContextHandle::make(Role::initiator, *std::move(terms));
  const OM_uint32 major = told(minor, handle->object, handle->object.step(view_of(input)), out);
  // After a failure of the first call there must be no context.
  if (!GSS_ERROR(major)) *out.context = ContextHandle::give(std::move(handle));
  return major;
}

}  // namespace

OM_uint32 gss_init_sec_context(OM_uint32* minor_status, gss_cred_id_t claimant_cred_handle, gss_ctx_id_t* context_handle, gss_name_t target_name,
                               gss_OID mech_type, OM_uint32 req_flags, OM_uint32, gss_channel_bindings_t input_chan_bindings,
                               gss_buffer_t input_token, gss_OID* actual_mech_type, gss_buffer_t output_token, OM_uint32* ret_flags,
                               OM_uint32* time_rec) {
  clear(output_token);
  if (actual_mech_type) *actual_mech_type = GSS_C_NO_OID;
  if (ret_flags) *ret_flags = 0;
  if (time_rec) *time_rec = 0;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!context_handle || !output_token) return no_output(minor);
    if (!is_ours(mech_type)) return bad_mechanism(minor);
    const InitiatorOutputs out{context_handle, actual_mech_type, output_token, ret_flags, time_rec};
    if (*context_handle == GSS_C_NO_CONTEXT)
      return first_step(minor, claimant_cred_handle, target_name, req_flags, input_chan_bindings, input_token, out);
    auto* handle = ContextHandle::of(*context_handle);
    if (!handle || !handle->object.facts().initiator) return no_context(minor);
    return told(minor, handle->object, handle->object.step(view_of(input_token)), out);
  });
}
