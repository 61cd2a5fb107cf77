package tserasdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
)

// Drawer draws commissions for cases, in rounds. Any number of processes may run it; one draws at a time.
type Drawer struct {
	Pool     *pgxpool.Pool // as tesdiq_casework
	Key      tseras.DrawKey
	Calendar *tesdiq.Calendar
	Now      func() time.Time
	Rand     io.Reader // of references, salts, blind numbers and the ledger lines' keys; never of a lot
	Log      *slog.Logger
}

// drawBatch is how many cases one round draws for at most; the others wait for the next.
var drawBatch = 200 // a test makes it small

const sqlLockDraws = `SELECT pg_advisory_xact_lock(hashtextextended('tseras draws', 0))`

const sqlOpenRound = `
	SELECT r.round
	FROM draw_rounds r
	LEFT JOIN draw_seeds s ON s.round = r.round
	WHERE s.round IS NULL
	ORDER BY r.round DESC
	LIMIT 1`

const sqlLastRound = `SELECT coalesce(max(round), 0) FROM draw_rounds`

const sqlCommit = `
	INSERT INTO draw_rounds (round, commitment, committed_at)
	VALUES (@round, @commitment, @now)`

const sqlOpenSeed = `
	INSERT INTO draw_seeds (round, seed, opened_at)
	VALUES (@round, @seed, @now)`

// The cases for which a commission or a further member is to be drawn. A case that came after the round's commitment is
// drawn for as well: the commitment stood before anybody could know that it would come.
const sqlToDraw = `
	SELECT c.id
	FROM cases c
	WHERE c.procedure = 'tseras' AND c.kind IN ('assessment', 'appeal') AND c.id > @after AND c.state IN ('awaiting_draw', 'further_member')
	  AND (c.state = 'awaiting_draw'
	       OR c.state = 'further_member' AND NOT EXISTS (SELECT FROM drawings d WHERE d.case_id = c.id AND d.seq = c.seq))
	ORDER BY c.id
	LIMIT @batch`

// Draw commits to a round if none is open, and else closes the open one: it draws for all cases that wait, opens the
// seed and commits to the next round, all in one transaction. It returns for how many cases it drew. While no case waits
// the round stays open.
func (d *Drawer) Draw(ctx context.Context) (drawn int, err error) {
	err = pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		drawn = 0
		if _, err := tx.Exec(ctx, sqlLockDraws); err != nil {
			return fmt.Errorf("tserasdb: draws: %w", err)
		}
		now := d.Now().UTC().Truncate(time.Microsecond)
		var round int64
		err := tx.QueryRow(ctx, sqlOpenRound).Scan(&round)
		if errors.Is(err, pgx.ErrNoRows) {
			if err := tx.QueryRow(ctx, sqlLastRound).Scan(&round); err != nil {
				return fmt.Errorf("tserasdb: draws: %w", err)
			}
			return d.commit(ctx, tx, round+1, now)
		}
		if err != nil {
			return fmt.Errorf("tserasdb: draws: %w", err)
		}
		if drawn, err = d.waiting(ctx, tx, round, now); err != nil || drawn == 0 {
			return err // nobody waits, or nobody may be drawn for any of them: the round stays open
		}
		seed := d.Key.Seed(round)
		if _, err := tx.Exec(ctx, sqlOpenSeed, pgx.NamedArgs{"round": round, "seed": seed[:], "now": now}); err != nil {
			return fmt.Errorf("tserasdb: round %d: %w", round, err)
		}
		return d.commit(ctx, tx, round+1, now)
	})
	return drawn, err
}

// waiting draws for a batch of the cases that wait; those for which nobody may be drawn keep no others waiting.
func (d *Drawer) waiting(ctx context.Context, tx pgx.Tx, round int64, now time.Time) (drawn int, err error) {
	for after := casework.ID(0); drawn == 0; {
		rows, _ := tx.Query(ctx, sqlToDraw, pgx.NamedArgs{"after": after, "batch": drawBatch}) // the error comes out of Collect
		ids, err := pgx.CollectRows(rows, pgx.RowTo[casework.ID])
		if err != nil {
			return 0, fmt.Errorf("tserasdb: draws: %w", err)
		}
		if len(ids) == 0 {
			return 0, nil
		}
		if drawn, err = d.round(ctx, tx, round, ids, now); err != nil {
			return 0, err
		}
		after = ids[len(ids)-1]
	}
	return drawn, nil
}

