// Package inspectiondb reads what inspectors see, as a role that can read no person: views without persons, counts, and a
// function that gives a name for a look that is committed and told.
package inspectiondb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
)

// Inspector reads for inspectors.
type Inspector struct {
	Pool     *pgxpool.Pool // as tesdiq_inspection
	Calendar *tesdiq.Calendar
	Now      func() time.Time
	Rand     io.Reader // of looks' names and the ledger lines' keys
	Log      *slog.Logger
	Alarm    func() // an officer looked at unusually many cases; may be nil
}

func (i Inspector) today() tesdiq.Date { return tesdiq.DateOf(i.Now()) }

// begin is the moment at which a day begins in Baku.
func begin(d tesdiq.Date) time.Time { return d.Start() }

func rows[T any](ctx context.Context, i Inspector, what, sql string, args pgx.NamedArgs) ([]T, error) {
	found, _ := i.Pool.Query(ctx, sql, args) // the error comes out of Collect
	all, err := pgx.CollectRows(found, pgx.RowToStructByPos[T])
	if err != nil {
		return nil, fmt.Errorf("inspectiondb: %s: %w", what, err)
	}
	return all, nil
}

const sqlStandings = `
	SELECT kind, state, turn, count(*), count(*) FILTER (WHERE due_by <= @near AND due_by >= @today AND began < @today), count(*) FILTER (WHERE due_by < @today)
	FROM inspection_cases
	WHERE NOT closed
	GROUP BY kind, state, turn
	ORDER BY kind, state, turn`

// Standings are how many open cases stand where, and how many of their clocks are near or over.
func (i Inspector) Standings(ctx context.Context) ([]inspection.Standing, error) {
	near, err := casework.Near(i.Calendar, i.today())
	if err != nil {
		return nil, err
	}
	return rows[inspection.Standing](ctx, i, "standings", sqlStandings, pgx.NamedArgs{"today": i.today(), "near": near})
}

const sqlOverdue = `
	SELECT id, number, kind, state, opened_at, turn, began, due_by, provisional
	FROM inspection_cases
	WHERE NOT closed AND due_by < @today
	ORDER BY due_by, id
	LIMIT @limit OFFSET @skip`

// Overdue are the open cases whose last day has passed, the longest over first.
func (i Inspector) Overdue(ctx context.Context, skip, limit int) ([]inspection.Case, error) {
	found, _ := i.Pool.Query(ctx, sqlOverdue, pgx.NamedArgs{"today": i.today(), "skip": skip, "limit": limit}) // the error comes out of Collect
	all, err := pgx.CollectRows(found, scanCase)
	if err != nil {
		return nil, fmt.Errorf("inspectiondb: overdue: %w", err)
	}
	return all, nil
}

func scanCase(row pgx.CollectableRow) (c inspection.Case, err error) {
	err = row.Scan(&c.ID, &c.Number, &c.Kind, &c.State, &c.Opened, &c.Clock.Turn, &c.Clock.Began, &c.Clock.DueBy, &c.Clock.Provisional)
	return c, err
}

const sqlRounds = `
	SELECT round, committed_at, opened_at, drawings
	FROM inspection_rounds
	WHERE opened_at >= @since AND opened_at < @until
	ORDER BY opened_at DESC, round DESC
	LIMIT @limit OFFSET @skip`

// Rounds are the rounds that were drawn in a period, the latest first.
func (i Inspector) Rounds(ctx context.Context, p inspection.Period, skip, limit int) ([]inspection.Round, error) {
	return rows[inspection.Round](ctx, i, "rounds", sqlRounds, pgx.NamedArgs{"since": begin(p.From), "until": begin(p.Until), "skip": skip, "limit": limit})
}

const sqlTallies = `
	SELECT role, candidate, count(*), count(*) FILTER (WHERE drawn), sum(places::float8 / candidates)
	FROM inspection_lots
	WHERE opened_at >= @since AND opened_at < @until
	GROUP BY role, candidate
	ORDER BY role, candidate`

// Tallies are how often each commission and member was drawn in a period.
func (i Inspector) Tallies(ctx context.Context, p inspection.Period) ([]inspection.Tally, error) {
	return rows[inspection.Tally](ctx, i, "tallies", sqlTallies, pgx.NamedArgs{"since": begin(p.From), "until": begin(p.Until)})
}

const sqlContradictions = `
	SELECT number, decided_at, commission, member_id, explains
	FROM inspection_contradictions
	WHERE decided_at >= @since AND decided_at < @until
	ORDER BY decided_at DESC, number
	LIMIT @limit OFFSET @skip`

const sqlRefusals = `
	SELECT number, signed_at, commission, member_id, reason
	FROM inspection_refusals
	WHERE signed_at >= @since AND signed_at < @until
	ORDER BY signed_at DESC, number
	LIMIT @limit OFFSET @skip`

