package tserasdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/registry"
)

// Terms tells people of the end of their terms. It may be broken off and run again at any time: each notice is written
// with its message, once.
type Terms struct {
	Pool *pgxpool.Pool // as tesdiq_casework
	Now  func() time.Time
}

// termBatch is how many entries are looked at in one transaction.
const termBatch = 5000

// The examinations whose last day is near, in the order of their last days; of each person only the one that holds: the
// latest version, not annulled, and no other examination of the person that is later and not annulled. Whoever has an open
// case has asked already.
const sqlTerms = `
	SELECT e.id, e.subject, e.number, x.until_day, x.next_from,
	       EXISTS (SELECT FROM cases c WHERE c.subject = e.subject AND c.kind = 'assessment' AND c.state NOT IN ('decided', 'declined', 'withdrawn')),
	       ARRAY (SELECT n.notice FROM term_notices n WHERE n.entry_id = e.id)
	FROM examinations x
	JOIN entries e ON e.id = x.entry_id
	WHERE x.until_day >= @first AND x.next_from <= @opens AND (x.until_day, x.entry_id) > (@until, @after)
	  AND e.act <> 'annul'
	  AND NOT EXISTS (SELECT FROM entries v WHERE v.book = e.book AND v.number = e.number AND v.version > e.version)
	  AND NOT EXISTS (
	      SELECT FROM entries o
	      WHERE o.book = e.book AND o.chain = e.chain AND o.number <> e.number AND (o.effective_on, o.id) > (e.effective_on, e.id) AND o.act <> 'annul'
	        AND NOT EXISTS (SELECT FROM entries v WHERE v.book = o.book AND v.number = o.number AND v.version > o.version))
	ORDER BY x.until_day, x.entry_id
	LIMIT @batch`

// One process tells at a time: a second one finds what the first has told.
const sqlLockTerms = `SELECT pg_advisory_xact_lock(hashtextextended('tseras terms', 0))`

const sqlNotices = `
	INSERT INTO term_notices (entry_id, notice, at)
	SELECT a.entry, a.notice, @now
	FROM unnest(@entries::bigint[], @notices::text[]) AS a (entry, notice)`

// term is one line of sqlTerms.
type term struct {
	Entry    registry.EntryID
	Subject  tesdiq.FIN
	Number   string
	Until    tesdiq.Date
	NextFrom tesdiq.Date
	Asked    bool
	Told     []tseras.Notice
}

// notice is what is to be told now: nothing twice, nothing of a window to whoever has applied already, and of notices that were
// missed only the latest.
func (t term) notice(today tesdiq.Date, terms criteria.Terms) (tseras.Notice, bool) {
	n, due := tseras.NoticeOn(today, terms, t.NextFrom, t.Until)
	if !due || t.Asked && n != tseras.Ended {
		return "", false
	}
	for _, told := range t.Told {
		if told == n {
			return "", false
		}
	}
	return n, true
}

// Tell tells everybody of whom it is the day, and returns how many were told what. progress is called after each batch with
// how many terms were looked at.
func (t Terms) Tell(ctx context.Context, progress func(terms int)) (told map[tseras.Notice]int, err error) {
	told = map[tseras.Notice]int{}
	now := t.Now().UTC().Truncate(time.Microsecond)
	today := tesdiq.DateOf(now)
	terms := criteria.Current().Terms(today)
	first, opens := tseras.Noticed(today, terms)
	until, after := first, registry.EntryID(0)
	for looked := 0; ; {
		var batch []term
		err := pgx.BeginFunc(ctx, t.Pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, sqlLockTerms); err != nil {
				return fmt.Errorf("tserasdb: terms: %w", err)
			}
			rows, _ := tx.Query(ctx, sqlTerms, pgx.NamedArgs{ // the error comes out of Collect
				"first": first, "opens": opens, "until": until, "after": after, "batch": termBatch,
			})
			if batch, err = pgx.CollectRows(rows, pgx.RowToStructByPos[term]); err != nil {
				return fmt.Errorf("tserasdb: terms: %w", err)
			}
			return t.tell(ctx, tx, batch, terms, now, told)
		})
		if err != nil {
			return told, err
		}
		if looked += len(batch); progress != nil {
			progress(looked)
		}
		if len(batch) < termBatch {
			return told, nil
		}
		last := batch[len(batch)-1]
		until, after = last.Until, last.Entry
	}
}

// tell writes a batch's notices with their messages.
func (t Terms) tell(ctx context.Context, tx pgx.Tx, batch []term, terms criteria.Terms, now time.Time, told map[tseras.Notice]int) error {
	var entries []registry.EntryID
	var notices []string
	var messages []message.Message
	counts := map[tseras.Notice]int{}
	today := tesdiq.DateOf(now)
	for _, x := range batch {
		n, due := x.notice(today, terms)
		if !due {
			continue
		}
		entries, notices = append(entries, x.Entry), append(notices, string(n))
		messages = append(messages, message.Message{
			To: x.Subject, Key: "tseras.message." + string(n), Args: map[string]string{"Number": x.Number, "From": x.NextFrom.String(), "Day": x.Until.String()},
			Link: "/cabinet/examinations/" + x.Number, At: now, Aloud: true,
		})
		counts[n]++
	}
	if len(entries) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlNotices, pgx.NamedArgs{"entries": entries, "notices": notices, "now": now}); err != nil {
		return fmt.Errorf("tserasdb: notices: %w", err)
	}
	if err := message.Send(ctx, tx, messages...); err != nil {
		return err
	}
	for n, k := range counts {
		told[n] += k
	}
	return nil
}
