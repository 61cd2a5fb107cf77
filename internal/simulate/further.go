package simulate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/organisation"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
)

// further is what follows decisions, and what is said of registers: rehabilitation programmes and corrections. What is done next is derived
// from what stands in the database, so a crash leaves nothing to be remembered here.
type further struct {
	bodies []tseras.Body
	about  map[string]string // the number of the case that a correction is about: its questions are sealed where that case's are
	asked  map[int64]bool    // cases of which somebody has said already that a register is wrong
}

// Of programmes one in share is taken by a body; the others wait for one, and are explained so.
func (y *year) share() int { return min(max(1, y.Cases/100), 20) }

// rehabilitate adds the bodies that make programmes.
func (y *year) rehabilitate(ctx context.Context, orgs organisationdb.Operator) error {
	y.about, y.asked = map[string]string{}, map[int64]bool{}
	for n := range 3 {
		voen := tesdiq.VOEN(fmt.Sprintf("17000000%d1", n))
		o, err := orgs.Add(ctx, organisation.Organisation{VOEN: voen, Name: fmt.Sprintf("%d saylı bərpa mərkəzi", n+1), Sort: organisation.Office})
		if err != nil {
			return err
		}
		if _, err := orgs.AddDuty(ctx, voen, organisation.Rehabilitation); err != nil {
			return err
		}
		y.bodies = append(y.bodies, tseras.Body{ID: o.ID, Name: o.Name, FIN: tesdiq.FIN(fmt.Sprintf("9ZB000%d", n))})
	}
	return nil
}

// afterwards is what is done of both at the end of a working day.
func (y *year) afterwards(ctx context.Context) error {
	for _, loop := range []struct {
		what string
		do   func(context.Context) error
	}{{"programmes", y.programmes}, {"corrections asked for", y.dispute}, {"corrections", y.correct}} {
		if err := y.phase(ctx, loop.what, loop.do); err != nil {
			return err
		}
	}
	return nil
}

// chanceOf is what somebody does in a case: the same for the same case and step.
func (y *year) chanceOf(id casework.ID, seq int) *rand.Rand {
	return rand.New(rand.NewPCG(y.Seed+7, uint64(id)<<16|uint64(seq)))
}

// tolerated is what is left of an act that came too late or twice.
func (y *year) tolerated(what string, err error) error {
	var p *tesdiq.Problem
	switch {
	case errors.As(err, &p) && (p.Kind == tesdiq.Conflict || p.Kind == tesdiq.NotFound):
		y.count("came too late or twice: "+what, 1)
		return nil
	case err != nil:
		return fmt.Errorf("simulate: somebody %s: %w", what, err)
	}
	y.count(what, 1)
	y.count("steps seen", 1) // the year is not over while something happens
	return nil
}

const sqlProgrammesAtWork = `
	SELECT c.id, c.number, c.subject, a.number, c.state, c.seq, s.at, s.due_by,
	       coalesce((SELECT b.organisation_id FROM tseras_programme_bodies b WHERE b.case_id = c.id ORDER BY b.n DESC LIMIT 1), 0),
	       (SELECT count(*) FROM tseras_programme_drafts d WHERE d.case_id = c.id)
	FROM cases c
	JOIN cases a ON a.id = c.about
	JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
	WHERE c.kind = 'programme' AND (c.state IN ('awaiting_invitation', 'awaiting_meeting', 'drafted')
	      OR c.state IN ('withdrawn', 'lapsed') AND s.at > @recent AND NOT EXISTS (SELECT FROM cases o WHERE o.kind = 'programme' AND o.about = c.about AND o.id <> c.id))
	ORDER BY c.id`

// prog is a programme's case as it stands.
type prog struct {
	ID       casework.ID
	Number   string
	Subject  tesdiq.FIN
	Decision string
	State    casework.State
	Seq      int
	Since    time.Time
	Due      tesdiq.Date
	Holder   int64
	Drafts   int
}

