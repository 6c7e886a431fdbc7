// SPDX-License-Identifier: MIT
// What libgss-ipsec-preload.so shows to the mechanism's plugin in the same process, which finds it with dlsym(RTLD_DEFAULT).
// Versioned: a changed meaning is another symbol; fields are only ever added at the end. The plugin believes none of it: a descriptor
// that comes from here is looked at like any other, and a wrong one can only make a context fail (docs/decisions/0009-preload.md).
// Threads: any. No function allocates with malloc(), blocks, or changes errno.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gssipsec::preload {

inline constexpr std::uint32_t kVersion = 1;
inline constexpr char kSymbol[] = "gss_ipsec_preload_1";

struct Socket {
  int fd;
  std::uint64_t cookie;  // SO_COOKIE when it was first seen
};

struct Interface {
  std::uint32_t version;
  std::uint32_t size;  // of the structure as the preload knows it
  // The internet stream socket that the calling thread touched last and that was not closed since; 1, or 0 when there is none.
  int (*last_touched)(Socket* out);
  // On how many descriptors the token was received, raw or in base64; the first `room` of them go to `out`.
  int (*received_on)(const void* token, std::size_t size, Socket* out, int room);
  // The token was taken: what the socket received before is forgotten.
  void (*forget)(const Socket* socket);
  // Nonzero: what this thread touches from now on is the plugin's doing and does not count; 0: it does again.
  void (*overlook)(int plugins);
};

}  // namespace gssipsec::preload