const sqlFurther = `
	SELECT number, seated_at, commission, member_id, ''
	FROM inspection_further
	WHERE seated_at >= @since AND seated_at < @until
	ORDER BY seated_at DESC, number
	LIMIT @limit OFFSET @skip`

const sqlPassed = `
	SELECT number, at, commission, member_id, why
	FROM inspection_passed
	WHERE at >= @since AND at < @until
	ORDER BY at DESC, number
	LIMIT @limit OFFSET @skip`

// Findings are, of a period, "contradictions", "refusals", "passed" or "further" members, the latest first.
func (i Inspector) Findings(ctx context.Context, what string, p inspection.Period, skip, limit int) ([]inspection.Finding, error) {
	sql := map[string]string{"contradictions": sqlContradictions, "refusals": sqlRefusals, "passed": sqlPassed, "further": sqlFurther}[what]
	return rows[inspection.Finding](ctx, i, what, sql, pgx.NamedArgs{"since": begin(p.From), "until": begin(p.Until), "skip": skip, "limit": limit})
}

const sqlLookers = `
	SELECT day, part, office, who, looks, cases, unrelated, misses
	FROM inspection_lookers
	WHERE day >= @since AND day < @until
	ORDER BY unrelated >= @alarm OR misses >= @alarm DESC, day DESC, cases DESC, part, office, who
	LIMIT @limit OFFSET @skip`

// Lookers are who looked at how many cases on which day of a period, what is unusual first.
func (i Inspector) Lookers(ctx context.Context, p inspection.Period, skip, limit int) ([]inspection.Looker, error) {
	return rows[inspection.Looker](ctx, i, "lookers", sqlLookers,
		pgx.NamedArgs{"since": p.From, "until": p.Until, "skip": skip, "limit": limit, "alarm": inspection.AlarmAt})
}

const sqlTotals = `
	SELECT dimension, value, cases, days
	FROM inspection_totals(@since, @until)
	ORDER BY dimension, value`

const sqlQuarter = `
	SELECT dimension, value, cases, days
	FROM inspection_quarter(@quarter)
	ORDER BY dimension, value`

// Statistics are how many cases were closed in a period; and, where it is a quarter that is over, how. What is small leaves this package
// together with other numbers alone (inspection.Publish).
func (i Inspector) Statistics(ctx context.Context, p inspection.Period) (s inspection.Statistics, err error) {
	if s.Totals, err = i.counts(ctx, sqlTotals, pgx.NamedArgs{"since": begin(p.From), "until": begin(p.Until)}); err != nil {
		return s, err
	}
	if !slices.Contains(inspection.Quarters(i.today()), p) {
		return s, nil
	}
	of, err := i.counts(ctx, sqlQuarter, pgx.NamedArgs{"quarter": p.From})
	if err != nil {
		return s, err
	}
	s.Tables = inspection.Publish(of)
	return s, nil
}