// commit publishes the commitment to a round's seed.
func (d *Drawer) commit(ctx context.Context, tx pgx.Tx, round int64, now time.Time) error {
	commitment := d.Key.Seed(round).Commitment(round)
	if _, err := tx.Exec(ctx, sqlCommit, pgx.NamedArgs{"round": round, "commitment": commitment[:], "now": now}); err != nil {
		return fmt.Errorf("tserasdb: round %d: %w", round, err)
	}
	line, err := ledger.NewLine(d.Rand, ledger.Round, strconv.FormatInt(round, 10), commitment[:])
	if err != nil {
		return err
	}
	return ledgerdb.Append(ctx, tx, line)
}

// round draws for cases. Those that somebody else is changing are left for the next round, those for which nobody may be
// drawn too.
func (d *Drawer) round(ctx context.Context, tx pgx.Tx, round int64, ids []casework.ID, now time.Time) (int, error) {
	all, err := commissions(ctx, tx)
	if err != nil {
		return 0, err
	}
	book := &slotBook{calendar: d.Calendar, today: tesdiq.DateOf(now)}
	drawn := 0
	for _, state := range []casework.State{tseras.AwaitingDraw, tseras.FurtherMember} {
		cases, err := caseworkdb.LockAll(ctx, tx, tseras.Procedure, "", state, ids)
		if err != nil {
			return 0, err
		}
		for _, c := range cases {
			// What is wrong with one case must not keep the others waiting: each has a savepoint.
			err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return d.one(ctx, tx, round, c, all, book, now) })
			switch {
			case errors.Is(err, tseras.ErrNobody):
				d.Log.WarnContext(ctx, "nobody may be drawn for a case", "case", c.Number)
			case err != nil:
				d.Log.ErrorContext(ctx, "a case cannot be drawn for", "case", c.Number, "err", err)
			default:
				drawn++
			}
		}
	}
	return drawn, nil
}

// refLength is the length of a drawing's reference, in characters of five random bits.
const refLength = 16

// one draws for one case.
func (d *Drawer) one(ctx context.Context, tx pgx.Tx, round int64, c casework.Case, all []tseras.Commission, book *slotBook, now time.Time) error {
	f, err := fileOf(ctx, tx, c)
	if err != nil {
		return err
	}
	ref, err := tesdiq.RandomText(d.Rand, refLength)
	if err != nil {
		return err
	}
	barred, err := d.barred(ctx, tx, f)
	if err != nil {
		return err
	}
	seed := d.Key.Seed(round)
	if c.State == tseras.FurtherMember {
		b, err := benchOf(ctx, tx, c)
		if err != nil {
			return err
		}
		drawing, err := seed.DrawFurther(round, ref, all, barred, b.panel, tseras.FurtherWanted(len(b.seats)))
		if err != nil {
			return err
		}
		if c, err = d.able(ctx, tx, c, now); err != nil {
			return err
		}
		if err := d.publish(ctx, tx, c, drawing); err != nil {
			return err
		}
		return seat(ctx, tx, b.number, c.Seq, drawing, now)
	}
	if c.Kind == tseras.Appeal {
		if all, err = book.open(ctx, tx, all); err != nil {
			return err
		}
	}
	before, err := drawnBefore(ctx, tx, c, now)
	if err != nil {
		return err
	}
	drawing, err := seed.DrawPanelAgain(round, ref, all, barred, before)
	if err != nil {
		return err
	}
	if err := d.publish(ctx, tx, c, drawing); err != nil {
		return err
	}
	number, slots, err := d.blind(ctx, tx, f, now)
	if err != nil {
		return err
	}
	if err := seat(ctx, tx, number, c.Seq, drawing, now); err != nil {
		return err
	}
	clock, err := casework.Clocks().Start(d.Calendar, c, tseras.Drawn, again(c), tesdiq.DateOf(now))
	if err != nil {
		return err
	}
	var args map[string]string
	var slot tseras.Slot
	if c.Kind == tseras.Appeal {
		if slot, err = book.give(ctx, tx, drawing.Drawn(tseras.Panel)[0], number, slots+1, now); err != nil {
			return err
		}
		args = slotArgs(slot)
	}
	after, step, err := tseras.Machine.Move(c, tseras.Drawn, casework.Actor{Part: casework.BySystem}, "drawn", args, clock, now)
	if err != nil {
		return err
	}
	if c.Kind == tseras.Appeal {
		if err := tellAppeal(ctx, tx, after, "slot", args, now); err != nil {
			return err
		}
	}
	return caseworkdb.Write(ctx, tx, d.Rand, tseras.Procedure, caseworkdb.Moved{Case: after, Step: step})
}

