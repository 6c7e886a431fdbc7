// SPDX-License-Identifier: MIT
// The interposer as a whole: what it stands before, and the object identifiers by which it passes itself.
#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <span>

#include "gss-glue/interposed.h"
#include "gss-glue/oids.h"
#include "mech_ipsec/oids.h"
#include "mech_ipsec/token.h"

namespace gssipsec::glue {
namespace {

constexpr unsigned char kKerberos[] = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
constexpr unsigned char kSpnego[] = "\x2b\x06\x01\x05\x05\x02";

template <std::size_t Size>
constexpr auto joined(const mech::Oid& line, const unsigned char (&name)[Size]) {
  std::array<unsigned char, mech::Oid().size() + Size - 1> all{};
  std::copy(name, name + Size - 1, std::copy(line.begin(), line.end(), all.begin()));
  return all;
}
constexpr auto kPastKerberos = joined(mech::kInterposer, kKerberos);
constexpr auto kPastSpnego = joined(mech::kSpnegoInterposer, kSpnego);

// gss_OID has no const; nobody writes through it.
constexpr gss_OID_desc desc(const unsigned char* octets, std::size_t size) noexcept { return {static_cast<OM_uint32>(size), const_cast<unsigned char*>(octets)}; }

// A mechanism that we may stand before: the line of the configuration that puts us there, its name, and the way past us.
struct Before {
  Inside inside;
  const mech::Oid& line;
  gss_OID_desc name, past;
};
constinit Before all_before[] = {
    {Inside::kerberos, mech::kInterposer, desc(kKerberos, sizeof kKerberos - 1), desc(kPastKerberos.data(), kPastKerberos.size())},
    {Inside::spnego, mech::kSpnegoInterposer, desc(kSpnego, sizeof kSpnego - 1), desc(kPastSpnego.data(), kPastSpnego.size())}};
Before& before_kerberos = all_before[0];
Before& before_spnego = all_before[1];
constinit std::atomic<bool> has_spnegos_line = false;

Before* find(gss_const_OID mechanism) noexcept {
  const auto found = std::ranges::find_if(all_before, [&](const Before& each) { return same(mechanism, &each.name) || same(mechanism, &each.past); });
  return found == std::end(all_before) ? nullptr : found;
}

}  // namespace

gss_OID kerberos() noexcept { return &before_kerberos.name; }
gss_OID spnego() noexcept { return &before_spnego.name; }
bool stands_before_spnego() noexcept { return has_spnegos_line.load(std::memory_order_relaxed); }

Inside named_by(gss_const_OID mechanism) noexcept {
  const Before* found = find(mechanism);
  return found ? found->inside : Inside::kerberos;
}

// SPNEGO may begin with no token at all.
Inside begun_by(base::View token) noexcept {
  const base::View name = std::as_bytes(std::span(kSpnego).first<sizeof kSpnego - 1>());
  return token.empty() || mech::is_framed_for(name, token) ? Inside::spnego : Inside::kerberos;
}

gss_OID past_us(gss_const_OID mechanism) noexcept {
  if (!mechanism) return &before_kerberos.past;
  Before* found = find(mechanism);
  return found ? &found->past : const_cast<gss_OID>(mechanism);
}

SetPastUs::SetPastUs(gss_OID_set mechanisms) {
  set_.count = mechanisms ? mechanisms->count : 1;
  oids_ = std::make_unique<gss_OID_desc[]>(set_.count + 1);
  for (std::size_t i = 0; i < set_.count; ++i) oids_[i] = *past_us(mechanisms ? &mechanisms->elements[i] : GSS_C_NO_OID);
  set_.elements = oids_.get();
}

}  // namespace gssipsec::glue

using namespace gssipsec;
using namespace gssipsec::glue;

// By which of our lines. IAKERB is left alone: its first tokens go to a KDC, over whatever it finds. Called under the mechglue's lock.
gss_OID_set gss_mech_interposer(gss_OID line) {
  const base::Uncancelled whole;
  try {
    const auto is_its = [line](const Before& each) { return line && std::ranges::equal(each.line, std::span(static_cast<const unsigned char*>(line->elements), line->length)); };
    auto* const found = std::ranges::find_if(all_before, is_its);
    if (found == std::end(all_before) || !find_mechglue()) return GSS_C_NO_OID_SET;
    if (found == &before_spnego) has_spnegos_line.store(true, std::memory_order_relaxed);
    return make_set({&found->name});
  } catch (...) {
    return GSS_C_NO_OID_SET;
  }
}

OM_uint32 gssi_internal_release_oid(OM_uint32* minor_status, gss_OID* oid) {
  if (minor_status) *minor_status = 0;
  if (!oid || std::ranges::none_of(all_before, [oid](const Before& each) { return *oid == &each.name || *oid == &each.past; })) return GSS_S_CONTINUE_NEEDED;
  *oid = GSS_C_NO_OID;
  return GSS_S_COMPLETE;
}
