package tserasdb

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// writes are what the cases of a batch, which the transaction holds, are to have written. Each case says what without touching the
// database; flush writes it for all by one statement of each sort, which is what makes many decisions quick.
type writes struct {
	desk Desk
	now  time.Time // of the whole batch

	drawn     []drawn
	moved     []caseworkdb.Moved
	told      []message.Message
	lines     []ledger.Line
	proposals []proposal
	decisions []decision
	asked     []casework.Case // that wait for an institution's referral now
	codes     []string        // of these institutions
	deeds     []func(context.Context, pgx.Tx) error
}

// proposal is what chair and members are to sign.
type proposal struct {
	number tseras.BlindNumber
	result tseras.BlindResult
	digest []byte
	salt   []byte
	pack   []byte
}

// drawn is what was drawn for a case.
type drawn struct {
	of         casework.Case // at the step that calls for the draw
	drawing    tseras.Drawing
	commitment []byte
	salt       []byte
	number     tseras.BlindNumber
	blind      *shown // nil for a further member: the commission has it
	anew       bool   // another commission had the case before
}

// shown is what a commission sees of a case, with the salt of the commitment to it.
type shown struct {
	referral tseras.BlindReferral
	salt     []byte
}

// shown commits to what a commission will see. args are what the step that draws it says.
func (w *writes) shown(b tseras.BlindReferral) (s *shown, args map[string]string, err error) {
	s = &shown{b, make([]byte, tseras.SaltSize)}
	if _, err := io.ReadFull(w.desk.Rand, s.salt); err != nil {
		return nil, nil, fmt.Errorf("salt: %w", err)
	}
	commitment, err := b.Commitment(s.salt)
	return s, map[string]string{tseras.StepShown: hex.EncodeToString(commitment[:])}, err
}

func numberOf(d drawn) string    { return string(d.number) }
func caseOf(d drawn) casework.ID { return d.of.ID }
func seqOf(d drawn) int          { return d.of.Seq }
func saltOf(d drawn) []byte      { return d.blind.salt }

// decision is what closes a case.
type decision struct {
	file   tseras.File
	result criteria.Result
	pack   []byte
	by     string // the commission, or tseras.ByRules
	alone  bool
	what   string        // the step
	after  casework.Case // as it stands then
	enters bool
	body   registry.Body
	entry  *registry.EntryID
}

// replaces says whether something else holds now than before.
func (d decision) replaces() bool { return d.enters || d.what == tseras.Replaced }

func (d Desk) writes() *writes { return &writes{desk: d, now: d.moment()} }

// try lets one case say what it wants to have written; after an error nothing of it is.
func (w *writes) try(say func() error) error {
	before := *w
	err := say()
	if err != nil {
		*w = before
	}
	return err
}

// move writes a step, one for a case.
func (w *writes) move(c casework.Case, to casework.State, variant string, by casework.Actor, what string, args map[string]string) (casework.Case, error) {
	after, step, err := w.desk.step(c, to, variant, by, what, args, w.now)
	if err == nil {
		w.moved = append(w.moved, caseworkdb.Moved{Case: after, Step: step})
	}
	return after, err
}

// then does something of its own when all else is written.
func (w *writes) then(deed func(context.Context, pgx.Tx) error) { w.deeds = append(w.deeds, deed) }

// seat publishes a drawing, which the case's latest step calls for, with its ledger line, and gives those who were drawn their seats. blind is
// what a commission sees of the case; anew: in place of what one saw that had it before.
func (w *writes) seat(c casework.Case, drawing tseras.Drawing, number tseras.BlindNumber, blind *shown, anew bool) error {
	salt := make([]byte, tseras.SaltSize)
	if _, err := io.ReadFull(w.desk.Rand, salt); err != nil {
		return fmt.Errorf("salt: %w", err)
	}
	commitment, err := drawing.Commitment(salt)
	if err != nil {
		return err
	}
	line, err := ledger.NewLine(w.desk.Rand, ledger.Drawing, strconv.FormatInt(drawing.Round, 10)+"/"+drawing.Ref, commitment[:])
	if err != nil {
		return err
	}
	w.drawn, w.lines = append(w.drawn, drawn{c, drawing, commitment[:], salt, number, blind, anew}), append(w.lines, line)
	return nil
}

// propose lays before chair and members what they are to sign.
func (w *writes) propose(f tseras.File, number tseras.BlindNumber, in criteria.Input, r criteria.Result) error {
	salt := make([]byte, tseras.SaltSize)
	if _, err := io.ReadFull(w.desk.Rand, salt); err != nil {
		return fmt.Errorf("salt: %w", err)
	}
	pack := f.Pack(in, r).Bytes()
	digest := tseras.Digest(salt, pack)
	w.proposals = append(w.proposals, proposal{number, tseras.BlindResultOf(r, f.Differs(in, r)), digest[:], salt, pack})
	return nil
}