// Who had a part in a case already: the clerks who acted for the person, and those who sit, under whatever number they were members.
const sqlHadAPart = `
	SELECT DISTINCT actor_fin FROM case_steps WHERE case_id = @id AND part = 'clerk'
	UNION
	SELECT m.fin FROM tseras_blind b JOIN tseras_seats s ON s.number = b.number JOIN commission_members m ON m.id = s.member_id WHERE b.case_id = @id`

// The commissions that were drawn for a case.
const sqlHadIt = `
	SELECT m.commission_id
	FROM tseras_blind b
	JOIN tseras_seats s ON s.number = b.number AND s.role = 'chair'
	JOIN commission_members m ON m.id = s.member_id
	WHERE b.case_id = @id`

// barred is who must not be drawn for a case: by what is known of it, and whoever had a part in it already. People are left out, not accounts.
func (d *Drawer) barred(ctx context.Context, tx pgx.Tx, f tseras.File) (tseras.Barred, error) {
	b := f.Barred()
	rows, _ := tx.Query(ctx, sqlHadAPart, pgx.NamedArgs{"id": f.Case.ID}) // the error comes out of Collect
	people, err := pgx.CollectRows(rows, pgx.RowTo[tesdiq.FIN])
	if err != nil {
		return b, fmt.Errorf("tserasdb: who had a part in case %d: %w", f.Case.ID, err)
	}
	b.People = append(b.People, people...)
	rows, _ = tx.Query(ctx, sqlHadIt, pgx.NamedArgs{"id": f.Case.ID}) // the error comes out of Collect
	had, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return b, fmt.Errorf("tserasdb: commissions of case %d: %w", f.Case.ID, err)
	}
	b.Commissions = append(b.Commissions, had...)
	return b, nil
}

// The person's latest earlier case of the kind for which a commission was drawn, if he withdrew it, and not long ago.
const sqlDrawnBefore = `
	SELECT m.commission_id, s.member_id, s.role = 'chair'
	FROM (SELECT p.id, p.state, p.seq, b.number
	      FROM cases p JOIN tseras_blind b ON b.case_id = p.id
	      WHERE p.subject = @subject AND p.kind = @kind AND p.id < @case ORDER BY p.id DESC LIMIT 1) p
	JOIN case_steps t ON t.case_id = p.id AND t.seq = p.seq
	JOIN tseras_seats s ON s.number = p.number AND s.role <> 'further' AND ` + attends + `
	JOIN commission_members m ON m.id = s.member_id
	WHERE p.state = 'withdrawn' AND t.at >= @since
	ORDER BY s.member_id`

