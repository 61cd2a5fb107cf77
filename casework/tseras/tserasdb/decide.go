package tserasdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

func textOf(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("tserasdb: json: %w", err)
	}
	return string(b), nil
}

const sqlDecision = `
	INSERT INTO tseras_decisions (case_id, entry_id, alone, package, decided_at)
	VALUES (@case, @entry, @alone, @package, @now)`

// decide closes a case: entry, decision, step, ledger lines, message and the programme that follows, together. by names the commission; empty where
// the registers' evidence alone decided.
func (d Desk) decide(ctx context.Context, tx pgx.Tx, f tseras.File, r criteria.Result, pack []byte, by, what string, alone bool) error {
	if alone {
		by = tseras.ByRules
	}
	now := d.moment()
	if f.First != nil {
		if what = tseras.Replaced; tseras.Confirms(f.First.Result, r) {
			what = tseras.Confirmed
		}
	}
	var entry *registry.EntryID
	if x, entered := tseras.EntryOf(f, r, by); entered && what != tseras.Confirmed {
		_, v, err := registrydb.Enter(ctx, tx, registry.Change{Act: registry.Append, Body: x, By: by}, now, d.Rand)
		if err != nil {
			return fmt.Errorf("entry: %w", err)
		}
		entry = &v.Head.ID
	} else if what == tseras.Replaced && f.First.Entry != "" {
		if err := d.annulFirst(ctx, tx, f, by, now); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, sqlDecision, pgx.NamedArgs{"case": f.Case.ID, "entry": entry, "alone": alone, "package": pack, "now": now}); err != nil {
		return fmt.Errorf("tserasdb: decision: %w", err)
	}
	line, err := ledger.NewLine(d.Rand, ledger.Decision, strconv.FormatInt(int64(f.Case.ID), 10), pack)
	if err != nil {
		return err
	}
	if err := ledgerdb.Append(ctx, tx, line); err != nil {
		return err
	}
	c, err := d.move(ctx, tx, f.Case, tseras.Decided, "", casework.Actor{Part: casework.BySystem}, what, nil)
	if err != nil {
		return err
	}
	told := func() error { return tell(ctx, tx, c, "decided", now) }
	if f.First != nil {
		told = func() error { return tellAppeal(ctx, tx, c, what, nil, now) }
	}
	if err := told(); err != nil || entry == nil && what != tseras.Replaced {
		return err // what was decided before holds, and what follows it
	}
	return d.programme(ctx, tx, c, r)
}

// Decider moves on the cases whose commission has done its part: it computes from the findings, and enters what was
// signed. Any number of processes may run it.
type Decider struct{ Desk }

// decideBatch is how many cases are looked at in one transaction.
var decideBatch = 50 // a test makes it small

// The cases of a state that a commission has, of which everybody who must has recorded or signed, or of which the chair
// asked for the longer term or said that the person did not come.
const sqlRipe = `
	SELECT c.id
	FROM cases c
	JOIN tseras_blind b ON b.case_id = c.id
	WHERE c.procedure = 'tseras' AND c.kind IN ('assessment', 'appeal') AND c.id > @after
	  AND c.state = @state AND c.state IN ('drawn', 'further_member', 'signing') -- said twice: without it the index of open cases is not used
	  AND EXISTS (SELECT FROM tseras_seats s WHERE s.number = b.number AND (@state <> 'further_member' OR s.seq = c.seq))
	  AND (@state = 'signing' AND NOT EXISTS (
	           SELECT FROM tseras_seats s
	           WHERE s.number = b.number AND ` + attends + ` AND NOT EXISTS (
	               SELECT FROM tseras_signatures g
	               WHERE g.number = s.number AND g.member_id = s.member_id AND g.n = (SELECT max(p.n) FROM tseras_proposals p WHERE p.number = s.number)))
	       OR @state <> 'signing' AND NOT EXISTS (
	           SELECT FROM tseras_seats s
	           WHERE s.number = b.number AND ` + attends + ` AND NOT EXISTS (
	               SELECT FROM tseras_findings f WHERE f.number = s.number AND f.member_id = s.member_id))
	       OR @state = 'drawn' AND EXISTS (
	           SELECT FROM tseras_extensions x
	           WHERE x.number = b.number AND NOT EXISTS (
	               SELECT FROM case_steps t WHERE t.case_id = c.id AND t.from_state = 'drawn' AND t.to_state = 'drawn'))
	       OR @state = 'drawn' AND EXISTS (
	           SELECT FROM tseras_absences a JOIN tseras_slots_held h ON h.number = a.number AND h.n = a.n WHERE a.number = b.number))
	ORDER BY c.id
	LIMIT @batch`

