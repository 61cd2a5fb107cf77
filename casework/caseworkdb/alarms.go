package caseworkdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/internal/message"
)

// Alarms rings for the clocks of all open cases of all procedures whose last day is near or has passed. Each clock rings
// once for each, however many processes look and however often; broken off, it goes on where it was.
type Alarms struct {
	Pool     *pgxpool.Pool // as tesdiq_casework
	Calendar *tesdiq.Calendar
	Now      func() time.Time
}

// alarmBatch is how many alarms are written in one transaction.
const alarmBatch = 2000

// One process rings at a time.
const sqlLockAlarms = `SELECT pg_advisory_xact_lock(hashtextextended('case alarms', 0))`

// The open cases are read by the index cases_open, each with its latest step; the list of closed states is that of the index.
const sqlRing = `
	WITH due AS MATERIALIZED (
		SELECT c.id, c.number, c.subject, s.seq, s.turn, s.due_by, CASE WHEN s.due_by < @today THEN 'overdue' ELSE 'soon' END AS alarm
		FROM cases c
		JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
		WHERE c.state NOT IN ('decided', 'declined', 'withdrawn', 'lapsed', 'entered', 'corrected', 'refused')
		  AND c.id > @after AND s.turn <> 'nobody' AND s.due_by <= @near AND (s.due_by < @today OR s.began < @today)
		  AND NOT EXISTS (
		      SELECT FROM case_alarms a
		      WHERE a.case_id = c.id AND a.turn = s.turn AND a.due_by = s.due_by
		        AND a.alarm = CASE WHEN s.due_by < @today THEN 'overdue' ELSE 'soon' END)
		ORDER BY c.id
		LIMIT @batch
	), rung AS (
		INSERT INTO case_alarms (case_id, turn, due_by, alarm, seq, at)
		SELECT id, turn, due_by, alarm, seq, @now FROM due
	)
	SELECT id, number, subject, turn, due_by, alarm
	FROM due
	ORDER BY id`

// Ring rings, and tells the people whom it concerns, in the same transaction. It returns how often it rang for what.
func (a Alarms) Ring(ctx context.Context) (rang map[casework.Ring]int, err error) {
	rang = map[casework.Ring]int{}
	now := a.Now().UTC().Truncate(time.Microsecond)
	today := tesdiq.DateOf(now)
	near, err := casework.Near(a.Calendar, today)
	if err != nil {
		return nil, err
	}
	for after := casework.ID(0); ; {
		var batch []casework.Ring
		err := pgx.BeginFunc(ctx, a.Pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, sqlLockAlarms); err != nil {
				return fmt.Errorf("caseworkdb: alarms: %w", err)
			}
			rows, _ := tx.Query(ctx, sqlRing, pgx.NamedArgs{"today": today, "near": near, "after": after, "batch": alarmBatch, "now": now}) // the error comes out of Collect
			batch, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r casework.Ring, err error) {
				return r, row.Scan(&after, &r.Number, &r.Subject, &r.Turn, &r.DueBy, &r.Alarm)
			})
			if err != nil {
				return fmt.Errorf("caseworkdb: alarms: %w", err)
			}
			return a.tell(ctx, tx, batch, now)
		})
		if err != nil {
			return rang, err
		}
		for _, r := range batch {
			rang[casework.Ring{Turn: r.Turn, Alarm: r.Alarm}]++
		}
		if len(batch) < alarmBatch {
			return rang, nil
		}
	}
}

// tell leaves messages with the people whom alarms concern. They name neither diagnosis nor degree.
func (a Alarms) tell(ctx context.Context, tx pgx.Tx, batch []casework.Ring, now time.Time) error {
	var all []message.Message
	for _, r := range batch {
		key, aloud := r.Message()
		if key == "" {
			continue
		}
		all = append(all, message.Message{
			To: r.Subject, Key: key, Args: map[string]string{"Number": r.Number, "Day": r.DueBy.String()}, Link: "/cabinet/cases/" + r.Number, At: now, Aloud: aloud,
		})
	}
	return message.Send(ctx, tx, all...)
}
