package smpp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// at is a centre on this machine and a link to it.
type at struct {
	t        *testing.T
	centre   *Centre
	link     *Link
	mu       sync.Mutex
	texts    []Text
	receipts []Receipt
}

func open(t *testing.T, change func(*at)) *at {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &at{t: t}
	a.centre = &Centre{SystemID: "tesdiq", Password: "word", Now: time.Now, Taken: func(x Text) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.texts = append(a.texts, x)
	}}
	a.link = &Link{
		Config: Config{SystemID: "tesdiq", Password: "word", Now: time.Now, Receive: func(_ context.Context, r Receipt) error {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.receipts = append(a.receipts, r)
			return nil
		}},
		Dial: func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
		},
		From: Address{tonShort, npiNone, "142"}, PerSecond: 1000, Again: 10 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(a)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var both sync.WaitGroup
	both.Go(func() { a.centre.Serve(ctx, l) })
	linked, unlink := context.WithCancel(ctx)
	ended := make(chan struct{})
	both.Go(func() { a.link.Run(linked); close(ended) })
	t.Cleanup(func() { unlink(); <-ended; cancel(); both.Wait() })
	return a
}

func (a *at) await(what string, ok func() bool) {
	a.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		a.mu.Lock()
		done := ok()
		a.mu.Unlock()
		if done {
			return
		}
		if time.Now().After(end) {
			a.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (a *at) bound() { a.t.Helper(); a.await("a session", a.link.Bound) }

func (a *at) submit(text string, reference int) (ids []string, err error) {
	parts, err := Split(text, byte(reference))
	if err != nil {
		a.t.Fatal(err)
	}
	for _, p := range parts {
		id, err := a.link.Submit(a.t.Context(), "+994501234567", p, reference, time.Hour)
		if err != nil {
			return ids, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func TestWhatIsSentArrivesWholeAndIsReceipted(t *testing.T) {
	a := open(t, nil)
	a.bound()
	texts := []string{"Decision made. 142", "Müayinə T-2026-000123: qərar qəbul olundu. Nəticəni şəxsi kabinetdə görə bilərsiniz. 142", strings.Repeat("Решение принято. ", 15)}
	parts := 0
	for i, text := range texts {
		ids, err := a.submit(text, 1000+i)
		if err != nil {
			t.Fatal(err)
		}
		parts += len(ids)
	}
	a.await("the receipts", func() bool { return len(a.receipts) == parts })
	for i, text := range texts {
		if got := a.texts[i]; got.Text != text || got.To != "+994501234567" || got.From != "142" {
			t.Errorf("%+v", got)
		}
	}
	for _, r := range a.receipts {
		if r.Event != Delivered || r.To != "+994501234567" || r.Reference < 1000 || r.ID == "" {
			t.Errorf("%+v", r)
		}
	}
}

func TestAConnectionThatIsCutBeforeTheAnswerLeavesItUnsure(t *testing.T) {
	var cut sync.Once
	a := open(t, func(a *at) {
		a.centre.Answer = func(Message) (status Status, err error) {
			cut.Do(func() { err = io.ErrClosedPipe })
			return status, err
		}
	})
	a.bound()
	if _, err := a.submit("x", 1); !errors.Is(err, ErrUnsure) || errors.Is(err, ErrNotSent) {
		t.Errorf("cut: %v", err)
	}
	a.await("a new session", func() bool { return a.link.Ready() })
	if _, err := a.submit("x", 1); err != nil {
		t.Errorf("after the new session: %v", err)
	}
}

func TestNothingLeavesWithoutASession(t *testing.T) {
	a := open(t, func(a *at) { a.centre.Password = "another" })
	time.Sleep(50 * time.Millisecond)
	if _, err := a.submit("x", 1); !errors.Is(err, ErrNotSent) || errors.Is(err, ErrUnsure) {
		t.Errorf("not bound: %v", err)
	}
	if a.link.Bound() || a.link.Ready() {
		t.Error("bound with a wrong password")
	}
}

func TestRefusalsSayWhatAndThrottlingSlowsDown(t *testing.T) {
	statuses := []Status{BadDestination, Throttled, SystemError, OK}
	a := open(t, func(a *at) {
		a.centre.Answer = func(Message) (Status, error) { s := statuses[0]; statuses = statuses[1:]; return s, nil }
	})
	a.bound()
	var refused *StatusError
	if _, err := a.submit("x", 1); !errors.As(err, &refused) || refused.Status != BadDestination || refused.Status.Temporary() {
		t.Errorf("%v", err)
	}
	if _, err := a.submit("x", 1); !errors.As(err, &refused) || !refused.Status.Slower() || !refused.Status.Temporary() {
		t.Errorf("%v", err)
	}
	if a.link.Ready() {
		t.Error("ready although the centre wants a pause")
	}
	if _, err := a.submit("x", 1); !errors.Is(err, ErrNotSent) {
		t.Errorf("in the pause: %v", err)
	}
	a.await("the end of the pause", a.link.Ready)
	if _, err := a.submit("x", 1); !errors.As(err, &refused) || refused.Status != SystemError {
		t.Errorf("%v", err)
	}
	if _, err := a.submit("x", 1); err != nil {
		t.Error(err)
	}
}

func TestTheWindowIsKept(t *testing.T) {
	var mu sync.Mutex
	now, most := 0, 0
	a := open(t, func(a *at) {
		a.link.Window = 3
		a.centre.Answer = func(Message) (Status, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			return OK, nil
		}
		a.centre.Delay = time.Millisecond
	})
	a.bound()
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			if _, err := a.submit(fmt.Sprint("text ", i), i); err != nil {
				t.Error(err)
			}
			mu.Lock()
			now--
			mu.Unlock()
		})
	}
	all.Wait()
	a.await("the receipts", func() bool { return len(a.receipts) == 50 })
	if most > 3 {
		t.Errorf("%d at a time", most)
	}
}

// silent takes connections, answers the bind, and then nothing, or what bytes say.
func silent(t *testing.T, bytes []byte) func(context.Context) (net.Conn, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			p, err := ReadPDU(conn)
			if err != nil {
				continue
			}
			conn.Write(PDU{Command: p.Command.Response(), Sequence: p.Sequence, Body: []byte{0}}.Bytes())
			conn.Write(bytes)
			go io.Copy(io.Discard, conn)
		}
	}()
	return func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}
}

