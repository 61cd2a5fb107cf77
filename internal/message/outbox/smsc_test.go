package outbox_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message/smpp"
)

// smsc is an SMS centre that is not ours: npm's smpp, in test/smsc.
type smsc struct {
	t     *testing.T
	port  int
	stop  func()
	input io.Writer
	mu    sync.Mutex
	said  []said
}

// said is one line of it.
type said struct {
	Event     string
	ID        string
	Port      int
	OK        bool
	To, From  string
	Text      string
	Coding    int
	UDH       []int
	Reference int
	Status    int
	Validity  string
}

const smscFolder = "../../../test/smsc"

// install fetches its packages as the lock file has them, once.
func install(t *testing.T) {
	t.Helper()
	lock, err := os.OpenFile(filepath.Join(smscFolder, "package-lock.json"), os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil { // several tests at once
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(smscFolder, "node_modules/smpp/package.json")); err == nil {
		return
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	npm.Dir = smscFolder
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v: %s", err, out)
	}
}

func startSMSC(t *testing.T, port int) *smsc {
	t.Helper()
	install(t)
	c := &smsc{t: t}
	node := exec.Command("node", "centre.mjs", strconv.Itoa(port))
	node.Dir = smscFolder
	var complaint bytes.Buffer
	node.Stderr = &complaint
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.input, err = node.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var s said
			if json.Unmarshal(lines.Bytes(), &s) != nil {
				continue
			}
			c.mu.Lock()
			c.said = append(c.said, s)
			c.mu.Unlock()
		}
	}()
	var once sync.Once
	c.stop = func() { once.Do(func() { node.Process.Kill(); <-read; node.Wait() }) }
	t.Cleanup(c.stop)
	c.await("that it listens: "+complaint.String(), func(all []said) bool {
		return slices.ContainsFunc(all, func(s said) bool { c.port = s.Port; return s.Event == "listening" })
	})
	return c
}

func (c *smsc) await(what string, ok func([]said) bool) {
	c.t.Helper()
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c.mu.Lock()
		done := ok(c.said)
		c.mu.Unlock()
		if done {
			return
		}
		if time.Now().After(end) {
			c.t.Fatalf("waited in vain for %s: %+v", what, c.said)
		}
	}
}

// do tells it how to behave, and waits until it has heard.
func (c *smsc) do(mode string) {
	c.t.Helper()
	heard := c.count("mode")
	if _, err := fmt.Fprintln(c.input, mode); err != nil {
		c.t.Fatal(err)
	}
	c.await(mode, func([]said) bool { return len(c.all("mode")) > heard })
}

// all are the lines of one event; the lock is held.
func (c *smsc) all(event string) (found []said) {
	for _, s := range c.said {
		if s.Event == event {
			found = append(found, s)
		}
	}
	return found
}

func (c *smsc) count(event string) int { c.mu.Lock(); defer c.mu.Unlock(); return len(c.all(event)) }

func (c *smsc) submits() []said { c.mu.Lock(); defer c.mu.Unlock(); return c.all("submit") }

// at opens a world whose link leads to it.
func (c *smsc) at(t *testing.T) *world {
	return open(t, func(w *world) {
		w.sender.SMS = &smpp.Link{
			Config: smpp.Config{SystemID: "tesdiq", Password: "word", Now: time.Now, Receive: w.sender.Receive, Enquire: 200 * time.Millisecond, Patience: 5 * time.Second, Window: 4},
			Dial: func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", fmt.Sprint("127.0.0.1:", c.port))
			},
			From: smpp.Address{TON: 3, Number: "142"}, PerSecond: 500, Again: 20 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		}
	})
}

func (w *world) choosers(n int, lang tesdiq.Lang) (fins []tesdiq.FIN) {
	for i := range n {
		fin := tesdiq.FIN(fmt.Sprintf("1KF6W%02d", i))
		w.choose(fin, tesdiq.SMS, fmt.Sprintf("+9945012345%02d", i), lang)
		fins = append(fins, fin)
	}
	return fins
}

func (w *world) awaitDelivered(n int) {
	w.t.Helper()
	w.await(fmt.Sprint(n, " delivered"), func() bool { return strings.Count(fmt.Sprint(w.states()), "delivered") == n })
}