// programmes lets bodies and people do what is their turn in programmes.
func (y *year) programmes(ctx context.Context) error {
	rows, _ := y.admin.Query(ctx, sqlProgrammesAtWork, pgx.NamedArgs{"recent": y.now().AddDate(0, 0, -2)}) // the error comes out of Collect
	open, err := pgx.CollectRows(rows, pgx.RowToStructByPos[prog])
	if err != nil {
		return fmt.Errorf("simulate: programmes: %w", err)
	}
	today := begins.AddDays(y.day)
	for _, p := range open {
		own, r := y.chanceOf(p.ID, 0), y.chanceOf(p.ID, p.Seq)
		if own.IntN(y.share()) > 0 || today.Before(tesdiq.DateOf(p.Since).AddDays(r.IntN(4))) {
			continue
		}
		steps, err := caseworkdb.History(ctx, y.admin, p.ID)
		if err != nil {
			return err
		}
		if err := y.goesOnWith(ctx, p, tseras.CourseOf(steps), own, r); err != nil {
			return err
		}
	}
	return nil
}

// goesOnWith does what is next in a programme. own is the chance of the person, r that of the moment.
func (y *year) goesOnWith(ctx context.Context, p prog, k tseras.Course, own, r *rand.Rand) error {
	person := casework.Actor{Part: casework.BySubject, FIN: p.Subject}
	body := y.bodies[int(uint64(p.ID)%uint64(len(y.bodies)))]
	for _, b := range y.bodies {
		if b.ID == p.Holder {
			body = b
		}
	}
	temper := own.IntN(100)
	switch {
	case p.State == tseras.Withdrawn || p.State == tseras.Lapsed:
		if temper%2 > 0 {
			return nil
		}
		_, err := y.desk.AskProgramme(ctx, p.Subject, p.Decision, person, strconv.FormatInt(int64(p.ID), 10))
		return y.tolerated("asks for another programme", err)
	case temper < 4 && p.State != tseras.AwaitingInvitation:
		return y.tolerated("declines a programme", y.desk.DeclineProgramme(ctx, p.Subject, p.Number, person))
	case p.State == tseras.AwaitingInvitation && p.Holder == 0:
		return y.tolerated("takes a programme", y.rehabilitation.Take(ctx, body, p.Number))
	case p.State == tseras.AwaitingInvitation:
		if _, err := y.rehabilitation.Open(ctx, body, p.Number); err != nil { // whoever invites has read the case
			return y.tolerated("reads a programme", err)
		}
		return y.invites(ctx, body, p.Number, "invites", false)
	case p.State == tseras.AwaitingMeeting:
		return y.meets(ctx, body, p, k, temper, r)
	case k.Word == tseras.NoWord && temper < 15: // he says nothing until the last day
		if begins.AddDays(y.day).Before(p.Due) {
			return nil
		}
		return y.tolerated("enters a programme without a word", y.rehabilitation.Enter(ctx, body, p.Number, p.Drafts, ""))
	case k.Word == tseras.NoWord && temper < 40 && p.Drafts < 2:
		return y.tolerated("misses something in a draft", y.desk.AnswerDraft(ctx, p.Subject, p.Number, person, p.Drafts, tseras.Missing, "Ağ əsa da lazımdır"))
	case k.Word == tseras.NoWord:
		return y.tolerated("agrees to a draft", y.desk.AnswerDraft(ctx, p.Subject, p.Number, person, p.Drafts, tseras.Agreed, ""))
	case k.Word == tseras.Missing && temper%2 == 0:
		return y.tolerated("drafts again", y.draft(ctx, body, p, "treatment", "cane"))
	case k.Word == tseras.Missing:
		return y.tolerated("enters a programme with an answer", y.rehabilitation.Enter(ctx, body, p.Number, p.Drafts, "Həkim bunu tövsiyə etmir"))
	}
	return y.tolerated("enters a programme", y.rehabilitation.Enter(ctx, body, p.Number, p.Drafts, ""))
}

