#!/bin/bash
# SPDX-License-Identifier: MIT
# qemu.sh ROOT_FD SHARE_FD KERNEL_FOLDER TOP: one machine with the folder it is started in as its share. The two descriptors
# are listening sockets root.sock and share.sock of that folder. Everything here is one process group, ended as one.
set -eu
root_fd=$1 share_fd=$2 kernel=$3 top=$4
memory=${LAB_QEMU_MEMORY:-3072}
ulimit -n "$(ulimit -Hn)"
serve() { /usr/lib/qemu/virtiofsd --fd="$1" -o "source=$2" -o "cache=$3" -o sandbox=chroot --rlimit-nofile=0 >>"virtiofsd.log" 2>&1 & }
serve "$root_fd" / always
serve "$share_fd" "$PWD" auto
# Emulated processors everywhere: what a machine lends of its own varies, and may be broken. Every process at the same addresses:
# code that was translated for one serves the next, which takes a third of the time.
exec qemu-system-x86_64 -M q35,accel="${LAB_QEMU_ACCEL:-tcg}" -cpu max -smp 2 -m "$memory" \
  -object "memory-backend-memfd,id=mem,size=${memory}M,share=on" -numa node,memdev=mem \
  -chardev socket,id=c0,path=root.sock -device vhost-user-fs-pci,chardev=c0,tag=rootfs \
  -chardev socket,id=c1,path=share.sock -device vhost-user-fs-pci,chardev=c1,tag=share \
  -kernel "$kernel/vmlinuz" -initrd "$kernel/initrd.gz" -nodefaults -no-user-config -display none -serial stdio -no-reboot \
  -append "console=ttyS0 quiet panic=-1 mitigations=off norandmaps LAB_INIT=$top/tests/lab/init.sh LAB_KERNEL=qemu LAB_TOP=$top"
