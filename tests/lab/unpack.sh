#!/bin/bash
# SPDX-License-Identifier: MIT
# unpack.sh LIST ROOT: downloads the packages of LIST with those dependencies that the machine lacks, and unpacks them
# into ROOT; ROOT/.packages names them with their versions. Nothing is installed, configured or started. Done once; a stamp remembers the list.
set -euo pipefail
list=$1 root=$2
stamp=$root/.unpacked
[ -f "$stamp" ] && cmp -s "$list" "$stamp" && exit 0
wanted=$(grep -v '^#' "$list")

fetch() {
  local needed
  needed=$(apt-get -s install --no-install-recommends -y $wanted) || return
  # A wanted package that the machine has already is unpacked all the same: the lab must not depend on the machine.
  packages=$(awk '/^Inst/ {print $2}' <<<"$needed" | cat - <(printf '%s\n' $wanted) | sort -u)
  rm -rf "$root" && mkdir -p "$root/.debs" || return
  echo "lab: unpacking $(wc -l <<<"$packages") packages into $root"
  (cd "$root/.debs" && apt-get download -qq $packages >/dev/null)
}

mkdir -p "$(dirname "$root")"
# Lists that are missing or old name packages that the mirror no longer has.
fetch 2>"$root.log" || { apt-get -qq update && fetch; }
printf '%s\0' "$root"/.debs/*.deb | xargs -0 -P2 -I% dpkg -x % "$root"
for deb in "$root"/.debs/*.deb; do dpkg-deb -W --showformat='${Package} ${Version}\n' "$deb"; done >"$root/.packages"
rm -rf "$root/.debs"
cp "$list" "$stamp"
