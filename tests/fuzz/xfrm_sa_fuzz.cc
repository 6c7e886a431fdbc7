// SPDX-License-Identifier: MIT
// An SA as the kernel sends it, once without and once with its keys.
#include <cstdlib>

#include "kernel/xfrm.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const gssipsec::base::View view = std::as_bytes(std::span(data, size));
  const auto sa = gssipsec::kernel::decode_sa(view);
  const auto keys = gssipsec::kernel::decode_keys(view);
  if (sa && keys && !(sa->id == keys->id && sa->aead == keys->aead && sa->added == keys->added)) std::abort();
  if (keys && keys->encryption_key.size() + keys->authentication_key.size() > size) std::abort();
  return 0;
}
