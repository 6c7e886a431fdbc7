// SPDX-License-Identifier: MIT
// Credentials: acquire, add, inquire, release. Who has no usable socket has no credential, so that default credentials and
// SPNEGO of every other program behave as if the mechanism were not there.
#include <algorithm>
#include <vector>

#include "gss-glue/boundary.h"
#include "gss-glue/cred_store.h"
#include "gss-glue/handle.h"
#include "gss-glue/oids.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

using mech::Credential;
using mech::Usage;

std::optional<Usage> usage_of(gss_cred_usage_t usage) {
  switch (usage) {
    case GSS_C_BOTH: return Usage::both;
    case GSS_C_INITIATE: return Usage::initiate;
    case GSS_C_ACCEPT: return Usage::accept;
    default: return std::nullopt;
  }
}

bool asks_for_us(gss_OID_set mechs) {
  if (mechs == GSS_C_NO_OID_SET || mechs->count == 0) return true;
  return std::any_of(mechs->elements, mechs->elements + mechs->count, [](const gss_OID_desc& oid) { return is_ours(&oid); });
}

base::Result<Credential> acquire(Usage usage, gss_name_t desired, gss_const_key_value_set_t store) {
  const auto options = store_options(store);
  if (!options) return options.error();
  const auto* name = NameHandle::of(desired);
  return Credential::acquire(usage, name ? std::optional(name->object) : std::nullopt, *options);
}

// A credential's own troubles are NO_CRED, which is what callers know how to go on from; only broken arguments are told.
OM_uint32 not_acquired(OM_uint32* minor, const base::Error& error) {
  return fail(minor, error, error.code == base::Code::BAD_ARGUMENT ? GSS_S_FAILURE : GSS_S_NO_CRED);
}

OM_uint32 acquire_into(OM_uint32* minor, gss_name_t desired, gss_OID_set mechs, gss_cred_usage_t usage_number, gss_const_key_value_set_t store,
                       gss_cred_id_t* output, gss_OID_set* actual_mechs, OM_uint32* seconds) {
  if (!output) return no_output(minor);
  const auto usage = usage_of(usage_number);
  if (!usage) return fail(minor, base::fail(base::Code::BAD_ARGUMENT, "credential usage"), GSS_S_FAILURE);
  if (!asks_for_us(mechs)) return bad_mechanism(minor);
  if (desired != GSS_C_NO_NAME && !NameHandle::of(desired)) return no_name(minor);
  auto credential = acquire(*usage, desired, store);
  if (!credential) return not_acquired(minor, credential.error());
  auto handle = CredentialHandle::make(*std::move(credential));
  if (actual_mechs) *actual_mechs = make_set({mechanism()});
  if (seconds) *seconds = GSS_C_INDEFINITE;
  *output = CredentialHandle::give(std::move(handle));
  return GSS_S_COMPLETE;
}

void clear_outputs(gss_cred_id_t* credential, gss_OID_set* mechs, OM_uint32* seconds) {
  if (credential) *credential = GSS_C_NO_CREDENTIAL;
  if (mechs) *mechs = GSS_C_NO_OID_SET;
  if (seconds) *seconds = 0;
}

// What stands for GSS_C_NO_CREDENTIAL: an initiator's default.
base::Result<Credential> held_or_default(gss_cred_id_t handle) {
  if (auto* held = CredentialHandle::of(handle)) return held->object.copy();
  return Credential::acquire(Usage::initiate, std::nullopt, {});
}

}  // namespace

namespace gssipsec::glue {

base::Result<mech::StoreOptions> store_options(gss_const_key_value_set_t store) {
  std::vector<mech::StoreEntry> entries;
  for (OM_uint32 i = 0; store && i < store->count; ++i) {
    const auto& element = store->elements[i];
    if (element.key && element.value) entries.push_back({element.key, element.value});
  }
  return mech::parse_store(entries);
}

}  // namespace gssipsec::glue

