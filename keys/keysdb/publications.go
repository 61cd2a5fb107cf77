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

	mu    sync.Mutex
	tried time.Time
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refresh(); err != nil {
		return nil, time.Time{}, time.Time{}, err
	}
	c, ok := s.said[path]
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

func (s *Shelf) refresh() error {
	now := s.Now()
	within := func(t time.Time, d time.Duration) bool { age := now.Sub(t); return !t.IsZero() && age >= 0 && age < d }
	if within(s.tried, fresh) && within(s.read, atMost) {
		return nil
	}
	s.tried = now
	// Whoever asks may go away; the next one wants to know as well.
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	rows, _ := s.Pool.Query(ctx, sqlCurrent)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[current])
	if err != nil {
		if within(s.read, atMost) {
			return nil
		}
		return fmt.Errorf("keysdb: publications: %w", err)
	}
	said := make(map[string]current, len(all))
	for _, c := range all {
		said[c.Path] = c
	}
	s.read, s.said = now, said
	return nil
}
