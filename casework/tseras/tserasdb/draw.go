package tserasdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
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

	behind atomic.Int64 // the case behind which the next call begins to look; 0: with the oldest
}

// drawBatch is how many cases are held and drawn for together. A call ends when it has drawn for as many; the others wait for the next.
var drawBatch = 200 // a test makes it small

// drawLooks is how many such batches one call looks at, where for most nobody may be drawn: its transaction holds no more than 2,000 cases.
// The next call goes on behind them.
var drawLooks = 10 // a test makes it small

// ahead is how many rounds are committed to and not drawn. Nobody is drawn by a round that is younger than the step that called for the draw, so
// each turn that draws for cases which had to wait takes one that was kept: as many as a backlog of 20,000 cases needs.
var ahead = 100 // a test makes it small

const sqlLockDraws = `SELECT pg_advisory_xact_lock(hashtextextended('tseras draws', 0))`

const sqlUnopened = `
	SELECT r.round, r.commitment, r.committed_at
	FROM draw_rounds r
	WHERE NOT EXISTS (SELECT FROM draw_seeds s WHERE s.round = r.round)
	ORDER BY r.committed_at DESC, r.round DESC`

const sqlLastRound = `SELECT coalesce(max(round), 0) FROM draw_rounds`

const sqlCommit = `
	INSERT INTO draw_rounds (round, commitment, committed_at)
	SELECT a.round, a.commitment, @now
	FROM unnest(@rounds::bigint[], @commitments::bytea[]) AS a (round, commitment)`

const sqlOpenSeed = `
	INSERT INTO draw_seeds (round, seed, opened_at)
	VALUES (@round, @seed, @now)`

// The cases for which a commission or a further member is to be drawn, and since when.
const sqlToDraw = `
	SELECT c.id, t.at
	FROM cases c
	JOIN case_steps t ON t.case_id = c.id AND t.seq = c.seq
	WHERE c.procedure = 'tseras' AND c.kind IN ('assessment', 'appeal') AND c.id > @after AND c.state IN ('awaiting_draw', 'further_member')
	  AND (c.state = 'awaiting_draw'
	       OR c.state = 'further_member' AND NOT EXISTS (SELECT FROM drawings d WHERE d.case_id = c.id AND d.seq = c.seq))
	ORDER BY c.id
	LIMIT @batch`

// Draw draws for cases that wait, each by the youngest round that is not drawn and was committed to before the case waited; it opens the seeds by
// which it drew, and commits to as many further rounds as are missing, all in one transaction. It returns for how many cases it drew.
// While no case waits all rounds stay as they are.
func (d *Drawer) Draw(ctx context.Context) (drawn int, err error) {
	err = pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockDraws); err != nil {
			return fmt.Errorf("tserasdb: draws: %w", err)
		}
		rounds, err := d.unopened(ctx, tx)
		if err != nil {
			return err
		}
		opened := 0
		if drawn, opened, err = d.waiting(ctx, tx, rounds, d.moment()); err != nil {
			return err
		}
		return d.commit(ctx, tx, ahead-len(rounds)+opened, d.moment()) // as late as can be: it is public only when the transaction ends
	})
	return drawn, err
}

func (d *Drawer) moment() time.Time { return d.Now().UTC().Truncate(time.Microsecond) }

// promise is a round that is committed to and not drawn.
type promise struct {
	Round      int64
	Commitment []byte
	Committed  time.Time
}

// unopened are the rounds that may be drawn, the youngest first. Those that were committed to with another key never are.
func (d *Drawer) unopened(ctx context.Context, tx pgx.Tx) ([]promise, error) {
	rows, _ := tx.Query(ctx, sqlUnopened) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[promise])
	if err != nil {
		return nil, fmt.Errorf("tserasdb: draws: %w", err)
	}
	return slices.DeleteFunc(all, func(p promise) bool {
		c := d.Key.Seed(p.Round).Commitment(p.Round)
		return !bytes.Equal(c[:], p.Commitment)
	}), nil
}