OM_uint32 gss_acquire_cred(OM_uint32* minor_status, gss_name_t desired_name, OM_uint32, gss_OID_set desired_mechs, gss_cred_usage_t cred_usage,
                           gss_cred_id_t* output_cred_handle, gss_OID_set* actual_mechs, OM_uint32* time_rec) {
  clear_outputs(output_cred_handle, actual_mechs, time_rec);
  return guarded(minor_status, [&](OM_uint32* minor) {
    return acquire_into(minor, desired_name, desired_mechs, cred_usage, GSS_C_NO_CRED_STORE, output_cred_handle, actual_mechs, time_rec);
  });
}

OM_uint32 gss_acquire_cred_from(OM_uint32* minor_status, gss_name_t desired_name, OM_uint32, gss_OID_set desired_mechs, gss_cred_usage_t cred_usage,
                                gss_const_key_value_set_t cred_store, gss_cred_id_t* output_cred_handle, gss_OID_set* actual_mechs,
                                OM_uint32* time_rec) {
  clear_outputs(output_cred_handle, actual_mechs, time_rec);
  return guarded(minor_status, [&](OM_uint32* minor) {
    return acquire_into(minor, desired_name, desired_mechs, cred_usage, cred_store, output_cred_handle, actual_mechs, time_rec);
  });
}

OM_uint32 gss_release_cred(OM_uint32* minor_status, gss_cred_id_t* cred_handle) {
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!cred_handle || *cred_handle == GSS_C_NO_CREDENTIAL) return GSS_S_COMPLETE;
    if (!CredentialHandle::of(*cred_handle)) return no_credential(minor);
    (void)CredentialHandle::take(*cred_handle);
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_inquire_cred(OM_uint32* minor_status, gss_cred_id_t cred_handle, gss_name_t* name, OM_uint32* lifetime, gss_cred_usage_t* cred_usage,
                           gss_OID_set* mechanisms) {
  if (name) *name = GSS_C_NO_NAME;
  if (mechanisms) *mechanisms = GSS_C_NO_OID_SET;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (cred_handle != GSS_C_NO_CREDENTIAL && !CredentialHandle::of(cred_handle)) return no_credential(minor);
    const auto credential = held_or_default(cred_handle);
    if (!credential) return not_acquired(minor, credential.error());
    auto copy = name ? NameHandle::make(credential->name()) : nullptr;
    if (mechanisms) *mechanisms = make_set({mechanism()});
    if (name) *name = NameHandle::give(std::move(copy));
    if (lifetime) *lifetime = GSS_C_INDEFINITE;
    if (cred_usage) *cred_usage = static_cast<gss_cred_usage_t>(credential->usage());
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_inquire_cred_by_mech(OM_uint32* minor_status, gss_cred_id_t cred_handle, gss_OID mech_type, gss_name_t* name,
                                   OM_uint32* initiator_lifetime, OM_uint32* acceptor_lifetime, gss_cred_usage_t* cred_usage) {
  if (name) *name = GSS_C_NO_NAME;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!is_ours(mech_type)) return bad_mechanism(minor);
    if (cred_handle != GSS_C_NO_CREDENTIAL && !CredentialHandle::of(cred_handle)) return no_credential(minor);
    const auto credential = held_or_default(cred_handle);
    if (!credential) return not_acquired(minor, credential.error());
    if (initiator_lifetime) *initiator_lifetime = credential->may(channel::Role::initiator) ? GSS_C_INDEFINITE : 0;
    if (acceptor_lifetime) *acceptor_lifetime = credential->may(channel::Role::acceptor) ? GSS_C_INDEFINITE : 0;
    if (cred_usage) *cred_usage = static_cast<gss_cred_usage_t>(credential->usage());
    if (name) *name = NameHandle::give(NameHandle::make(credential->name()));
    return GSS_S_COMPLETE;
  });
}
