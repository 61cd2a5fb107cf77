package tserasdb

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// Filing is the desk of a clerk who files for people who are present.
type Filing struct{ Desk }

// Tries of one clerk, and of one office, are counted one after the other.
const sqlLockFiling = `
	SELECT pg_advisory_xact_lock(hashtextextended(@lock, 0))`

const sqlCountTries = `
	SELECT (SELECT count(*) FROM filing_tries WHERE clerk_fin = @clerk AND at > @hour AND subject IS NULL),
	       (SELECT count(*) FROM filing_tries WHERE organisation_id = @organisation AND at > @day AND subject IS NULL),
	       (SELECT count(*) FROM filing_tries WHERE clerk_fin = @clerk AND at > @day AND subject IS NOT NULL)`

const sqlTry = `
	INSERT INTO filing_tries (visit, organisation_id, office, clerk_fin, clerk, subject, at)
	VALUES (nullif(@visit, ''), @organisation, @office, @clerk, @name, nullif(@subject, ''), @now)
	RETURNING id`

// Identify opens the page of the person who is present, by what stands on his card: both must be his. A try that hits
// nobody is tseras.ErrNoMatch, and is kept and counted; a Problem of kind TooMany, "filing.misses" or "filing.visits", when
// there were too many. Who is hit is told.
func (f Filing) Identify(ctx context.Context, by tseras.Clerk, card tesdiq.DocumentNumber, fin tesdiq.FIN) (v tseras.Visit, err error) {
	if fin == by.FIN {
		return v, tseras.ErrSelf
	}
	hit := false
	err = pgx.BeginFunc(ctx, f.Pool, func(tx pgx.Tx) error {
		now := f.moment()
		for _, lock := range []string{"filing office " + strconv.FormatInt(by.Organisation, 10), "filing clerk " + string(by.FIN)} {
			if _, err := tx.Exec(ctx, sqlLockFiling, pgx.NamedArgs{"lock": lock}); err != nil {
				return fmt.Errorf("tserasdb: filing: %w", err)
			}
		}
		if err := mayTry(ctx, tx, by, now); err != nil {
			return err
		}
		person, err := registrydb.Reader{Pool: tx}.Person(ctx, fin)
		switch {
		case err == nil:
			hit = subtle.ConstantTimeCompare([]byte(person.Document), []byte(card)) == 1
		case tesdiq.ProblemsOf(err)[0].Kind != tesdiq.NotFound:
			return err
		}
		t := tseras.Try{Organisation: by.Organisation, Office: by.Office, ClerkFIN: by.FIN, Clerk: by.Name, At: now}
		if hit {
			if t.Visit, err = tesdiq.RandomText(f.Rand, tseras.VisitIDLength); err != nil {
				return err
			}
			t.Subject = fin
			v = tseras.Visit{ID: t.Visit, Subject: fin, Name: person.Name, Began: now}
			err := message.Send(ctx, tx, message.Message{
				To: fin, Key: "filing.message.visit", Args: map[string]string{"Office": by.Office, "Clerk": by.Name}, Link: "/cabinet/cases", At: now,
			})
			if err != nil {
				return err
			}
		}
		return f.record(ctx, tx, t)
	})
	if err == nil && !hit {
		err = tseras.ErrNoMatch
	}
	return v, err
}

// mayTry counts what the clerk and his office have tried already.
func mayTry(ctx context.Context, tx pgx.Tx, by tseras.Clerk, now time.Time) error {
	var own, office, visits int
	err := tx.QueryRow(ctx, sqlCountTries, pgx.NamedArgs{
		"clerk": by.FIN, "organisation": by.Organisation, "hour": now.Add(-time.Hour), "day": now.Add(-24 * time.Hour),
	}).Scan(&own, &office, &visits)
	switch {
	case err != nil:
		return fmt.Errorf("tserasdb: filing: %w", err)
	case own >= tseras.MissesPerHour || office >= tseras.MissesPerDay && own > 0:
		return tesdiq.NewProblem(tesdiq.TooMany, "filing.misses")
	case visits >= tseras.VisitsPerDay:
		return tesdiq.NewProblem(tesdiq.TooMany, "filing.visits")
	}
	return nil
}

