#!/bin/sh
# SPDX-License-Identifier: MIT
# pki.sh DIR: a certificate authority and the certificates of the lab's hosts, made once.
set -eu
dir=$1
[ -f "$dir/done" ] && exit 0
rm -rf "$dir" && mkdir -p "$dir" && cd "$dir"
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }
key ca.key
openssl req -x509 -new -key ca.key -subj "/O=Lab/CN=Lab CA" -days 3650 -addext "keyUsage=critical,keyCertSign,cRLSign" -out ca.crt
for host in client server relay; do
  name=$host.example.org
  key "$name.key"
  openssl req -new -key "$name.key" -subj "/O=Lab/CN=$name" -addext "subjectAltName=DNS:$name" -out "$name.csr"
  openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -copy_extensions copy -out "$name.crt" 2>/dev/null
done
chmod 644 ./*.key
touch done
