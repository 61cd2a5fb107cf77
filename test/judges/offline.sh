#!/usr/bin/env bash
# docs/offline.md as a bank's engineer follows it: with public keys, openssl and Python. What was changed must not pass.
# usage: offline.sh FOLDER EXCERPT PYTHON; FOLDER has roots.pem and signers.pem.
set -euo pipefail
doc=$(cd "$(dirname "$0")/../.." && pwd)/docs/offline.md
cd "$1"
fail() {
	echo "docs/offline.md: $1" >&2
	exit 1
}
sed -n '/^```python$/,/^```$/p' "$doc" | grep -v '^```' >check.py
pdfdetach -save 1 -o statement.jws "$2"
pdftoppm -r 150 -singlefile -png "$2" scan
qr=$(zbarimg -q --raw scan.png 2>/dev/null)
said=$("$3" check.py "$qr") || fail 'what it says to run does not run'
[[ $said == *"'number': 'M-"*"2: 'E-"* ]] || fail "it says: $said"
if "$3" check.py "${qr/\/v\//\/w\/}" >/dev/null 2>&1; then fail 'a QR on another address passes'; fi
# One character of the statement's signature, and a chain to another root.
cp statement.jws genuine.jws
python3 -c 'import sys; h, p, s = open("genuine.jws").read().split("."); open("statement.jws", "w").write(f"{h}.{p}.{chr(ord(s[0]) ^ 1) if s[0].isalpha() else chr(65)}{s[1:]}")'
if "$3" check.py >/dev/null 2>&1; then fail 'a statement with another signature passes'; fi
cp genuine.jws statement.jws
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=other 2>/dev/null
cp roots.pem own.pem && cp other.pem roots.pem
if "$3" check.py >/dev/null 2>&1; then fail 'a statement passes whose signer leads to no root of ours'; fi
cp own.pem roots.pem
echo 'docs/offline.md: its commands do what it says'
