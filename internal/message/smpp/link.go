package smpp

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"
)

// Link keeps one session bound for as long as it runs, and sends no faster than the centre wants.
type Link struct {
	Config
	Dial      func(context.Context) (net.Conn, error)
	From      Address       // who sends
	PerSecond int           // submits a second; 0: DefaultPerSecond
	HexIDs    bool          // the centre answers with an id in hexadecimal, and its receipts have the same in decimal
	Again     time.Duration // wait before a first new attempt to bind; each failure doubles it, up to sixty times; 0: a second
	Log       *slog.Logger

	mu      sync.Mutex
	session *Session
	next    time.Time     // when the next submit may leave
	between time.Duration // from one submit to the next
	pause   time.Duration // how long the last "slower" stopped us
	until   time.Time     // no submit before: the centre said "slower"
}

// DefaultPerSecond is what centres allow a small sender.
const DefaultPerSecond = 20

const (
	dialPatience = 10 * time.Second
	slowest      = time.Second // between two submits
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// Run binds, and binds again whenever the session ends, until ctx is done.
func (l *Link) Run(ctx context.Context) error {
	if l.Again <= 0 {
		l.Again = time.Second
	}
	wait := l.Again
	for {
		session, err := l.bind(ctx)
		if err == nil {
			l.Log.InfoContext(ctx, "sms: bound to the centre")
			wait = l.Again
			select {
			case <-session.Done():
				err = session.Err()
			case <-ctx.Done():
				l.keep(nil)
				goodbye, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
				session.Close(goodbye)
				done()
				return ctx.Err()
			}
			l.keep(nil)
			session.gone.Wait()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var refused *StatusError
		if errors.As(err, &refused) && (refused.Status == BadPassword || refused.Status == BadSystemID) {
			wait = 60 * l.Again // somebody must mend the configuration; asking often gets us locked out
		}
		l.Log.WarnContext(ctx, "sms: no session with the centre", "err", err, "again_in", wait.String())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, 60*l.Again)
	}
}

func (l *Link) bind(ctx context.Context) (*Session, error) {
	dialing, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	conn, err := l.Dial(dialing)
	if err != nil {
		return nil, err
	}
	session, err := Bind(ctx, conn, l.Config)
	if err == nil {
		l.keep(session)
	}
	return session, err
}

func (l *Link) keep(s *Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.session = s
}

// Bound says whether there is a session.
func (l *Link) Bound() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session != nil && l.session.Err() == nil
}

// Ready says whether a submit has a chance now: there is a session, and the centre has not asked for a pause.
func (l *Link) Ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session != nil && l.session.Err() == nil && !l.Now().Before(l.until)
}

// Submit sends one part to a number, when its turn has come. reference comes back in the receipt where the centre does so.
func (l *Link) Submit(ctx context.Context, to string, p Part, reference int, validity time.Duration) (id string, err error) {
	session, err := l.turn(ctx)
	if err != nil {
		return "", err
	}
	m := Message{From: l.From, To: International(to), Receipt: 1, Coding: p.Coding, Text: p.Text, Reference: reference & 0xffff, ReceiptState: -1,
		Validity: relative(validity)}
	if p.UDH {
		m.ESMClass = esmUDH
	}
	id, err = session.Submit(ctx, m)
	l.heed(err)
	if n, bad := strconv.ParseUint(id, 16, 64); l.HexIDs && bad == nil {
		id = strconv.FormatUint(n, 10)
	}
	return id, err
}

// turn waits until the next submit may leave.
func (l *Link) turn(ctx context.Context) (*Session, error) {
	l.mu.Lock()
	session, now := l.session, l.Now()
	if session == nil || now.Before(l.until) {
		l.mu.Unlock()
		return nil, ErrNotSent
	}
	if l.between == 0 {
		l.between = l.fastest()
	}
	if l.next.Before(now) {
		l.next = now
	}
	wait := l.next.Sub(now)
	l.next = l.next.Add(l.between)
	l.mu.Unlock()
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-session.Done():
			return nil, ErrNotSent
		case <-ctx.Done():
			return nil, errors.Join(ErrNotSent, ctx.Err())
		}
	}
	return session, nil
}

func (l *Link) fastest() time.Duration {
	if l.PerSecond > 0 {
		return time.Second / time.Duration(l.PerSecond)
	}
	return time.Second / DefaultPerSecond
}

// heed slows down when the centre says so, and speeds up again little by little.
func (l *Link) heed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var refused *StatusError
	switch {
	case err == nil:
		l.pause = 0
		l.between = max(l.fastest(), l.between-l.between/20)
	case errors.As(err, &refused) && refused.Status.Slower():
		now := l.Now()
		if now.Before(l.until) {
			return // of those that left together, one answer is enough
		}
		l.pause = min(max(2*l.pause, firstPause), longestPause)
		l.until = now.Add(l.pause)
		l.between = min(2*l.between, max(slowest, l.fastest()))
	}
}

// relative is a validity_period (7.1.1, relative form): after it the centre gives up.
func relative(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	s := int(min(d, 30*24*time.Hour) / time.Second)
	two := func(n int) string { return string([]byte{'0' + byte(n/10), '0' + byte(n%10)}) }
	return "0000" + two(s/86400) + two(s/3600%24) + two(s/60%60) + two(s%60) + "000R"
}
