#!/bin/sh
# SPDX-License-Identifier: MIT
# The first process of record_netlink.sh's kernel. RECORD: the host's directory with the program, for the recordings.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
trap 'echo o > /proc/sysrq-trigger; sleep 5' EXIT
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs tmpfs /run
mkdir /run/work; mount -t hostfs none /run/work -o "$RECORD"
# The root is read-only and may have no /lib/modules; -d needs none.
mkdir -p /run/root/lib/modules /run/bin
ln -s "/usr/lib/uml/modules/$(uname -r)" "/run/root/lib/modules/$(uname -r)"
real=$(command -v modprobe || echo /run/work/kmod/bin/modprobe)
printf '#!/bin/sh\nLD_LIBRARY_PATH=/run/work/kmod/lib/%s exec %s -d /run/root "$@"\n' "$(uname -m)-linux-gnu" "$real" > /run/bin/modprobe
chmod +x /run/bin/modprobe
PATH=/run/bin:$PATH
echo /run/bin/modprobe > /proc/sys/kernel/modprobe
for module in xfrm_user esp4 ipv6 esp6 ah4 ipcomp veth gcm authenc cbc sha256_generic hmac deflate seqiv echainiv; do modprobe $module; done
ip netns add A; ip netns add B
ip link add a0 netns A type veth peer name b0 netns B
for host in A:1:a0 B:2:b0; do
  ns=${host%%:*}; device=${host##*:}; number=${host#*:}; number=${number%%:*}
  ip -n $ns addr add 10.1.0.$number/24 dev $device; ip -n $ns link set $device up; ip -n $ns link set lo up
done
key() { printf '0x%08d%032x' "$1" "$2"; }

for ns in A B; do
  ip -n $ns xfrm state add src 10.1.0.1 dst 10.1.0.2 proto esp spi 0x100 reqid 1 mode transport replay-window 32 aead 'rfc4106(gcm(aes))' "$(key 11 1001)" 128
  ip -n $ns xfrm state add src 10.1.0.2 dst 10.1.0.1 proto esp spi 0x200 reqid 1 mode transport replay-window 32 aead 'rfc4106(gcm(aes))' "$(key 22 2002)" 128
done
pair() {  # namespace, own address, peer's
  ip -n $1 xfrm policy add src $2 dst $3 dir out tmpl src $2 dst $3 proto esp reqid 1 mode transport
  ip -n $1 xfrm policy add src $3 dst $2 dir in tmpl src $3 dst $2 proto esp reqid 1 mode transport
}
pair A 10.1.0.1 10.1.0.2; pair B 10.1.0.2 10.1.0.1
ip netns exec A /run/work/record_netlink /run/work/host-a.bin
ip netns exec B /run/work/record_netlink /run/work/host-b.bin

# Everything else: other kinds of SAs and policies, and each kind of event.
cat > /run/more.sh <<'MORE'
set -x
a="src 10.9.0.1 dst 10.9.0.2"
ip xfrm state add $a proto esp spi 0x301 reqid 3 mode tunnel flag esn replay-window 128 enc 'cbc(aes)' 0x00112233445566778899aabbccddeeff auth-trunc 'hmac(sha256)' 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 128
ip xfrm state add $a proto esp spi 0x302 reqid 3 mode transport encap espinudp 4500 4501 0.0.0.0 aead 'rfc4106(gcm(aes))' 0x00112233445566778899aabbccddeeff01020304 128 mark 5 mask 0xff if_id 7
ip xfrm state add $a proto ah spi 0x303 mode transport auth 'hmac(sha256)' 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
ip xfrm state add $a proto comp spi 0x304 mode transport comp deflate
ip xfrm state add $a proto esp spi 0x305 mode beet sel src 192.0.2.0/24 dst 198.51.100.1 enc 'cbc(aes)' 0x00112233445566778899aabbccddeeff auth 'hmac(sha256)' 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
ip xfrm state add src fd00::1 dst fd00::2 proto esp spi 0x306 mode transport aead 'rfc4106(gcm(aes))' 0x00112233445566778899aabbccddeeff01020304 128 limit time-soft 1 limit time-hard 3
ip xfrm state allocspi $a proto esp mode transport reqid 9 min 0x400 max 0x400
ip xfrm state update $a proto esp spi 0x400 reqid 9 mode transport aead 'rfc4106(gcm(aes))' 0x00112233445566778899aabbccddeeff01020304 128
ip xfrm state update $a proto esp spi 0x302 reqid 3 mode transport encap espinudp 4500 4777 0.0.0.0 aead 'rfc4106(gcm(aes))' 0x00112233445566778899aabbccddeeff01020304 128 mark 5 mask 0xff if_id 7
ip xfrm state delete src 10.9.0.1 dst 10.9.0.2 proto ah spi 0x303
ip xfrm policy add src 10.9.0.1/32 dst 10.9.0.0/24 proto tcp sport 80 dir out priority 10 tmpl $a proto comp mode transport level use tmpl $a proto esp reqid 3 mode transport
ip xfrm policy add src 10.9.0.0/24 dst 10.9.0.1/32 dir in priority 10 action block
ip xfrm policy add src fd00::/64 dst fd00::2 dir fwd ptype sub mark 1 mask 0xf if_id 9
ip xfrm policy update src 10.9.0.0/24 dst 10.9.0.1/32 dir in priority 20 action allow
ip xfrm policy delete src 10.9.0.0/24 dst 10.9.0.1/32 dir in
ip xfrm policy setdefault in block out accept fwd accept
ip xfrm policy setdefault in accept out accept fwd accept
ip xfrm policy add src 10.9.1.1 dst 10.9.1.2 dir out limit time-soft 1 limit time-hard 3
sleep 5
ip xfrm policy flush ptype sub
ip xfrm policy flush
ip xfrm state flush proto esp
ip xfrm state flush
MORE
ip netns exec A /run/work/record_netlink /run/work/events.bin "sh /run/more.sh"
# The same once more without the end, for a dump of all kinds.
sed -e '/^sleep/,$d' -e '/delete/d' -e '/time-hard/d' /run/more.sh > /run/kinds.sh
ip netns exec B sh /run/kinds.sh
ip netns exec B /run/work/record_netlink /run/work/kinds.bin
