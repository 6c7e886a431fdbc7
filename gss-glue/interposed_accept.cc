// SPDX-License-Identifier: MIT
// gssi_accept_sec_context: Kerberos compares the initiator's bindings with the channel's. Only an initiator that was given the same
// ones is bound; one that gave none is Kerberos alone. SPNEGO's is left to itself.
#include <utility>

#include "gss-glue/interposed.h"
#include "gss-glue/interposed_cred.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

// Without one the mechglue would lead back here. Released with this.
class AcceptorCredential {
 public:
  AcceptorCredential(gss_cred_id_t given, gss_OID past) noexcept : given_(given), past_(past) {}
  AcceptorCredential(const AcceptorCredential&) = delete;
  AcceptorCredential& operator=(const AcceptorCredential&) = delete;
  ~AcceptorCredential() {
    OM_uint32 ignored;
    (void)mechglue().gss_release_cred(&ignored, &own_);
  }
  [[nodiscard]] bool is_own() const noexcept { return own_ != GSS_C_NO_CREDENTIAL; }
  [[nodiscard]] gss_cred_id_t get() const noexcept { return given_ == GSS_C_NO_CREDENTIAL ? own_ : given_; }
  OM_uint32 acquire(OM_uint32* minor, gss_const_key_value_set_t store) {
    if (given_ != GSS_C_NO_CREDENTIAL) return GSS_S_COMPLETE;
    gss_OID_set_desc mechs{1, past_};
    return mechglue().gss_acquire_cred_from(minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechs, GSS_C_ACCEPT, store, &own_, nullptr, nullptr);
  }

 private:
  gss_cred_id_t given_, own_ = GSS_C_NO_CREDENTIAL;
  gss_OID past_;
};

// That SPNEGO works with a credential which is ours and not the program's. What it hands on to Kerberos inside is no choice of the
// program's either, and is taken for none.
constinit thread_local bool lent = false;

class Lent {
 public:
  explicit Lent(bool now) noexcept : before_(std::exchange(lent, now)) {}
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() { lent = before_; }

 private:
  bool before_;
};

// One call's arguments, as the mechglue gave them.
struct Acceptance {
  gss_cred_id_t credential;
  gss_buffer_t input;
  gss_channel_bindings_t applications_bindings;
  gss_name_t* source;
  gss_OID* mech;
  gss_buffer_t output;
  OM_uint32* seconds;
  gss_cred_id_t* delegated;
};

gss_cred_id_t chosen(const InterposedContext& context, gss_cred_id_t given) noexcept {
  return lent && context.inside == Inside::kerberos ? GSS_C_NO_CREDENTIAL : given;
}

// SPNEGO needs none for a context that is there, and as without us looks for one when it comes to a mechanism.
bool leads_back(const InterposedContext& context) noexcept { return context.inside == Inside::kerberos || context.real == GSS_C_NO_CONTEXT; }

OM_uint32 ask_inside(OM_uint32* minor, InterposedContext& context, const Acceptance& with, gss_const_key_value_set_t store, OM_uint32& flags) {
  AcceptorCredential credential(with.credential, past_us(context.inside == Inside::spnego ? spnego() : kerberos()));
  const OM_uint32 acquired = leads_back(context) ? credential.acquire(minor, store) : GSS_S_COMPLETE;
  if (GSS_ERROR(acquired)) return acquired;
  const Lent lending(context.inside == Inside::spnego && credential.is_own());
  OwnBindings bindings(context, with.applications_bindings);
  return mechglue().gss_accept_sec_context(minor, &context.real, credential.get(), with.input, bindings.get(), with.source, with.mech, with.output,
                                           &flags, with.seconds, with.delegated);
}

// The only socket of a process may be another one than the context's. Kerberos has found everything else in order, the token is
// new (its replay cache has it now), and so it is asked once more about the same token, without bindings and cache. The socket has been latched.
OM_uint32 ask_without_channel(OM_uint32* minor, InterposedContext& context, const Acceptance& with, OM_uint32& flags) {
  OM_uint32 ignored;
  (void)mechglue().gss_delete_sec_context(&ignored, &context.real, GSS_C_NO_BUFFER);
  (void)mechglue().gss_release_buffer(&ignored, with.output);
  context.own_bindings = false;
  gss_key_value_element_desc element{"rcache", "none:"};
  const gss_key_value_set_desc store{1, &element};
  return ask_inside(minor, context, with, &store, flags);
}

bool may_ask_again(const InterposedContext& context, const Acceptance& with, OM_uint32 major) noexcept {
  return GSS_ROUTINE_ERROR(major) == GSS_S_BAD_BINDINGS && context.own_bindings && !context.channel->certain() && with.credential == GSS_C_NO_CREDENTIAL;
}

void accepted(InterposedContext& context, OM_uint32 major, OM_uint32& flags, const Acceptance& with) {
  if (!context.channel) return;
  context.channel->note_token(view_of(with.input));
  context.channel->note_token(view_of(with.output));
  if (major == GSS_S_COMPLETE) complete_on_channel(context, (flags & GSS_C_CHANNEL_BOUND_FLAG) != 0, flags);
  flags &= ~static_cast<OM_uint32>(GSS_C_CHANNEL_BOUND_FLAG);  // the program gave no bindings
}

}  // namespace

OM_uint32 gssi_accept_sec_context(OM_uint32* minor_status, gss_ctx_id_t* context_handle, gss_cred_id_t acceptor_cred_handle,
                                  gss_buffer_t input_token_buffer, gss_channel_bindings_t input_chan_bindings, gss_name_t* src_name,
                                  gss_OID* mech_type, gss_buffer_t output_token, OM_uint32* ret_flags, OM_uint32* time_rec,
                                  gss_cred_id_t* delegated_cred_handle) {
  return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!context_handle || !output_token) return no_output(minor);
    const bool first = *context_handle == GSS_C_NO_CONTEXT;
    auto made = first ? InterposedHandle::make() : nullptr;
    auto* handle = first ? made.get() : InterposedHandle::of(*context_handle);
    if (!handle) return no_context(minor);
    InterposedContext& context = handle->object;
    if (first) context.inside = begun_by(view_of(input_token_buffer));
    const gss_cred_id_t given = chosen(context, acceptor_cred_handle);
    const Acceptance with{real_of(given), input_token_buffer, input_chan_bindings, src_name, mech_type, output_token, time_rec, delegated_cred_handle};
    if (first && context.inside == Inside::kerberos && input_chan_bindings == GSS_C_NO_CHANNEL_BINDINGS)
      bind_to_channel(context, channel::Role::acceptor, given, view_of(input_token_buffer));
    OM_uint32 flags = 0;
    OM_uint32 major = ask_inside(minor, context, with, GSS_C_NO_CRED_STORE, flags);
    if (may_ask_again(context, with, major)) major = ask_without_channel(minor, context, with, flags);
    accepted(context, major, flags, with);
    if (ret_flags) *ret_flags = flags;
    if (made && !GSS_ERROR(major)) *context_handle = InterposedHandle::give(std::move(made));
    return major;
  });
}
