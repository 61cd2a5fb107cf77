#!/usr/bin/env bash
# Fetches the judges that Debian does not have, pinned, into a folder of the checkout: a Python environment with pyHanko and
# a class path with EU DSS and veraPDF. Done once for each version of the lists; prints the folder.
#
#   test/judges/prepare.sh [requirements.txt]     another list for the Python environment, as the corpus's maker needs
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
list=${1:-$here/requirements.txt}
cache=${TESDIQ_JUDGES:-$here/../../.cache/judges}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
log=$cache/log
failed() {
	echo "test/judges/prepare.sh: could not fetch $1; the end of what it said:" >&2
	tail -n 15 "$log" >&2
	exit 1
}

venv=$cache/python-$(sha256sum "$list" | cut -c1-12)
if [ ! -f "$venv/whole" ]; then
	echo "Fetching pyHanko (Python packages of $(basename "$(dirname "$list")")/$(basename "$list"))" >&2
	rm -rf "$venv"
	{ python3 -m venv "$venv" && "$venv/bin/pip" install --disable-pip-version-check --no-input -r "$list"; } >"$log" 2>&1 || failed "the Python packages"
	touch "$venv/whole"
fi
ln -sfn "$venv" "$cache/python"

java=$cache/java-$(cat "$here/pom.xml" "$here/Judge.java" | sha256sum | cut -c1-12)
if [ ! -f "$java/whole" ]; then
	echo "Fetching EU DSS and veraPDF (Maven)" >&2
	rm -rf "$java"
	mkdir -p "$java/classes"
	mvn -q -B -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath "-Dmdep.outputFile=$java/classpath" >"$log" 2>&1 || failed "the Java archives"
	javac -nowarn -d "$java/classes" -cp "$(cat "$java/classpath")" "$here/Judge.java" >"$log" 2>&1 || failed "EU DSS and veraPDF as Judge.java expects them"
	touch "$java/whole"
fi
ln -sfn "$java" "$cache/java"
echo "$cache"
