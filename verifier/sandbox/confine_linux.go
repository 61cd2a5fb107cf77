package sandbox

import (
	"fmt"
	"runtime/debug"
	"syscall"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
)

// What a child may use.
const (
	// maxData is the memory that it may write to, in bytes; beyond it the process dies. It bounds what is used, not what the
	// Go runtime reserves: with the address space bounded instead (RLIMIT_AS) no Go program starts.
	maxData = 512 << 20
	// softData is where the garbage collector begins to work harder.
	softData = 384 << 20
	maxOpen  = 16
)

// needed are the system calls that the Go runtime makes in a program that reads, computes and writes to what is open
// already. Everything else answers EPERM: no file can be opened, no connection made, no program started, nobody killed.
var needed = []string{
	"read", "write", "close", "fcntl", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait", "eventfd2",
	"munmap", "madvise", "mincore", "brk", "futex", "sched_yield", "sched_getaffinity", "nanosleep", "clock_nanosleep", "clock_gettime", "gettimeofday",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "getpid", "gettid", "tgkill", "set_robust_list", "rseq", "restart_syscall",
	"exit", "exit_group", "getrandom",
}

// Confine takes from this process, for good, all that the reading of a file does not need.
func Confine() error {
	debug.SetMemoryLimit(softData)
	for _, l := range []struct {
		name     string
		resource int
		most     uint64
	}{
		{"memory", syscall.RLIMIT_DATA, maxData}, {"file size", syscall.RLIMIT_FSIZE, 0},
		{"core dumps", syscall.RLIMIT_CORE, 0}, {"open files", syscall.RLIMIT_NOFILE, maxOpen},
	} {
		if err := syscall.Setrlimit(l.resource, &syscall.Rlimit{Cur: l.most, Max: l.most}); err != nil {
			return fmt.Errorf("sandbox: limit of %s: %w", l.name, err)
		}
	}
	machine, err := arch.GetInfo("")
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	var names []string // some machines lack older calls
	for _, name := range needed {
		if _, ok := machine.SyscallNames[name]; ok {
			names = append(names, name)
		}
	}
	const (
		executable = syscall.PROT_EXEC
		thread     = syscall.CLONE_THREAD
	)
	err = seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync, // all threads
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionErrno,
			Syscalls: []seccomp.SyscallGroup{{
				Action: seccomp.ActionAllow, Names: names,
				NamesWithCondtions: []seccomp.NameWithConditions{
					{Name: "mmap", Conditions: []seccomp.Condition{{Argument: 2, Operation: seccomp.BitsNotSet, Value: executable}}},
					{Name: "mprotect", Conditions: []seccomp.Condition{{Argument: 2, Operation: seccomp.BitsNotSet, Value: executable}}},
					{Name: "clone", Conditions: []seccomp.Condition{{Argument: 0, Operation: seccomp.BitsSet, Value: thread}}},
				},
			}},
		},
	})
	if err != nil {
		return fmt.Errorf("sandbox: seccomp: %w", err)
	}
	return nil
}
