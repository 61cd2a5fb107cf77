package tserasdb

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
)

func textOf(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("tserasdb: json: %w", err)
	}
	return string(b), nil
}

// Decider moves on the cases whose commission has done its part: it computes from the findings, and enters what was
// signed. Any number of processes may run it.
type Decider struct{ Desk }

// decideBatch is how many cases are looked at in one transaction.
var decideBatch = 100 // a test makes it small

// silentBatch is how many are looked at whose members may be silent: nobody can record or sign in those that are passed on.
var silentBatch = 50

// deciders is how many of these transactions there are at once: while the database writes what one says the program computes another.
const deciders = 3

// Which cases that a commission has are ripe. Each way to be ripe is a statement of its own: one with alternatives takes three times as long,
// because it tries each of them for each case. The states are said twice: without them all the index of open cases is not used.
const (
	sqlRipe = `
	SELECT c.id, c.seq
	FROM cases c
	JOIN tseras_blind b ON b.case_id = c.id
	WHERE c.procedure = 'tseras' AND c.kind IN ('assessment', 'appeal') AND c.id > @after AND c.state IN ('drawn', 'further_member', 'signing')`
	inOrder = `
	ORDER BY c.id
	LIMIT @batch`

	// Everybody who must has recorded.
	recorded = `
	  AND EXISTS (SELECT FROM tseras_seats s WHERE s.number = b.number)
	  AND NOT EXISTS (
	      SELECT FROM tseras_seats s
	      WHERE s.number = b.number AND ` + attends + ` AND NOT EXISTS (
	          SELECT FROM tseras_findings f WHERE f.number = s.number AND f.member_id = s.member_id))`
	sqlRipeDrawn = sqlRipe + ` AND c.state = 'drawn'` + recorded + inOrder

	// And the further member that the step calls for has his seat.
	sqlRipeFurther = sqlRipe + ` AND c.state = 'further_member'` + recorded + `
	  AND EXISTS (SELECT FROM tseras_seats s WHERE s.number = b.number AND s.seq = c.seq)` + inOrder

	// Everybody who must has signed, or refused to sign, what was proposed last.
	sqlRipeSigned = sqlRipe + ` AND c.state = 'signing'
	  AND EXISTS (SELECT FROM tseras_seats s WHERE s.number = b.number)
	  AND NOT EXISTS (
	      SELECT FROM tseras_seats s
	      WHERE s.number = b.number AND ` + attends + ` AND NOT EXISTS (
	          SELECT FROM tseras_signatures g
	          WHERE g.number = s.number AND g.member_id = s.member_id AND g.n = (SELECT max(p.n) FROM tseras_proposals p WHERE p.number = s.number)))` + inOrder

	// The chair asked for the longer term. It counts from who has the seat now, and once: until the step after his seat that extends.
	sqlRipeWished = sqlRipe + ` AND c.state = 'drawn'
	  AND EXISTS (
	      SELECT FROM tseras_extensions x
	      JOIN tseras_seats s ON s.number = x.number AND s.member_id = x.member_id
	      WHERE x.number = b.number AND ` + attends + ` AND NOT EXISTS (
	          SELECT FROM case_steps t WHERE t.case_id = b.case_id AND t.from_state = 'drawn' AND t.to_state = 'drawn' AND t.seq > s.seq))` + inOrder

	// The chair said that the person did not come to the slot that he has.
	sqlRipeAbsent = sqlRipe + ` AND c.state = 'drawn'
	  AND EXISTS (SELECT FROM tseras_absences a JOIN tseras_slots_held h ON h.number = a.number AND h.n = a.n WHERE a.number = b.number)` + inOrder
)

var ripenesses = []ripeness{
	{tseras.Signing, sqlRipeSigned}, {tseras.FurtherMember, sqlRipeFurther}, {tseras.Drawn, sqlRipeDrawn}, {tseras.Drawn, sqlRipeWished}, {tseras.Drawn, sqlRipeAbsent},
}

// ripeness is a way for a case of a state to be ripe.
type ripeness struct {
	state casework.State
	sql   string
}

// ripeCase is a case that is ripe as long as it stands at this step: what makes it so is never taken back, but by a further step.
type ripeCase struct {
	ID  casework.ID
	Seq int
}

