// SPDX-License-Identifier: MIT
// Each call of libgssapi is one frame of its own; what lies between it and the program is a mechanism that the library itself holds. Where the
// stack cannot be read so, a mechanism is assumed, which is the answer that changes nothing for the program. Where we stand before that mechanism, too,
// it is we who called the library for it, with the mechanism's own frames between.
#include "gss-glue/caller.h"

#include <dlfcn.h>
#include <unwind.h>

#include "gss-glue/mechglue.h"

namespace gssipsec::glue {
namespace {

const void* library_of(const void* code) noexcept {
  Dl_info info{};
  return dladdr(code, &info) ? info.dli_fbase : nullptr;
}

struct Walk {
  const void* mechglue;
  int frames = 0, of_mechglue = 0;
  bool reached_caller = false;
};

constexpr int kMostFrames = 64;  // of ours, unoptimized and instrumented

_Unwind_Reason_Code step(_Unwind_Context* context, void* argument) {
  auto& walk = *static_cast<Walk*>(argument);
  // The address after a call that does not return may belong to the next function.
  const auto* code = reinterpret_cast<const char*>(_Unwind_GetIP(context)) - 1;
  const bool is_mechglue = library_of(code) == walk.mechglue;
  walk.of_mechglue += is_mechglue ? 1 : 0;
  walk.reached_caller = walk.of_mechglue > 0 && !is_mechglue;
  return walk.reached_caller || ++walk.frames == kMostFrames ? _URC_NORMAL_STOP : _URC_NO_REASON;
}

}  // namespace

bool is_called_by_mechanism() noexcept {
  Walk walk{library_of(reinterpret_cast<const void*>(mechglue().gss_wrap))};
  (void)_Unwind_Backtrace(step, &walk);
  return !walk.reached_caller || walk.of_mechglue != 1;
}

}  // namespace gssipsec::glue
