// SPDX-License-Identifier: MIT
// What stands between the mechglue and Kerberos, and where the administrator wants that SPNEGO. Names and credentials are the mechglue's
// own, of the real mechanism; a context of ours holds one, and what the channel adds to it. Threads: any.
#pragma once

#include <memory>

#include "gss-glue/boundary.h"
#include "gss-glue/gssi.h"
#include "gss-glue/handle.h"
#include "gss-glue/mechglue.h"
#include "mech_ipsec/kerberos_context.h"

namespace gssipsec::glue {

// The same error of ours has another number here: the mechglue gives a number to one mechanism only, and would invent one for the
// next that uses it.
inline constexpr OM_uint32 kInterposedMinor = 0x10000;
template <typename Body>
OM_uint32 interposed(OM_uint32* minor_status, Body&& body) noexcept {
  OM_uint32 minor = 0;
  const OM_uint32 major = guarded(&minor, std::forward<Body>(body));
  if (minor_status) *minor_status = is_own_minor(minor) ? minor + kInterposedMinor : minor;
  return major;
}

// The real mechanism that a context or credential of ours is of: one that we stand before, or mechanism ipsec in Kerberos' place.
enum class Inside : std::uint8_t { kerberos, ipsec, spnego };
// Which of those that we stand before is named; Kerberos where none is.
[[nodiscard]] Inside named_by(gss_const_OID mechanism) noexcept;
// Whether there is more than Kerberos that we stand before, in this process.
[[nodiscard]] bool stands_before_spnego() noexcept;
// Which the mechglue took an acceptor's first token for, when it called us.
[[nodiscard]] Inside begun_by(base::View token) noexcept;

// The mechanism that leads the mechglue past the interposer to Kerberos or SPNEGO itself: the object identifier of our line, then the
// mechanism's. Without a name Kerberos' is meant; what is no name of either is given back as it is.
[[nodiscard]] gss_OID past_us(gss_const_OID mechanism) noexcept;
[[nodiscard]] gss_OID kerberos() noexcept;
[[nodiscard]] gss_OID spnego() noexcept;
// The same of a set, for the time of a call; without one, Kerberos alone.
class SetPastUs {
 public:
  explicit SetPastUs(gss_OID_set mechanisms);
  SetPastUs(const SetPastUs&) = delete;
  SetPastUs& operator=(const SetPastUs&) = delete;
  [[nodiscard]] gss_OID_set get() noexcept { return &set_; }

 private:
  std::unique_ptr<gss_OID_desc[]> oids_;
  gss_OID_set_desc set_{};
};

struct InterposedContext {
  InterposedContext() = default;
  InterposedContext(const InterposedContext&) = delete;
  InterposedContext& operator=(const InterposedContext&) = delete;
  ~InterposedContext();

  gss_ctx_id_t real = GSS_C_NO_CONTEXT;  // the mechglue's
  Inside inside = Inside::kerberos;
  gss_cred_id_t own_credential = GSS_C_NO_CREDENTIAL;  // for an initiator without one, until the context goes
  bool own_bindings = false;             // that Kerberos was given the channel's, which are not the program's
  std::unique_ptr<mech::KerberosContext> channel;  // none: the real mechanism alone. Bound or not, it has a latch to look after
};
using InterposedHandle = base::Handle<InterposedContext, gss_ctx_id_t, 0x6970736563206b72>;

// No context for what is none of ours, which Kerberos then refuses.
[[nodiscard]] inline gss_ctx_id_t real_of(gss_ctx_id_t context) noexcept {
  const auto* handle = InterposedHandle::of(context);
  return handle ? handle->object.real : GSS_C_NO_CONTEXT;
}
[[nodiscard]] inline mech::KerberosContext* channel_of(gss_ctx_id_t context) noexcept {
  auto* handle = InterposedHandle::of(context);
  return handle ? handle->object.channel.get() : nullptr;
}

// Channel bindings with the octets of a context's own; none when it has none. Not to be copied: it points into itself.
class OwnBindings {
 public:
  OwnBindings(const InterposedContext& context, gss_channel_bindings_t applications);
  OwnBindings(const OwnBindings&) = delete;
  OwnBindings& operator=(const OwnBindings&) = delete;
  [[nodiscard]] gss_channel_bindings_t get() noexcept { return octets_.empty() ? applications_ : &bindings_; }

 private:
  base::Bytes octets_;
  gss_channel_bindings_t applications_;
  gss_channel_bindings_struct bindings_{};
};

// A buffer that the mechglue made, released with this.
struct MechglueBuffer : gss_buffer_desc {
  MechglueBuffer() : gss_buffer_desc{0, nullptr} {}
  MechglueBuffer(const MechglueBuffer&) = delete;
  MechglueBuffer& operator=(const MechglueBuffer&) = delete;
  ~MechglueBuffer() {
    OM_uint32 ignored;
    (void)mechglue().gss_release_buffer(&ignored, this);
  }
};

// What became of a token that Kerberos opened, and its place among the others.
OM_uint32 noted_by_channel(OM_uint32* minor, mech::KerberosContext& channel, OM_uint32 major);

// Binds a new context to the socket that its credential names, or that is found; where that cannot be, it stays Kerberos alone.
void bind_to_channel(InterposedContext& context, channel::Role role, gss_cred_id_t credential, base::View token);
// It is complete with these flags. Where it is not bound, or its key cannot be made, its messages are Kerberos' alone.
void complete_on_channel(InterposedContext& context, bool bound, OM_uint32 flags);

}  // namespace gssipsec::glue
