package tserasdb_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/simulate"
)

// refusedBy expects that the database refuses a statement of a role, whoever holds the role's password.
func (w *world) refusedBy(role postgres.Role, what, sql string, args ...any) {
	w.Helper()
	var refused *pgconn.PgError
	if _, err := w.db.Pool(role).Exec(w.Context(), sql, args...); !errors.As(err, &refused) {
		w.Errorf("%s may as %s: %v", what, role, err)
	}
}

// drawnCase is a case for which a commission was drawn.
func (w *world) drawnCase(who string) (c casework.Case, number tseras.BlindNumber) {
	w.Helper()
	c, err := w.desk.Refer(w.Context(), w.from, w.referral(who), "signed")
	w.must(err)
	w.work()
	w.work()
	w.expect(people.Who(who).FIN, c.Number, tseras.Drawn)
	return c, w.blind(c.Number)
}

// S19: an official skips a stage.
func TestS19SkipsAStage(t *testing.T) {
	w := newWorld(t)
	c, number := w.drawnCase("nermin")
	step := func(from, to, part string) string {
		return `INSERT INTO case_steps (case_id, procedure, kind, seq, from_state, to_state, at, part, actor_fin, office, what, args, turn, began, provisional)
			SELECT id, procedure, kind, seq + 1, '` + from + `', '` + to + `', now() + interval '1 day', '` + part + `', NULL, '', 'x', '{}', 'nobody', current_date, false FROM cases WHERE id = $1`
	}
	for what, sql := range map[string]string{
		"decides before anybody has recorded":    step("drawn", "decided", "system"),
		"decides from a state that it is not in": step("signing", "decided", "system"),
		"puts the state forward without a step":  `UPDATE cases SET state = 'decided' WHERE id = $1`,
		"puts state and number forward":          `UPDATE cases SET seq = seq + 1, state = 'signing' WHERE id = $1`,
	} {
		w.refusedBy(postgres.Casework, what, sql, c.ID)
	}
	w.refusedBy(postgres.Commission, "moves a case", `UPDATE cases SET state = 'decided'`)
	// Of the program: whoever signs before all have recorded, or before there is a result.
	for fin := range w.seats(number) {
		if err := w.bench.Sign(t.Context(), fin, number, tseras.Word{N: 1, Signs: true, Evidence: "token"}); !errors.Is(err, casework.ErrState) {
			t.Errorf("signs before there is a result: %v", err)
		}
	}
	w.work()
	w.expect(people.Who("nermin").FIN, c.Number, tseras.Drawn)
}

