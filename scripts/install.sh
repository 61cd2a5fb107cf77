#!/usr/bin/env bash
# Installs what is missing on Debian or Ubuntu, and nothing else.
#
#   scripts/install.sh run     what `make run` and `make lint` need
#   scripts/install.sh test    what `make test` needs besides
#   scripts/install.sh interop what `make interop` needs besides: Python and Java, for judges that Debian does not have
#
# As root, or with sudo; else it prints the one command for an administrator and fails. Go and git are there already.
set -uo pipefail

missing=()

# need PACKAGE COMMAND: the package is missing if the command is.
need() {
	command -v "$2" >/dev/null 2>&1 || missing+=("$1")
}

find_missing() {
	missing=()
	# The program asks for initdb and postgres by their folder on Debian, else on PATH. With a database of your own
	# `make run` starts none.
	if [ -z "${DATABASE_URL:-}" ] || [ "$1" != run ]; then
		compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || need postgresql initdb
	fi
	[ "$1" != run ] || return 0
	command -v google-chrome >/dev/null 2>&1 || need chromium chromium
	compgen -G '/usr/share/fonts/truetype/*' >/dev/null || missing+=(fonts-dejavu-core)
	need poppler-utils pdfsig
	need qpdf qpdf
	need mupdf-tools mutool
	need zbar-tools zbarimg
	need openssl openssl
	need curl curl
	[ -x /usr/sbin/nginx ] || need nginx-light nginx # not on everybody's PATH
	need systemd systemd-analyze
	need libnss3-tools certutil
	need nodejs node
	need npm npm
	need softhsm2 softhsm2-util
	need opensc pkcs11-tool
	need gcc gcc # the race detector and PKCS #11 need cgo
	[ -f /usr/include/stdlib.h ] || missing+=(libc6-dev)
	[ "$1" = interop ] || return 0
	python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
	need maven mvn
	need default-jdk-headless javac
}

case "${1:-}" in
run | test | interop) ;;
*)
	echo "usage: $0 run|test|interop" >&2
	exit 2
	;;
esac

find_missing "$1"
[ ${#missing[@]} -gt 0 ] || exit 0

command="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
# The browser tests take the browser without windows where there is one, which is quicker; Ubuntu has none.
case " ${missing[*]} " in *" chromium "*) command="$command && { apt-get install -y --no-install-recommends chromium-headless-shell || true; }" ;; esac
ask_administrator() {
	echo "Missing: ${missing[*]}. An administrator of this machine installs them with:" >&2
	echo "    sudo sh -c '$command'" >&2
	exit 1
}

if ! command -v apt-get >/dev/null 2>&1; then
	echo "Missing: ${missing[*]} (Debian's names). This is neither Debian nor Ubuntu: install them by hand." >&2
	exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 || ask_administrator
	# Without a terminal nobody can type a password.
	sudo -n true 2>/dev/null || [ -t 0 ] || ask_administrator
	as_root=(sudo)
fi

echo "Installing: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c "$command" >"$log" 2>&1
status=$?

# What counts is that the programs are there. apt fails also when Debian's own PostgreSQL service cannot start, as in a
# container; we do not use that service.
wanted=("${missing[@]}")
find_missing "$1"
[ ${#missing[@]} -gt 0 ] || exit 0
tail -n 20 "$log" >&2
[ "$status" -eq 0 ] || echo "apt-get failed ($status) on: ${wanted[*]}" >&2
ask_administrator