func TestASilentCentreEndsTheSession(t *testing.T) {
	for what, c := range map[string]struct {
		bytes []byte
		do    func(*Session) error
		want  error
	}{
		"no answer to a message": {nil, func(s *Session) error { _, err := s.Submit(t.Context(), Message{Reference: -1}); return err }, ErrUnsure},
		"no answer to whether it is there": {nil, func(s *Session) error {
			<-s.Done()
			_, err := s.Submit(t.Context(), Message{Reference: -1})
			return err
		}, ErrNotSent},
		"what cannot be understood": {[]byte("HTTP/1.1 400 Bad Request\r\n"), func(s *Session) error { <-s.Done(); return s.Err() }, ErrMalformed},
		"that it ends": {PDU{Command: Unbind, Sequence: 1}.Bytes(), func(s *Session) error {
			<-s.Done()
			_, err := s.Submit(t.Context(), Message{Reference: -1})
			return err
		}, ErrNotSent},
	} {
		conn, err := silent(t, c.bytes)(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s, err := Bind(t.Context(), conn, Config{SystemID: "x", Now: time.Now, Patience: 200 * time.Millisecond, Enquire: 50 * time.Millisecond,
			Receive: func(context.Context, Receipt) error { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.do(s); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
		s.Close(t.Context())
	}
}

func TestAReceiptThatIsNotKeptIsSaidAgain(t *testing.T) {
	server, client := net.Pipe()
	defer server.Close()
	broken := true
	go func() {
		p, err := ReadPDU(server)
		if err == nil {
			server.Write(PDU{Command: p.Command.Response(), Sequence: p.Sequence, Body: []byte{0}}.Bytes())
		}
	}()
	s, err := Bind(t.Context(), client, Config{SystemID: "x", Now: time.Now, Receive: func(context.Context, Receipt) error {
		if broken {
			broken = false
			return errors.New("the database is away")
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { server.Close(); s.Close(context.Background()) }()
	m := Message{From: International("+994501234567"), ESMClass: esmReceipt, Reference: -1, ReceiptState: 2, ReceiptID: "1"}
	for i, want := range []Status{TryLater, OK} {
		if _, err := server.Write(PDU{Command: DeliverSM, Sequence: uint32(i + 1), Body: m.bytes()}.Bytes()); err != nil {
			t.Fatal(err)
		}
		if p, err := ReadPDU(server); err != nil || p.Command != DeliverSM.Response() || p.Status != want {
			t.Errorf("%+v, %v, want %s", p, err, want)
		}
	}
	for _, p := range []PDU{{Command: EnquireLink, Sequence: 9}, {Command: SubmitSM, Sequence: 10}} {
		if _, err := server.Write(p.Bytes()); err != nil {
			t.Fatal(err)
		}
		answer, err := ReadPDU(server)
		if want := map[Command]Command{EnquireLink: EnquireLink.Response(), SubmitSM: GenericNack}[p.Command]; err != nil || answer.Command != want || answer.Sequence != p.Sequence {
			t.Errorf("%+v, %v", answer, err)
		}
	}
}