// What another's code reads of our parts is what we wrote, in each language; each message arrives once.
func TestAnotherCentreReadsWhatWeWrite(t *testing.T) {
	t.Parallel()
	c := startSMSC(t, 0)
	w := c.at(t)
	w.choose(nermin, tesdiq.SMS, phone, tesdiq.Az)
	w.choose("4CM9J7S", tesdiq.SMS, "+994551112233", tesdiq.En)
	w.choose("2RD8V4X", tesdiq.SMS, "+994701112233", tesdiq.Ru)
	c.do(`{"receipts": 3}`) // each receipt comes three times
	w.say(nermin, "4CM9J7S", "2RD8V4X")
	w.awaitDelivered(3)
	texts, codings := map[string]string{}, map[string]int{}
	for _, s := range c.submits() { // the parts of one text leave together, and may come in any order
		until, err := time.Parse(time.RFC3339, s.Validity)
		if left := time.Until(until); s.From != "142" || err != nil || left < 47*time.Hour || left > 49*time.Hour {
			t.Errorf("%+v", s)
		}
		if len(s.UDH) > 0 && s.UDH[len(s.UDH)-1] == 1 {
			texts[s.To] = s.Text + texts[s.To]
		} else {
			texts[s.To] += s.Text
		}
		codings[s.To] = s.Coding
	}
	for to, want := range map[string]string{
		"994501234567": "E-2026-0000001 nömrəli sənədiniz geri götürüldü. Bunu siz etməmisinizsə, 142-yə zəng edin.",
		"994551112233": "Your document E-2026-0000001 was withdrawn. If it was not you, call 142.",
		"994701112233": "Ваш документ E-2026-0000001 отозван. Если это сделали не вы, позвоните по номеру 142.",
	} {
		if texts[to] != want {
			t.Errorf("%s: %q", to, texts[to])
		}
	}
	if codings["994551112233"] != 0 || codings["994501234567"] != 8 {
		t.Errorf("codings %v", codings)
	}
	var events, receipts int
	if err := w.db.Admin.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM dispatch_events WHERE event = 'delivered'), (SELECT count(*) FROM receipts)").Scan(&events, &receipts); err != nil || events != 5 || receipts != 5 {
		t.Errorf("%d events, %d receipts for 5 parts, %v", events, receipts, err)
	}
}

// It takes messages and loses the connection before it can say so, five times: its receipts come with the next session and settle
// what was unsure, whether they say our reference or not, so that nobody gets a second SMS.
func TestCutBetweenSubmitAndResponse(t *testing.T) {
	t.Parallel()
	for _, echo := range []bool{true, false} {
		c := startSMSC(t, 0)
		w := c.at(t)
		c.do(fmt.Sprintf(`{"cut": 5, "echo": %v}`, echo))
		w.say(w.choosers(30, tesdiq.En)...)
		// What was on its way with the one that was cut waits for five seconds, which pass here at sixty times their speed: ten minutes
		// without a receipt must not pass while a busy machine is only slow to bring it.
		for end := time.Now().Add(time.Minute); strings.Count(fmt.Sprint(w.states()), "delivered") < 30 && time.Now().Before(end); {
			time.Sleep(50 * time.Millisecond)
			w.move(3 * time.Second)
		}
		w.awaitDelivered(30)
		seen := map[string]int{}
		for _, s := range c.submits() {
			seen[s.To]++
		}
		for to, n := range seen {
			if n != 1 {
				t.Errorf("%d SMS to %s", n, to)
			}
		}
		if n := c.count("gone"); n < 2 { // several of one window end with one session
			t.Errorf("%d sessions were cut", n)
		}
	}
}

func TestSlowAndThrottlingAndDown(t *testing.T) {
	t.Parallel()
	c := startSMSC(t, 0)
	w := c.at(t)
	c.do(`{"delay": 300}`)
	fins := w.choosers(12, tesdiq.En)
	w.say(fins...)
	w.awaitDelivered(12)

	// Throttled, it is left alone until it wants more, and then gets what is due.
	c.do(`{"delay": 0, "status": 88}`)
	before := len(c.submits())
	w.say(fins[:4]...)
	w.await("that it is told to slow down", func() bool { return strings.Contains(fmt.Sprint(w.events), "sms:refused") })
	time.Sleep(300 * time.Millisecond)
	if n := len(c.submits()) - before; n > 8 {
		t.Errorf("%d submits although it throttles", n)
	}
	c.do(`{"status": 0}`)
	for range 60 {
		if strings.Count(fmt.Sprint(w.states()), "delivered") == 16 {
			break
		}
		time.Sleep(100 * time.Millisecond)
		w.move(30 * time.Second)
	}
	w.awaitDelivered(16)

	// Down, messages wait and nothing is lost; the password of another makes no session; started again, they go out.
	c.stop()
	w.say(fins[4:8]...)
	time.Sleep(200 * time.Millisecond)
	var open int
	if err := w.db.Admin.QueryRow(t.Context(), "SELECT count(*) FROM outbox WHERE due_at IS NOT NULL").Scan(&open); err != nil || open != 4 {
		t.Errorf("%d wait, %v", open, err)
	}
	again := startSMSC(t, c.port)
	for range 60 {
		if strings.Count(fmt.Sprint(w.states()), "delivered") == 20 {
			break
		}
		time.Sleep(100 * time.Millisecond)
		w.move(10 * time.Second)
	}
	w.awaitDelivered(20)
	if n := len(again.submits()); n != 4 {
		t.Errorf("%d SMS after the restart for 4 messages", n)
	}
}

func TestAWrongPasswordMakesNoSession(t *testing.T) {
	t.Parallel()
	c := startSMSC(t, 0)
	w := open(t, func(w *world) {
		w.sender.SMS = &smpp.Link{
			Config: smpp.Config{SystemID: "tesdiq", Password: "another", Now: time.Now, Receive: w.sender.Receive},
			Dial: func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", fmt.Sprint("127.0.0.1:", c.port))
			},
			Again: 5 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		}
	})
	w.choose(nermin, tesdiq.SMS, phone, tesdiq.En)
	w.say(nermin)
	c.await("three tries", func([]said) bool { return len(c.all("bind")) >= 3 })
	if n := len(c.submits()); n != 0 || w.sender.SMS.Bound() {
		t.Errorf("%d submits", n)
	}
	if waiting, _, err := w.sender.Queue(t.Context()); waiting != 1 || err != nil {
		t.Errorf("%d wait, %v", waiting, err)
	}
}