// waiting draws for cases that wait, the oldest first, until as many are drawn for as a batch has. Those for which nobody may be drawn are looked
// at again by each call, and keep others waiting only where there are more of them than drawLooks batches, and then by one call. It opens the
// rounds by which it drew, and says how many.
func (d *Drawer) waiting(ctx context.Context, tx pgx.Tx, rounds []promise, now time.Time) (drawn, opened int, err error) {
	used := map[int64]bool{}
	after := casework.ID(d.behind.Swap(0))
	for looks := 0; drawn < drawBatch; looks++ {
		if looks == drawLooks {
			d.behind.Store(int64(after))
			break
		}
		cases, last, err := d.batch(ctx, tx, rounds, after)
		if err != nil {
			return 0, 0, err
		}
		if last == after {
			break
		}
		after = last
		for _, round := range slices.Sorted(maps.Keys(cases)) {
			n, err := d.round(ctx, tx, round, cases[round], now)
			if err != nil {
				return 0, 0, err
			}
			if n > 0 { // else nobody may be drawn for any of them, and the round stays as it is
				drawn, used[round] = drawn+n, true
			}
		}
	}
	for _, round := range slices.Sorted(maps.Keys(used)) {
		seed := d.Key.Seed(round)
		if _, err := tx.Exec(ctx, sqlOpenSeed, pgx.NamedArgs{"round": round, "seed": seed[:], "now": now}); err != nil {
			return 0, 0, fmt.Errorf("tserasdb: round %d: %w", round, err)
		}
	}
	return drawn, len(used), nil
}

// batch are the cases behind one that wait, by the round that draws for each: the youngest that is not younger than the step which called for the draw. last is
// the last that was looked at.
func (d *Drawer) batch(ctx context.Context, tx pgx.Tx, rounds []promise, after casework.ID) (cases map[int64][]casework.ID, last casework.ID, err error) {
	rows, _ := tx.Query(ctx, sqlToDraw, pgx.NamedArgs{"after": after, "batch": drawBatch}) // the error comes out of ForEachRow
	var id casework.ID
	var since time.Time
	cases, last = map[int64][]casework.ID{}, after
	_, err = pgx.ForEachRow(rows, []any{&id, &since}, func() error {
		last = id
		i := slices.IndexFunc(rounds, func(p promise) bool { return !p.Committed.After(since) })
		if i < 0 {
			d.Log.WarnContext(ctx, "every round that could draw for a case is younger than it; it waits for its next step", "case", id)
			return nil
		}
		cases[rounds[i].Round] = append(cases[rounds[i].Round], id)
		return nil
	})
	if err != nil {
		return nil, after, fmt.Errorf("tserasdb: draws: %w", err)
	}
	return cases, last, nil
}

// commit publishes the commitments to the seeds of n further rounds.
func (d *Drawer) commit(ctx context.Context, tx pgx.Tx, n int, now time.Time) error {
	if n <= 0 {
		return nil
	}
	var last int64
	if err := tx.QueryRow(ctx, sqlLastRound).Scan(&last); err != nil {
		return fmt.Errorf("tserasdb: draws: %w", err)
	}
	var rounds []int64
	var commitments [][]byte
	var lines []ledger.Line
	for round := last + 1; round <= last+int64(n); round++ {
		commitment := d.Key.Seed(round).Commitment(round)
		line, err := ledger.NewLine(d.Rand, ledger.Round, strconv.FormatInt(round, 10), tseras.Promised(commitment[:], now))
		if err != nil {
			return err
		}
		rounds, commitments, lines = append(rounds, round), append(commitments, commitment[:]), append(lines, line)
	}
	if _, err := tx.Exec(ctx, sqlCommit, pgx.NamedArgs{"rounds": rounds, "commitments": commitments, "now": now}); err != nil {
		return fmt.Errorf("tserasdb: round %d: %w", last+1, err)
	}
	return ledgerdb.Append(ctx, tx, lines...)
}