// Decide moves cases on, each once, and returns how many, with what is wrong with those that it could not move. It holds deciders connections.
func (d Decider) Decide(ctx context.Context) (moved int, err error) {
	var failed []error
	var mu sync.Mutex // of both
	done := func(n int, wrong ...error) {
		mu.Lock()
		defer mu.Unlock()
		moved, failed = moved+n, append(failed, wrong...)
	}
	var batches sync.WaitGroup
	free := make(chan struct{}, deciders)
	for _, way := range ripenesses {
		for after := casework.ID(0); ; {
			free <- struct{}{}
			batch, err := d.ripe(ctx, way, after)
			if err != nil {
				done(0, err)
			}
			if len(batch) == 0 {
				<-free
				break
			}
			batches.Go(func() {
				n, wrong := inBatch(batch, func(some []ripeCase) (int, []error, error) { return d.some(ctx, way.state, some) })
				done(n, wrong...)
				<-free
			})
			if len(batch) < decideBatch {
				break
			}
			after = batch[len(batch)-1].ID
		}
	}
	batches.Wait()
	// Batches end in any order, and a case may fail in two ways to be ripe. What is wrong is said alike each time, so that it is logged once.
	text := func(a, b error) int { return strings.Compare(a.Error(), b.Error()) }
	slices.SortFunc(failed, text)
	return moved, errors.Join(slices.CompactFunc(failed, func(a, b error) bool { return text(a, b) == 0 })...)
}

// ripe are up to decideBatch cases after the one named that are ripe in a way.
func (d Decider) ripe(ctx context.Context, way ripeness, after casework.ID) ([]ripeCase, error) {
	rows, _ := d.Pool.Query(ctx, way.sql, pgx.NamedArgs{"after": after, "batch": decideBatch}) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ripeCase])
	if err != nil {
		return nil, fmt.Errorf("tserasdb: ripe: %w", err)
	}
	return all, nil
}

// inBatch does something with cases together, and where that fails with each alone: what is wrong with one case must not keep the others
// waiting. What a case itself cannot be moved for is said in failed, and fails nothing else.
func inBatch[C any](cases []C, do func([]C) (done int, failed []error, err error)) (done int, failed []error) {
	done, failed, err := do(cases)
	if err == nil {
		return done, failed
	}
	if len(cases) == 1 {
		return 0, []error{err}
	}
	done, failed = 0, nil
	for i := range cases {
		n, wrong := inBatch(cases[i:i+1], do)
		done, failed = done+n, append(failed, wrong...)
	}
	return done, failed
}

// ofCases says of which cases an error is.
func ofCases(ids []casework.ID, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("tserasdb: cases %v: %w", ids, err)
}

// some moves on those of the cases that are still at their step and that nobody else holds, in one transaction.
func (d Decider) some(ctx context.Context, state casework.State, ripe []ripeCase) (moved int, failed []error, err error) {
	ids := column(ripe, func(c ripeCase) casework.ID { return c.ID })
	err = pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		moved, failed = 0, nil
		cases, err := caseworkdb.LockAll(ctx, tx, tseras.Procedure, "", state, ids)
		if err != nil {
			return err
		}
		cases = slices.DeleteFunc(cases, func(c casework.Case) bool { return !slices.Contains(ripe, ripeCase{c.ID, c.Seq}) })
		if len(cases) == 0 {
			return nil
		}
		read := filesOf
		if state == tseras.Signing { // what is signed was computed, and lies in its package
			read = headsOf
		}
		files, err := read(ctx, tx, cases)
		if err != nil {
			return err
		}
		benches, err := benchesOf(ctx, tx, cases)
		if err != nil {
			return err
		}
		w := d.writes()
		for i, c := range cases {
			if err := w.try(func() error { return d.one(w, files[i], benches[i]) }); err != nil {
				failed = append(failed, fmt.Errorf("tserasdb: case %d: %w", c.ID, err))
				continue
			}
			moved++
		}
		return w.flush(ctx, tx)
	})
	return moved, failed, ofCases(ids, err)
}