// meets is a meeting that was agreed on, or moved, or missed.
func (y *year) meets(ctx context.Context, body tseras.Body, p prog, k tseras.Course, temper int, r *rand.Rand) error {
	came := k.Invitation.Began(y.now())
	switch {
	case k.Wish != "":
		return y.invites(ctx, body, p.Number, "moves a meeting", false)
	case !came && temper%5 == 0 && p.Seq < 5:
		by := casework.Actor{Part: casework.BySubject, FIN: p.Subject}
		return y.tolerated("wishes for another meeting", y.desk.WishProgramme(ctx, p.Subject, p.Number, by, "Başqa vaxt olsun"))
	case !came:
		return nil
	case (temper > 90 || r.IntN(20) == 0) && k.MayLapse(y.now()):
		return y.tolerated("lets a programme lapse", y.rehabilitation.Lapse(ctx, body, p.Number))
	case temper > 90 || r.IntN(20) == 0:
		return y.invites(ctx, body, p.Number, "invites who did not come", true)
	}
	return y.tolerated("drafts", y.draft(ctx, body, p, "treatment"))
}

// invites takes the first day from the second working day on that will do.
func (y *year) invites(ctx context.Context, body tseras.Body, number, what string, absent bool) (err error) {
	for n := range 6 {
		day := begins.AddDays(y.in(2) + n)
		var ps tesdiq.Problems
		err = y.rehabilitation.Invite(ctx, body, number, tseras.Invitation{Day: day, Time: "10:30", Place: "Bakı, 1 saylı otaq"}, absent)
		if !errors.As(err, &ps) {
			break
		}
	}
	return y.tolerated(what, err)
}

const sqlEnds = `
	SELECT x.until_day
	FROM tseras_programmes p
	JOIN tseras_decisions d ON d.case_id = p.decision
	JOIN examinations x ON x.entry_id = d.entry_id
	JOIN cases c ON c.id = p.case_id
	WHERE c.number = @number`

// draft drafts measures, which end with the disability at the latest; where it is over already there is nothing to draft.
func (y *year) draft(ctx context.Context, body tseras.Body, p prog, codes ...string) error {
	var ends tesdiq.Date
	if err := y.admin.QueryRow(ctx, sqlEnds, pgx.NamedArgs{"number": p.Number}).Scan(&ends); err != nil {
		return fmt.Errorf("simulate: the end of a disability: %w", err)
	}
	today, until := begins.AddDays(y.day), begins.AddDays(y.day+10)
	if !ends.IsZero() && ends.Before(today) {
		y.count("nothing to draft: the disability is over", 1)
		return nil
	}
	if !ends.IsZero() && ends.Before(until) {
		until = ends
	}
	var all []tseras.Line
	for _, m := range codes {
		all = append(all, tseras.Line{Measure: m, Provider: "Reabilitasiya Agentliyi", Until: until})
	}
	return y.rehabilitation.Draft(ctx, body, p.Number, p.Drafts+1, all)
}

const sqlDisputable = `
	SELECT c.id, c.number, c.subject
	FROM cases c
	JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
	WHERE c.kind = 'assessment' AND c.state IN ('awaiting_referral', 'drawn', 'decided') AND s.at > @recent
	ORDER BY c.id`

const sqlAsked = `
	SELECT c.id, c.number, c.subject
	FROM cases c
	WHERE c.kind = 'correction' AND c.state = 'asked'
	ORDER BY c.id`