// round draws for cases by a round. Those that somebody else is changing are left for the next turn, those for which nobody may be
// drawn too.
func (d *Drawer) round(ctx context.Context, tx pgx.Tx, round int64, ids []casework.ID, now time.Time) (int, error) {
	all, err := commissions(ctx, tx)
	if err != nil {
		return 0, err
	}
	lot := lot{
		Drawer: d, round: round, seed: d.Key.Seed(round), all: all, slots: &slotBook{calendar: d.Calendar, today: tesdiq.DateOf(now)},
		desk: Desk{Pool: d.Pool, Calendar: d.Calendar, Now: func() time.Time { return now }, Rand: d.Rand},
	}
	drawn := 0
	for _, state := range []casework.State{tseras.AwaitingDraw, tseras.FurtherMember} {
		cases, err := caseworkdb.LockAll(ctx, tx, tseras.Procedure, "", state, ids)
		if err != nil {
			return 0, err
		}
		var together []casework.Case
		var alone [][]casework.Case
		for _, c := range cases {
			if c.Kind == tseras.Appeal && state == tseras.AwaitingDraw {
				alone = append(alone, []casework.Case{c}) // whoever is drawn gives it the first slot that is still free
			} else {
				together = append(together, c)
			}
		}
		for _, cases := range append(alone, together) {
			n, failed := inBatch(cases, func(cases []casework.Case) (n int, failed []error, err error) {
				err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { // a savepoint
					n, failed, err = lot.draw(ctx, tx, cases)
					return err
				})
				return n, failed, ofCases(idsOf(cases), err)
			})
			for _, err := range failed {
				if errors.Is(err, tseras.ErrNobody) {
					d.Log.WarnContext(ctx, "nobody may be drawn for a case", "err", err)
				} else {
					d.Log.ErrorContext(ctx, "a case cannot be drawn for", "err", err)
				}
			}
			drawn += n
		}
	}
	return drawn, nil
}

// refLength is the length of a drawing's reference, in characters of five random bits.
const refLength = 16

// lot is a round at work.
type lot struct {
	*Drawer
	round int64
	seed  tseras.Seed
	all   []tseras.Commission
	slots *slotBook
	desk  Desk
}

// draw draws for cases, which the transaction holds: for all by the same statements.
func (l lot) draw(ctx context.Context, tx pgx.Tx, cases []casework.Case) (drawn int, failed []error, err error) {
	if len(cases) == 0 {
		return 0, nil, nil
	}
	files, err := filesOf(ctx, tx, cases)
	if err != nil {
		return 0, nil, err
	}
	benches, err := benchesOf(ctx, tx, cases)
	if err != nil {
		return 0, nil, err
	}
	took, err := hadAPart(ctx, tx, cases)
	if err != nil {
		return 0, nil, err
	}
	had, err := commissionsOf(ctx, tx, cases)
	if err != nil {
		return 0, nil, err
	}
	w := l.desk.writes()
	before, err := drawnBefore(ctx, tx, cases, w.now)
	if err != nil {
		return 0, nil, err
	}
	for i, c := range cases {
		// By what is known of the case, and whoever had a part in it already. People are left out, not accounts.
		barred := files[i].Barred()
		barred.People, barred.Commissions = append(barred.People, took[c.ID]...), append(barred.Commissions, had[c.ID]...)
		one := func() error { return l.one(ctx, tx, w, files[i], benches[i].number, barred, before[c.ID]) }
		if c.State == tseras.FurtherMember {
			one = func() error { return l.further(w, c, barred, benches[i]) }
		}
		switch err := w.try(one); {
		case errors.Is(err, errWritten):
			return 0, nil, err
		case err != nil:
			failed = append(failed, fmt.Errorf("tserasdb: case %d: %w", c.ID, err))
		default:
			drawn++
		}
	}
	return drawn, failed, w.flush(ctx, tx)
}

