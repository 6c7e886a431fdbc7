// SPDX-License-Identifier: MIT
#include "preload/real.h"

#include <dlfcn.h>

#include <atomic>

namespace gssipsec::preload {
namespace {

constinit Real table{};
constinit std::atomic<bool> looked_up = false;

void look_up() noexcept {
#define GSS_IPSEC_LOOK_UP(name, type) table.name = reinterpret_cast<Pointer<type>>(dlsym(RTLD_NEXT, #name));
  GSS_IPSEC_REAL_FUNCTIONS(GSS_IPSEC_LOOK_UP)
#undef GSS_IPSEC_LOOK_UP
  looked_up.store(true, std::memory_order_release);
}

}  // namespace

const Real& real() noexcept {
  if (!looked_up.load(std::memory_order_acquire)) look_up();
  return table;
}

}  // namespace gssipsec::preload
