// SPDX-License-Identifier: MIT
// RFC 6680: what is known of a peer. `*more` is 0 after every failure, or the mechglue asks for ever.
#include <algorithm>

#include "gss-glue/boundary.h"
#include "gss-glue/handle.h"
#include "gss-glue/oids.h"

using namespace gssipsec;
using namespace gssipsec::glue;

namespace {

using base::Code;

std::string full_name(std::string_view name) { return std::string(mech::kAttributePrefix) + " " + std::string(name); }

std::optional<mech::Attribute> attribute_called(const mech::Name& name, std::string_view wanted) {
  const std::string begin = full_name({});
  return wanted.starts_with(begin) ? mech::attribute_of(name, wanted.substr(begin.size())) : std::nullopt;
}

OM_uint32 no_attribute(OM_uint32* minor, std::string_view name) {
  return fail(minor, base::fail(Code::UNAVAILABLE, "this name has no attribute '" + std::string(name.substr(0, 200)) + "'"));
}

// They are what IKE and the brokers say; nobody else may add to them.
OM_uint32 read_only(OM_uint32* minor, gss_name_t name) {
  if (!NameHandle::of(name)) return no_name(minor);
  return fail(minor, base::fail(Code::UNAVAILABLE, "attributes of names of mechanism ipsec cannot be changed"));
}

struct Place {
  int* authenticated;
  int* complete;
  gss_buffer_t value;
  gss_buffer_t shown;
  int* more;
};

// `*more` is -1 at first, then which value comes next.
OM_uint32 give_value(OM_uint32* minor, const mech::Attribute& attribute, std::string_view name, const Place& out, int asked) {
  const std::size_t index = asked < 0 ? 0 : static_cast<std::size_t>(asked);
  if (index >= attribute.values.size()) return no_attribute(minor, name);
  if (out.value) give(out.value, std::string_view(attribute.values[index]));
  if (out.shown) give(out.shown, std::string_view(attribute.values[index]));
  if (out.authenticated) *out.authenticated = attribute.authenticated ? 1 : 0;
  if (out.complete) *out.complete = 1;
  *out.more = index + 1 < attribute.values.size() ? static_cast<int>(index + 1) : 0;
  return GSS_S_COMPLETE;
}

}  // namespace

OM_uint32 gss_inquire_name(OM_uint32* minor_status, gss_name_t name, int* name_is_MN, gss_OID* MN_mech, gss_buffer_set_t* attrs) {
  if (name_is_MN) *name_is_MN = 0;
  if (MN_mech) *MN_mech = GSS_C_NO_OID;
  if (attrs) *attrs = GSS_C_NO_BUFFER_SET;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    const auto* handle = NameHandle::of(name);
    if (!handle) return no_name(minor);
    std::vector<std::string> names;
    if (attrs)
      for (const mech::Attribute& attribute : mech::attributes_of(handle->object)) names.push_back(full_name(attribute.name));
    std::vector<base::View> views(names.size());
    std::ranges::transform(names, views.begin(), [](const std::string& text) { return base::view_of(text); });
    if (attrs) *attrs = make_buffer_set(views);
    if (name_is_MN) *name_is_MN = 1;
    if (MN_mech) *MN_mech = mechanism();
    return GSS_S_COMPLETE;
  });
}

OM_uint32 gss_get_name_attribute(OM_uint32* minor_status, gss_name_t name, gss_buffer_t attr, int* authenticated, int* complete, gss_buffer_t value,
                                 gss_buffer_t display_value, int* more) {
  const int asked = more ? *more : -1;
  clear(value);
  clear(display_value);
  for (int* out : {authenticated, complete, more})
    if (out) *out = 0;
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!more) return no_output(minor);
    if (!attr) return no_input(minor);
    const auto* handle = NameHandle::of(name);
    if (!handle) return no_name(minor);
    const std::string_view wanted = base::text_of(view_of(attr));
    if (const auto attribute = attribute_called(handle->object, wanted))
      return give_value(minor, *attribute, wanted, {authenticated, complete, value, display_value, more}, asked);
    // Asked for by the mechglue where gss_localname() found nobody; what the map says is the better reason.
    if (wanted == "local-login-user")
      if (const auto user = mech::local_name(handle->object); !user) return fail(minor, user.error(), GSS_S_UNAVAILABLE);
    return no_attribute(minor, wanted);
  });
}

OM_uint32 gss_set_name_attribute(OM_uint32* minor_status, gss_name_t name, int, gss_buffer_t, gss_buffer_t) {
  return guarded(minor_status, [&](OM_uint32* minor) { return read_only(minor, name); });
}

OM_uint32 gss_delete_name_attribute(OM_uint32* minor_status, gss_name_t name, gss_buffer_t) {
  return guarded(minor_status, [&](OM_uint32* minor) { return read_only(minor, name); });
}

OM_uint32 gss_export_name_composite(OM_uint32* minor_status, gss_name_t name, gss_buffer_t exp_composite_name) {
  clear(exp_composite_name);
  return guarded(minor_status, [&](OM_uint32* minor) -> OM_uint32 {
    if (!exp_composite_name) return no_output(minor);
    const auto* handle = NameHandle::of(name);
    if (!handle) return no_name(minor);
    const auto octets = mech::export_composite(handle->object);
    if (!octets) return fail(minor, octets.error());
    give(exp_composite_name, *octets);
    return GSS_S_COMPLETE;
  });
}
