#!/bin/sh
# SPDX-License-Identifier: MIT
# qemu-unpack.sh LAB: downloads Debian's kernel for virtual machines, unpacks it into LAB/qemu and makes the small first
# root (initrd) that mounts the machine's own root read-only. Done once. Nothing is installed.
set -eu
lab=$(realpath "$1")
dir=$lab/qemu
[ -f "$dir/done" ] && exit 0
rm -rf "$dir" && mkdir -p "$dir/initrd/bin" && cd "$dir"
package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ {print $2; exit}')
echo "lab: unpacking $package into $dir" >&2
apt-get download -qq "$package" >/dev/null 2>&1 || { apt-get -qq update && apt-get download -qq "$package" >/dev/null; }
dpkg -x ./*.deb . && rm ./*.deb
version=$(ls lib/modules)
ln -s "boot/vmlinuz-$version" vmlinuz
ln -sf "$lab/root/bin/kmod" depmod && ./depmod -b "$dir" "$version"
ln -sf "$lab/root/bin/kmod" modprobe
# What is needed to reach the root, in the order of loading.
for module in virtio_pci virtiofs overlay; do
  ./modprobe -d "$dir" -S "$version" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' >modules
while read -r module; do cp "$module" initrd/; basename "$module"; done <modules >initrd/order
cp "$(command -v busybox)" initrd/bin/
cat >initrd/init <<'INIT'
#!/bin/busybox sh
# LAB_INIT and what it reads come from the kernel's command line.
export PATH=/bin
busybox mkdir -p /proc /dev /root
busybox mount -t proc proc /proc
busybox mount -t devtmpfs dev /dev
while read -r module; do busybox insmod "/$module"; done </order
busybox mount -t virtiofs -o ro rootfs /root || busybox poweroff -f
busybox mount --move /dev /root/dev
busybox umount /proc
exec busybox switch_root /root "$LAB_INIT"
INIT
chmod 755 initrd/init
(cd initrd && find . | cpio --quiet -o -H newc | gzip -1) >initrd.gz
touch done
