# SPDX-License-Identifier: MIT
# Read by what builds: how the compiler cache serves every tree and clone. Debug information keeps the path of the tree that
# filled it; what a file includes is taken from the compiler's own list; the precompiled prelude has no time stamps that matter.
export CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1 CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
# Of the plain tree, of `make distcheck` and of the packages: the same, so that what one of them compiled serves the others.
users_flags="-O2 -g1"
