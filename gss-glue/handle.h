// SPDX-License-Identifier: MIT
// Names, credentials and contexts behind the opaque pointers of GSS-API. A handle begins with a mark of its kind, so that
// another kind of handle, or one that was released, is refused. The mechglue owns them between calls; a Handle<T> that is
// not given away is destroyed here.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "gss-glue/gss.h"
#include "mech_ipsec/context.h"
#include "mech_ipsec/credential.h"
#include "mech_ipsec/lock.h"
#include "mech_ipsec/name.h"

namespace gssipsec::glue {

template <typename T, typename Opaque, std::uint64_t kMark>
class Handle {
 public:
  template <typename... Args>
  [[nodiscard]] static std::unique_ptr<Handle> make(Args&&... args) {
    return std::make_unique<Handle>(std::forward<Args>(args)...);
  }
  template <typename... Args>
  explicit Handle(Args&&... args) : object(std::forward<Args>(args)...) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { mark_ = 0; }

  // Null for what is no such handle.
  [[nodiscard]] static Handle* of(Opaque opaque) noexcept {
    auto* handle = reinterpret_cast<Handle*>(opaque);
    const bool aligned = reinterpret_cast<std::uintptr_t>(opaque) % alignof(Handle) == 0;
    return handle && aligned && handle->mark_ == kMark ? handle : nullptr;
  }
  [[nodiscard]] static Opaque give(std::unique_ptr<Handle> handle) noexcept { return reinterpret_cast<Opaque>(handle.release()); }
  // Takes it back from the caller, to be destroyed.
  [[nodiscard]] static std::unique_ptr<Handle> take(Opaque& opaque) noexcept {
    return std::unique_ptr<Handle>(of(std::exchange(opaque, Opaque{})));
  }

 private:
  volatile std::uint64_t mark_ = kMark;

 public:
  T object;
};

// Options may be set on a credential that another thread uses.
struct GuardedCredential {
  explicit GuardedCredential(mech::Credential credential) : value(std::move(credential)) {}
  [[nodiscard]] mech::Credential copy() {
    const mech::Locked lock(mutex);
    return value;
  }
  mech::Mutex mutex;
  mech::Credential value;
};

using NameHandle = Handle<mech::Name, gss_name_t, 0x6970736563206e61>;
using CredentialHandle = Handle<GuardedCredential, gss_cred_id_t, 0x6970736563206372>;
using ContextHandle = Handle<mech::Context, gss_ctx_id_t, 0x697073656320636f>;

}  // namespace gssipsec::glue
