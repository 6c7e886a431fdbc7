// SPDX-License-Identifier: MIT
#include "broker/privileges.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace gssipsec::broker {
namespace {

constexpr rlim_t kSpareDescriptors = 8192;  // requests' descriptors, netlink, connections being closed

struct Capabilities {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
};

// Nothing but CAP_NET_ADMIN is there to be given up: as from a service manager, who need not allow capset(2) then.
bool only_net_admin(const Capabilities& now) noexcept {
  return now.data[0].permitted == 1U << CAP_NET_ADMIN && now.data[0].inheritable == 0 && now.data[1].permitted == 0 && now.data[1].inheritable == 0;
}

bool read_capabilities(Capabilities& now) noexcept { return syscall(SYS_capget, &now.header, now.data) == 0; }

void raise_limit(__rlimit_resource what, rlim_t wanted) noexcept {
  rlimit now{};
  if (getrlimit(what, &now) != 0 || now.rlim_cur >= wanted) return;
  const rlimit more{wanted, std::max(now.rlim_max, wanted)};
  if (setrlimit(what, &more) == 0) return;
  now.rlim_cur = std::min(wanted, now.rlim_max);
  (void)setrlimit(what, &now);
}

}  // namespace

void forget_mechanism() noexcept { setenv("GSS_MECH_CONFIG", "/dev/null", 1); }

void harden(std::uint32_t clients) noexcept {
  prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
  raise_limit(RLIMIT_NOFILE, clients + kSpareDescriptors);
  raise_limit(RLIMIT_MEMLOCK, RLIM_INFINITY);
  // A lock that is in force while the limit is small would make later mappings fail: only with the limit lifted.
  rlimit locked{};
  if (getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_cur == RLIM_INFINITY)
    (void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

bool has_net_admin() noexcept {
  Capabilities now;
  return read_capabilities(now) && (now.data[0].effective & (1U << CAP_NET_ADMIN));
}

base::Status keep_net_admin_only() noexcept {
  Capabilities now;
  if (!read_capabilities(now)) return base::system_error(base::Code::SYSTEM, "capget", errno);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (now.data[0].effective & (1U << CAP_SETPCAP))
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
      if (capability != CAP_NET_ADMIN && prctl(PR_CAPBSET_DROP, capability) != 0)
        return base::system_error(base::Code::SYSTEM, "PR_CAPBSET_DROP", errno);
  Capabilities kept;
  kept.data[0].effective = kept.data[0].permitted = now.data[0].permitted & (1U << CAP_NET_ADMIN);
  if (!only_net_admin(now) && syscall(SYS_capset, &kept.header, kept.data) != 0) return base::system_error(base::Code::SYSTEM, "capset", errno);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return base::system_error(base::Code::SYSTEM, "PR_SET_NO_NEW_PRIVS", errno);
  prctl(PR_SET_DUMPABLE, 0);  // a change of credentials may have set it again
  return {};
}

}  // namespace gssipsec::broker
