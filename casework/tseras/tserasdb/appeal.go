package tserasdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

const sqlAppealsOf = `
	SELECT c.id, c.number, c.kind, c.state, c.opened_at, c.request
	FROM cases c
	WHERE c.about = @id AND c.kind = 'appeal'
	ORDER BY c.id DESC`

const sqlNewer = `
	SELECT EXISTS (
		SELECT FROM cases c
		WHERE c.subject = @subject AND c.procedure = 'tseras' AND c.kind = 'assessment' AND c.state = 'decided' AND c.id > @id)`

// appealsOf are the appeals about a case, the newest first, with the requests that opened them; and whether a later decision took
// the case's place.
func appealsOf(ctx context.Context, tx pgx.Tx, c casework.Case) (all []casework.Case, requests []string, newer bool, err error) {
	rows, _ := tx.Query(ctx, sqlAppealsOf, pgx.NamedArgs{"id": c.ID}) // the error comes out of ForEachRow
	var a casework.Case
	var request string
	_, err = pgx.ForEachRow(rows, []any{&a.ID, &a.Number, &a.Kind, &a.State, &a.Opened, &request}, func() error {
		all, requests = append(all, a), append(requests, request)
		return nil
	})
	if err == nil {
		err = tx.QueryRow(ctx, sqlNewer, pgx.NamedArgs{"subject": c.Subject, "id": c.ID}).Scan(&newer)
	}
	if err != nil {
		return nil, nil, false, fmt.Errorf("tserasdb: appeals of case %d: %w", c.ID, err)
	}
	return all, requests, newer, nil
}

const sqlInsertAppeal = `
	INSERT INTO tseras_appeals (case_id, points, words)
	VALUES (@case, @points, @words)`

// Appeal opens an appeal against a decided assessment of a person, who asks himself or through a clerk. key is the form's own: the
// same form sent twice is one appeal. casework.ErrState when there is nothing decided, tseras.ErrAppealed when there was one,
// "tseras.appeal.late" after the last day, tseras.ErrNewer when another decision holds, casework.ErrOpen while an assessment is under
// way.
func (d Desk) Appeal(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor, about tseras.Dispute, key string) (c casework.Case, err error) {
	err = pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		c, err = d.appeal(ctx, tx, subject, number, by, about, key)
		return err
	})
	return c, err
}

func (d Desk) appeal(ctx context.Context, tx pgx.Tx, subject tesdiq.FIN, number string, by casework.Actor, about tseras.Dispute, key string) (c casework.Case, err error) {
	first, err := caseworkdb.ByNumber(ctx, tx, subject, number)
	if err != nil {
		return c, err
	}
	if first, err = caseworkdb.Lock(ctx, tx, first.ID); err != nil {
		return c, err
	}
	earlier, requests, newer, err := appealsOf(ctx, tx, first)
	if err != nil {
		return c, err
	}
	request := "appeal:" + first.Number + ":" + key
	for i, r := range requests {
		if r == request {
			return caseworkdb.Lock(ctx, tx, earlier[i].ID)
		}
	}
	now := d.moment()
	if err := tseras.MayAppeal(first, earlier, newer, now); err != nil {
		return c, err
	}
	if err := about.Validate(tesdiq.DateOf(now)).Err(); err != nil {
		return c, err
	}
	c.Head = casework.Head{Procedure: tseras.Procedure, Kind: tseras.Appeal, Subject: subject, LawOn: first.LawOn, About: first.ID}
	c, step, err := d.step(c, tseras.AwaitingDraw, "", by, "appealed", disputeArgs(first.Number, about), now)
	if err != nil {
		return c, err
	}
	if c, _, err = caseworkdb.Open(ctx, tx, d.Rand, c, step, request); err != nil {
		return c, err
	}
	// An assessment that was open when it was asked before may have been decided since: the index lets nobody in while it is open, and whoever
	// waited for it comes in when it is decided. It is seen by this statement, and another cannot be opened beside the appeal.
	if err := tx.QueryRow(ctx, sqlNewer, pgx.NamedArgs{"subject": subject, "id": first.ID}).Scan(&newer); err != nil {
		return c, fmt.Errorf("tserasdb: appeal: %w", err)
	}
	if newer {
		return c, tseras.ErrNewer
	}
	if err := often(ctx, tx, subject, by, now); err != nil {
		return c, err
	}
	points := make([]string, len(about.Points))
	for i, p := range about.Points {
		points[i] = string(p)
	}
	if _, err := tx.Exec(ctx, sqlInsertAppeal, pgx.NamedArgs{"case": c.ID, "points": points, "words": about.Words}); err != nil {
		return c, fmt.Errorf("tserasdb: appeal: %w", err)
	}
	if by.Part == casework.ByClerk {
		return c, tellAppeal(ctx, tx, c, "appealed_for", map[string]string{"Office": by.Office}, now)
	}
	return c, tellAppeal(ctx, tx, c, "appealed", nil, now)
}

// tellAppeal leaves a message about an appeal's step with the person. It names neither diagnosis nor degree.
func tellAppeal(ctx context.Context, tx pgx.Tx, c casework.Case, what string, args map[string]string, now time.Time) error {
	return message.Send(ctx, tx, noteOfAppeal(c, what, args, now))
}

func noteOfAppeal(c casework.Case, what string, args map[string]string, now time.Time) message.Message {
	all := map[string]string{"Number": c.Number}
	maps.Copy(all, args)
	return message.Message{To: c.Subject, Key: "tseras-appeal.message." + what, Args: all, Link: "/cabinet/cases/" + c.Number, At: now, Aloud: true}
}

