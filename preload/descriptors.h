// SPDX-License-Identifier: MIT
// What a descriptor is, asked of the kernel: only where descriptors come and go, never where a program reads or writes (a seccomp
// filter may kill it for a call that it does not make itself). In a child of vfork(), which shares the memory but not the
// descriptors, nothing is noted. Threads: any. None changes errno.
#pragma once

namespace gssipsec::preload {

// This process is the one whose descriptors are noted: after fork() the child, after vfork() still the parent.
void own_descriptors() noexcept;

// A descriptor that came: by connect(), accept(), in a message, inherited.
void came(int fd) noexcept;
// `copy` names what `fd` names.
void copied(int fd, int copy) noexcept;
// Closed, or about to be; or another thing from now on.
void went(int fd) noexcept;
void went_range(unsigned first, unsigned last) noexcept;

}  // namespace gssipsec::preload