// further draws a further member.
func (l lot) further(w *writes, c casework.Case, barred tseras.Barred, b bench) error {
	ref, err := tesdiq.RandomText(l.Rand, refLength)
	if err != nil {
		return err
	}
	drawing, err := l.seed.DrawFurther(l.round, ref, l.all, barred, b.panel, tseras.FurtherWanted(len(b.seats)))
	if err != nil {
		return err
	}
	if c, err = w.able(c); err != nil {
		return err
	}
	return w.seat(c, drawing, b.number, nil, false)
}

// errWritten: something went wrong after something was written, which must be rolled back.
var errWritten = errors.New("after something was written")

// one draws a commission. number is that by which the commission before knew the case, in whose place another one is drawn because nobody of it
// had said anything; "" for the first.
func (l lot) one(ctx context.Context, tx pgx.Tx, w *writes, f tseras.File, number tseras.BlindNumber, barred tseras.Barred, before tseras.DrawnBefore) error {
	c, all := f.Case, l.all
	ref, err := tesdiq.RandomText(l.Rand, refLength)
	if err != nil {
		return err
	}
	if c.Kind == tseras.Appeal {
		if all, err = l.slots.open(ctx, tx, all); err != nil {
			return err
		}
	}
	drawing, err := l.seed.DrawPanelAgain(l.round, ref, all, barred, before)
	if err != nil {
		return err
	}
	anew := number != ""
	if !anew {
		if number, err = tseras.NewBlindNumber(l.Rand); err != nil {
			return err
		}
	}
	blind, args, err := w.shown(f.Blinded(tesdiq.DateOf(w.now)))
	if err != nil {
		return err
	}
	if err := w.seat(c, drawing, number, blind, anew); err != nil {
		return err
	}
	var given map[string]string
	if c.Kind == tseras.Appeal {
		if err := w.insertSeats(ctx, tx); err != nil {
			return fmt.Errorf("%w: %w", errWritten, err)
		}
		slot, err := l.slots.give(ctx, tx, drawing.Drawn(tseras.Panel)[0], number, w.now)
		if err != nil {
			return fmt.Errorf("%w: %w", errWritten, err)
		}
		given = slotArgs(slot)
		maps.Copy(args, given)
	}
	after, err := w.move(c, tseras.Drawn, again(c), casework.Actor{Part: casework.BySystem}, "drawn", args)
	switch {
	case c.Kind != tseras.Appeal:
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", errWritten, err)
	}
	w.told = append(w.told, noteOfAppeal(after, "slot", given, w.now))
	return nil
}

// Who had a part in a case already, by person and whatever his accounts or numbers: who acted for the person at a counter, and who referred him or
// refused to for an institution, in whatever case of his, for they know him; and those who sat for the case or for the one that an appeal is about.
const sqlHadAPart = `
	SELECT c.id, had.fin
	FROM cases c
	CROSS JOIN LATERAL (
		SELECT s.actor_fin FROM cases p JOIN case_steps s ON s.case_id = p.id WHERE p.subject = c.subject AND s.part = 'clerk'
		UNION
		SELECT r.member FROM cases p JOIN tseras_referrals r ON r.case_id = p.id WHERE p.subject = c.subject AND r.member IS NOT NULL
		UNION
		SELECT who #>> '{}'
		FROM cases p JOIN tseras_referrals r ON r.case_id = p.id CROSS JOIN LATERAL jsonb_path_query(r.referral, '$.physicians[*] ? (@ != null)') AS who
		WHERE p.subject = c.subject
		UNION
		SELECT f.member FROM cases p JOIN tseras_refusals f ON f.case_id = p.id WHERE p.subject = c.subject AND f.member IS NOT NULL
		UNION
		SELECT m.fin
		FROM tseras_blind b JOIN tseras_seats s ON s.number = b.number JOIN commission_members m ON m.id = s.member_id
		WHERE b.case_id IN (c.id, c.about)) AS had (fin)
	WHERE c.id = ANY (@ids)
	ORDER BY 1, 2`