// Decide moves cases on, each once, and returns how many, with what is wrong with those that it could not move.
func (d Decider) Decide(ctx context.Context) (moved int, err error) {
	var failed []error
	for _, state := range []casework.State{tseras.Signing, tseras.FurtherMember, tseras.Drawn} {
		for after := casework.ID(0); ; {
			last, n, wrong, err := d.batch(ctx, state, after)
			failed = append(failed, wrong...)
			if err != nil {
				failed = append(failed, err)
			}
			if moved += n; err != nil || last == after {
				break
			}
			after = last
		}
	}
	return moved, errors.Join(failed...)
}

// batch moves on up to decideBatch cases of a state after the one named, and returns the last of them; the same one when there are no more.
func (d Decider) batch(ctx context.Context, state casework.State, after casework.ID) (last casework.ID, moved int, failed []error, err error) {
	last = after
	err = pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, sqlRipe, pgx.NamedArgs{"state": state, "after": after, "batch": decideBatch}) // the error comes out of Collect
		ids, err := pgx.CollectRows(rows, pgx.RowTo[casework.ID])
		if err != nil || len(ids) == 0 {
			return err
		}
		last = ids[len(ids)-1]
		cases, err := caseworkdb.LockAll(ctx, tx, tseras.Procedure, "", state, ids)
		if err != nil {
			return err
		}
		for _, c := range cases {
			// What is wrong with one case must not keep the others waiting: each has a savepoint.
			if err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return d.one(ctx, tx, c) }); err != nil {
				failed = append(failed, fmt.Errorf("tserasdb: case %d: %w", c.ID, err))
				continue
			}
			moved++
		}
		return nil
	})
	if err != nil {
		return last, 0, failed, fmt.Errorf("tserasdb: decide: %w", err)
	}
	return last, moved, failed, nil
}

