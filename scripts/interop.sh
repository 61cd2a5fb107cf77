#!/usr/bin/env bash
# Lays PDFs that the demo issued before judges that others wrote. Each must find them whole and signed by us.
set -euo pipefail
cd "$(dirname "$0")/.."

# What the signer makes of a page, with openssl's view of the signature and of the time stamp inside.
go test -count=1 -run Interop ./keys/...

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bin/tesdiq demo -once -out "$work/out" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

# pdfsig trusts what stands in an NSS store.
mkdir "$work/nss"
certutil -N -d "$work/nss" --empty-password
certutil -A -d "$work/nss" -n root -t C,C,C -a -i "$work/out/roots.pem"

judged=0
for pdf in "$work"/out/*.pdf; do
	name=$(basename "$pdf")
	qpdf --check "$pdf" >"$work/log" 2>&1 || { echo "$name: qpdf:"; cat "$work/log"; exit 1; }
	mutool info "$pdf" >"$work/log" 2>&1 || { echo "$name: mutool:"; cat "$work/log"; exit 1; }
	pdfsig -nssdir "$work/nss" "$pdf" >"$work/log" 2>&1 || { echo "$name: pdfsig:"; cat "$work/log"; exit 1; }
	# "Valid" counts only together with "Total document signed".
	for words in 'Signature is Valid' 'Total document signed' 'Certificate is Trusted'; do
		grep -q "$words" "$work/log" || { echo "$name: pdfsig does not say: $words"; cat "$work/log"; exit 1; }
	done
	bin/checkpdf -roots "$work/out/roots.pem" "$pdf" >"$work/log" 2>&1 || { echo "$name: checkpdf:"; cat "$work/log"; exit 1; }
	echo "$name: qpdf, mutool, pdfsig (trusted) and checkpdf agree"
	judged=$((judged + 1))
done
[ "$judged" -gt 0 ] || { echo "the demo issued no PDF"; exit 1; }
