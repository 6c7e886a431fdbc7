// SPDX-License-Identifier: MIT
// Before main(), and what the plugin finds.
#include <dirent.h>
#include <pthread.h>

#include <cstdlib>

#include "preload/descriptors.h"
#include "preload/interface.h"
#include "preload/real.h"
#include "preload/table.h"

namespace gssipsec::preload {
namespace {

void inherited() noexcept {
  DIR* directory = opendir("/proc/self/fd");
  if (!directory) return;
  while (const dirent* entry = readdir(directory))
    if (entry->d_name[0] != '.') came(atoi(entry->d_name));
  closedir(directory);
}

__attribute__((constructor(101))) void start() noexcept {
  (void)real();
  own_descriptors();
  pthread_atfork(nullptr, nullptr, own_descriptors);
  inherited();
}

int show_last_touched(Socket* out) noexcept { return out && last_touched(*out) ? 1 : 0; }

int show_received_on(const void* token, std::size_t size, Socket* out, int room) noexcept {
  return token ? received_on(View(static_cast<const std::byte*>(token), size), out, out ? room : 0) : 0;
}

void do_forget(const Socket* socket) noexcept {
  if (socket) forget(*socket);
}

void do_overlook(int plugins) { overlook(plugins != 0); }

}  // namespace
}  // namespace gssipsec::preload

extern "C" __attribute__((visibility("default"))) const gssipsec::preload::Interface gss_ipsec_preload_1;
const gssipsec::preload::Interface gss_ipsec_preload_1 = {
    gssipsec::preload::kVersion, sizeof(gssipsec::preload::Interface), gssipsec::preload::show_last_touched, gssipsec::preload::show_received_on,
    gssipsec::preload::do_forget, gssipsec::preload::do_overlook};