// disputeArgs are what the step of an appeal, and so its ledger line, commits to: what is disputed, and the digest of the words.
func disputeArgs(first string, d tseras.Dispute) map[string]string {
	points := make([]string, len(d.Points))
	for i, p := range d.Points {
		points[i] = string(p)
	}
	return map[string]string{"First": first, "Points": strings.Join(points, " "), "Words": digestOf(d.Words)}
}

// digestOf is the SHA-256 of a person's words, in hexadecimal: a step commits to them and does not repeat them.
func digestOf(words string) string {
	digest := sha256.Sum256([]byte(words))
	return hex.EncodeToString(digest[:])
}

const sqlFirst = `
	SELECT c.number, d.package, coalesce(e.number, ''),
	       EXISTS (SELECT FROM entries v WHERE v.book = e.book AND v.number = e.number AND v.act = 'annul')
	FROM cases c
	JOIN tseras_decisions d ON d.case_id = c.id
	LEFT JOIN entries e ON e.id = d.entry_id
	WHERE c.id = @id`

const sqlFirstMembers = `
	SELECT m.fin, m.commission_id, s.role
	FROM tseras_blind b
	JOIN tseras_seats s ON s.number = b.number
	JOIN commission_members m ON m.id = s.member_id
	WHERE b.case_id = @id
	ORDER BY s.seq -- the commission drawn last decided`

// firstOf is the decision of the case that an appeal is about.
func firstOf(ctx context.Context, tx pgx.Tx, id casework.ID) (*tseras.First, error) {
	var f tseras.First
	var text []byte
	if err := tx.QueryRow(ctx, sqlFirst, pgx.NamedArgs{"id": id}).Scan(&f.Number, &text, &f.Entry, &f.Annulled); err != nil {
		return nil, fmt.Errorf("tserasdb: first decision, case %d: %w", id, err)
	}
	p, err := criteria.ReadPackage(text)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(p.Result, &f.Result); err != nil {
		return nil, fmt.Errorf("tserasdb: first decision, case %d: %w", id, err)
	}
	rows, _ := tx.Query(ctx, sqlFirstMembers, pgx.NamedArgs{"id": id}) // the error comes out of ForEachRow
	var fin tesdiq.FIN
	var panel string
	var role tseras.Role
	_, err = pgx.ForEachRow(rows, []any{&fin, &panel, &role}, func() error {
		if f.Members = append(f.Members, fin); role == tseras.Chair {
			f.Panel = panel
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tserasdb: first decision, case %d: %w", id, err)
	}
	return &f, nil
}

// annulFirst takes the first decision's examination out of the book, where the appeal finds that an earlier disability without term
// stays as it is: there is nothing to enter in its place.
func (d Desk) annulFirst(ctx context.Context, tx pgx.Tx, f tseras.File, by string, now time.Time) error {
	if f.First.Annulled {
		return nil
	}
	x, err := registrydb.Reader{Pool: tx}.ExaminationByNumber(ctx, f.Case.Subject, f.First.Entry)
	if err != nil {
		return fmt.Errorf("first entry: %w", err)
	}
	_, _, err = registrydb.Enter(ctx, tx, registry.Change{Act: registry.Annul, Book: registry.Examinations, Number: f.First.Entry, After: x.Version, By: by,
		Reason: "Şikayət üzrə qərar: " + f.Case.Number}, now, d.Rand)
	if err != nil {
		return fmt.Errorf("annul the first entry: %w", err)
	}
	return nil
}

// giveBack gives the slot of an appeal back that the person withdraws.
func (d Desk) giveBack(ctx context.Context, tx pgx.Tx, c casework.Case) error {
	x, err := slotOf(ctx, tx, c)
	if err != nil {
		return err
	}
	return giveBack(ctx, tx, x, slotWithdrawn, d.moment())
}

// showAppeals adds to a shown assessment the appeals about it.
func (d Desk) showAppeals(ctx context.Context, tx pgx.Tx, s *tseras.Shown) (err error) {
	s.Appeals, _, s.Newer, err = appealsOf(ctx, tx, s.Case)
	return err
}

const sqlFirstNumber = `SELECT number FROM cases WHERE id = @id`

const sqlDispute = `SELECT points, words FROM tseras_appeals WHERE case_id = @id`

// showFirst adds to a shown appeal what it is about, and when the person is expected.
func (d Desk) showFirst(ctx context.Context, tx pgx.Tx, s *tseras.Shown) error {
	var number string
	if err := tx.QueryRow(ctx, sqlFirstNumber, pgx.NamedArgs{"id": s.About}).Scan(&number); err != nil {
		return fmt.Errorf("tserasdb: first case: %w", err)
	}
	first, err := d.show(ctx, tx, s.Subject, number)
	if err != nil {
		return err
	}
	s.First = &first
	var points []string
	if err := tx.QueryRow(ctx, sqlDispute, pgx.NamedArgs{"id": s.ID}).Scan(&points, &s.Dispute.Words); err != nil {
		return fmt.Errorf("tserasdb: dispute: %w", err)
	}
	for _, p := range points {
		s.Dispute.Points = append(s.Dispute.Points, tseras.Point(p))
	}
	x, err := slotOf(ctx, tx, s.Case)
	switch {
	case err == nil:
		s.Examined = &x
	case !errors.Is(err, casework.ErrState):
		return err
	}
	return nil
}