func hadAPart(ctx context.Context, tx pgx.Tx, cases []casework.Case) (map[casework.ID][]tesdiq.FIN, error) {
	people := map[casework.ID][]tesdiq.FIN{}
	rows, _ := tx.Query(ctx, sqlHadAPart, pgx.NamedArgs{"ids": idsOf(cases)}) // the error comes out of ForEachRow
	var id casework.ID
	var fin tesdiq.FIN
	_, err := pgx.ForEachRow(rows, []any{&id, &fin}, func() error {
		people[id] = append(people[id], fin)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tserasdb: who had a part: %w", err)
	}
	return people, nil
}

// The commissions that were drawn for cases.
const sqlCommissionsOf = `
	SELECT b.case_id, m.commission_id
	FROM tseras_blind b
	JOIN tseras_seats s ON s.number = b.number AND s.role = 'chair'
	JOIN commission_members m ON m.id = s.member_id
	WHERE b.case_id = ANY (@ids)
	ORDER BY s.seq`

func commissionsOf(ctx context.Context, tx pgx.Tx, cases []casework.Case) (map[casework.ID][]string, error) {
	all := map[casework.ID][]string{}
	rows, _ := tx.Query(ctx, sqlCommissionsOf, pgx.NamedArgs{"ids": idsOf(cases)}) // the error comes out of ForEachRow
	var id casework.ID
	var commission string
	_, err := pgx.ForEachRow(rows, []any{&id, &commission}, func() error {
		all[id] = append(all[id], commission)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tserasdb: commissions of cases: %w", err)
	}
	return all, nil
}

// Of each case the person's latest earlier case of the kind for which a commission was drawn, if he withdrew it, and not long ago.
const sqlDrawnBefore = `
	SELECT a.case_id, m.commission_id, s.member_id, s.role = 'chair'
	FROM unnest(@cases::bigint[], @subjects::text[], @kinds::text[]) AS a (case_id, subject, kind)
	CROSS JOIN LATERAL (
		SELECT p.id, p.state, p.seq, b.number
		FROM cases p JOIN tseras_blind b ON b.case_id = p.id
		WHERE p.subject = a.subject AND p.kind = a.kind AND p.id < a.case_id
		ORDER BY p.id DESC
		LIMIT 1) p
	JOIN case_steps t ON t.case_id = p.id AND t.seq = p.seq
	JOIN tseras_seats s ON s.number = p.number AND s.role <> 'further' AND ` + attends + `
	JOIN commission_members m ON m.id = s.member_id
	WHERE p.state = 'withdrawn' AND t.at >= @since
	ORDER BY a.case_id, s.member_id`

// drawnBefore is who was drawn for the cases that people withdrew before these.
func drawnBefore(ctx context.Context, tx pgx.Tx, cases []casework.Case, now time.Time) (map[casework.ID]tseras.DrawnBefore, error) {
	all := map[casework.ID]tseras.DrawnBefore{}
	rows, _ := tx.Query(ctx, sqlDrawnBefore, pgx.NamedArgs{
		"cases":    idsOf(cases),
		"subjects": column(cases, func(c casework.Case) tesdiq.FIN { return c.Subject }),
		"kinds":    column(cases, func(c casework.Case) string { return string(c.Kind) }),
		"since":    now.AddDate(0, -tseras.AgainMonths, 0),
	}) // the error comes out of ForEachRow
	var id casework.ID
	var commission string
	var member tseras.MemberID
	var chair bool
	_, err := pgx.ForEachRow(rows, []any{&id, &commission, &member, &chair}, func() error {
		b := all[id]
		b.Commission, b.Members = commission, append(b.Members, member)
		if chair {
			b.Chair = member
		}
		all[id] = b
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tserasdb: drawn before: %w", err)
	}
	return all, nil
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
