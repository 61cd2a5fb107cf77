package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// DefaultTimeout is the longest that one file may take.
const DefaultTimeout = 5 * time.Second

// Config is how children are started.
type Config struct {
	Command  []string      // program and arguments; the program calls Serve with its standard input and output
	Roots    *keys.Roots   // the anchors that children trust
	Children int           // how many read at a time
	Timeout  time.Duration // 0: DefaultTimeout
	Log      *slog.Logger
	Lost     func() // called for each child that was lost over a file, for the alarm; may be nil
}

// Pool keeps children and gives them files to read.
type Pool struct {
	cfg     Config
	anchors []byte
	free    chan *child // nil: one that must be started
	closing sync.Once
	closed  chan struct{}
}

// ErrClosed is what Read answers after Close.
var ErrClosed = errors.New("sandbox: closed")

// NewPool starts one child, to find out whether children can be started and confined here.
func NewPool(ctx context.Context, cfg Config) (*Pool, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	p := &Pool{cfg: cfg, anchors: cfg.Roots.PEM(), free: make(chan *child, cfg.Children), closed: make(chan struct{})}
	for range cfg.Children {
		p.free <- nil
	}
	report, err := p.try(ctx, []byte("%PDF-1.7\n"))
	if err != nil {
		p.Close()
		return nil, err
	}
	if report.Indication == pades.Passed {
		p.Close()
		return nil, errors.New("sandbox: a child passes what is no file")
	}
	return p, nil
}

// Read has a child read a file. A child that dies of it, or does not answer in time, leaves an INDETERMINATE report. An
// error says that no child could be asked: ctx ended while all were busy, or none can be started.
func (p *Pool) Read(ctx context.Context, pdf []byte) (pades.Report, error) {
	report, err := p.try(ctx, pdf)
	var lost *lostError
	if errors.As(err, &lost) {
		p.cfg.Log.ErrorContext(ctx, "sandbox: a child was lost over a file", "bytes", len(pdf), "err", lost)
		if p.cfg.Lost != nil {
			p.cfg.Lost()
		}
		return pades.GaveUp(), nil
	}
	return report, err
}

// lostError is a child that was asked and did not answer.
type lostError struct{ err error }

func (e *lostError) Error() string { return "sandbox: lost: " + e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

func (p *Pool) try(ctx context.Context, pdf []byte) (pades.Report, error) {
	if len(pdf) > pades.MaxSize {
		return pades.Read(pdf, nil), nil // by its size alone
	}
	var c *child
	select {
	case <-ctx.Done():
		return pades.Report{}, fmt.Errorf("sandbox: all children are busy: %w", ctx.Err())
	case <-p.closed:
		return pades.Report{}, ErrClosed
	case c = <-p.free:
	}
	report, c, err := p.ask(ctx, c, pdf)
	p.free <- c
	return report, err
}

// ask gives the file to c, and once more to a fresh child if c ended at once: it may have ended before, of something else.
// Both together have the time of one file.
func (p *Pool) ask(ctx context.Context, c *child, pdf []byte) (report pades.Report, _ *child, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Timeout) // a child is not left in the middle of a file
	defer cancel()
	for range 2 {
		if c == nil || c.gone() {
			if c, err = p.start(ctx); err != nil {
				return pades.Report{}, nil, err
			}
		}
		if report, err = c.read(ctx, pdf); err == nil {
			return report, c, nil
		}
		err = &lostError{errors.Join(err, c.kill())}
		c = nil
		if ctx.Err() != nil {
			break
		}
	}
	return pades.Report{}, nil, err
}

// Close ends all children. Those that are reading end when they have answered, or when their time is over.
func (p *Pool) Close() {
	p.closing.Do(func() {
		close(p.closed)
		for range p.cfg.Children {
			if c := <-p.free; c != nil {
				_ = c.kill() // it says that it was killed
			}
		}
	})
}

// child is a process that reads files.
type child struct {
	cmd     *exec.Cmd
	in, out *os.File
	buf     *bufio.Reader
	ended   chan struct{}
	err     error // how it ended, once ended is closed
}

func (p *Pool) start(ctx context.Context) (*child, error) {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("sandbox: start: %w", err)
	}
	defer theirIn.Close()
	out, theirOut, err := os.Pipe()
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("sandbox: start: %w", err)
	}
	defer theirOut.Close()
	cmd := exec.Command(p.cfg.Command[0], p.cfg.Command[1:]...)
	// Nothing of ours goes along: no environment, no folder, no files, and nothing that it says: a dying reader could say
	// what is in the file.
	cmd.Env, cmd.Dir = []string{"GOTRACEBACK=none"}, "/"
	cmd.Stdin, cmd.Stdout = theirIn, theirOut
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the terminal's ^C is ours: what is being read is finished
	if err := cmd.Start(); err != nil {
		in.Close()
		out.Close()
		return nil, fmt.Errorf("sandbox: start: %w", err)
	}
	c := &child{cmd: cmd, in: in, out: out, buf: bufio.NewReader(out), ended: make(chan struct{})}
	go func() {
		c.err = cmd.Wait()
		close(c.ended)
	}()
	if err := c.within(ctx, func() error { return writeFrame(in, p.anchors) }); err != nil {
		return nil, fmt.Errorf("sandbox: start: %w", errors.Join(err, c.kill()))
	}
	return c, nil
}

// gone says whether the child has ended while nobody asked it.
func (c *child) gone() bool {
	select {
	case <-c.ended:
		_ = c.kill() // closes the pipes
		return true
	default:
		return false
	}
}

// within ends the child when ctx ends before do does; do then fails, because the pipes break.
func (c *child) within(ctx context.Context, do func() error) error {
	stop := context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() }) // it may have ended by itself
	defer stop()
	return do()
}

func (c *child) read(ctx context.Context, pdf []byte) (report pades.Report, err error) {
	err = c.within(ctx, func() error {
		if err := writeFrame(c.in, pdf); err != nil {
			return err
		}
		answer, err := readFrame(c.buf, maxReport)
		if err != nil {
			return err
		}
		return json.Unmarshal(answer, &report)
	})
	return report, err
}

// kill ends the child and says how it ended.
func (c *child) kill() error {
	_ = c.cmd.Process.Kill() // it may have ended already
	<-c.ended
	return errors.Join(c.err, c.in.Close(), c.out.Close())
}