// record writes a try with its ledger line.
func (f Filing) record(ctx context.Context, tx pgx.Tx, t tseras.Try) error {
	err := tx.QueryRow(ctx, sqlTry, pgx.NamedArgs{
		"visit": t.Visit, "organisation": t.Organisation, "office": t.Office, "clerk": t.ClerkFIN, "name": t.Clerk, "subject": t.Subject, "now": t.At,
	}).Scan(&t.ID)
	if err != nil {
		return fmt.Errorf("tserasdb: try: %w", err)
	}
	content, err := t.Content()
	if err != nil {
		return err
	}
	line, err := ledger.NewLine(f.Rand, ledger.Look, "filing/"+strconv.FormatInt(t.ID, 10), content)
	if err != nil {
		return err
	}
	return ledgerdb.Append(ctx, tx, line)
}

const sqlVisit = `
	SELECT t.visit, t.subject, t.at
	FROM filing_tries t
	WHERE t.visit = @visit AND t.clerk_fin = @clerk AND t.organisation_id = @organisation AND t.at > @since
	  AND NOT EXISTS (SELECT FROM filing_ends e WHERE e.visit = t.visit)`

// Visit is a visit that goes on, of this very clerk; else tseras.ErrVisit.
func (f Filing) Visit(ctx context.Context, by tseras.Clerk, id string) (tseras.Visit, error) {
	return f.visit(ctx, f.Pool, by, id)
}

// rower is a pool or a transaction.
type rower interface {
	queryer
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func (f Filing) visit(ctx context.Context, q rower, by tseras.Clerk, id string) (v tseras.Visit, err error) {
	err = q.QueryRow(ctx, sqlVisit, pgx.NamedArgs{
		"visit": id, "clerk": by.FIN, "organisation": by.Organisation, "since": f.moment().Add(-tseras.VisitLength),
	}).Scan(&v.ID, &v.Subject, &v.Began)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return v, tseras.ErrVisit
	case err != nil:
		return v, fmt.Errorf("tserasdb: visit: %w", err)
	}
	p, err := registrydb.Reader{Pool: q}.Person(ctx, v.Subject)
	v.Name = p.Name
	return v, err
}

const sqlEndVisit = `
	INSERT INTO filing_ends (visit, at)
	VALUES (@visit, @now)
	ON CONFLICT DO NOTHING`

// End closes the person's page, because he has gone.
func (f Filing) End(ctx context.Context, by tseras.Clerk, id string) error {
	v, err := f.Visit(ctx, by, id)
	if errors.Is(err, tseras.ErrVisit) {
		return nil // it is closed
	}
	if err != nil {
		return err
	}
	if _, err := f.Pool.Exec(ctx, sqlEndVisit, pgx.NamedArgs{"visit": v.ID, "now": f.moment()}); err != nil {
		return fmt.Errorf("tserasdb: end of visit: %w", err)
	}
	return nil
}

// Apply opens an assessment of the person who is present, one a visit: sent twice it is one case.
func (f Filing) Apply(ctx context.Context, by tseras.Clerk, visit string) (c casework.Case, err error) {
	err = f.again(ctx, func(tx pgx.Tx) error {
		v, err := f.visit(ctx, tx, by, visit)
		if err != nil {
			return err
		}
		c, _, err = f.open(ctx, tx, v.Subject, by.Actor(), "applied", "clerk:"+v.ID)
		return err
	})
	return c, err
}

// Withdraw takes back what the person who is present, or a clerk for him, asked for: an application, an appeal, a correction.
func (f Filing) Withdraw(ctx context.Context, by tseras.Clerk, visit, number string) error {
	v, err := f.Visit(ctx, by, visit)
	if err != nil {
		return err
	}
	return f.Desk.Withdraw(ctx, v.Subject, number, by.Actor())
}

// Appeal opens an appeal of the person who is present, against a decision of his. key is the form's own: sent twice it is one appeal.
func (f Filing) Appeal(ctx context.Context, by tseras.Clerk, visit, number string, about tseras.Dispute, key string) (casework.Case, error) {
	v, err := f.Visit(ctx, by, visit)
	if err != nil {
		return casework.Case{}, err
	}
	return f.Desk.Appeal(ctx, v.Subject, number, by.Actor(), about, keyOf(v, key))
}