// decide closes a case: entry, decision, step, ledger lines, message and the programme that follows, together. by names the commission; empty where
// the registers' evidence alone decided.
func (w *writes) decide(f tseras.File, r criteria.Result, pack []byte, by, what string, alone bool) error {
	if alone {
		by = tseras.ByRules
	}
	if f.First != nil {
		if what = tseras.Replaced; tseras.Confirms(f.First.Result, r) && !f.First.Annulled {
			what = tseras.Confirmed
		}
	}
	d := decision{file: f, result: r, pack: pack, by: by, alone: alone, what: what}
	x, entered := tseras.EntryOf(f, r, by)
	d.enters, d.body = entered && what != tseras.Confirmed, x
	line, err := ledger.NewLine(w.desk.Rand, ledger.Decision, strconv.FormatInt(int64(f.Case.ID), 10), pack)
	if err != nil {
		return err
	}
	if d.after, err = w.move(f.Case, tseras.Decided, "", casework.Actor{Part: casework.BySystem}, what, nil); err != nil {
		return err
	}
	w.lines, w.decisions = append(w.lines, line), append(w.decisions, d)
	if f.First != nil {
		w.told = append(w.told, noteOfAppeal(d.after, what, nil, w.now))
	} else {
		w.told = append(w.told, noteOf(d.after, "decided", w.now))
	}
	return nil
}

