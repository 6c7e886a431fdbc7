// SPDX-License-Identifier: MIT
#include "gss-glue/interposed_cred.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/trace.h"
#include "client/broker.h"
#include "client/connect.h"
#include "gss-glue/oids.h"
#include "mech_ipsec/credential.h"

namespace gssipsec::glue {
namespace {

OM_uint32 acquire(gss_OID mechanism, gss_const_key_value_set_t store, gss_cred_id_t& credential) {
  gss_OID_set_desc mechs{1, mechanism};
  OM_uint32 ignored;
  return mechglue().gss_acquire_cred_from(&ignored, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE, store, &credential, nullptr, nullptr);
}

base::Result<client::FoundSocket> named_now(const client::FoundSocket& named) {
  const auto found = client::named_socket(named.fd);
  if (found.ok() && found->cookie != named.cookie)
    return base::fail(base::Code::SOCKET_CHANGED, "descriptor " + std::to_string(named.fd) + ", named by the credential, was closed or reused");
  return found;
}

}  // namespace

InterposedCredential::~InterposedCredential() {
  OM_uint32 ignored;
  (void)mechglue().gss_release_cred(&ignored, &real);
}

gss_OID inside_mechanism(gss_cred_id_t credential, gss_const_OID asked) noexcept {
  return stands_in(credential) && (!asked || same(asked, kerberos())) ? mechanism() : past_us(asked);
}

base::Result<client::FoundSocket> socket_for(gss_cred_id_t credential, channel::Role role, base::View token) {
  if (auto* handle = InterposedCredentialHandle::of(credential)) {
    const mech::Locked lock(handle->object.mutex);
    if (handle->object.socket) return named_now(*handle->object.socket);
  }
  return mech::default_socket(role, token);
}

InterposedCredential& wrapped(gss_cred_id_t& credential) {
  if (auto* handle = InterposedCredentialHandle::of(credential)) return handle->object;
  auto made = InterposedCredentialHandle::make(credential);
  InterposedCredential& object = made->object;
  credential = InterposedCredentialHandle::give(std::move(made));
  return object;
}

// Neither a socket's name nor anything else of ours is needed to see that another key speaks of Kerberos.
bool is_ours_alone(gss_const_key_value_set_t store) noexcept {
  return !store || std::all_of(store->elements, store->elements + store->count, [](const gss_key_value_element_desc& element) {
    return element.key && std::string_view(element.key).starts_with("ipsec-");
  });
}

void name_socket(InterposedCredential& credential, int fd) {
  const mech::Locked lock(credential.mutex);
  credential.socket = client::FoundSocket{fd, client::socket_cookie(fd).value_or(0), protocol::Found::named};
}

protocol::ProgramPolicy policy_of_program() {
  if (!client::broker_was_started()) return {};
  return client::Broker::program_policy().value_or(protocol::ProgramPolicy());
}

bool stand_in_is_wanted() { return policy_of_program().without_ticket; }

gss_cred_id_t acquire_stand_in(gss_const_key_value_set_t store) {
  if (!is_ours_alone(store) || !stand_in_is_wanted()) return GSS_C_NO_CREDENTIAL;
  auto made = InterposedCredentialHandle::make(GSS_C_NO_CREDENTIAL, Inside::ipsec);
  // libpq, for one, takes its own last token for a question.
  std::vector<gss_key_value_element_desc> elements{{"ipsec-last-token", "acceptor"}};
  if (store) elements.insert(elements.end(), store->elements, store->elements + store->count);
  const gss_key_value_set_desc more{static_cast<OM_uint32>(elements.size()), elements.data()};
  const bool got = !GSS_ERROR(acquire(mechanism(), &more, made->object.real));
  if (base::tracing()) base::trace("kerberos", got ? "no ticket: mechanism ipsec instead" : "no ticket, and no protected connection");
  return got ? InterposedCredentialHandle::give(std::move(made)) : GSS_C_NO_CREDENTIAL;
}

gss_cred_id_t default_stand_in() {
  InterposedCredential kerberos_has(GSS_C_NO_CREDENTIAL);
  return has_none(acquire(past_us(GSS_C_NO_OID), GSS_C_NO_CRED_STORE, kerberos_has.real)) ? acquire_stand_in(GSS_C_NO_CRED_STORE) : GSS_C_NO_CREDENTIAL;
}

}  // namespace gssipsec::glue
