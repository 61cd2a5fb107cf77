package gateway

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Log writes down what is asked before it is asked, and what came of it before anybody is told. gatewaydb's is PostgreSQL's.
type Log interface {
	// Asked writes down questions, those that stand there already not again, and gives what is known of each, in their order.
	Asked(ctx context.Context, questions []Asking) ([]Past, error)
	// Tried writes down attempts that brought no answer.
	Tried(ctx context.Context, attempts []Attempt) error
	// Answered writes down an attempt with its answer. If the question has one already, that stays, and is given back.
	Answered(ctx context.Context, attempt Attempt, exchange Exchange) (kept []byte, err error)
}

// Asking is a question with whom it goes to.
type Asking struct {
	Question
	Service ServiceID // empty: nobody is named
}

// Past is what the log knows of a question.
type Past struct {
	Asked    time.Time // when it was asked first: this, not what the caller says now, stands in the question
	Attempts int       // so far
	Exchange []byte    // its answer, if there is one: then it is not asked again
	Other    bool      // the ID stands for another question
}

// Attempt is one sending of a question, or the reason why it was not sent.
type Attempt struct {
	Question string // ID
	Number   int    // from 1, over all who asked; the number of the last one if nothing was sent
	Sent     bool
	Began    time.Time
	Ended    time.Time
	Reason   Reason // "" with an answer
	Detail   string
}

// Config is what a Client is made of. All but TLS, HTTP and Deadline are required.
type Config struct {
	Seal     *Seal
	Trust    *Trust
	Services []Service
	Log      Log
	TLS      *tls.Config       // the agencies' authorities, and our certificate for lines where both show one; nil: the machine's authorities
	HTTP     http.RoundTripper // carries requests; nil: HTTP/1.1 and 2 without proxy, to the services' hosts alone
	Deadline time.Duration     // of all questions of one Ask; 0: 30 s
	Now      func() time.Time
	Rand     io.Reader
}

// Client asks. It may be used by several goroutines.
type Client struct {
	Config
	trust    atomic.Pointer[Trust]
	services map[Register]*service
}

// service is one with what is known of it.
type service struct {
	Service
	places  chan struct{}
	breaker *breaker
}

// New puts a client together, and refuses what cannot work.
func New(c Config) (*Client, error) {
	if c.Seal == nil || c.Trust == nil || c.Log == nil || c.Now == nil || c.Rand == nil {
		return nil, errors.New("gateway: Seal, Trust, Log, Now and Rand are required")
	}
	c.Deadline = or(c.Deadline, 30*time.Second)
	if c.HTTP == nil {
		c.HTTP = transport(c.TLS)
	}
	g := &Client{Config: c, services: map[Register]*service{}}
	for _, s := range c.Services {
		if err := s.check(c.Trust); err != nil {
			return nil, err
		}
		if g.services[s.Register] != nil {
			return nil, fmt.Errorf("gateway: two services for %s", s.Register)
		}
		s = s.filled()
		g.services[s.Register] = &service{s, make(chan struct{}, s.Parallel), &breaker{trip: s.Trip, rest: time.Duration(s.Rest)}}
	}
	if c.Seal.Member.Instance() != c.Trust.Instance {
		return nil, fmt.Errorf("gateway: the seal is of %s, the trust file of %s", c.Seal.Member, c.Trust.Instance)
	}
	g.trust.Store(c.Trust)
	return g, nil
}

// Renew takes a newer trust file. An older one is refused: somebody would like a seal back that was revoked.
func (c *Client) Renew(t *Trust) error {
	if now := c.trust.Load(); t.Instance != now.Instance || t.Number < now.Number {
		return fmt.Errorf("%w: %s number %d after %s number %d", ErrTrust, t.Instance, t.Number, now.Instance, now.Number)
	}
	c.trust.Store(t)
	return nil
}

// States says how each service's breaker stands: closed, open or half-open.
func (c *Client) States() map[Register]string {
	all := map[Register]string{}
	for r, s := range c.services {
		all[r] = s.breaker.state(c.Now())
	}
	return all
}

// Ask asks all questions in parallel and gives one outcome for each, in their order. It always comes back within the deadline, and nothing that is not
// an answer looks like one.
func (c *Client) Ask(ctx context.Context, questions []Question) []Outcome {
	ctx, cancel := context.WithTimeout(ctx, c.Deadline)
	defer cancel()
	out := make([]Outcome, len(questions))
	var asked []Asking
	var place []int // of each in questions
	now := c.Now()
	for i, q := range questions {
		q.Purpose = or(q.Purpose, q.Register.Purpose())
		if q.Asked.IsZero() {
			q.Asked = now.UTC().Truncate(time.Second)
		}
		out[i].Question = q
		if err := q.check(); err != nil {
			out[i].No = &NoAnswer{Reason: Malformed, Detail: err.Error(), Since: q.Asked}
			continue
		}
		a := Asking{Question: q}
		if s := c.services[q.Register]; s != nil {
			a.Service = s.ID
		}
		asked, place = append(asked, a), append(place, i)
	}
	if len(asked) == 0 {
		return out
	}
	past, err := c.Log.Asked(ctx, asked)
	if err == nil && len(past) != len(asked) {
		err = fmt.Errorf("gateway: the log knows %d questions of %d", len(past), len(asked))
	}
	var wait sync.WaitGroup
	for n, i := range place {
		if err != nil {
			out[i].No = &NoAnswer{Reason: NotLogged, Since: asked[n].Asked, Next: now.Add(LaterThan(1))}
			continue
		}
		wait.Go(func() { out[i] = c.one(ctx, asked[n].Question, past[n]) })
	}
	wait.Wait()
	return out
}

