package gatewaydb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/gateway"
)

// Line is how a question stands: answered, or unanswered since when and why. It says nothing of what was answered.
type Line struct {
	ID       string            `db:"id"`
	Case     string            `db:"case_number"`
	Register gateway.Register  `db:"register"`
	Service  gateway.ServiceID `db:"service"`
	Asked    time.Time         `db:"asked_at"`
	Attempts int               `db:"attempts"`
	Last     *time.Time        `db:"last"`        // when it was last tried; nil: never, whoever asked ended before
	Reason   *gateway.Reason   `db:"reason"`      // of the last try
	Answered *time.Time        `db:"received_at"` // nil: unanswered
	Stamped  *time.Time        `db:"stamped_at"`  // when its exchange got its time stamp
}

// Next is when an unanswered question is worth asking again.
func (l Line) Next() time.Time {
	if l.Last == nil {
		return l.Asked
	}
	return l.Last.Add(gateway.LaterThan(l.Attempts))
}

const sqlLineColumns = `
	SELECT q.id::text, q.case_number, q.register, q.service, q.asked_at, a.received_at, s.stamped_at, t.ended_at AS last, t.reason,
	       (SELECT count(*) FROM gateway_attempts t WHERE t.question_id = q.id AND t.sent) AS attempts
	FROM gateway_questions q
	LEFT JOIN gateway_answers a ON a.question_id = q.id
	LEFT JOIN gateway_stamped d ON d.question_id = q.id
	LEFT JOIN gateway_stamps s ON s.id = d.stamp_id
	LEFT JOIN LATERAL (SELECT ended_at, reason FROM gateway_attempts t WHERE t.question_id = q.id ORDER BY t.id DESC LIMIT 1) t ON true`

const sqlOfCase = sqlLineColumns + `
	WHERE q.case_number = @case
	ORDER BY q.asked_at, q.register, q.id`

// OfCase is how a case's questions stand.
func (l Log) OfCase(ctx context.Context, caseNumber string) ([]Line, error) {
	rows, _ := l.Pool.Query(ctx, sqlOfCase, pgx.NamedArgs{"case": caseNumber}) // the error comes out of Collect
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByName[Line])
	if err != nil {
		return nil, fmt.Errorf("gatewaydb: of a case: %w", err)
	}
	return lines, nil
}

const sqlUnanswered = `
	SELECT q.id::text, q.case_number, q.register, q.purpose, q.person, q.since, q.asked_at, coalesce(q.disputes::text, '') AS disputes, q.wrong, q.words, false AS answered,
	       (SELECT count(*) FROM gateway_attempts t WHERE t.question_id = q.id AND t.sent) AS attempts
	FROM gateway_questions q
	WHERE q.case_number = ANY(@cases) AND NOT EXISTS (SELECT FROM gateway_answers a WHERE a.question_id = q.id)
	ORDER BY q.asked_at, q.id`

// Unanswered are the questions of these cases that have no answer, as they were asked: what to ask again after a crash. Which cases still wait
// is for who has the cases to say; for one that is closed nobody is asked.
func (l Log) Unanswered(ctx context.Context, cases []string) ([]gateway.Question, error) {
	rows, _ := l.Pool.Query(ctx, sqlUnanswered, pgx.NamedArgs{"cases": cases}) // the error comes out of Collect
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[past])
	if err != nil {
		return nil, fmt.Errorf("gatewaydb: unanswered: %w", err)
	}
	questions := make([]gateway.Question, len(found))
	for i, p := range found {
		questions[i] = p.question()
	}
	return questions, nil
}

const sqlSilent = `
	SELECT q.register, count(*) AS n, min(q.asked_at) AS since
	FROM gateway_questions q
	WHERE q.asked_at >= @after AND NOT EXISTS (SELECT FROM gateway_answers a WHERE a.question_id = q.id)
	GROUP BY q.register
	ORDER BY q.register`

// Silence is a register that owes answers.
type Silence struct {
	Register gateway.Register `db:"register"`
	N        int              `db:"n"`
	Since    time.Time        `db:"since"` // the oldest question
}

// Silent are the registers that owe answers to questions asked after a moment, for those who watch over clocks.
func (l Log) Silent(ctx context.Context, after time.Time) ([]Silence, error) {
	rows, _ := l.Pool.Query(ctx, sqlSilent, pgx.NamedArgs{"after": after}) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Silence])
	if err != nil {
		return nil, fmt.Errorf("gatewaydb: silent: %w", err)
	}
	return all, nil
}

const sqlEvidence = `
	SELECT x.exchange, s.size, s.token, d.place, d.path
	FROM gateway_exchanges x
	LEFT JOIN gateway_stamped d ON d.question_id = x.question_id
	LEFT JOIN gateway_stamps s ON s.id = d.stamp_id
	WHERE x.question_id = @question`

// ErrMissing says that a case has no such exchange; that another case has it is not told apart.
var ErrMissing = tesdiq.NewProblem(tesdiq.NotFound, "gateway.missing")

// Evidence is the captured exchange of a case's question, as `tesdiq gateway verify` checks it; without a time stamp yet it is the bare exchange.
func (l Log) Evidence(ctx context.Context, caseNumber, question string) (file []byte, err error) {
	err = pgx.BeginTxFunc(ctx, l.Pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := ofCase(ctx, tx, caseNumber); err != nil {
			return err
		}
		var exchange, token []byte
		var size, place *int
		var path [][]byte
		err := tx.QueryRow(ctx, sqlEvidence, pgx.NamedArgs{"question": question}).Scan(&exchange, &size, &token, &place, &path)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrMissing
		}
		if err != nil {
			return fmt.Errorf("gatewaydb: evidence: %w", err)
		}
		if file = exchange; size == nil {
			return nil
		}
		x, err := gateway.ParseExchange(exchange)
		if err != nil {
			return fmt.Errorf("gatewaydb: evidence: %w", err)
		}
		file = gateway.Evidence{Exchange: x, Stamp: gateway.Stamp{Index: *place, Path: path, Size: *size, Token: token}}.Bytes()
		return nil
	})
	return file, err
}
