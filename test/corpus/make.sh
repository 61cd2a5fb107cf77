#!/usr/bin/env bash
# Makes the corpus: signed files of honest producers, and attacks over them. A quarter of an hour on two cores; needs the network
# for the producers (Python, Maven, npm and Go packages, exactly pinned), and 127.0.0.1 for the throwaway authorities.
#
#   test/corpus/make.sh OUT            OUT/benign, OUT/attacks (each with manifest.json), OUT/roots.pem, OUT/pki
#   test/corpus/make.sh OUT attacks    the attacks alone, over the benign files that are there
set -euo pipefail
out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/../.."
scripts/install.sh interop

cache=$(test/judges/prepare.sh test/corpus/requirements.txt)
python=$(readlink "$cache/python")/bin/python
test/judges/prepare.sh >/dev/null # the judges' own environment stays the one that is linked

if [ "${2:-}" != attacks ]; then
	tools=$cache/corpus
	mkdir -p "$tools/classes" "$tools/node"
	cp "$cache/java/classpath" "$tools/classpath"
	javac -nowarn -d "$tools/classes" -cp "$(cat "$tools/classpath")" test/corpus/Produce.java
	cp test/corpus/node/* "$tools/node/"
	(cd "$tools/node" && npm ci --no-audit --no-fund --loglevel=error)
	(cd test/corpus/pdfsigner && go build -buildvcs=false -o "$tools/pdfsigner" .)
	GOBIN=$tools go install github.com/pdfcpu/pdfcpu/cmd/pdfcpu@v0.11.1
	"$python" test/corpus/benign.py "$out/benign" "$tools"
fi
"$python" test/corpus/attacks.py "$out"
