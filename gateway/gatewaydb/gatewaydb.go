// Package gatewaydb keeps the gateway's log in PostgreSQL: every question before it is asked, every attempt, every exchange, and the time stamps
// over them. Rows are only added. What an exchange says can be read for one case at a time (row-level security).
package gatewaydb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/gateway"
)

// Log implements gateway.Log. The pool's role is tesdiq_casework.
type Log struct {
	Pool *pgxpool.Pool
}

var _ gateway.Log = Log{}

// sqlCase says of which case this transaction may see exchanges.
const sqlCase = `SELECT set_config('tesdiq.case', @case, true)`

func ofCase(ctx context.Context, tx pgx.Tx, caseNumber string) error {
	if _, err := tx.Exec(ctx, sqlCase, pgx.NamedArgs{"case": caseNumber}); err != nil {
		return fmt.Errorf("gatewaydb: case: %w", err)
	}
	return nil
}

const sqlAsk = `
	INSERT INTO gateway_questions (id, case_number, register, service, purpose, person, since, asked_at, disputes, wrong, words)
	SELECT q.id, q.case_number, q.register, q.service, q.purpose, q.person, nullif(q.since, '')::date, q.asked_at, nullif(q.disputes, '')::uuid, q.wrong, q.words
	FROM unnest(@ids::uuid[], @cases::text[], @registers::text[], @services::text[], @purposes::text[], @people::text[], @sinces::text[], @asked::timestamptz[],
	            @disputes::text[], @wrong::text[], @words::text[])
	     AS q (id, case_number, register, service, purpose, person, since, asked_at, disputes, wrong, words)
	ORDER BY q.id
	ON CONFLICT (id) DO NOTHING`

const sqlPast = `
	SELECT q.id::text, q.case_number, q.register, q.purpose, q.person, q.since, q.asked_at, coalesce(q.disputes::text, '') AS disputes, q.wrong, q.words, a.question_id IS NOT NULL AS answered,
	       (SELECT count(*) FROM gateway_attempts t WHERE t.question_id = q.id AND t.sent) AS attempts
	FROM gateway_questions q
	LEFT JOIN gateway_answers a ON a.question_id = q.id
	WHERE q.id = ANY(@ids::uuid[])`

const sqlExchanges = `SELECT question_id::text AS id, exchange FROM gateway_exchanges WHERE question_id = ANY(@ids::uuid[])`

// past is a question as it stands in the log.
type past struct {
	ID       string           `db:"id"`
	Case     string           `db:"case_number"`
	Register gateway.Register `db:"register"`
	Purpose  gateway.Purpose  `db:"purpose"`
	Person   tesdiq.FIN       `db:"person"`
	Since    tesdiq.Date      `db:"since"`
	Asked    time.Time        `db:"asked_at"`
	Disputes string           `db:"disputes"`
	Wrong    gateway.Wrong    `db:"wrong"`
	Words    string           `db:"words"`
	Answered bool             `db:"answered"`
	Attempts int              `db:"attempts"`
}

func (p past) question() gateway.Question {
	return gateway.Question{ID: p.ID, Case: p.Case, Purpose: p.Purpose, Register: p.Register, Person: p.Person, Since: p.Since, Asked: p.Asked.UTC(),
		Dispute: gateway.Dispute{Answer: p.Disputes, Wrong: p.Wrong, Words: p.Words}}
}

// Asked implements gateway.Log.
func (l Log) Asked(ctx context.Context, questions []gateway.Asking) ([]gateway.Past, error) {
	all := make([]gateway.Past, len(questions))
	err := pgx.BeginFunc(ctx, l.Pool, func(tx pgx.Tx) error {
		ids, err := ask(ctx, tx, questions)
		if err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, sqlPast, pgx.NamedArgs{"ids": ids}) // the error comes out of Collect
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[past])
		if err != nil {
			return fmt.Errorf("gatewaydb: past: %w", err)
		}
		known, answered := map[string]past{}, map[string][]string{}
		for _, p := range found {
			known[p.ID] = p
			if p.Answered {
				answered[p.Case] = append(answered[p.Case], p.ID)
			}
		}
		contents := map[string][]byte{}
		for caseNumber, ids := range answered {
			if err := exchanges(ctx, tx, caseNumber, ids, contents); err != nil {
				return err
			}
		}
		for i, q := range questions {
			p, ok := known[q.ID]
			if !ok {
				return errors.New("gatewaydb: a question that was written down is not there")
			}
			q.Asked = p.Asked.UTC()
			all[i] = gateway.Past{Asked: q.Asked, Attempts: p.Attempts, Exchange: contents[q.ID], Other: p.question() != q.Question}
		}
		return nil
	})
	return all, err
}

