#!/usr/bin/env bash
# Lays our PDFs before judges that others wrote: pdfsig, qpdf, mutool, openssl, pyHanko, EU DSS, veraPDF. Each must find them whole,
# ours, archivable and accessible, now and after the signer's certificate has ended. What cannot be installed fails.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=$(test/judges/prepare.sh)

# What the signer makes of a page, with openssl's view of the signature and of the time stamp inside.
go test -count=1 -run Interop ./keys/...

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Every kind, language, length and level, and what the running service gave out.
go run -buildvcs=false ./test/judges/specimens "$work"
bin/tesdiq demo -once -out "$work/demo" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
for pdf in "$work"/demo/*.pdf; do mv "$pdf" "$work/demo-$(basename "$pdf")"; done
cat "$work/demo/roots.pem" >>"$work/roots.pem"

test/judges/offline.sh "$work/demo" "$work/demo-examination.pdf" "$cache/python/bin/python"

# pdfsig trusts what stands in an NSS store.
mkdir "$work/nss"
certutil -N -d "$work/nss" --empty-password
csplit -s -z -f "$work/root-" "$work/roots.pem" '/BEGIN CERTIFICATE/' '{*}'
for root in "$work"/root-*; do certutil -A -d "$work/nss" -n "$(basename "$root")" -t C,C,C -a -i "$root"; done

"$cache/python/bin/python" test/judges/interop.py "$work" "$cache" bin/checkpdf "$work/nss"

# The files that our own tests make, attacks and what is allowed, before pyHanko and EU DSS: each difference from us has its reason in
# test/judges/own.tsv, or this fails.
mkdir "$work/own"
TESDIQ_JUDGED="$work/own" go test -count=1 -skip 'AnotherAuthority|EveryByte|Beginning|Bomb|AtOnce|Fuzz' ./verifier/pades >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
python3 test/judges/table.py "$work/own" "$cache" bin/checkpdf
