#!/usr/bin/env bash
# Says in which folder the tests are to keep what they write and remove again: in memory, where that is possible, for a disk's file
# system takes more of the processor's time than most tests do. Nothing that a test proves needs the disk: what must outlive a killed
# program or a killed PostgreSQL, outlives it there, too. TMPDIR, where somebody has set it, is obeyed.
set -euo pipefail
[ -z "${TMPDIR:-}" ] || { echo "$TMPDIR"; exit 0; }
shm=/dev/shm
# Programs are built and run there (noexec), and some ten servers have their data there at a time (6 GB).
if awk -v d="$shm" '$2 == d && $3 == "tmpfs" && ("," $4 ",") !~ /,noexec,/ { found = 1 } END { exit !found }' /proc/mounts 2>/dev/null &&
	[ "$(df --output=avail -k "$shm" | tail -n 1)" -ge $((6 << 20)) ]; then
	echo "$shm"
else
	echo /tmp
fi