// dispute lets people say that a register is wrong, and some of them take it back.
func (y *year) dispute(ctx context.Context) error {
	type stand struct {
		ID      casework.ID
		Number  string
		Subject tesdiq.FIN
	}
	rows, _ := y.admin.Query(ctx, sqlAsked) // the error comes out of Collect
	open, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stand])
	if err != nil {
		return fmt.Errorf("simulate: corrections: %w", err)
	}
	for _, k := range open {
		if y.chanceOf(k.ID, 9).IntN(12) == 0 {
			by := casework.Actor{Part: casework.BySubject, FIN: k.Subject}
			if err := y.tolerated("takes a correction back", y.desk.Withdraw(ctx, k.Subject, k.Number, by)); err != nil {
				return err
			}
		}
	}
	rows, _ = y.admin.Query(ctx, sqlDisputable, pgx.NamedArgs{"recent": y.now().AddDate(0, 0, -4)}) // the error comes out of Collect
	fresh, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stand])
	if err != nil {
		return fmt.Errorf("simulate: corrections: %w", err)
	}
	for _, c := range fresh {
		r := y.chanceOf(c.ID, 8)
		if y.asked[int64(c.ID)] || r.IntN(100) >= 15 {
			continue
		}
		register, wrong := tseras.Registers[r.IntN(len(tseras.Registers))], gateway.Wrongs[r.IntN(len(gateway.Wrongs))]
		by := casework.Actor{Part: casework.BySubject, FIN: c.Subject}
		k, err := y.desk.AskCorrection(ctx, c.Subject, c.Number, register, wrong, "Reyestrdə səhv var", by, strconv.FormatInt(int64(c.ID), 10))
		if err == nil {
			y.mu.Lock()
			y.about[k.Number], y.asked[int64(c.ID)] = c.Number, true
			y.mu.Unlock()
		}
		if err := y.tolerated("says that a register is wrong", err); err != nil {
			return err
		}
	}
	return nil
}

// correct asks the agencies for the corrections that are due.
func (y *year) correct(ctx context.Context) error {
	n, err := y.corrector.Correct(ctx)
	y.count("corrections asked of agencies", n)
	return err
}

// disputed is the case whose questions decide whether a correction's are sealed: a sealed one names a question that was sealed.
func (y *year) disputed(number string) string {
	y.mu.Lock()
	defer y.mu.Unlock()
	if about, ok := y.about[number]; ok {
		return about
	}
	return number
}

// ruling is what an agency says to a correction without seals: most it corrects, some it refuses, some needs three days more.
func (y *year) ruling(q gateway.Question) (r gateway.Ruling) {
	switch chance := rand.New(rand.NewPCG(y.Seed+9, uint64(hash(q.ID)))).IntN(10); {
	case chance < 2:
		return gateway.Ruling{Outcome: gateway.RuledLater, Until: tesdiq.DateOf(y.now()).AddDays(3)}
	case chance < 5:
		return gateway.Ruling{Outcome: gateway.RuledRefused, Reason: "confirmed"}
	}
	return gateway.Ruling{Outcome: gateway.RuledCorrected}
}