// AskCorrection opens a case in which an agency is asked to correct what its register answered about the person who is present. key is the
// form's own: sent twice it is one case.
func (f Filing) AskCorrection(ctx context.Context, by tseras.Clerk, visit, about string, r tseras.Register, wrong tseras.Wrong, words, key string) (casework.Case, error) {
	v, err := f.Visit(ctx, by, visit)
	if err != nil {
		return casework.Case{}, err
	}
	return f.Desk.AskCorrection(ctx, v.Subject, about, r, wrong, words, by.Actor(), keyOf(v, key))
}

// keyOf is a form's key, of this visit alone: what another clerk's form or the person's own bears is another request.
func keyOf(v tseras.Visit, key string) string { return "clerk:" + v.ID + ":" + key }

const sqlDoneInVisit = `
	SELECT s.at, s.office, @name::text, c.number, c.kind, s.what
	FROM case_steps s
	JOIN cases c ON c.id = s.case_id
	WHERE c.subject = @subject AND s.part = 'clerk' AND s.actor_fin = @clerk AND s.at >= @since
	ORDER BY s.at, s.case_id, s.seq`

// Cases are those of the person's cases that a clerk may see: what is under way, what can be appealed, and what he himself did just now.
func (f Filing) Cases(ctx context.Context, by tseras.Clerk, v tseras.Visit) (cases []casework.Case, done []tseras.Filed, err error) {
	rows, _ := f.Pool.Query(ctx, sqlDoneInVisit, pgx.NamedArgs{"subject": v.Subject, "clerk": by.FIN, "name": by.Name, "since": v.Began}) // the error comes out of Collect
	if done, err = pgx.CollectRows(rows, pgx.RowToStructByPos[tseras.Filed]); err != nil {
		return nil, nil, fmt.Errorf("tserasdb: visit: %w", err)
	}
	all, err := caseworkdb.Of(ctx, f.Pool, v.Subject)
	if err != nil {
		return nil, nil, err
	}
	shown := map[string]bool{}
	for _, d := range done {
		shown[d.Number] = true
	}
	for _, c := range tseras.Appealable(all, f.moment()) {
		shown[c.Number] = true
	}
	for _, c := range all {
		if shown[c.Number] || !tseras.Machine.Closed(c.Kind, c.State) {
			cases = append(cases, c)
		}
	}
	return cases, done, nil
}

// filedShown is how many of the clerks' acts a person sees on one page.
const filedShown = 100

// The office and name by which a clerk is told are those of his latest visit before the act.
const sqlFiled = `
	SELECT t.at, t.office, t.clerk, '', '', ''
	FROM filing_tries t
	WHERE t.subject = @subject AND @number = ''
	UNION ALL
	SELECT s.at, s.office, coalesce((SELECT t.clerk FROM filing_tries t WHERE t.subject = @subject AND t.clerk_fin = s.actor_fin AND t.at <= s.at
	                                 ORDER BY t.at DESC LIMIT 1), ''), c.number, c.kind, s.what
	FROM cases c
	JOIN case_steps s ON s.case_id = c.id
	WHERE c.subject = @subject AND s.part = 'clerk' AND (@number = '' OR c.number = @number)
	ORDER BY 1 DESC
	LIMIT @limit`

// Filed is what clerks did for a person, the latest first; of one case alone where its number is given.
func (d Desk) Filed(ctx context.Context, subject tesdiq.FIN, number string) ([]tseras.Filed, error) {
	return filed(ctx, d.Pool, subject, number)
}

func filed(ctx context.Context, q queryer, subject tesdiq.FIN, number string) ([]tseras.Filed, error) {
	rows, _ := q.Query(ctx, sqlFiled, pgx.NamedArgs{"subject": subject, "number": number, "limit": filedShown}) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tseras.Filed])
	if err != nil {
		return nil, fmt.Errorf("tserasdb: filed: %w", err)
	}
	return all, nil
}
