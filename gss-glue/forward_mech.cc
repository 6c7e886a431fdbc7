// SPDX-License-Identifier: MIT
// What can be asked of Kerberos or SPNEGO as a mechanism.
#include "gss-glue/interposed.h"

using namespace gssipsec;
using namespace gssipsec::glue;

// Our own codes are ours; all others are the mechglue's, by way of the mechanism.
OM_uint32 gssi_display_status(OM_uint32* minor_status, OM_uint32 status_value, int status_type, gss_OID mech_type, OM_uint32* message_context,
                              gss_buffer_t status_string) {
  if (status_type == GSS_C_MECH_CODE && is_own_minor(status_value - kInterposedMinor))
    return interposed(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
      if (message_context) *message_context = 0;
      if (!status_string) return no_output(minor);
      give(status_string, text_of_minor(status_value - kInterposedMinor));
      return GSS_S_COMPLETE;
    });
  return mechglue().gss_display_status(minor_status, status_value, status_type, past_us(mech_type), message_context, status_string);
}

OM_uint32 gssi_indicate_mechs(OM_uint32* minor_status, gss_OID_set* mech_set) { return mechglue().gss_indicate_mechs(minor_status, mech_set); }

OM_uint32 gssi_inquire_names_for_mech(OM_uint32* minor_status, gss_OID mech, gss_OID_set* name_types) {
  return mechglue().gss_inquire_names_for_mech(minor_status, past_us(mech), name_types);
}

OM_uint32 gssi_inquire_attrs_for_mech(OM_uint32* minor_status, gss_const_OID mech, gss_OID_set* mech_attrs, gss_OID_set* known_mech_attrs) {
  return mechglue().gss_inquire_attrs_for_mech(minor_status, past_us(mech), mech_attrs, known_mech_attrs);
}

// Here the mechglue takes a name for the mechanism itself.
OM_uint32 gssi_inquire_saslname_for_mech(OM_uint32* minor_status, const gss_OID desired_mech, gss_buffer_t sasl_mech_name, gss_buffer_t mech_name,
                                         gss_buffer_t mech_description) {
  gss_OID named = named_by(desired_mech) == Inside::spnego ? spnego() : kerberos();
  return mechglue().gss_inquire_saslname_for_mech(minor_status, named, sasl_mech_name, mech_name, mech_description);
}

// The mechglue asks Kerberos itself, and would ask everybody again if it were asked here.
OM_uint32 gssi_inquire_mech_for_saslname(OM_uint32* minor_status, const gss_buffer_t, gss_OID*) {
  if (minor_status) *minor_status = 0;
  return GSS_S_BAD_MECH;
}

OM_uint32 gssi_mech_invoke(OM_uint32* minor_status, const gss_OID desired_mech, const gss_OID desired_object, gss_buffer_t value) {
  return mechglue().gssspi_mech_invoke(minor_status, past_us(desired_mech), desired_object, value);
}
