// Package keysdb keeps what the issuing process says under /pki: it writes, and whoever answers strangers reads.
package keysdb

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Publication is one thing that is said, as the table has it.
type Publication struct {
	Path        string
	Serial      string // of the certificate that an OCSP answer is about; empty for all else
	Revocations int
	Body        []byte
	Produced    time.Time
	Until       time.Time // zero: it holds until there is another
}

const sqlPublish = `
	INSERT INTO publications (path, serial, revocations, body, produced_at, until)
	VALUES (@path, nullif(@serial, ''), @revocations, @body, @produced, @until)
	ON CONFLICT DO NOTHING`

// Publish says all of it together. The pool's role is tesdiq_issuer.
func Publish(ctx context.Context, pool *pgxpool.Pool, all []Publication) error {
	var batch pgx.Batch
	for _, p := range all {
		var until *time.Time
		if !p.Until.IsZero() {
			until = &p.Until
		}
		batch.Queue(sqlPublish, pgx.NamedArgs{"path": p.Path, "serial": p.Serial, "revocations": p.Revocations, "body": p.Body, "produced": p.Produced, "until": until})
	}
	if err := pool.SendBatch(ctx, &batch).Close(); err != nil { // one transaction
		return fmt.Errorf("keysdb: publish: %w", err)
	}
	return nil
}

// Shelf has what is said now in memory, and asks the database no more than once a second, whatever is asked of it. It may be used by
// several goroutines.
type Shelf struct {
	Pool *pgxpool.Pool // as tesdiq_verifier
	Now  func() time.Time

	asking sync.Mutex // held by whoever asks the database

	mu    sync.Mutex
	tried time.Time // when the last question ended
	wrong error     // what came of it
	read  time.Time
	said  map[string]current
}

type current struct {
	Path       string
	Body       []byte
	ProducedAt time.Time
	Until      *time.Time
	Overtaken  bool
}

// How old what is known may be: before it is asked for again, and where the database does not answer.
const (
	fresh   = time.Second
	atMost  = time.Minute
	timeout = 5 * time.Second
)

const sqlCurrent = `SELECT path, body, produced_at, until, overtaken FROM current_publications`

// Find gives what is said under a path below /pki: nil if nothing is. until is when it ceases to hold; zero: it holds until there is
// another. It is the moment of production where what is said was overtaken: it must not be given.
func (s *Shelf) Find(path string) (body []byte, produced, until time.Time, err error) {
	said, err := s.known()
	if err != nil {
		return nil, time.Time{}, time.Time{}, err
	}
	c, ok := said[path]
	switch {
	case !ok:
		return nil, time.Time{}, time.Time{}, nil
	case c.Overtaken:
		until = c.ProducedAt
	case c.Until != nil:
		until = *c.Until
	}
	return c.Body, c.ProducedAt, until, nil
}

// known gives what is said, by its path. One asks the database; the others have what is known meanwhile, if that is young enough, or wait
// for his answer: a database that does not answer costs timeout once, not each of those who ask.
func (s *Shelf) known() (map[string]current, error) {
	if k := s.look(); k.justAsked {
		return k.said, k.err
	}
	if !s.asking.TryLock() {
		if k := s.look(); k.young {
			return k.said, nil
		}
		s.asking.Lock()
	}
	defer s.asking.Unlock()
	if k := s.look(); k.justAsked { // by whoever held the lock
		return k.said, k.err
	}
	// Whoever asks may go away; the next one wants to know as well.
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	now := s.Now()
	rows, _ := s.Pool.Query(ctx, sqlCurrent)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[current])
	said := make(map[string]current, len(all))
	for _, c := range all {
		said[c.Path] = c
	}
	s.mu.Lock()
	if s.tried, s.wrong = s.Now(), err; err == nil {
		s.read, s.said = now, said
	}
	s.mu.Unlock()
	k := s.look()
	return k.said, k.err
}

// knowledge is what is said as far as is known.
type knowledge struct {
	said      map[string]current
	err       error // why nothing may be said; without the database, what is known serves for a while
	young     bool  // said may be given
	justAsked bool  // it is too early to ask again
}

func (s *Shelf) look() knowledge {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	within := func(t time.Time, d time.Duration) bool { age := now.Sub(t); return !t.IsZero() && age >= 0 && age < d }
	k := knowledge{said: s.said, young: within(s.read, atMost), justAsked: within(s.tried, fresh)}
	if s.wrong != nil && !k.young {
		k.said, k.err = nil, fmt.Errorf("keysdb: publications: %w", s.wrong)
	}
	return k
}