// drawnBefore is who was drawn for the case that the person withdrew before this one.
func drawnBefore(ctx context.Context, tx pgx.Tx, c casework.Case, now time.Time) (b tseras.DrawnBefore, err error) {
	rows, _ := tx.Query(ctx, sqlDrawnBefore, pgx.NamedArgs{
		"subject": c.Subject, "kind": c.Kind, "case": c.ID, "since": now.AddDate(0, -tseras.AgainMonths, 0),
	}) // the error comes out of ForEachRow
	var member tseras.MemberID
	var chair bool
	_, err = pgx.ForEachRow(rows, []any{&b.Commission, &member, &chair}, func() error {
		if b.Members = append(b.Members, member); chair {
			b.Chair = member
		}
		return nil
	})
	if err != nil {
		return b, fmt.Errorf("tserasdb: drawn before case %d: %w", c.ID, err)
	}
	return b, nil
}

const sqlDrawing = `
	INSERT INTO drawings (round, ref, case_id, seq, commitment, salt, drawing)
	VALUES (@round, @ref, @case, @seq, @commitment, @salt, @drawing)`

// publish writes a drawing, which the case's latest step calls for, with the commitment by which it is published, and its ledger line.
func (d *Drawer) publish(ctx context.Context, tx pgx.Tx, c casework.Case, drawing tseras.Drawing) error {
	salt := make([]byte, tseras.SaltSize)
	if _, err := io.ReadFull(d.Rand, salt); err != nil {
		return fmt.Errorf("salt: %w", err)
	}
	commitment, err := drawing.Commitment(salt)
	if err != nil {
		return err
	}
	text, err := json.Marshal(drawing)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, sqlDrawing, pgx.NamedArgs{
		"round": drawing.Round, "ref": drawing.Ref, "case": c.ID, "seq": c.Seq, "commitment": commitment[:], "salt": salt, "drawing": text,
	}); err != nil {
		return err
	}
	line, err := ledger.NewLine(d.Rand, ledger.Drawing, strconv.FormatInt(drawing.Round, 10)+"/"+drawing.Ref, commitment[:])
	if err != nil {
		return err
	}
	return ledgerdb.Append(ctx, tx, line)
}

const sqlBlind = `
	INSERT INTO tseras_blind (number, case_id, referral)
	VALUES (@number, @case, @referral)`

func insertBlind(ctx context.Context, tx pgx.Tx, number tseras.BlindNumber, id casework.ID, b tseras.BlindReferral) error {
	_, err := tx.Exec(ctx, sqlBlind, pgx.NamedArgs{"number": number, "case": id, "referral": b})
	return err
}

const sqlSeat = `
	INSERT INTO tseras_seats (number, member_id, role, seq, seated_at)
	SELECT @number, a.member, a.role, @seq, @now
	FROM unnest(@members::text[], @roles::text[]) AS a (member, role)`

// seat gives those who were drawn their seats, which a step of the case calls for.
func seat(ctx context.Context, tx pgx.Tx, number tseras.BlindNumber, seq int, drawing tseras.Drawing, now time.Time) error {
	var members, roles []string
	for _, role := range []tseras.Role{tseras.Chair, tseras.Member, tseras.Further} {
		for _, m := range drawing.Drawn(role) {
			members, roles = append(members, m), append(roles, string(role))
		}
	}
	_, err := tx.Exec(ctx, sqlSeat, pgx.NamedArgs{"number": number, "seq": seq, "members": members, "roles": roles, "now": now})
	return err
}

const sqlCommissions = `
	SELECT c.id, c.name, c.districts, m.id, m.fin, m.chair
	FROM commissions c
	JOIN commission_members m ON m.commission_id = c.id
	WHERE c.closed_at IS NULL AND m.ended_at IS NULL
	ORDER BY c.id, m.id`

