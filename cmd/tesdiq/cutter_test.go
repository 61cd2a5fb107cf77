package main

import (
	"bufio"
	"bytes"
	bigendian "encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// cutter stands between the service and PostgreSQL, on a socket that stays where it is while PostgreSQL's moves at each
// start. It cuts connections, most of all at commits, so that the service cannot know whether they happened.
type cutter struct {
	t      testing.TB
	dir    string // of the socket
	server atomic.Pointer[string]
	on     atomic.Bool
	gate   atomic.Pointer[chan struct{}] // requests' writes wait here while it is set
	held   atomic.Int64                  // how many have come to wait there

	mu    sync.Mutex
	cuts  map[moment]map[place]int
	wires map[*wire]struct{}
}

// moment is what passes when a connection is cut.
type moment string

const (
	atCommit    moment = "COMMIT"         // of a transaction of several statements
	atStatement moment = "implied commit" // the end of a single statement that writes
	elsewhere   moment = "elsewhere"      // anywhere else, also midway through a transaction
)

// place is how far what passes has come.
type place string

const (
	before place = "not delivered"
	during place = "delivered"
	after  place = "done, its answer lost"
)

// One commit in twenty, and one journey of anything else in five hundred.
const (
	commitChance = 20
	otherChance  = 500
)

func newCutter(t testing.TB) *cutter {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "tesdiq-cut-") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{t: t, dir: dir, cuts: map[moment]map[place]int{atCommit: {}, atStatement: {}, elsewhere: {}}, wires: map[*wire]struct{}{}}
	l, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); c.closeAll(); os.RemoveAll(dir) })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(client)
		}
	}()
	return c
}

// url leads through the cutter; the user in it is the superuser.
func (c *cutter) url() string {
	return "postgres://postgres@/tesdiq?" + url.Values{"host": {c.dir}}.Encode()
}

// lead lets new connections end at the server of an address.
func (c *cutter) lead(address string) {
	u, err := url.Parse(address)
	if err != nil {
		c.t.Error(err)
		return
	}
	socket := filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")
	c.server.Store(&socket)
}

// hold lets every write of a request wait until release is called.
func (c *cutter) hold() (release func()) {
	gate := make(chan struct{})
	c.held.Store(0)
	c.gate.Store(&gate)
	return sync.OnceFunc(func() { c.gate.Store(nil); close(gate) })
}

func (c *cutter) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for w := range c.wires {
		w.close()
	}
}

func (c *cutter) count(m moment, p place) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cuts[m][p]++
}

// wire is one connection.
type wire struct {
	cutter         *cutter
	client, server net.Conn
	in             *bufio.Reader // of the client
	user           string
	statements     map[string]string // prepared, by name
	inTransaction  bool

	mu       sync.Mutex
	muted    bool // answers reach nobody any more
	answered chan struct{}
}

func (w *wire) close() { w.client.Close(); w.server.Close() }

func (c *cutter) carry(client net.Conn) {
	socket := c.server.Load()
	if socket == nil {
		client.Close()
		return
	}
	server, err := net.Dial("unix", *socket)
	if err != nil {
		client.Close()
		return
	}
	w := &wire{cutter: c, client: client, server: server, in: bufio.NewReaderSize(client, 64<<10), statements: map[string]string{}, answered: make(chan struct{}, 1)}
	c.mu.Lock()
	c.wires[w] = struct{}{}
	c.mu.Unlock()
	defer func() {
		w.close()
		c.mu.Lock()
		delete(c.wires, w)
		c.mu.Unlock()
	}()
	go w.answers()
	if err := w.greet(); err != nil {
		return
	}
	for {
		message, what, err := w.journey()
		if err != nil {
			return
		}
		if gate := c.gate.Load(); gate != nil && what != elsewhere && (w.user == "tesdiq_cabinet" || w.user == "tesdiq_verifier") {
			c.held.Add(1)
			<-*gate
		}
		if c.on.Load() && w.user != "postgres" {
			chance := commitChance
			if what == elsewhere {
				chance = otherChance
			}
			if rand.N(chance) == 0 {
				w.cut(message, what)
				return
			}
		}
		if _, err := server.Write(message); err != nil {
			return
		}
	}
}

// greet passes on the first message, which says who connects.
func (w *wire) greet() error {
	var length [4]byte
	if _, err := io.ReadFull(w.in, length[:]); err != nil {
		return err
	}
	n := bigendian.BigEndian.Uint32(length[:])
	if n < 8 || n > 10_000 {
		return errors.New("no greeting")
	}
	rest := make([]byte, n-4)
	if _, err := io.ReadFull(w.in, rest); err != nil {
		return err
	}
	fields := strings.Split(string(rest[4:]), "\x00")
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i] == "user" {
			w.user = fields[i+1]
		}
	}
	_, err := w.server.Write(append(length[:], rest...))
	return err
}

var writes = regexp.MustCompile(`(?i)\b(INSERT INTO|UPDATE|DELETE FROM)\b`)

// journey reads messages up to the one after which the client waits for an answer, and says what they do.
func (w *wire) journey() (all []byte, what moment, err error) {
	what = elsewhere
	for {
		var head [5]byte
		if _, err := io.ReadFull(w.in, head[:]); err != nil {
			return nil, what, err
		}
		body := make([]byte, bigendian.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(w.in, body); err != nil {
			return nil, what, err
		}
		all = append(append(all, head[:]...), body...)
		switch head[0] {
		case 'P': // Parse: name, statement
			name, rest, _ := bytes.Cut(body, []byte{0})
			sql, _, _ := bytes.Cut(rest, []byte{0})
			w.statements[string(name)] = string(sql)
		case 'B': // Bind: portal, name
			_, rest, _ := bytes.Cut(body, []byte{0})
			name, _, _ := bytes.Cut(rest, []byte{0})
			if !w.inTransaction && writes.MatchString(w.statements[string(name)]) {
				what = atStatement
			}
		case 'D', 'E', 'C': // Describe, Execute, Close: an answer comes only after Sync or Flush
		case 'Q':
			switch sql := strings.ToLower(string(body)); {
			case strings.HasPrefix(sql, "begin"):
				w.inTransaction = true
			case strings.HasPrefix(sql, "rollback"):
				w.inTransaction = false
			case strings.HasPrefix(sql, "commit"):
				w.inTransaction, what = false, atCommit
			}
			return all, what, nil
		default:
			return all, what, nil
		}
	}
}

// cut ends the connection while a message passes: before the server has it, once it is on its way, or when the server
// has answered, of which the client never hears.
func (w *wire) cut(message []byte, what moment) {
	w.mu.Lock()
	w.muted = true
	w.mu.Unlock()
	p := []place{before, during, after}[rand.N(3)]
	if p != before {
		if _, err := w.server.Write(message); err != nil {
			return
		}
		if p == during {
			time.Sleep(rand.N(3 * time.Millisecond)) // so that the server may be before, in or after it
		} else {
			select {
			case <-w.answered:
			case <-time.After(10 * time.Second):
			}
		}
	}
	w.cutter.count(what, p)
}

// answers passes the server's answers on.
func (w *wire) answers() {
	defer w.close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := w.server.Read(buffer)
		if err != nil {
			return
		}
		w.mu.Lock()
		muted := w.muted
		if !muted {
			_, err = w.client.Write(buffer[:n])
		}
		w.mu.Unlock()
		if muted {
			select {
			case w.answered <- struct{}{}:
			default:
			}
		}
		if err != nil {
			return
		}
	}
}