func (i Inspector) counts(ctx context.Context, sql string, args pgx.NamedArgs) (map[string][]inspection.Count, error) {
	found, _ := i.Pool.Query(ctx, sql, args) // the error comes out of ForEachRow
	all := map[string][]inspection.Count{}
	var dimension string
	var c inspection.Count
	_, err := pgx.ForEachRow(found, []any{&dimension, &c.Value, &c.Cases, &c.Days}, func() error {
		all[dimension] = append(all[dimension], c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("inspectiondb: counts: %w", err)
	}
	return all, nil
}

const sqlLockLooks = `SELECT pg_advisory_xact_lock(hashtextextended('inspection ' || @officer, 0))`

const sqlLooksToday = `
	SELECT count(*)
	FROM inspection_looks
	WHERE officer_fin = @officer AND at >= @since`

const sqlFind = `
	SELECT id
	FROM inspection_cases
	WHERE number = @number`

const sqlLook = `
	INSERT INTO inspection_looks (token, case_id, organisation_id, office, officer_fin, officer, purpose, at)
	VALUES (@token, @case, @organisation, @office, @officer, @name, @purpose, @now)
	RETURNING id`

// Look writes down that an officer looks at a case, and for what, before anything is shown; the person is told with it. What
// comes back names the look. casework.ErrMissing where there is no such case; a Problem of kind TooMany, "inspection.most", when he looked at
// too many today; "inspection.purpose" for a purpose that is none.
func (i Inspector) Look(ctx context.Context, by inspection.Officer, number string, purpose inspection.Purpose) (token string, err error) {
	if !slices.Contains(inspection.Purposes, purpose) {
		return "", tesdiq.Invalid("inspection.purpose").In("purpose")
	}
	if token, err = tesdiq.RandomText(i.Rand, inspection.TokenLength); err != nil {
		return "", err
	}
	looks := 0
	err = pgx.BeginFunc(ctx, i.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockLooks, pgx.NamedArgs{"officer": by.FIN}); err != nil {
			return fmt.Errorf("inspectiondb: look: %w", err)
		}
		if err := tx.QueryRow(ctx, sqlLooksToday, pgx.NamedArgs{"officer": by.FIN, "since": begin(i.today())}).Scan(&looks); err != nil {
			return fmt.Errorf("inspectiondb: look: %w", err)
		}
		if looks++; looks > inspection.MostADay {
			return tesdiq.NewProblem(tesdiq.TooMany, "inspection.most")
		}
		l := inspection.Look{Token: token, Organisation: by.Organisation, Office: by.Office, OfficerFIN: by.FIN, Officer: by.Name, Purpose: purpose,
			At: i.Now().UTC().Truncate(time.Microsecond)}
		err := tx.QueryRow(ctx, sqlFind, pgx.NamedArgs{"number": number}).Scan(&l.Case)
		if errors.Is(err, pgx.ErrNoRows) {
			return casework.ErrMissing
		}
		if err != nil {
			return fmt.Errorf("inspectiondb: look: %w", err)
		}
		if err := tx.QueryRow(ctx, sqlLook, pgx.NamedArgs{"token": l.Token, "case": l.Case, "organisation": l.Organisation, "office": l.Office,
			"officer": l.OfficerFIN, "name": l.Officer, "purpose": l.Purpose, "now": l.At}).Scan(&l.ID); err != nil {
			return fmt.Errorf("inspectiondb: look: %w", err)
		}
		content, err := l.Content()
		if err != nil {
			return err
		}
		line, err := ledger.NewLine(i.Rand, ledger.Look, "inspection/"+strconv.FormatInt(l.ID, 10), content)
		if err != nil {
			return err
		}
		return ledgerdb.Append(ctx, tx, line)
	})
	if err == nil && looks >= inspection.AlarmAt {
		i.Log.WarnContext(ctx, "an inspector looks at unusually many cases by name", "organisation", by.Organisation, "looks", looks)
		if i.Alarm != nil {
			i.Alarm()
		}
	}
	return token, err
}

const sqlLooked = `
	SELECT id, token, case_id, organisation_id, office, officer_fin, officer, purpose, at
	FROM inspection_looks
	WHERE token = @token AND officer_fin = @officer AND organisation_id = @organisation AND at > @since`

const sqlCase = `
	SELECT id, number, kind, state, opened_at, turn, began, due_by, provisional
	FROM inspection_cases
	WHERE id = @id`

const sqlPerson = `
	SELECT surname, given, father
	FROM inspection_person(@token, @officer)`

const sqlSteps = `
	SELECT seq, to_state, at, part, office, what, due_by
	FROM inspection_steps
	WHERE case_id = @id
	ORDER BY seq DESC`

const sqlRings = `
	SELECT alarm, turn, due_by, at
	FROM case_alarms
	WHERE case_id = @id
	ORDER BY at DESC`

// Show shows a case for a look of the same officer that is not over; else casework.ErrMissing.
func (i Inspector) Show(ctx context.Context, by inspection.Officer, token string) (s inspection.Shown, err error) {
	looks, err := rows[inspection.Look](ctx, i, "look", sqlLooked, pgx.NamedArgs{
		"token": token, "officer": by.FIN, "organisation": by.Organisation, "since": i.Now().Add(-inspection.LookLength),
	})
	if err != nil {
		return s, err
	}
	if len(looks) != 1 {
		return s, casework.ErrMissing
	}
	s.Look = looks[0]
	found, _ := i.Pool.Query(ctx, sqlCase, pgx.NamedArgs{"id": s.Look.Case}) // the error comes out of Collect
	if s.Case, err = pgx.CollectExactlyOneRow(found, scanCase); err != nil {
		return s, fmt.Errorf("inspectiondb: case: %w", err)
	}
	err = i.Pool.QueryRow(ctx, sqlPerson, pgx.NamedArgs{"token": token, "officer": by.FIN}).Scan(&s.Name.Surname, &s.Name.Given, &s.Name.Father)
	if err != nil {
		return s, fmt.Errorf("inspectiondb: person: %w", err)
	}
	if s.Steps, err = rows[inspection.Step](ctx, i, "steps", sqlSteps, pgx.NamedArgs{"id": s.Look.Case}); err != nil {
		return s, err
	}
	s.Rings, err = rows[inspection.Ring](ctx, i, "rings", sqlRings, pgx.NamedArgs{"id": s.Look.Case})
	return s, err
}
