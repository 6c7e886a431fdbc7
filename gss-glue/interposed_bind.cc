// SPDX-License-Identifier: MIT
// Between an interposed context and the channel: socket, bindings, key.
#include "base/trace.h"
#include "client/broker.h"
#include "client/connect.h"
#include "gss-glue/interposed.h"
#include "gss-glue/interposed_cred.h"
#include "gss-glue/union_token.h"

namespace gssipsec::glue {
namespace {

base::Status take_keys(InterposedContext& context, OM_uint32 flags) {
  base::Bytes input = context.channel->key_input();
  gss_buffer_desc asked = buffer_of(input);
  MechglueBuffer keys;
  OM_uint32 minor;
  const OM_uint32 major = mechglue().gss_pseudo_random(&minor, context.real, GSS_C_PRF_KEY_FULL, &asked, mech::KerberosContext::kKeys, &keys);
  if (GSS_ERROR(major)) return base::fail(base::Code::UNAVAILABLE, "Kerberos makes no key");
  const base::Status made = context.channel->complete(view_of(&keys), {(flags & GSS_C_REPLAY_FLAG) != 0, (flags & GSS_C_SEQUENCE_FLAG) != 0});
  explicit_bzero(keys.value, keys.length);
  return made;
}

}  // namespace

OwnBindings::OwnBindings(const InterposedContext& context, gss_channel_bindings_t applications) : applications_(applications) {
  if (context.own_bindings) octets_ = context.channel->bindings();
  bindings_.application_data = buffer_of(octets_);
}

// Before Kerberos is called, which opens connections of its own to the KDC. Who has no line in the broker's configuration is not
// kept up: neither are all his descriptors looked at nor is the broker asked.
void bind_to_channel(InterposedContext& context, channel::Role role, gss_cred_id_t credential, base::View token) {
  if (!client::broker_was_started()) return;
  const auto policy = client::Broker::program_policy();
  if (policy && policy->kerberos == protocol::KerberosUse::off) return;
  const auto socket = socket_for(credential, role, token);
  if (!socket) {
    if (base::tracing()) base::trace("kerberos", "not bound: " + base::describe(socket.error()));
    return;
  }
  auto channel = std::make_unique<mech::KerberosContext>(role);
  if (!channel->bind(*socket).ok()) return;
  context.channel = std::move(channel);
  context.own_bindings = true;
}

void complete_on_channel(InterposedContext& context, bool bound, OM_uint32 flags) {
  context.channel->end_exchange();
  if (!bound) return;
  const base::Status made = take_keys(context, flags);
  if (!made.ok() && base::tracing()) base::trace("kerberos", "Kerberos alone: " + base::describe(made.error()));
}

}  // namespace gssipsec::glue
