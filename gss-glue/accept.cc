// SPDX-License-Identifier: MIT
// gss_accept_sec_context.
#include "gss-glue/boundary.h"
#include "gss-glue/context_flags.h"
#include "gss-glue/handle.h"
#include "gss-glue/oids.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

using base::Code;
using channel::Role;

struct AcceptorOutputs {
  gss_name_t* source;
  gss_OID* mech;
  gss_buffer_t token;
  OM_uint32* flags;
  OM_uint32* seconds;
};

base::Result<mech::Terms> terms_for(CredentialHandle* handle, gss_channel_bindings_t bindings, base::View input) {
  const auto digest = bindings_of(bindings);
  if (!digest) return digest.error();
  if (!handle) {
    const auto socket = mech::default_socket(Role::acceptor, input);
    if (!socket) return socket.error();
    return mech::Terms{*socket, protocol::kWantMutual, {}, {}, *digest, false};
  }
  const mech::Credential credential = handle->object.copy();
  if (!credential.may(Role::acceptor)) return base::fail(Code::WRONG_USAGE, "wanted a credential to accept");
  const auto socket = credential.socket(Role::acceptor, input);
  if (!socket) return socket.error();
  const std::uint32_t want = protocol::kWantMutual | (credential.allows_anonymous() ? protocol::kAllowAnonymous : 0u);
  return mech::Terms{*socket, want, {}, credential.service(), *digest, false};
}

OM_uint32 told(OM_uint32* minor, const mech::Context& context, const mech::Step& step, const AcceptorOutputs& out) {
  if (!step.token.empty()) give(out.token, step.token);
  if (!step.status) return fail(minor, step.status.error());
  const mech::Facts facts = context.facts();
  if (out.source && facts.open) *out.source = NameHandle::give(NameHandle::make(*facts.peer));
  if (out.mech) *out.mech = mechanism();
  if (out.flags) *out.flags = flags_of(facts);
  if (out.seconds) *out.seconds = facts.seconds_left;
  return facts.open ? GSS_S_COMPLETE : GSS_S_CONTINUE_NEEDED;
}

// Without a socket there is nothing to compare a token with; SPNEGO and others understand that as "no credentials".
OM_uint32 no_terms(OM_uint32* minor, const base::Error& error) {
  return fail(minor, error, error.code == Code::NO_SOCKET ? GSS_S_NO_CRED : 0);
}

OM_uint32 first_step(OM_uint32* minor, gss_ctx_id_t* context, CredentialHandle* credential, gss_channel_bindings_t bindings, base::View input,
                     const AcceptorOutputs& out) {
  auto terms = terms_for(credential, bindings, input);
  if (!terms) return no_terms(minor, terms.error());
  auto handle = ContextHandle::make(Role::acceptor, *std::move(terms));
  const OM_uint32 major = told(minor, handle->object, handle->object.step(input), out);
  if (!GSS_ERROR(major)) *context = ContextHandle::give(std::move(handle));
  return major;
}

// Credential and bindings count where a HELLO is judged. A search for the socket would now find others that the program opened since.
OM_uint32 next_step(OM_uint32* minor, gss_ctx_id_t context, CredentialHandle* credential, gss_channel_bindings_t bindings, base::View input,
                    const AcceptorOutputs& out) {
  auto* handle = ContextHandle::of(context);
  if (!handle || handle->object.facts().initiator) return no_context(minor);
  if (handle->object.awaits_hello()) {
    auto terms = terms_for(credential, bindings, input);
    if (!terms) return no_terms(minor, terms.error());
    handle->object.renew(*std::move(terms));
  }
  return told(minor, handle->object, handle->object.step(input), out);
}

}  // namespace

OM_uint32 gss_accept_sec_context(OM_uint32* minor_status, gss_ctx_id_t* context_handle, gss_cred_id_t acceptor_cred_handle,
                                 gss_buffer_t input_token_buffer, gss_channel_bindings_t input_chan_bindings, gss_name_t* src_name,
                                 gss_OID* mech_type, gss_buffer_t output_token, OM_uint32* ret_flags, OM_uint32* time_rec,
                                 gss_cred_id_t* delegated_cred_handle) {
  clear(output_token);
  if (src_name) *src_name = GSS_C_NO_NAME;
  if (mech_type) *mech_type = GSS_C_NO_OID;
  if (ret_flags) *ret_flags = 0;
  if (time_rec) *time_rec = 0;
  if (delegated_cred_handle) *delegated_cred_handle = GSS_C_NO_CREDENTIAL;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!context_handle || !output_token) return no_output(minor);
    if (!input_token_buffer) return no_input(minor);
    auto* credential = CredentialHandle::of(acceptor_cred_handle);
    if (acceptor_cred_handle != GSS_C_NO_CREDENTIAL && !credential) return no_credential(minor);
    const AcceptorOutputs out{src_name, mech_type, output_token, ret_flags, time_rec};
    const base::View input = view_of(input_token_buffer);
    if (*context_handle == GSS_C_NO_CONTEXT) return first_step(minor, context_handle, credential, input_chan_bindings, input, out);
    return next_step(minor, *context_handle, credential, input_chan_bindings, input, out);
  });
}