// furtherLaws are laws of programmes and corrections.
var furtherLaws = []struct{ says, sql string }{
	{"a decision that is entered opens one programme if it finds a disability, and none if it does not", `
		SELECT count(*) FROM tseras_decisions d JOIN examinations x ON x.entry_id = d.entry_id
		WHERE (x.outcome IN ('disability', 'child'))::int <>
			(SELECT count(*) FROM cases p JOIN case_steps s ON s.case_id = p.id AND s.seq = 1 WHERE p.kind = 'programme' AND p.about = d.case_id AND s.part = 'system')`},
	{"nobody has two programmes under way", `
		SELECT count(*) FROM (SELECT FROM cases WHERE kind = 'programme' AND state IN ('awaiting_invitation', 'awaiting_meeting', 'drafted') GROUP BY subject HAVING count(*) > 1) twice`},
	{"what is entered of a programme is its last draft, of which the person had a word or the clock was over", `
		SELECT count(*) FROM case_steps e JOIN cases c ON c.id = e.case_id
		LEFT JOIN LATERAL (SELECT s.* FROM case_steps s WHERE s.case_id = e.case_id AND s.what = 'programme_drafted' ORDER BY s.seq DESC LIMIT 1) d ON true
		WHERE e.what = 'programme_entered' AND (d.seq IS NULL OR (d.args->>'Draft', d.args->>'SHA256') IS DISTINCT FROM (e.args->>'Draft', e.args->>'SHA256')
			OR (d.args->>'Draft')::int <> (SELECT max(n) FROM tseras_programme_drafts x WHERE x.case_id = e.case_id)
			OR e.at < d.due_by::timestamp AT TIME ZONE 'Asia/Baku' AND NOT EXISTS (SELECT FROM case_steps w WHERE w.case_id = e.case_id AND w.seq > d.seq AND w.what IN ('programme_agreed', 'programme_missing')))`},
	{"a body invites, drafts and enters only what it has taken", `
		SELECT count(*) FROM case_steps s WHERE s.what IN ('programme_invited', 'programme_moved', 'programme_absent', 'programme_lapsed', 'programme_drafted', 'programme_entered')
			AND NOT EXISTS (SELECT FROM case_steps t WHERE t.case_id = s.case_id AND t.seq < s.seq AND t.what = 'programme_taken' AND t.office = s.office)`},
	{"the person is told of each step of a programme that is told, once", `
		SELECT count(*) FROM (
			SELECT c.subject AS fin, c.number, substr(s.what, length('programme_') + 1) AS what, count(*) AS n FROM case_steps s JOIN cases c ON c.id = s.case_id
			WHERE s.what IN ('programme_opened', 'programme_invited', 'programme_moved', 'programme_absent', 'programme_lapsed', 'programme_drafted', 'programme_entered') GROUP BY 1, 2, 3) s
		FULL JOIN (SELECT fin, args->>'Number' AS number, substr(key, length('tseras-programme.message.') + 1) AS what, count(*) AS n FROM messages
			WHERE key LIKE 'tseras-programme.message.%' GROUP BY 1, 2, 3) m USING (fin, number, what)
		WHERE s.n IS DISTINCT FROM m.n`},
	{"a correction ends as its agency has ruled last, and the person is told of it, once", `
		SELECT count(*) FROM cases c JOIN tseras_corrections k ON k.case_id = c.id
		LEFT JOIN LATERAL (SELECT o.outcome FROM tseras_correction_outcomes o WHERE o.case_id = c.id ORDER BY o.n DESC LIMIT 1) o ON true
		WHERE (c.state IN ('corrected', 'refused')) <> (coalesce(o.outcome, '') IN ('corrected', 'refused')) OR c.state IN ('corrected', 'refused') AND c.state <> o.outcome
			OR (c.state IN ('corrected', 'refused'))::int <> (SELECT count(*) FROM messages m WHERE m.fin = c.subject AND m.args->>'Number' = c.number AND m.key = 'tseras-correction.message.' || c.state)`},
	{"each correction's case says what is asked, and all registers are asked again only where one was corrected", `
		SELECT (SELECT count(*) FROM cases c WHERE c.kind = 'correction' AND NOT EXISTS (SELECT FROM tseras_corrections k WHERE k.case_id = c.id AND k.about = c.about))
			+ (SELECT count(*) FROM (SELECT s.case_id, count(*) AS n FROM case_steps s WHERE s.what = 'register_corrected' GROUP BY 1) s
			   WHERE s.n > (SELECT count(*) FROM cases c WHERE c.kind = 'correction' AND c.about = s.case_id AND c.state = 'corrected'))`},
}

const sqlEnteredDrafts = `
	SELECT c.number, e.args->>'SHA256', d.draft
	FROM case_steps e
	JOIN cases c ON c.id = e.case_id
	JOIN tseras_programme_drafts d ON d.case_id = e.case_id AND d.n = (e.args->>'Draft')::int
	WHERE e.what IN ('programme_drafted', 'programme_entered')`

// draftsAgain compares each draft with the hash to which its steps, and so the ledger, commit.
func draftsAgain(ctx context.Context, admin Querier) (wrong []string, err error) {
	rows, _ := admin.Query(ctx, sqlEnteredDrafts) // the error comes out of ForEachRow
	var number, sum string
	var d tseras.Draft
	bad := 0
	_, err = pgx.ForEachRow(rows, []any{&number, &sum, &d}, func() error {
		content, err := d.Content(number)
		if err == nil && tseras.Digest256(content) != sum {
			bad++
		}
		d = tseras.Draft{}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("simulate: drafts: %w", err)
	}
	if bad > 0 {
		wrong = append(wrong, fmt.Sprintf("%d drafts of programmes are not what their steps commit to", bad))
	}
	return wrong, nil
}