func (d Decider) one(w *writes, f tseras.File, b bench) error {
	c := f.Case
	switch {
	case c.State == tseras.Signing:
		return d.sign(w, f, b)
	case b.missing > 0 && c.Kind == tseras.Appeal: // only the chair's word made it ripe
		w.then(func(ctx context.Context, tx pgx.Tx) error { return d.absent(ctx, tx, c, b) })
		return nil
	case b.missing > 0: // only the chair's wish made it ripe
		by := casework.Actor{Part: casework.ByChair, FIN: b.extender, Office: b.commission}
		_, err := w.move(c, tseras.Drawn, "extended", by, "extended", map[string]string{"Reason": b.extension})
		return err
	}
	return d.settle(w, f, b)
}

// settle puts the findings together, and proposes what the rules make of them or calls for a further member.
func (d Decider) settle(w *writes, f tseras.File, b bench) error {
	system := casework.Actor{Part: casework.BySystem}
	in := f.Input(tesdiq.DateOf(w.now))
	findings, settled, err := tseras.Settle(in, b.recorded)
	if err != nil {
		return err
	}
	if !settled {
		_, err := w.move(f.Case, tseras.FurtherMember, "", system, "further_member", nil)
		return err
	}
	in.Findings = findings
	r, err := criteria.Decide(in)
	if err != nil {
		return err
	}
	if err := w.propose(f, b.number, in, r); err != nil {
		return err
	}
	_, err = w.move(f.Case, tseras.Signing, "", system, "computed", nil)
	return err
}

// sign enters what was signed. Where a member of the panel refuses, a further one is drawn; once there is one, a refusal stands beside the
// decision and does not stop it. Where no more than half of those who spoke sign, or nobody explains what is to be explained, one more is drawn.
func (d Decider) sign(w *writes, f tseras.File, b bench) error {
	for _, s := range b.signatures {
		if s.Signs || tseras.Panelled(len(b.recorded)) {
			continue
		}
		by := casework.Actor{Part: casework.ByMember, FIN: s.FIN, Office: b.commission}
		if s.Role == tseras.Chair {
			by.Part = casework.ByChair
		}
		_, err := w.move(f.Case, tseras.FurtherMember, "", by, "refused", nil)
		return err
	}
	p, err := criteria.ReadPackage(b.pack)
	if err != nil {
		return err
	}
	var r criteria.Result
	if err := json.Unmarshal(p.Result, &r); err != nil {
		return fmt.Errorf("result: %w", err)
	}
	explained, by := false, ""
	for _, s := range b.signatures {
		if !s.Signs {
			continue
		}
		if by == "" || s.Commission == b.commission {
			by = s.Commission // it decides under the panel's name, if one of the panel signs
		}
		explained = explained || s.Explains != ""
		p.Signatures = append(p.Signatures, criteria.Enclosure{
			Name: string(s.Role), Type: tseras.SignatureType, SHA256: tseras.Digest256([]byte(s.Evidence)), Bytes: []byte(s.Evidence),
		})
	}
	if !tseras.Carried(len(p.Signatures), len(b.signatures)) || b.differs && !explained {
		return d.undecided(w, f.Case)
	}
	p.Signed = &criteria.Signed{Of: len(b.signatures), Over: hex.EncodeToString(b.digest), Salt: hex.EncodeToString(b.salt)}
	return w.decide(f, r, p.Bytes(), by, "decided", false)
}

// signature is a member's word on a proposal.
type signature struct {
	Member     tseras.MemberID
	Role       tseras.Role
	FIN        tesdiq.FIN
	Commission string
	Signs      bool
	Explains   string
	Evidence   string
}

// bench is a commission at work on a case.
type bench struct {
	number     tseras.BlindNumber
	panel      string             // the commission's ID
	commission string             // its name
	seats      []tseras.Attending // of those who were not passed over
	missing    int                // how many of them have not recorded
	recorded   []tseras.Recorded  // in the order in which they were drawn; what was recorded counts, whoever was passed over later
	signatures []signature        // under the latest proposal
	pack       []byte             // the latest proposal
	digest     []byte             // of it, which they sign
	salt       []byte             // of the digest
	differs    bool               // it is another result than last time's, by the same findings
	chair      tesdiq.FIN
	extender   tesdiq.FIN
	extension  string // the chair's reason for the longer term
}

