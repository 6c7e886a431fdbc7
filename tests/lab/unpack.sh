#!/bin/bash
# SPDX-License-Identifier: MIT
# unpack.sh LIST ROOT: downloads the packages of LIST with those dependencies that the machine lacks, and unpacks them
# into ROOT. Nothing is installed, configured or started. Done once; a stamp remembers the list.
set -euo pipefail
list=$1 root=$2
stamp=$root/.unpacked
[ -f "$stamp" ] && cmp -s "$list" "$stamp" && exit 0
wanted=$(grep -v '^#' "$list")
packages=$(apt-get -s install --no-install-recommends -y $wanted | awk '/^Inst/ {print $2}')
# A wanted package that the machine has already is unpacked all the same: the lab must not depend on the machine.
packages=$(printf '%s\n' $packages $wanted | sort -u)
rm -rf "$root" && mkdir -p "$root/.debs"
echo "lab: unpacking $(echo "$packages" | wc -l) packages into $root" >&2
(cd "$root/.debs" && apt-get download -qq $packages >/dev/null)
for deb in "$root"/.debs/*.deb; do dpkg -x "$deb" "$root"; done
rm -rf "$root/.debs"
cp "$list" "$stamp"
