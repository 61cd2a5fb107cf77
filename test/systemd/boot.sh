#!/usr/bin/env bash
# Boots a systemd in a container over a copy of this machine, of which nothing is changed, and has it run docs/processes.md (inside.sh).
# Needs root, the programs in bin/, PostgreSQL, and Debian's systemd-container and dbus.
set -euo pipefail
cd "$(dirname "$0")/../.."

for program in systemd-nspawn dbus-daemon; do
	command -v $program >/dev/null || { echo "make units: FAILED: $program is missing (Debian: systemd-container, dbus)" >&2; exit 1; }
done
[ "$(id -u)" -eq 0 ] || { echo 'make units: FAILED: it needs root' >&2; exit 1; }

work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
finish() {
	umount "$work/tree" 2>/dev/null || true
	umount "$work" && rmdir "$work"
}
trap finish EXIT
mkdir "$work/changed" "$work/work" "$work/tree"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/changed,workdir=$work/work" "$work/tree"
rm -rf "$work/tree/etc/tesdiq" "$work/tree/opt/tesdiq"
mkdir -p "$work/tree/opt/tesdiq"
cp -r docs "$work/tree/opt/tesdiq/docs"
cp test/systemd/inside.sh "$work/tree/opt/tesdiq/"
cp bin/issuer bin/verifier bin/casework bin/tesdiq "$work/tree/usr/local/bin/"
printf '[Unit]\nAfter=basic.target dbus.service\n[Service]\nType=oneshot\nExecStart=/opt/tesdiq/inside.sh\n' >"$work/tree/etc/systemd/system/tesdiq-try.service"
printf '[Unit]\nRequires=basic.target\nWants=tesdiq-try.service dbus.service\nAfter=basic.target\nAllowIsolate=yes\n' >"$work/tree/etc/systemd/system/tesdiq-try.target"

# Without a network but its own loopback. When all is said it powers itself off.
timeout -k 10 300 systemd-nspawn --quiet -D "$work/tree" --private-network --register=no --keep-unit --machine=tesdiq-try --boot systemd.unit=tesdiq-try.target </dev/null >"$work/console" 2>&1 || true
if [ ! -f "$work/changed/opt/tesdiq/well" ]; then
	tail -n 60 "$work/changed/opt/tesdiq/log" 2>/dev/null || tail -n 40 "$work/console"
	echo 'make units: FAILED' >&2
	exit 1
fi
cat "$work/changed/opt/tesdiq/well"
echo 'make units: the units of docs/systemd work as docs/processes.md says'
