// SPDX-License-Identifier: MIT
// Names under the interposer are Kerberos' or SPNEGO's own, canonical from the start, held by the mechglue for the real mechanism.
#include "gss-glue/interposed.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

// A name of the mechglue's, released with this.
struct PassingName {
  PassingName() = default;
  PassingName(const PassingName&) = delete;
  PassingName& operator=(const PassingName&) = delete;
  ~PassingName() {
    OM_uint32 ignored;
    (void)mechglue().gss_release_name(&ignored, &name);
  }
  gss_name_t name = GSS_C_NO_NAME;
};

}  // namespace

// No mechanism: the mechglue wants it for one of its own names that bears our line's identifier, as each peer's does, and does not say
// which line. Where it may be SPNEGO's it is handed on as it was imported, and made canonical for whatever it is compared with.
OM_uint32 gssi_import_name_by_mech(OM_uint32* minor_status, gss_OID mech_type, gss_buffer_t input_name_buffer, gss_OID input_name_type,
                                   gss_name_t* output_name) {
  if (!mech_type && stands_before_spnego()) return mechglue().gss_import_name(minor_status, input_name_buffer, input_name_type, output_name);
  PassingName plain;
  const OM_uint32 major = mechglue().gss_import_name(minor_status, input_name_buffer, input_name_type, &plain.name);
  return GSS_ERROR(major) ? major : mechglue().gss_canonicalize_name(minor_status, plain.name, past_us(mech_type), output_name);
}

OM_uint32 gssi_import_name(OM_uint32* minor_status, gss_buffer_t input_name_buffer, gss_OID input_name_type, gss_name_t* output_name) {
  return gssi_import_name_by_mech(minor_status, GSS_C_NO_OID, input_name_buffer, input_name_type, output_name);
}

OM_uint32 gssi_release_name(OM_uint32* minor_status, gss_name_t* name) { return mechglue().gss_release_name(minor_status, name); }

OM_uint32 gssi_duplicate_name(OM_uint32* minor_status, const gss_name_t src_name, gss_name_t* dest_name) {
  return mechglue().gss_duplicate_name(minor_status, src_name, dest_name);
}

OM_uint32 gssi_display_name(OM_uint32* minor_status, gss_name_t input_name, gss_buffer_t output_name_buffer, gss_OID* output_name_type) {
  return mechglue().gss_display_name(minor_status, input_name, output_name_buffer, output_name_type);
}

OM_uint32 gssi_display_name_ext(OM_uint32* minor_status, gss_name_t name, gss_OID display_as_name_type, gss_buffer_t display_name) {
  return mechglue().gss_display_name_ext(minor_status, name, display_as_name_type, display_name);
}

OM_uint32 gssi_compare_name(OM_uint32* minor_status, gss_name_t name1, gss_name_t name2, int* name_equal) {
  return mechglue().gss_compare_name(minor_status, name1, name2, name_equal);
}

OM_uint32 gssi_export_name(OM_uint32* minor_status, const gss_name_t input_name, gss_buffer_t exported_name) {
  return mechglue().gss_export_name(minor_status, input_name, exported_name);
}

OM_uint32 gssi_export_name_composite(OM_uint32* minor_status, gss_name_t name, gss_buffer_t exp_composite_name) {
  return mechglue().gss_export_name_composite(minor_status, name, exp_composite_name);
}

OM_uint32 gssi_inquire_name(OM_uint32* minor_status, gss_name_t name, int* name_is_MN, gss_OID* MN_mech, gss_buffer_set_t* attrs) {
  return mechglue().gss_inquire_name(minor_status, name, name_is_MN, MN_mech, attrs);
}

OM_uint32 gssi_get_name_attribute(OM_uint32* minor_status, gss_name_t name, gss_buffer_t attr, int* authenticated, int* complete,
                                  gss_buffer_t value, gss_buffer_t display_value, int* more) {
  const OM_uint32 major = mechglue().gss_get_name_attribute(minor_status, name, attr, authenticated, complete, value, display_value, more);
  if (GSS_ERROR(major) && more) *more = 0;  // the mechglue asks on as long as there is more
  return major;
}

OM_uint32 gssi_set_name_attribute(OM_uint32* minor_status, gss_name_t name, int complete, gss_buffer_t attr, gss_buffer_t value) {
  return mechglue().gss_set_name_attribute(minor_status, name, complete, attr, value);
}

OM_uint32 gssi_delete_name_attribute(OM_uint32* minor_status, gss_name_t name, gss_buffer_t attr) {
  return mechglue().gss_delete_name_attribute(minor_status, name, attr);
}

OM_uint32 gssi_map_name_to_any(OM_uint32* minor_status, gss_name_t name, int authenticated, gss_buffer_t type_id, gss_any_t* output) {
  return mechglue().gss_map_name_to_any(minor_status, name, authenticated, type_id, output);
}

OM_uint32 gssi_release_any_name_mapping(OM_uint32* minor_status, gss_name_t name, gss_buffer_t type_id, gss_any_t* input) {
  return mechglue().gss_release_any_name_mapping(minor_status, name, type_id, input);
}

// Without a mechanism the name's own is meant.
OM_uint32 gssi_localname(OM_uint32* minor_status, const gss_name_t name, gss_const_OID mech_type, gss_buffer_t localname) {
  return mechglue().gss_localname(minor_status, name, mech_type ? past_us(mech_type) : GSS_C_NO_OID, localname);
}

OM_uint32 gssi_authorize_localname(OM_uint32* minor_status, const gss_name_t name, gss_const_buffer_t local_user, gss_const_OID local_name_type) {
  PassingName user;
  const OM_uint32 major = mechglue().gss_import_name(minor_status, const_cast<gss_buffer_t>(local_user), const_cast<gss_OID>(local_name_type), &user.name);
  return GSS_ERROR(major) ? major : mechglue().gss_authorize_localname(minor_status, name, user.name);
}