// S19, S20: an official decides a relative's case, a patient's of earlier years, his own, or one that he filed or referred.
func TestS19S20DecidesHisOwnRelativesCase(t *testing.T) {
	w := newWorld(t)
	today := tesdiq.DateOf(w.now())
	w.agencies.World = agencies.NewWorld(1, 1000, today) // among so many are doctors, and relatives of the twenty whom the books know
	var known []tesdiq.FIN
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT array_agg(fin) FROM persons`).Scan(&known))
	var fin tesdiq.FIN
	var relatives, doctors []tesdiq.FIN
	for _, p := range w.agencies.World.People() { // somebody with relatives who was treated
		kin, _ := w.agencies.World.Records(gateway.Relatives, p, tesdiq.Date{}, today).([]gateway.Relative)
		treated, _ := w.agencies.World.Records(gateway.Treating, p, tesdiq.Date{}, today).([]gateway.Treatment)
		if len(treated) == 0 || len(kin) <= len(relatives) || !slices.Contains(known, p) {
			continue
		}
		fin, relatives, doctors = p, nil, nil
		for _, r := range kin {
			relatives = append(relatives, r.FIN)
		}
		for _, x := range treated {
			if x.Last.Before(today) {
				doctors = append(doctors, x.Doctor)
			}
		}
	}
	slices.Sort(doctors)
	doctors = slices.Compact(doctors)
	if len(relatives) == 0 || len(doctors) == 0 {
		t.Fatalf("nobody has both: %v, %v", relatives, doctors)
	}
	var born tesdiq.Date
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT born FROM persons WHERE fin = $1`, fin).Scan(&born))
	// A commission is left with a chair, one more, and somebody who must not sit: it can be drawn only by who overlooks him.
	clerk, physician := tesdiq.FIN("0CLERK1"), tesdiq.FIN("2AB3C4D")
	must := map[string]tesdiq.FIN{}
	op := tserasdb.Operator{Pool: w.db.Pool(postgres.Operator), Now: w.now, Rand: w.desk.Rand}
	for i, no := range slices.Concat([]tesdiq.FIN{fin, clerk, physician}, doctors[:min(len(doctors), 3)], relatives[:min(len(relatives), 3)]) {
		id := fmt.Sprintf("K%02d", i+1)
		must[id] = no
		for _, gone := range []string{"-3", "-4"} {
			w.must(op.EndMember(t.Context(), tseras.MemberID(id+gone)))
		}
		_, err := op.AddMember(t.Context(), id, no, "Həkim Nümunəvi", true)
		w.must(err)
	}
	c, err := w.desk.Apply(t.Context(), fin, casework.Actor{Part: casework.ByClerk, FIN: clerk, Office: "Nümunə poçt şöbəsi"}, "form-1")
	w.must(err)
	w.work()
	if w.state(fin, c.Number).State == tseras.AwaitingReferral {
		r := w.referral("nermin")
		r.Subject, r.Born, r.Number = fin, born, "88/relative"
		r.Main.Since = tesdiq.DateOf(w.now()).AddDays(-1)
		r.Treatments, r.Tests = nil, nil
		_, err = w.desk.Refer(t.Context(), w.from, r, "signed")
		w.must(err)
	}
	w.work()
	w.work()
	w.expect(fin, c.Number, tseras.Drawn)
	var candidates []string
	w.must(w.db.Admin.QueryRow(t.Context(), `
		SELECT array_agg(k) FROM drawings d, json_array_elements(d.drawing->'steps') s, json_array_elements_text(s->'candidates') k WHERE s->>'role' = 'commission'`).Scan(&candidates))
	for id, no := range must {
		if slices.Contains(candidates, id) {
			t.Errorf("%s could be drawn, in %s: the person is %s, the clerk %s, the physician %s, treated by %v, relatives %v", no, id, fin, clerk, physician, doctors, relatives)
		}
		if _, err := w.bench.Open(t.Context(), no, w.blind(c.Number)); !errors.Is(err, casework.ErrMissing) {
			t.Errorf("%s opens the case: %v", no, err)
		}
	}
}