// one asks one question until it is answered, given up, or out of time.
func (c *Client) one(ctx context.Context, q Question, past Past) Outcome {
	if past.Other {
		return Outcome{Question: q, No: &NoAnswer{Reason: Malformed, Detail: "the ID stands for another question", Since: q.Asked}}
	}
	q.Asked = past.Asked
	s := c.services[q.Register]
	if past.Exchange != nil {
		return c.again(q, past)
	}
	if s == nil {
		return c.not(ctx, q, past, fail(NotNamed, string(q.Register)), time.Time{})
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.Deadline))
	defer cancel()
	end := c.Now().Add(time.Duration(s.Deadline))
	for try := 1; ; try++ {
		select {
		case s.places <- struct{}{}:
		case <-ctx.Done():
			return c.not(ctx, q, past, fail(given(ctx, Queued), ""), time.Time{})
		}
		probe, ok, until := s.breaker.enter(c.Now())
		if !ok {
			<-s.places
			return c.not(ctx, q, past, fail(Paused, ""), until)
		}
		answer, exchange, attempt, bad := c.send(ctx, s, q, past.Attempts+1)
		s.breaker.leave(probe, bad == nil, bad != nil && !blameless[bad.reason], c.Now())
		<-s.places
		if attempt.Sent {
			past.Attempts++
		}
		if bad == nil {
			kept, err := c.answered(ctx, attempt, exchange)
			if err != nil {
				return c.outcome(q, past, fail(NotLogged, ""), time.Time{})
			}
			if kept != nil { // somebody else asked the same at the same time, and was first
				past.Exchange = kept
				return c.again(q, past)
			}
			return Outcome{Question: q, Answer: &answer}
		}
		attempt.Reason, attempt.Detail = bad.reason, bad.detail
		if err := c.tried(ctx, attempt); err != nil {
			return c.outcome(q, past, fail(NotLogged, ""), time.Time{})
		}
		if !passing[bad.reason] || try >= s.Attempts || !c.pause(ctx, s, try, bad.after, end) {
			return c.outcome(q, past, bad, time.Time{})
		}
	}
}

// given is the reason why nothing more is done: that whoever asked gave up, or else.
func given(ctx context.Context, otherwise Reason) Reason {
	if errors.Is(ctx.Err(), context.Canceled) {
		return Broken
	}
	return otherwise
}

// writing is how long the log may take to write down what happened, also when nobody waits any more.
const writing = 5 * time.Second

func (c *Client) tried(ctx context.Context, a Attempt) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writing)
	defer cancel()
	return c.Log.Tried(ctx, []Attempt{a})
}

func (c *Client) answered(ctx context.Context, a Attempt, x Exchange) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writing)
	defer cancel()
	return c.Log.Answered(ctx, a, x)
}

// not is the outcome of a question that was not sent, and writes that down.
func (c *Client) not(ctx context.Context, q Question, past Past, why *failure, next time.Time) Outcome {
	now := c.Now()
	a := Attempt{Question: q.ID, Number: past.Attempts, Began: now, Ended: now, Reason: why.reason, Detail: why.detail}
	if err := c.tried(ctx, a); err != nil {
		why = fail(NotLogged, "")
	}
	return c.outcome(q, past, why, next)
}

func (c *Client) outcome(q Question, past Past, why *failure, next time.Time) Outcome {
	if next.IsZero() {
		next = c.Now().Add(c.jitter(max(LaterThan(past.Attempts), why.after)))
	}
	return Outcome{Question: q, No: &NoAnswer{Reason: why.reason, Detail: why.detail, Since: q.Asked, Attempts: past.Attempts, Next: next}}
}

// again gives the answer that the log has: it is judged once more as what it is, an exchange of that time.
func (c *Client) again(q Question, past Past) Outcome {
	x, err := ParseExchange(past.Exchange)
	if err != nil {
		return c.outcome(q, past, fail(NotLogged, "the kept exchange cannot be read"), time.Time{})
	}
	_, want, bad := c.trust.Load().question(x, x.Received)
	if bad == nil {
		want.MaxAge = c.maxAge(q.Register)
		var answer Answer
		if answer, bad = c.trust.Load().read(q, want, x, x.Received); bad == nil {
			return Outcome{Question: q, Answer: &answer}
		}
	}
	return c.outcome(q, past, bad, time.Time{})
}

func (c *Client) maxAge(r Register) time.Duration {
	if s := c.services[r]; s != nil {
		return time.Duration(s.MaxAge)
	}
	return time.Duration(Service{}.filled().MaxAge)
}

// pause waits before the next attempt: longer each time, and each for another time, so that questions that failed together do not come again together.
func (c *Client) pause(ctx context.Context, s *service, try int, atLeast time.Duration, end time.Time) bool {
	d := max(c.jitter(time.Duration(s.Pause)<<(try-1)), atLeast)
	if !c.Now().Add(d).Before(end) {
		return false // nothing could be sent after it
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// jitter is a duration from half of d to d.
func (c *Client) jitter(d time.Duration) time.Duration {
	var b [8]byte
	if _, err := io.ReadFull(c.Rand, b[:]); err != nil || d < 2 {
		return d
	}
	return d/2 + time.Duration(binary.BigEndian.Uint64(b[:])%uint64(d/2+1))
}
