// SPDX-License-Identifier: MIT
// Names: import, display, compare, duplicate, export, release.
#include "gss-glue/boundary.h"
#include "gss-glue/handle.h"
#include "gss-glue/oids.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

// The octets of an exported name that is broken are a bad name, not a bad token.
OM_uint32 name_failed(OM_uint32* minor, const base::Error& error) {
  return fail(minor, error, error.code == base::Code::NAME_TYPE ? GSS_S_BAD_NAMETYPE : GSS_S_BAD_NAME);
}

OM_uint32 copy_of(OM_uint32* minor, gss_name_t input, gss_name_t* output) {
  if (!output) return no_output(minor);
  *output = GSS_C_NO_NAME;
  const auto* name = NameHandle::of(input);
  if (!name) return no_name(minor);
  *output = NameHandle::give(NameHandle::make(name->object));
  return GSS_S_COMPLETE;
}

}  // namespace

OM_uint32 gss_import_name(OM_uint32* minor_status, gss_buffer_t input_name_buffer, gss_OID input_name_type, gss_name_t* output_name) {
  if (output_name) *output_name = GSS_C_NO_NAME;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!output_name) return no_output(minor);
    const auto type = name_type_of(input_name_type);
    if (!type) return fail(minor, base::fail(base::Code::NAME_TYPE));
    if (!input_name_buffer) return no_name(minor);
    auto name = mech::import_name(*type, base::text_of(view_of(input_name_buffer)));
    if (!name) return name_failed(minor, name.error());
    *output_name = NameHandle::give(NameHandle::make(*std::move(name)));
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_release_name(OM_uint32* minor_status, gss_name_t* name) {
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!name || *name == GSS_C_NO_NAME) return GSS_S_COMPLETE;
    if (!NameHandle::of(*name)) return no_name(minor);
    (void)NameHandle::take(*name);
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_display_name(OM_uint32* minor_status, gss_name_t input_name, gss_buffer_t output_name_buffer, gss_OID* output_name_type) {
  clear(output_name_buffer);
  if (output_name_type) *output_name_type = GSS_C_NO_OID;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    const auto* name = NameHandle::of(input_name);
    if (!name) return no_name(minor);
    if (output_name_buffer) give(output_name_buffer, mech::display(name->object));
    if (output_name_type) *output_name_type = oid_of(mech::type_of(name->object));
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_display_name_ext(OM_uint32* minor_status, gss_name_t name, gss_OID display_as_name_type, gss_buffer_t display_name) {
  clear(display_name);
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!display_name) return no_output(minor);
    const auto* handle = NameHandle::of(name);
    if (!handle) return no_name(minor);
    const auto type = name_type_of(display_as_name_type);
    if (!type) return fail(minor, base::fail(base::Code::NAME_TYPE));
    const auto text = mech::display_as(handle->object, *type);
    // RFC 6680 7.2: UNAVAILABLE where the name has no such form.
    if (!text) return fail(minor, text.error(), GSS_S_UNAVAILABLE);
    give(display_name, std::string_view(*text));
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_compare_name(OM_uint32* minor_status, gss_name_t name1, gss_name_t name2, int* name_equal) {
  if (name_equal) *name_equal = 0;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!name_equal) return no_output(minor);
    const auto *first = NameHandle::of(name1), *second = NameHandle::of(name2);
    if (!first || !second) return no_name(minor);
    *name_equal = mech::compare(first->object, second->object) ? 1 : 0;
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_duplicate_name(OM_uint32* minor_status, const gss_name_t src_name, gss_name_t* dest_name) {
  return guarded(minor_status, [&](OM_uint32* minor) { return copy_of(minor, src_name, dest_name); });
}

OM_uint32 gss_canonicalize_name(OM_uint32* minor_status, const gss_name_t input_name, const gss_OID mech_type, gss_name_t* output_name) {
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!is_ours(mech_type)) return bad_mechanism(minor);
    return copy_of(minor, input_name, output_name);
  });
}

OM_uint32 gss_export_name(OM_uint32* minor_status, const gss_name_t input_name, gss_buffer_t exported_name) {
  clear(exported_name);
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!exported_name) return no_output(minor);
    const auto* name = NameHandle::of(input_name);
    if (!name) return no_name(minor);
    const auto octets = mech::export_name(name->object);
    if (!octets) return name_failed(minor, octets.error());
    give(exported_name, *octets);
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_inquire_names_for_mech(OM_uint32* minor_status, gss_OID mech, gss_OID_set* name_types) {
  if (name_types) *name_types = GSS_C_NO_OID_SET;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!name_types) return no_output(minor);
    if (!is_ours(mech)) return bad_mechanism(minor);
    using mech::NameType;
    *name_types = make_set({oid_of(NameType::hostbased), oid_of(NameType::ipsec_id), oid_of(NameType::user), oid_of(NameType::anonymous),
                            oid_of(NameType::exported), oid_of(NameType::composite)});
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_inquire_mechs_for_name(OM_uint32* minor_status, const gss_name_t input_name, gss_OID_set* mech_types) {
  if (mech_types) *mech_types = GSS_C_NO_OID_SET;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!mech_types) return no_output(minor);
    if (!NameHandle::of(input_name)) return no_name(minor);
    *mech_types = make_set({mechanism()});
    return GSS_S_COMPLETE;
  });
}
