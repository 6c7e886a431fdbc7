#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes tests/support/recordings/*.bin: boots user-mode-linux, makes two hosts in namespaces that share SAs in transport
# mode (AES-GCM, manual keys) between 10.1.0.1 and 10.1.0.2, and writes down what their kernels say.
#   record_netlink.sh BUILD_DIRECTORY      (where the program record_netlink is)
set -eu
[ -x "${1:?build directory}/record_netlink" ] || { echo "no record_netlink in $1" >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cp "$build/record_netlink" "$here/record_netlink_init.sh" "$out/"
chmod +x "$out/record_netlink_init.sh"
# Where the machine has no modprobe, it is unpacked beside (nothing is installed).
command -v modprobe >/dev/null || (cd "$out" && apt-get -q download kmod libkmod2 && for deb in *.deb; do dpkg -x "$deb" kmod; done && ln -s kmod kmod/bin/modprobe)
TMPDIR=${TMPDIR:-/tmp} timeout 120 linux.uml mem=256M rootfstype=hostfs rootflags=/ ro "init=$out/record_netlink_init.sh" "RECORD=$out" \
  con0=fd:0,fd:1 con=null quiet </dev/null | cat
mkdir -p "$here/recordings"
cp "$out"/*.bin "$here/recordings/"
ls -l "$here/recordings"
