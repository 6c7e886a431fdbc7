// SPDX-License-Identifier: MIT
// Options that are not a credential's: those of gssspi_mech_invoke, and a context's.
#include <gss-ipsec/gss_ipsec.h>

#include <cstring>

#include "client/sockets.h"
#include "gss-glue/boundary.h"
#include "gss-glue/handle.h"
#include "gss-glue/oids.h"
#include "gss-glue/socket_value.h"
#include "mech_ipsec/external.h"

namespace gssipsec::glue {

base::Result<int> socket_of(base::View value) {
  auto decimal = mech::parse_descriptor(base::text_of(value));
  if (decimal.ok() || value.size() != sizeof(int)) return decimal;
  int fd = -1;
  memcpy(&fd, value.data(), sizeof fd);
  if (fd < 0) return decimal.error();
  return fd;
}

}  // namespace gssipsec::glue

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

OM_uint32 name_for_thread(OM_uint32* minor, base::View octets) {
  if (octets.empty() || base::text_of(octets) == GSS_IPSEC_CLEAR) return client::name_thread_socket(-1), GSS_S_COMPLETE;
  const auto fd = socket_of(octets);
  if (!fd) return fail(minor, fd.error(), GSS_S_FAILURE);
  if (const auto found = client::named_socket(*fd); !found) return fail(minor, found.error(), GSS_S_FAILURE);
  client::name_thread_socket(*fd);
  return GSS_S_COMPLETE;
}

OM_uint32 tell_external(OM_uint32* minor, base::View octets) {
  gss_ipsec_external_request request{-1, nullptr};
  if (octets.size() != sizeof request) return fail(minor, base::fail(base::Code::BAD_ARGUMENT, "wanted a gss_ipsec_external_request"), GSS_S_FAILURE);
  memcpy(&request, octets.data(), sizeof request);
  if (!request.out) return no_output(minor);
  const auto told = mech::external_of(request.socket);
  if (!told) return fail(minor, told.error(), GSS_S_FAILURE);
  if (told->identity.size() >= sizeof request.out->authid) return fail(minor, base::fail(base::Code::BAD_MESSAGE, "an identity that is too long"));
  request.out->ssf = told->strength;
  memcpy(request.out->authid, told->identity.c_str(), told->identity.size() + 1);
  return GSS_S_COMPLETE;
}

}  // namespace

OM_uint32 gssspi_mech_invoke(OM_uint32* minor_status, const gss_OID desired_mech, const gss_OID desired_object, gss_buffer_t value) {
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!is_ours(desired_mech)) return bad_mechanism(minor);
    if (same(desired_object, set_thread_socket())) return name_for_thread(minor, view_of(value));
    if (same(desired_object, external())) return tell_external(minor, view_of(value));
    return unavailable(minor);
  });
}

OM_uint32 gss_set_sec_context_option(OM_uint32* minor_status, gss_ctx_id_t*, const gss_OID, const gss_buffer_t) {
  return guarded(minor_status, [](OM_uint32* minor) { return unavailable(minor); });
}

namespace {

// The key that applications take for a session key, and what it is good for: AES-256-GCM.
OM_uint32 give_key(OM_uint32* minor, mech::Context& context, gss_buffer_set_t* out) {
  const auto key = context.application_key();
  if (!key) return fail(minor, key.error());
  static constexpr std::uint8_t kAes256Gcm[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e};
  *out = make_buffer_set({key->view(), std::as_bytes(std::span(kAes256Gcm))});
  return GSS_S_COMPLETE;
}

}  // namespace

OM_uint32 gss_inquire_sec_context_by_oid(OM_uint32* minor_status, const gss_ctx_id_t context_handle, const gss_OID desired_object, gss_buffer_set_t* data_set) {
  if (data_set) *data_set = GSS_C_NO_BUFFER_SET;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!data_set) return no_output(minor);
    const bool key = same(desired_object, session_key());
    if (!key && !same(desired_object, sasl_strength())) return unavailable(minor);
    auto* handle = ContextHandle::of(context_handle);
    if (!handle) return no_context(minor);
    if (!handle->object.open()) return fail(minor, base::fail(base::Code::NO_CONTEXT));
    if (key) return give_key(minor, handle->object, data_set);
    base::Writer strength;
    strength.u32(handle->object.facts().strength);
    *data_set = make_buffer_set({strength.bytes()});
    return GSS_S_COMPLETE;
  });
}
