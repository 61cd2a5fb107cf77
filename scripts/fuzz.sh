#!/usr/bin/env bash
# Runs every fuzz target of the module, each for the time given (default one minute), and fails at the end if one found
# something. What was found is kept by Go in the package's testdata/fuzz: commit it with the repair.
set -uo pipefail
cd "$(dirname "$0")/.."

time=${1:-1m}
found=0
failed=()
# Go would spend up to a minute on making each new input smaller, and never get on with inputs as large as a PDF.
while IFS=: read -r file name; do
	found=$((found + 1))
	echo "== $(dirname "$file") $name"
	go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 10x "./$(dirname "$file")" || failed+=("$(dirname "$file") $name")
done < <(git ls-files -z --cached --others --exclude-standard '*_test.go' |
	xargs -0r grep -oHE '^func Fuzz[A-Za-z0-9_]*' | sed 's/:func /:/')

if [ "$found" -eq 0 ]; then
	echo 'make fuzz: FAILED: no fuzz target found'
	exit 1
fi
if [ ${#failed[@]} -gt 0 ]; then
	printf 'make fuzz: FAILED: %s\n' "${failed[@]}"
	exit 1
fi
echo "make fuzz: $found targets, $time each, nothing found"