// flush writes everything. After an error the transaction must be rolled back. Entries come late: the year's numbers are held until the
// transaction ends, and nobody else enters anything meanwhile.
func (w *writes) flush(ctx context.Context, tx pgx.Tx) error {
	for _, write := range []func(context.Context, pgx.Tx) error{w.step, w.insertSeats, w.insertProposals, w.append, w.askInstitutions, w.enter, w.insertDecisions, w.programmes, w.tell} {
		if err := write(ctx, tx); err != nil {
			return err
		}
	}
	for _, deed := range w.deeds {
		if err := deed(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// enter enters what decisions say in the book of examinations.
func (w *writes) enter(ctx context.Context, tx pgx.Tx) error {
	var changes []registry.Change
	var of []int
	for i, d := range w.decisions {
		switch {
		case d.enters:
			changes, of = append(changes, registry.Change{Act: registry.Append, Body: d.body, By: d.by}), append(of, i)
		case d.what == tseras.Replaced && d.file.First.Entry != "":
			if err := w.desk.annulFirst(ctx, tx, d.file, d.by, w.now); err != nil {
				return err
			}
		}
	}
	if len(changes) == 0 {
		return nil
	}
	versions, err := registrydb.EnterAll(ctx, tx, changes, w.now, w.desk.Rand)
	if err != nil {
		return fmt.Errorf("entry: %w", err)
	}
	for n, i := range of {
		w.decisions[i].entry = &versions[n].Head.ID
	}
	return nil
}

const sqlPublish = `
	INSERT INTO drawings (round, ref, case_id, seq, commitment, salt, drawing)
	SELECT a.round, a.ref, a.case_id, a.seq, a.commitment, a.salt, a.drawing::json
	FROM unnest(@rounds::bigint[], @refs::text[], @cases::bigint[], @seqs::int[], @commitments::bytea[], @salts::bytea[], @drawings::text[])
	     AS a (round, ref, case_id, seq, commitment, salt, drawing)`

const sqlBlind = `
	INSERT INTO tseras_blind (number, case_id, referral, salt)
	SELECT a.number, a.case_id, a.referral::jsonb, a.salt
	FROM unnest(@numbers::text[], @cases::bigint[], @referrals::text[], @salts::bytea[]) AS a (number, case_id, referral, salt)`

const sqlBlindAnew = `
	INSERT INTO tseras_blind_anew (number, case_id, seq, referral, salt)
	SELECT a.number, a.case_id, a.seq, a.referral::jsonb, a.salt
	FROM unnest(@numbers::text[], @cases::bigint[], @seqs::int[], @referrals::text[], @salts::bytea[]) AS a (number, case_id, seq, referral, salt)`

const sqlTakeSeats = `
	INSERT INTO tseras_seats (number, member_id, role, seq, seated_at)
	SELECT a.number, a.member, a.role, a.seq, @now
	FROM unnest(@numbers::text[], @members::text[], @roles::text[], @seqs::int[]) AS a (number, member, role, seq)`

// insertSeats writes what was drawn and is not written yet.
func (w *writes) insertSeats(ctx context.Context, tx pgx.Tx) error {
	if len(w.drawn) == 0 {
		return nil
	}
	var first, anew []drawn // of these, commissions
	var drawings, blinds, blindsAnew, numbers, members, roles []string
	var seqs []int
	for _, d := range w.drawn {
		text, err := textOf(d.drawing)
		if err != nil {
			return err
		}
		drawings = append(drawings, text)
		if d.blind != nil {
			if text, err = textOf(d.blind.referral); err != nil {
				return err
			}
			if d.anew {
				anew, blindsAnew = append(anew, d), append(blindsAnew, text)
			} else {
				first, blinds = append(first, d), append(blinds, text)
			}
		}
		for _, role := range []tseras.Role{tseras.Chair, tseras.Member, tseras.Further} {
			for _, m := range d.drawing.Drawn(role) {
				numbers, members, roles, seqs = append(numbers, string(d.number)), append(members, m), append(roles, string(role)), append(seqs, d.of.Seq)
			}
		}
	}
	for _, insert := range []struct {
		sql  string
		args pgx.NamedArgs
	}{
		{sqlPublish, pgx.NamedArgs{
			"rounds":      column(w.drawn, func(d drawn) int64 { return d.drawing.Round }),
			"refs":        column(w.drawn, func(d drawn) string { return d.drawing.Ref }),
			"cases":       column(w.drawn, caseOf),
			"seqs":        column(w.drawn, seqOf),
			"commitments": column(w.drawn, func(d drawn) []byte { return d.commitment }),
			"salts":       column(w.drawn, func(d drawn) []byte { return d.salt }),
			"drawings":    drawings,
		}},
		{sqlBlind, pgx.NamedArgs{"numbers": column(first, numberOf), "cases": column(first, caseOf), "referrals": blinds, "salts": column(first, saltOf)}},
		{sqlBlindAnew, pgx.NamedArgs{
			"numbers": column(anew, numberOf), "cases": column(anew, caseOf), "seqs": column(anew, seqOf), "referrals": blindsAnew, "salts": column(anew, saltOf),
		}},
		{sqlTakeSeats, pgx.NamedArgs{"numbers": numbers, "members": members, "roles": roles, "seqs": seqs, "now": w.now}},
	} {
		if _, err := tx.Exec(ctx, insert.sql, insert.args); err != nil {
			return fmt.Errorf("tserasdb: seats: %w", err)
		}
	}
	w.drawn = nil
	return nil
}

const sqlDecisions = `
	INSERT INTO tseras_decisions (case_id, entry_id, alone, package, decided_at)
	SELECT d.case_id, d.entry_id, d.alone, d.package, @now
	FROM unnest(@cases::bigint[], @entries::bigint[], @alone::boolean[], @packages::bytea[]) AS d (case_id, entry_id, alone, package)`

func (w *writes) insertDecisions(ctx context.Context, tx pgx.Tx) error {
	if len(w.decisions) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, sqlDecisions, pgx.NamedArgs{
		"cases":    column(w.decisions, func(d decision) casework.ID { return d.file.Case.ID }),
		"entries":  column(w.decisions, func(d decision) *registry.EntryID { return d.entry }),
		"alone":    column(w.decisions, func(d decision) bool { return d.alone }),
		"packages": column(w.decisions, func(d decision) []byte { return d.pack }),
		"now":      w.now,
	})
	if err != nil {
		return fmt.Errorf("tserasdb: decisions: %w", err)
	}
	return nil
}

const sqlProposals = `
	INSERT INTO tseras_proposals (number, n, result, digest, salt, package, made_at)
	SELECT a.number, 1 + coalesce((SELECT max(p.n) FROM tseras_proposals p WHERE p.number = a.number), 0), a.result::jsonb, a.digest, a.salt, a.package, @now
	FROM unnest(@numbers::text[], @results::text[], @digests::bytea[], @salts::bytea[], @packages::bytea[]) AS a (number, result, digest, salt, package)`

func (w *writes) insertProposals(ctx context.Context, tx pgx.Tx) error {
	if len(w.proposals) == 0 {
		return nil
	}
	results := make([]string, len(w.proposals))
	for i, p := range w.proposals {
		var err error
		if results[i], err = textOf(p.result); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, sqlProposals, pgx.NamedArgs{
		"numbers":  column(w.proposals, func(p proposal) string { return string(p.number) }),
		"results":  results,
		"digests":  column(w.proposals, func(p proposal) []byte { return p.digest }),
		"salts":    column(w.proposals, func(p proposal) []byte { return p.salt }),
		"packages": column(w.proposals, func(p proposal) []byte { return p.pack }),
		"now":      w.now,
	})
	if err != nil {
		return fmt.Errorf("tserasdb: proposals: %w", err)
	}
	return nil
}

func (w *writes) step(ctx context.Context, tx pgx.Tx) error {
	return caseworkdb.Write(ctx, tx, w.desk.Rand, tseras.Procedure, w.moved...)
}

func (w *writes) append(ctx context.Context, tx pgx.Tx) error {
	if len(w.lines) == 0 {
		return nil
	}
	return ledgerdb.Append(ctx, tx, w.lines...)
}

func (w *writes) tell(ctx context.Context, tx pgx.Tx) error { return message.Send(ctx, tx, w.told...) }

// column is one field of each of several rows, for unnest.
func column[R, V any](rows []R, of func(R) V) []V {
	all := make([]V, len(rows))
	for i, r := range rows {
		all[i] = of(r)
	}
	return all
}
