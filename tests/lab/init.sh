#!/bin/sh
# SPDX-License-Identifier: MIT
# The first process of a lab kernel: makes the machine's read-only root look like a host that has the lab's daemons
# installed, then hands over to guest.py. LAB_KERNEL (uml, qemu), LAB_TOP (the checkout; its build/lab/root has the unpacked
# daemons) and LAB_SHARE (the host's folder for results) come from the kernel's command line. Powers off whatever happens.
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
trap 'sync; echo o > /proc/sysrq-trigger; sleep 5' EXIT
mount -t proc proc /proc
mount -t sysfs sys /sys
# The checkout may lie in a folder that is covered below.
mount --bind "$LAB_TOP" /mnt || exit 1
root=/mnt/build/lab/root
mount -t tmpfs tmpfs /run
mkdir -p /run/share /run/upper /run/work
# Before the overlay is there, its module comes straight from the unpacked kmod, by a folder that needs no /lib/modules.
modules=/usr/lib/uml/modules
[ "$LAB_KERNEL" = uml ] || modules=/mnt/build/lab/qemu/lib/modules
mkdir -p /run/root/lib/modules
ln -s "$modules/$(uname -r)" "/run/root/lib/modules/$(uname -r)"
ln -s $root/bin/kmod /run/modprobe
/run/modprobe -d /run/root overlay
# Writable copies of what daemons insist on; the lab's own packages lie over the machine's.
for dir in usr etc var; do
  mkdir -p "/run/upper/$dir" "/run/work/$dir"
  lower=/$dir
  [ -d "$root/$dir" ] && lower=$root/$dir:/$dir
  mount -t overlay overlay -o "lowerdir=$lower,upperdir=/run/upper/$dir,workdir=/run/work/$dir" "/$dir" || exit 1
done
cp $root/bin/kmod /run/kmod
ln -sf /run/kmod /usr/sbin/modprobe
mkdir -p /usr/lib/modules
ln -sfn "$modules/$(uname -r)" "/usr/lib/modules/$(uname -r)"
case $LAB_KERNEL in
  uml) mount -t hostfs none /run/share -o "$LAB_SHARE" || exit 1 ;;
  qemu) mount -t virtiofs share /run/share || exit 1 ;;
esac
mkdir -p /dev/shm /dev/pts
for dir in /tmp /var/tmp /dev/shm; do mount -t tmpfs -o mode=1777 tmpfs "$dir"; done
mkdir -p "$LAB_TOP"
mount --bind /mnt "$LAB_TOP"
for module in xfrm_user esp4 ipv6 esp6 ah4 veth gcm authenc cbc sha256_generic hmac seqiv echainiv tcp_diag udp_diag inet_diag af_packet; do
  modprobe -q $module
done
ip link set lo up
# The first SA brings modules and the self-tests of their algorithms, seconds of work, for which no scenario's IKE has to wait.
key=0x$(printf '%072d' 1)
ip xfrm state add src 127.0.0.1 dst 127.0.0.1 proto esp spi 1 aead 'rfc4106(gcm(aes))' "$key" 128 && ip xfrm state flush
cd "$LAB_TOP" || exit 1
/usr/bin/python3 -B "$LAB_TOP/tests/lab/guest.py" "/run/share/job.json" > /run/share/guest.log 2>&1 </dev/null
echo "$?" > /run/share/exit
