// SPDX-License-Identifier: MIT
// An object behind an opaque pointer of a C interface. A handle begins with a mark of its kind, so that another kind of handle, or
// one that was released, is refused. Whoever it is given to owns it; a Handle<T> that is not given away is destroyed here.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

namespace gssipsec::base {

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
  // It stays whose it is.
  [[nodiscard]] static Opaque lend(Handle& handle) noexcept { return reinterpret_cast<Opaque>(&handle); }
  // Takes it back from the caller, to be destroyed.
  [[nodiscard]] static std::unique_ptr<Handle> take(Opaque& opaque) noexcept {
    return std::unique_ptr<Handle>(of(std::exchange(opaque, Opaque{})));
  }

 private:
  volatile std::uint64_t mark_ = kMark;

 public:
  T object;
};

}  // namespace gssipsec::base