// S19: an official lets a commission be drawn until it suits.
func TestS19DrawsAgainUntilItSuits(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("nermin")
	c, number := w.drawnCase("nermin")
	before := slices.Sorted(keysOf(w.seats(number)))
	for range 5 { // the loop, again and again
		_, err := w.drawer.Draw(t.Context())
		w.must(err)
	}
	if after := slices.Sorted(keysOf(w.seats(number))); !slices.Equal(before, after) {
		t.Errorf("%v sat, and now %v", before, after)
	}
	w.refusedBy(postgres.Casework, "draws for the case once more", `
		INSERT INTO drawings (round, ref, case_id, seq, commitment, salt, drawing) SELECT (SELECT min(round) FROM draw_rounds), 'ANOTHER', case_id, seq, commitment, salt, drawing FROM drawings WHERE case_id = $1`, c.ID)
	w.refusedBy(postgres.Casework, "takes a drawing back", `DELETE FROM drawings`)
	w.refusedBy(postgres.Casework, "exchanges a drawing", `UPDATE drawings SET drawing = drawing`)
	w.refusedBy(postgres.Casework, "opens another seed", `INSERT INTO draw_seeds (round, seed, opened_at) SELECT round, sha256(seed), opened_at FROM draw_seeds LIMIT 1`)
	w.refusedBy(postgres.Casework, "exchanges a seed", `UPDATE draw_seeds SET seed = sha256(seed)`)
	w.refusedBy(postgres.Casework, "puts somebody else into a seat", `UPDATE tseras_seats SET member_id = member_id`)
	w.refusedBy(postgres.Casework, "takes a seat away", `DELETE FROM tseras_seats`)
	// The person cannot either: who withdraws and asks again is drawn for among the same commission.
	w.must(w.desk.Withdraw(t.Context(), fin, c.Number, by))
	again := w.referral("nermin")
	again.Number = "88/again"
	_, err := w.desk.Refer(t.Context(), w.from, again, "signed")
	w.must(err)
	w.work()
	w.work()
	var panels int
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT count(DISTINCT m.commission_id) FROM tseras_seats s JOIN commission_members m ON m.id = s.member_id`).Scan(&panels))
	if panels != 1 {
		t.Errorf("another application found another commission: %d", panels)
	}
	// What somebody who owns the database puts into a seat is seen by everybody who compares it with the drawing.
	_, err = w.db.Admin.Exec(t.Context(), `UPDATE tseras_seats SET member_id = (SELECT min(m.id) FROM commission_members m WHERE NOT EXISTS (SELECT FROM tseras_seats t WHERE t.member_id = m.id)) WHERE (number, member_id) IN (SELECT number, member_id FROM tseras_seats WHERE role = 'member' LIMIT 1)`)
	w.must(err)
	_, wrong, err := simulate.Audit(t.Context(), w.db.Admin, 1<<40, func(string) {})
	w.must(err)
	if !strings.Contains(strings.Join(wrong, "\n"), "who sits is who was drawn") {
		t.Errorf("nobody sees that somebody else sits: %q", wrong)
	}
}

func keysOf(m map[tesdiq.FIN]tseras.Seat) func(func(tesdiq.FIN) bool) {
	return func(yield func(tesdiq.FIN) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// S19: an official back-dates.
func TestS19BackDates(t *testing.T) {
	w := newWorld(t)
	c, number := w.drawnCase("nermin")
	w.refusedBy(postgres.Casework, "dates a step before the one that it follows", `
		INSERT INTO case_steps (case_id, procedure, kind, seq, from_state, to_state, at, part, actor_fin, office, what, args, turn, began, provisional)
		SELECT id, procedure, kind, seq + 1, 'drawn', 'signing', opened_at - interval '1 year', 'system', NULL, '', 'x', '{}', 'nobody', current_date, false FROM cases WHERE id = $1`, c.ID)
	for what, sql := range map[string]string{
		"dates a step anew":      `UPDATE case_steps SET at = at - interval '1 year'`,
		"opens a case earlier":   `UPDATE cases SET opened_at = opened_at - interval '1 year', law_on = law_on - 365`,
		"receives earlier":       `UPDATE tseras_referrals SET received_at = received_at - interval '1 year'`,
		"is answered earlier":    `UPDATE tseras_evidence SET at = at - interval '1 year'`,
		"decides earlier":        `UPDATE tseras_decisions SET decided_at = decided_at - interval '1 year'`,
		"moves a clock's end":    `UPDATE case_steps SET due_by = due_by + 100`,
		"takes back a rung bell": `DELETE FROM case_alarms`,
	} {
		w.refusedBy(postgres.Casework, what, sql)
	}
	for what, sql := range map[string]string{
		"has recorded earlier": `UPDATE tseras_findings SET recorded_at = recorded_at - interval '1 year'`,
		"has signed earlier":   `UPDATE tseras_signatures SET signed_at = signed_at - interval '1 year'`,
		"has looked earlier":   `UPDATE tseras_looks SET at = at - interval '1 year'`,
	} {
		w.refusedBy(postgres.Commission, what, sql)
	}
	// A machine whose clock was set back writes no step before the last one either.
	w.later = -48 * 60 * 60 * 1e9
	fin, by := subject("nermin")
	w.must(w.desk.Withdraw(t.Context(), fin, c.Number, by))
	steps := w.state(fin, c.Number).Steps
	if last := steps[len(steps)-1]; last.At.Before(steps[len(steps)-2].At) {
		t.Errorf("%s was withdrawn at %s, before it was drawn", number, last.At)
	}
}

// S19: an official edits after the signature.
func TestS19EditsAfterTheSignature(t *testing.T) {
	w := newWorld(t)
	s := w.decided(3)
	number := w.blind(s.Number)
	for what, sql := range map[string]string{
		"changes what was found":    `UPDATE tseras_findings SET findings = findings`,
		"changes a word":            `UPDATE tseras_signatures SET signs = false, reason = 'x'`,
		"takes a word back":         `DELETE FROM tseras_signatures`,
		"changes what was proposed": `UPDATE tseras_proposals SET package = package`,
		"takes a look back":         `DELETE FROM tseras_looks`,
	} {
		w.refusedBy(postgres.Commission, what, sql)
	}
	for what, sql := range map[string]string{
		"changes the decision":          `UPDATE tseras_decisions SET package = package`,
		"takes the decision back":       `DELETE FROM tseras_decisions`,
		"decides the case again":        `INSERT INTO tseras_decisions (case_id, entry_id, alone, package, decided_at) SELECT case_id, NULL, alone, package, decided_at FROM tseras_decisions`,
		"proposes anew under a number":  `INSERT INTO tseras_proposals (number, n, result, digest, salt, package, made_at) SELECT number, n, result, digest, salt, package, made_at FROM tseras_proposals`,
		"changes the examination":       `UPDATE examinations SET loss = 100`,
		"takes the examination out":     `DELETE FROM entries`,
		"changes the ledger":            `UPDATE ledger_lines SET mac = mac`,
		"takes a ledger line out":       `DELETE FROM ledger_lines`,
		"writes findings of a member":   `INSERT INTO tseras_findings (number, member_id, findings, recorded_at) SELECT number, member_id, findings, recorded_at FROM tseras_findings`,
		"signs in a member's place":     `INSERT INTO tseras_signatures (number, n, member_id, signs, reason, explains, evidence, signed_at) SELECT number, n + 1, member_id, true, '', '', 'x', signed_at FROM tseras_signatures`,
		"changes the institution's act": `UPDATE tseras_referrals SET referral = referral`,
	} {
		w.refusedBy(postgres.Casework, what, sql)
	}
	for fin := range w.seats(number) {
		if err := w.bench.Record(t.Context(), fin, number, findings("joints-rheumatoid", 4)); !errors.Is(err, casework.ErrState) {
			t.Errorf("records once more: %v", err)
		}
		if err := w.bench.Sign(t.Context(), fin, number, tseras.Word{N: 1, Reason: "Fikrimi dəyişdim"}); !errors.Is(err, casework.ErrState) {
			t.Errorf("takes his word back: %v", err)
		}
	}
}

// S19: an official looks without a case. He finds none, it stands in the log, and whoever does look is seen by the person.
func TestS19LooksWithoutACase(t *testing.T) {
	w := newWorld(t)
	s := w.site()
	var log bytes.Buffer
	s.shell.Log = slog.New(slog.NewTextHandler(&log, nil))
	_, path, all := s.drawnFor()
	sits := map[tesdiq.FIN]bool{}
	for _, readers := range all {
		for _, m := range readers {
			sits[m.fin] = true
		}
	}
	var other tesdiq.FIN
	for c := range commissions {
		if fin := memberFIN(c+1, 1); !sits[fin] {
			other = fin
			break
		}
	}
	m := s.signedIn(other)
	if a := m.get(path); a.Status != http.StatusNotFound {
		t.Errorf("%d", a.Status)
	}
	if text := log.String(); !strings.Contains(text, "a member has asked for a case that he has no seat in") || !strings.Contains(text, "member=K") || strings.Contains(text, string(other)) {
		t.Errorf("the log: %s", text)
	}
	fin, _ := subject("nermin")
	cases, err := w.desk.Cases(t.Context(), fin)
	w.must(err)
	if looks := w.state(fin, cases[0].Number).Looks; len(looks) != 0 {
		t.Errorf("a look that was refused is shown as one: %v", looks)
	}
	all[tseras.Chair][0].get(path)
	if looks := w.state(fin, cases[0].Number).Looks; len(looks) != 1 {
		t.Errorf("the person sees %d looks of one", len(looks))
	}
	for what, sql := range map[string]string{
		"reads whose case it is": `SELECT subject FROM cases`, "finds the case behind a number": `SELECT case_id FROM tseras_blind`, "reads who looked": `SELECT member_id FROM tseras_looks`,
		"reads the registers": `SELECT outcome FROM tseras_evidence`, "reads exchanges": `SELECT exchange FROM gateway_exchanges`,
	} {
		w.refusedBy(postgres.Commission, what, sql)
	}
}

// S20: one person with two accounts, sessions or roles is one person.
func TestS20OnePersonWithTwoRoles(t *testing.T) {
	w := newWorld(t)
	op := tserasdb.Operator{Pool: w.db.Pool(postgres.Operator), Now: w.now, Rand: w.desk.Rand}
	fin := memberFIN(1, 1)
	if _, err := op.AddMember(t.Context(), "K02", fin, "Həkim Nümunəvi", true); err == nil {
		t.Error("somebody sits in two commissions")
	}
	w.refusedBy(postgres.Operator, "sits in two commissions",
		`INSERT INTO commission_members (id, commission_id, fin, name, chair, added_at) VALUES ('K02-9', 'K02', $1, 'Həkim Nümunəvi', true, now())`, fin)
	// Whoever sits over a case, leaves his commission and comes back under another number, is not drawn for it as the further member.
	c, number := w.drawnCase("nermin")
	var sits []tesdiq.FIN
	for member, s := range w.seats(number) {
		sits = append(sits, member)
		_, err := w.bench.Open(t.Context(), member, number)
		w.must(err)
		grade := 2
		if s.Role == tseras.Chair {
			grade = 3
		}
		w.must(w.bench.Record(t.Context(), member, number, findings("joints-rheumatoid", grade)))
	}
	w.work() // calls for a further member
	all, err := op.List(t.Context())
	w.must(err)
	panel := ""
	for _, k := range all {
		for _, m := range k.Members {
			if m.FIN == sits[0] {
				panel = k.ID
			}
		}
	}
	for _, k := range all { // nobody is left elsewhere but those who sit already
		for _, m := range k.Members {
			if k.ID != panel || m.FIN == sits[0] || m.FIN == sits[1] {
				w.must(op.EndMember(t.Context(), m.ID))
			}
		}
	}
	for _, k := range all {
		if k.ID != panel {
			for _, member := range sits[:2] {
				_, err := op.AddMember(t.Context(), k.ID, member, "Həkim Nümunəvi", true)
				w.must(err)
			}
			break
		}
	}
	w.work()
	w.work()
	w.expect(people.Who("nermin").FIN, c.Number, tseras.FurtherMember)
	var further int
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT count(*) FROM tseras_seats WHERE role = 'further'`).Scan(&further))
	if further != 0 {
		t.Error("somebody sits twice over one case")
	}
	// Under his new number he has no seat in it either, and cannot say a second word.
	if err := w.bench.Record(t.Context(), sits[0], number, criteria.Findings{}); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("under another number: %v", err)
	}
}
