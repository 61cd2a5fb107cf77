package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// spent is processor time: of this process, in which both sides and those who ask run, and of its private PostgreSQL.
// Unlike rates it hardly depends on what else the machine does.
type spent struct{ here, database time.Duration }

func (s spent) plus(t spent) spent  { return spent{s.here + t.here, s.database + t.database} }
func (s spent) minus(t spent) spent { return spent{s.here - t.here, s.database - t.database} }

// meter reads spent. Its zero value reads this process only.
type meter struct{ postgres int } // process number of the server; 0: none of ours

// tick is the unit of times in /proc: Linux shows a hundredth of a second to programs, whatever its own is (proc(5)).
const tick = 10 * time.Millisecond

func (m meter) read() (spent, error) {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return spent{}, fmt.Errorf("processor time: %w", err)
	}
	s := spent{here: time.Duration(use.Utime.Nano() + use.Stime.Nano())}
	if m.postgres == 0 {
		return s, nil
	}
	own, err := readStat(m.postgres)
	if err != nil {
		return spent{}, err
	}
	s.database = own.self + own.gone
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return spent{}, err
	}
	for _, p := range processes {
		pid, err := strconv.Atoi(p.Name())
		if err != nil {
			continue
		}
		// A session that ends meanwhile is not there any more, and its time has gone over to the server's.
		if child, err := readStat(pid); err == nil && child.parent == m.postgres {
			s.database += child.self
		}
	}
	return s, nil
}

// stat is what /proc says of a process: its own time, and that of its children that have ended.
type stat struct {
	parent     int
	self, gone time.Duration
}

func readStat(pid int) (stat, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	// The name of the program stands in brackets and may hold anything; after it, field 3 of proc(5) is the first.
	fields := bytes.Fields(content[bytes.LastIndexByte(content, ')')+1:])
	var n [15]int64
	for i := range n {
		if i == 0 {
			continue // the state, a letter
		}
		if i >= len(fields) {
			return stat{}, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
		}
		if n[i], err = strconv.ParseInt(string(fields[i]), 10, 64); err != nil {
			return stat{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
	}
	return stat{int(n[1]), time.Duration(n[11]+n[12]) * tick, time.Duration(n[13]+n[14]) * tick}, nil
}

// Spent is the processor time that this process has used so far, and a PostgreSQL, by the number of its first process, with all its sessions.
func Spent(postgres int) (here, database time.Duration, err error) {
	s, err := meter{postgres}.read()
	return s.here, s.database, err
}