func (d Decider) one(ctx context.Context, tx pgx.Tx, c casework.Case) error {
	f, err := fileOf(ctx, tx, c)
	if err != nil {
		return err
	}
	b, err := benchOf(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	switch {
	case c.State == tseras.Signing:
		return d.sign(ctx, tx, f, b)
	case b.missing > 0 && c.Kind == tseras.Appeal: // only the chair's word made it ripe
		return d.absent(ctx, tx, c, b)
	case b.missing > 0: // only the chair's wish made it ripe
		by := casework.Actor{Part: casework.ByChair, FIN: b.extender, Office: b.commission}
		_, err := d.move(ctx, tx, c, tseras.Drawn, "extended", by, "extended", map[string]string{"Reason": b.extension})
		return err
	}
	return d.settle(ctx, tx, f, b)
}

// settle puts the findings together, and proposes what the rules make of them or calls for a further member.
func (d Decider) settle(ctx context.Context, tx pgx.Tx, f tseras.File, b bench) error {
	system := casework.Actor{Part: casework.BySystem}
	in := f.Input(tesdiq.DateOf(d.moment()))
	findings, settled, err := tseras.Settle(in, b.recorded)
	if err != nil {
		return err
	}
	if !settled {
		_, err := d.move(ctx, tx, f.Case, tseras.FurtherMember, "", system, "further_member", nil)
		return err
	}
	in.Findings = findings
	r, err := criteria.Decide(in)
	if err != nil {
		return err
	}
	if err := d.propose(ctx, tx, f, b, in, r); err != nil {
		return err
	}
	_, err = d.move(ctx, tx, f.Case, tseras.Signing, "", system, "computed", nil)
	return err
}

const sqlProposal = `
	INSERT INTO tseras_proposals (number, n, result, digest, salt, package, made_at)
	VALUES (@number, 1 + coalesce((SELECT max(n) FROM tseras_proposals WHERE number = @number), 0), @result, @digest, @salt, @package, @now)`

// propose writes what chair and members are to sign.
func (d Decider) propose(ctx context.Context, tx pgx.Tx, f tseras.File, b bench, in criteria.Input, r criteria.Result) error {
	salt := make([]byte, tseras.SaltSize)
	if _, err := io.ReadFull(d.Rand, salt); err != nil {
		return fmt.Errorf("salt: %w", err)
	}
	pack := criteria.Pack(f.Case.Number, in, r).Bytes()
	digest := tseras.Digest(salt, pack)
	_, err := tx.Exec(ctx, sqlProposal, pgx.NamedArgs{
		"number": b.number, "result": tseras.BlindResultOf(r, f.Differs(in, r)), "digest": digest[:], "salt": salt, "package": pack, "now": d.moment(),
	})
	return err
}

// sign enters what was signed. Where a member of the panel refuses, a further one is drawn; once there is one, a refusal stands beside the
// decision and does not stop it. Where no more than half of those who spoke sign, or nobody explains what is to be explained, one more is drawn.
func (d Decider) sign(ctx context.Context, tx pgx.Tx, f tseras.File, b bench) error {
	for _, s := range b.signatures {
		if s.Signs || tseras.Panelled(len(b.recorded)) {
			continue
		}
		by := casework.Actor{Part: casework.ByMember, FIN: s.FIN, Office: b.commission}
		if s.Role == tseras.Chair {
			by.Part = casework.ByChair
		}
		_, err := d.move(ctx, tx, f.Case, tseras.FurtherMember, "", by, "refused", nil)
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
		p.Signatures = append(p.Signatures, criteria.Enclosure{Name: string(s.Member), Type: tseras.SignatureType, Bytes: []byte(s.Evidence)})
	}
	if !tseras.Carried(len(p.Signatures), len(b.signatures)) || b.differs && !explained {
		return d.undecided(ctx, tx, f.Case)
	}
	return d.decide(ctx, tx, f, r, p.Bytes(), by, "decided", false)
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
	differs    bool               // it is another result than last time's, by the same findings
	chair      tesdiq.FIN
	extender   tesdiq.FIN
	extension  string // the chair's reason for the longer term
}

const sqlBench = `
	SELECT b.number, s.member_id, s.role, m.fin, k.id, k.name, ` + attends + `, m.ended_at IS NOT NULL, f.findings, g.signs,
	       coalesce(g.explains, ''), coalesce(g.evidence, '')
	FROM tseras_blind b
	JOIN tseras_seats s ON s.number = b.number
	JOIN commission_members m ON m.id = s.member_id
	JOIN commissions k ON k.id = m.commission_id
	LEFT JOIN tseras_findings f ON f.number = s.number AND f.member_id = s.member_id
	LEFT JOIN tseras_signatures g ON g.number = s.number AND g.member_id = s.member_id
	     AND g.n = (SELECT max(p.n) FROM tseras_proposals p WHERE p.number = b.number)
	WHERE b.case_id = @id
	ORDER BY s.seq, s.role, s.member_id`

const sqlProposed = `
	SELECT package, coalesce((result->>'differs')::boolean, false)
	FROM tseras_proposals
	WHERE number = @number
	ORDER BY n DESC
	LIMIT 1`

const sqlExtension = `
	SELECT m.fin, x.reason
	FROM tseras_extensions x
	JOIN commission_members m ON m.id = x.member_id
	WHERE x.number = @number`

// benchOf reads a case's commission.
func benchOf(ctx context.Context, tx pgx.Tx, id casework.ID) (b bench, err error) {
	rows, _ := tx.Query(ctx, sqlBench, pgx.NamedArgs{"id": id}) // the error comes out of ForEachRow
	var s signature
	var panel string
	var attends, left bool
	var findings *criteria.Findings
	var signs *bool
	_, err = pgx.ForEachRow(rows, []any{&b.number, &s.Member, &s.Role, &s.FIN, &panel, &s.Commission, &attends, &left, &findings, &signs, &s.Explains, &s.Evidence}, func() error {
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
	if err != nil {
		return b, fmt.Errorf("tserasdb: commission of case %d: %w", id, err)
	}
	for sql, into := range map[string][]any{sqlProposed: {&b.pack, &b.differs}, sqlExtension: {&b.extender, &b.extension}} {
		if err := tx.QueryRow(ctx, sql, pgx.NamedArgs{"number": b.number}).Scan(into...); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return b, fmt.Errorf("tserasdb: commission of case %d: %w", id, err)
		}
	}
	return b, nil
}