// ask writes questions down. In the order of their IDs, so that two who ask the same do not wait for each other in a circle.
func ask(ctx context.Context, tx pgx.Tx, questions []gateway.Asking) (ids []string, err error) {
	var cases, registers, services, purposes, people, sinces, disputes, wrong, words []string
	var asked []time.Time
	for _, q := range questions {
		ids, cases, registers, services = append(ids, q.ID), append(cases, q.Case), append(registers, string(q.Register)), append(services, string(q.Service))
		purposes, people, sinces = append(purposes, string(q.Purpose)), append(people, string(q.Person)), append(sinces, q.Since.ISO())
		disputes, wrong, words = append(disputes, q.Dispute.Answer), append(wrong, string(q.Dispute.Wrong)), append(words, q.Dispute.Words)
		asked = append(asked, q.Question.Asked)
	}
	_, err = tx.Exec(ctx, sqlAsk, pgx.NamedArgs{"ids": ids, "cases": cases, "registers": registers, "services": services, "purposes": purposes,
		"people": people, "sinces": sinces, "asked": asked, "disputes": disputes, "wrong": wrong, "words": words})
	if err != nil {
		return nil, fmt.Errorf("gatewaydb: ask: %w", err)
	}
	return ids, nil
}

// exchanges reads what was exchanged for one case.
func exchanges(ctx context.Context, tx pgx.Tx, caseNumber string, ids []string, into map[string][]byte) error {
	if err := ofCase(ctx, tx, caseNumber); err != nil {
		return err
	}
	rows, _ := tx.Query(ctx, sqlExchanges, pgx.NamedArgs{"ids": ids}) // the error comes out of ForEachRow
	var id string
	var exchange []byte
	_, err := pgx.ForEachRow(rows, []any{&id, &exchange}, func() error {
		into[id] = append([]byte(nil), exchange...)
		return nil
	})
	if err != nil {
		return fmt.Errorf("gatewaydb: exchanges: %w", err)
	}
	return nil
}

const sqlTried = `
	INSERT INTO gateway_attempts (question_id, sent, began_at, ended_at, reason, detail)
	VALUES (@question, @sent, @began, @ended, @reason, @detail)`

// Tried implements gateway.Log.
func (l Log) Tried(ctx context.Context, attempts []gateway.Attempt) error {
	return pgx.BeginFunc(ctx, l.Pool, func(tx pgx.Tx) error {
		for _, a := range attempts {
			if err := tried(ctx, tx, a); err != nil {
				return err
			}
		}
		return nil
	})
}

// maxDetail is what gateway_attempts holds of a detail.
const maxDetail = 200

func tried(ctx context.Context, tx pgx.Tx, a gateway.Attempt) error {
	detail := a.Detail
	if len(detail) > maxDetail {
		detail = detail[:maxDetail]
	}
	began, ended := a.Began.Round(0), a.Ended.Round(0) // what the clock showed: it may have been set back meanwhile
	if ended.Before(began) {
		ended = began
	}
	_, err := tx.Exec(ctx, sqlTried, pgx.NamedArgs{"question": a.Question, "sent": a.Sent, "began": began, "ended": ended, "reason": string(a.Reason), "detail": detail})
	if err != nil {
		return fmt.Errorf("gatewaydb: attempt: %w", err)
	}
	return nil
}

const sqlAnswer = `
	INSERT INTO gateway_answers (question_id, leaf, received_at)
	VALUES (@question, @leaf, @received)
	ON CONFLICT (question_id) DO NOTHING`

const sqlExchange = `INSERT INTO gateway_exchanges (question_id, case_number, exchange) VALUES (@question, @case, @exchange)`

// Answered implements gateway.Log. Of two who asked the same at the same time the first one's answer stays, and the second gets it.
func (l Log) Answered(ctx context.Context, a gateway.Attempt, x gateway.Exchange) (kept []byte, err error) {
	err = pgx.BeginFunc(ctx, l.Pool, func(tx pgx.Tx) error {
		caseNumber := x.Request.Header(gateway.HeaderIssue)
		if err := tried(ctx, tx, a); err != nil {
			return err
		}
		leaf := x.Leaf()
		tag, err := tx.Exec(ctx, sqlAnswer, pgx.NamedArgs{"question": a.Question, "leaf": leaf[:], "received": x.Received})
		if err != nil {
			return fmt.Errorf("gatewaydb: answer: %w", err)
		}
		if tag.RowsAffected() == 0 {
			first := map[string][]byte{}
			if err := exchanges(ctx, tx, caseNumber, []string{a.Question}, first); err != nil {
				return err
			}
			kept = first[a.Question]
			return nil
		}
		if err := ofCase(ctx, tx, caseNumber); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlExchange, pgx.NamedArgs{"question": a.Question, "case": caseNumber, "exchange": x.Bytes()}); err != nil {
			return fmt.Errorf("gatewaydb: exchange: %w", err)
		}
		return nil
	})
	return kept, err
}