// commissions are all that may be drawn, with their members of now.
func commissions(ctx context.Context, tx pgx.Tx) ([]tseras.Commission, error) {
	rows, _ := tx.Query(ctx, sqlCommissions) // the error comes out of ForEachRow
	var all []tseras.Commission
	var c tseras.Commission
	var m tseras.CommissionMember
	_, err := pgx.ForEachRow(rows, []any{&c.ID, &c.Name, &c.Districts, &m.ID, &m.FIN, &m.Chair}, func() error {
		if len(all) == 0 || all[len(all)-1].ID != c.ID {
			all = append(all, c)
		}
		last := &all[len(all)-1]
		last.Members = append(last.Members, m)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tserasdb: commissions: %w", err)
	}
	return all, nil
}

const sqlRound = `
	SELECT r.commitment, s.seed
	FROM draw_rounds r
	LEFT JOIN draw_seeds s ON s.round = r.round
	WHERE r.round = @round`

// opened says whether a drawing is open: its case is closed, and if the person withdrew it, so long ago that the same members would not be
// drawn for him again. They could else read from the districts that were left out where the person of their next case lives.
const opened = `(c.state IN ('decided', 'declined', 'lapsed') OR c.state = 'withdrawn' AND t.at < @since)`

const sqlDrawings = `
	SELECT d.ref, d.commitment, d.salt, d.drawing, ` + opened + `
	FROM drawings d
	JOIN cases c ON c.id = d.case_id
	JOIN case_steps t ON t.case_id = c.id AND t.seq = c.seq
	WHERE d.round = @round
	ORDER BY d.ref`

// Rounds reads what is public of the draws.
type Rounds struct {
	Pool *pgxpool.Pool // as tesdiq_casework
	Now  func() time.Time
}

// since is from when on a withdrawal keeps its drawing sealed.
func (r Rounds) since() time.Time { return r.Now().AddDate(0, -tseras.AgainMonths, 0) }

// Round is what is public of a round: drawings are sealed until their case is closed. casework.ErrMissing when there is none.
func (r Rounds) Round(ctx context.Context, n int64) (tseras.Round, error) {
	round := tseras.Round{Number: n}
	var seed []byte
	err := r.Pool.QueryRow(ctx, sqlRound, pgx.NamedArgs{"round": n}).Scan(&round.Commitment, &seed)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return round, casework.ErrMissing
	case err != nil:
		return round, fmt.Errorf("tserasdb: round %d: %w", n, err)
	case seed == nil:
		return round, nil
	}
	round.Seed = (*tseras.Seed)(seed)
	rows, _ := r.Pool.Query(ctx, sqlDrawings, pgx.NamedArgs{"round": n, "since": r.since()}) // the error comes out of ForEachRow
	var sealed tseras.Sealed
	var opening tseras.Opening
	var text []byte
	var open bool
	_, err = pgx.ForEachRow(rows, []any{&sealed.Ref, &sealed.Commitment, &opening.Salt, &text, &open}, func() error {
		round.Drawings = append(round.Drawings, tseras.Sealed{Ref: sealed.Ref, Commitment: append([]byte(nil), sealed.Commitment...)})
		if !open {
			return nil
		}
		o := tseras.Opening{Salt: append([]byte(nil), opening.Salt...)}
		if err := json.Unmarshal(text, &o.Drawing); err != nil {
			return err
		}
		round.Opened = append(round.Opened, o)
		return nil
	})
	if err != nil {
		return round, fmt.Errorf("tserasdb: round %d: %w", n, err)
	}
	return round, nil
}

const sqlRounds = `
	SELECT r.round, r.committed_at, s.opened_at, count(d.ref), count(d.ref) FILTER (WHERE ` + opened + `)
	FROM draw_rounds r
	LEFT JOIN draw_seeds s ON s.round = r.round
	LEFT JOIN drawings d ON d.round = r.round
	LEFT JOIN cases c ON c.id = d.case_id
	LEFT JOIN case_steps t ON t.case_id = c.id AND t.seq = c.seq
	WHERE r.round < @before
	GROUP BY r.round, r.committed_at, s.opened_at
	ORDER BY r.round DESC
	LIMIT @limit`

// List are up to limit rounds before one, the newest first.
func (r Rounds) List(ctx context.Context, before int64, limit int) ([]tseras.RoundSummary, error) {
	rows, _ := r.Pool.Query(ctx, sqlRounds, pgx.NamedArgs{"before": before, "limit": limit, "since": r.since()}) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tseras.RoundSummary])
	if err != nil {
		return nil, fmt.Errorf("tserasdb: rounds: %w", err)
	}
	return all, nil
}