const sqlBench = `
	SELECT b.case_id, b.number, s.member_id, s.role, m.fin, k.id, k.name, ` + attends + `, m.ended_at IS NOT NULL, f.findings, g.signs,
	       coalesce(g.explains, ''), coalesce(g.evidence, '')
	FROM tseras_blind b
	JOIN tseras_seats s ON s.number = b.number
	JOIN commission_members m ON m.id = s.member_id
	JOIN commissions k ON k.id = m.commission_id
	LEFT JOIN tseras_findings f ON f.number = s.number AND f.member_id = s.member_id
	LEFT JOIN tseras_signatures g ON g.number = s.number AND g.member_id = s.member_id
	     AND g.n = (SELECT max(p.n) FROM tseras_proposals p WHERE p.number = b.number)
	WHERE b.case_id = ANY (@ids)
	ORDER BY s.seq, s.role, s.member_id`

const sqlProposed = `
	SELECT DISTINCT ON (b.case_id) b.case_id, p.package, p.digest, p.salt, coalesce((p.result->>'differs')::boolean, false)
	FROM tseras_blind b
	JOIN tseras_proposals p ON p.number = b.number
	WHERE b.case_id = ANY (@ids)
	ORDER BY b.case_id, p.n DESC`

const sqlExtensions = `
	SELECT b.case_id, m.fin, x.reason
	FROM tseras_blind b
	JOIN tseras_extensions x ON x.number = b.number
	JOIN tseras_seats s ON s.number = x.number AND s.member_id = x.member_id
	JOIN commission_members m ON m.id = x.member_id
	WHERE b.case_id = ANY (@ids) AND ` + attends

// benchOf reads a case's commission.
func benchOf(ctx context.Context, tx pgx.Tx, c casework.Case) (bench, error) {
	all, err := benchesOf(ctx, tx, []casework.Case{c})
	if err != nil {
		return bench{}, err
	}
	return all[0], nil
}

// benchesOf reads the commissions of cases, in their order.
func benchesOf(ctx context.Context, tx pgx.Tx, cases []casework.Case) ([]bench, error) {
	all := make([]bench, len(cases))
	at := make(map[casework.ID]*bench, len(cases))
	for i, c := range cases {
		at[c.ID] = &all[i]
	}
	ids := pgx.NamedArgs{"ids": idsOf(cases)}
	var id casework.ID
	var number tseras.BlindNumber
	var s signature
	var panel string
	var attends, left bool
	var findings *criteria.Findings
	var signs *bool
	rows, _ := tx.Query(ctx, sqlBench, ids) // the errors come out of ForEachRow
	_, err := pgx.ForEachRow(rows, []any{&id, &number, &s.Member, &s.Role, &s.FIN, &panel, &s.Commission, &attends, &left, &findings, &signs, &s.Explains, &s.Evidence}, func() error {
		b := at[id]
		b.number = number
		if attends {
			b.seats = append(b.seats, tseras.Attending{Member: s.Member, Ended: left, Recorded: findings != nil, Signed: signs != nil})
			if findings == nil {
				b.missing++
			}
		}
		if s.Role == tseras.Chair {
			b.panel, b.commission, b.chair = panel, s.Commission, s.FIN
		}
		if findings != nil {
			b.recorded = append(b.recorded, tseras.Recorded{Member: s.Member, Role: s.Role, Findings: *findings})
		}
		if signs != nil {
			s.Signs = *signs
			b.signatures = append(b.signatures, s)
		}
		findings, signs = nil, nil
		return nil
	})
	if err == nil {
		var pack, digest, salt []byte
		var differs bool
		rows, _ := tx.Query(ctx, sqlProposed, ids)
		_, err = pgx.ForEachRow(rows, []any{&id, &pack, &digest, &salt, &differs}, func() error {
			b := at[id]
			b.pack, b.digest, b.salt, b.differs = slices.Clone(pack), slices.Clone(digest), slices.Clone(salt), differs
			return nil
		})
	}
	if err == nil {
		var extender tesdiq.FIN
		var reason string
		rows, _ := tx.Query(ctx, sqlExtensions, ids)
		_, err = pgx.ForEachRow(rows, []any{&id, &extender, &reason}, func() error {
			at[id].extender, at[id].extension = extender, reason
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("tserasdb: commissions of cases: %w", err)
	}
	return all, nil
}

func idsOf(cases []casework.Case) []casework.ID {
	return column(cases, func(c casework.Case) casework.ID { return c.ID })
}
