package lookupdb_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup/lookupdb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/organisation"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestStatements(t *testing.T) {
	pgtest.PrepareAll(t, pgtest.Open(t), postgres.Lookup, postgres.Cabinet)
}

// world is the books with the invented cast, and two processes that answer.
type world struct {
	*testing.T
	db       *pgtest.DB
	one, two *lookupdb.DB
	switches lookupdb.Switches
	later    time.Duration // how far the test's clock has been put forward
	tripped  int
}

func (w *world) now() time.Time { return time.Now().Add(w.later) }

func open(t *testing.T, change map[string]int) *world {
	t.Helper()
	w := &world{T: t, db: pgtest.Open(t)}
	if _, err := registrydb.Load(t.Context(), w.db.Pool(postgres.Registry), people.Generate(1, 0, tesdiq.DateOf(time.Now())), rand.Reader, nil); err != nil {
		t.Fatal(err)
	}
	book, err := lookup.ReadBook()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]int{"proof_parts": 2, "proof_rounds": 1, "proof_bits": 2}
	for name, value := range change {
		values[name] = value
	}
	book = book.With(values)
	process := func() *lookupdb.DB {
		return &lookupdb.DB{Pool: w.db.Pool(postgres.Lookup), Limits: book, Now: w.now, Rand: rand.Reader, Tripped: func(int) { w.tripped++ }}
	}
	w.one, w.two = process(), process()
	w.switches = lookupdb.Switches{Pool: w.db.Pool(postgres.Cabinet), Now: w.now, Rand: rand.Reader}
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) count(sql string, args ...any) (n int) {
	w.Helper()
	w.must(w.db.Admin.QueryRow(w.Context(), sql, args...).Scan(&n))
	return n
}

// nermin has a disability with a term; elcin has no examination.
var nermin, elcin = people.Who("nermin"), people.Who("elcin")

func about(a people.Actor) lookup.Question { return lookup.Question{Card: a.Card, Born: a.Born} }

// page asks on the page, with a proof of its own.
func (w *world) page(db *lookupdb.DB, q lookup.Question, prefix string) (lookup.Answer, error) {
	w.Helper()
	text, err := db.Puzzle(w.Context(), prefix)
	w.must(err)
	proof, err := lookup.Solve(text)
	w.must(err)
	return db.Ask(w.Context(), lookup.Asked{Question: q, Way: lookup.ByPage, Prefix: prefix, Proof: proof})
}

func (w *world) shows(a lookup.Answer, err error, want bool) {
	w.Helper()
	if err != nil || a.Result.Shows() != want || !want && a.Result != (lookup.Result{Outcome: lookup.None}) {
		w.Errorf("%+v, %v; want shown: %v", a, err, want)
	}
}

func TestAnAnswerIsRecordedWithItsLineAndMessage(t *testing.T) {
	w := open(t, nil)
	a, err := w.page(w.one, about(nermin), "198.51.100.0/24")
	w.must(err)
	exams, err := registrydb.Reader{Pool: w.db.Pool(postgres.Registry)}.Examinations(t.Context(), nermin.FIN)
	w.must(err)
	if a.Result.Outcome != lookup.Decided || a.Result.DecidedOn != exams[0].ExaminedOn || a.Result.NextOn != exams[0].NextFrom || a.Result.Indefinite != exams[0].Until.IsZero() || a.Way != lookup.ByPage {
		t.Errorf("%+v, the book says %+v", a, exams[0])
	}
	l, line := w.last()
	if l.Subject != nermin.FIN || l.Way != lookup.ByPage || l.Result != a.Result || l.Office != (lookup.Office{}) {
		t.Errorf("recorded %+v", l)
	}
	content, err := l.Content()
	w.must(err)
	if line.Object != strconv.FormatInt(l.ID, 10) || !line.Opens(content) {
		t.Errorf("the ledger line of %s does not open", line.Object)
	}
	if n := w.count(`SELECT count(*) FROM messages m JOIN outbox o ON o.message_id = m.id WHERE m.fin = $1 AND m.key = 'lookup.message.shown' AND o.due_at = m.sent_at`, nermin.FIN); n != 1 {
		t.Errorf("%d notices go out", n)
	}
	seen, err := w.switches.Seen(t.Context(), nermin.FIN, 10)
	if err != nil || len(seen) != 1 || !seen[0].Shown() || seen[0].Office != "" {
		t.Errorf("she sees %+v, %v", seen, err)
	}
	if n := w.count(`SELECT count(*) FROM lookup_tries WHERE position(convert_to($1, 'UTF8') IN card) > 0`, nermin.Card); n != 0 {
		t.Error("the card's number is kept in what is counted")
	}
}

// last is the last look that was recorded, and its line.
func (w *world) last() (l lookup.Look, line ledger.Line) {
	w.Helper()
	w.must(w.db.Admin.QueryRow(w.Context(), `
		SELECT id, at, subject, way, coalesce(organisation_id, 0), coalesce(client_id, ''), coalesce(operator_fin, ''), outcome, decided_on, next_on, indefinite
		FROM lookups ORDER BY id DESC LIMIT 1`).Scan(&l.ID, &l.At, &l.Subject, &l.Way, &l.Office.Organisation, &l.Office.Client, &l.Office.Operator, &l.Outcome, &l.DecidedOn, &l.NextOn, &l.Indefinite))
	w.must(w.db.Admin.QueryRow(w.Context(), `SELECT kind, object, key, mac FROM ledger_lines WHERE kind = 'lookup' ORDER BY seq DESC LIMIT 1`).Scan(&line.Kind, &line.Object, &line.Key, &line.MAC))
	return l, line
}

// What shows nothing is one answer, whatever the cause, and counts one miss; who is known hears of it in the cabinet, not aloud.
func TestWhatShowsNothingIsOneAnswer(t *testing.T) {
	w := open(t, map[string]int{"card_day": 1})
	wrongDay := about(nermin)
	wrongDay.Born = wrongDay.Born.AddDays(1)
	w.must(w.switches.Switch(t.Context(), people.Who("cavid").FIN, false))
	used := about(people.Who("sevinc"))
	w.told(w.page(w.one, used, "198.51.0.0/24"))
	for i, q := range []lookup.Question{{Card: "AA0000000", Born: nermin.Born}, wrongDay, about(people.Who("cavid")), used, about(elcin)} {
		before := w.count(`SELECT count(*) FROM lookup_tries WHERE NOT shown`)
		a, err := w.page(w.one, q, fmt.Sprintf("198.51.%d.0/24", i+1))
		w.shows(a, err, false)
		if n := w.count(`SELECT count(*) FROM lookup_tries WHERE NOT shown`); n != before+1 {
			t.Errorf("%d: %d misses more", i, n-before)
		}
	}
	if n := w.count(`SELECT count(*) FROM messages WHERE key = 'lookup.message.nothing'`); n != 2 {
		t.Errorf("%d people are told that nothing was shown, not cavid and elcin", n)
	}
	if n := w.count(`SELECT count(*) FROM outbox o JOIN messages m ON m.id = o.message_id WHERE m.key = 'lookup.message.nothing'`); n != 0 {
		t.Errorf("%d of them by telephone", n)
	}
	if n := w.count(`SELECT count(*) FROM lookups WHERE outcome IN ('none', 'closed') AND (decided_on IS NOT NULL OR next_on IS NOT NULL OR indefinite)`); n != 0 {
		t.Error("what is not shown is recorded as shown")
	}
}

// told wants an answer that shows something; silent one that shows nothing.
func (w *world) told(a lookup.Answer, err error) {
	w.Helper()
	w.shows(a, err, true)
}

func (w *world) silent(a lookup.Answer, err error) {
	w.Helper()
	w.shows(a, err, false)
}

// P2: the fourth question about a card is not answered, from any address and by any process, nor when they come at once; nor tomorrow's too late.
func TestACardHasThreeAnswersADay(t *testing.T) {
	w := open(t, nil)
	var shown, nothing int
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 8 {
		db := w.one
		if i%2 == 0 {
			db = w.two
		}
		all.Go(func() {
			a, err := w.page(db, about(nermin), fmt.Sprintf("203.0.%d.0/24", i))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case a.Result.Shows():
				shown++
			default:
				nothing++
			}
		})
	}
	all.Wait()
	if shown != 3 || nothing != 5 || w.count(`SELECT count(*) FROM lookups`) != 3 {
		t.Errorf("%d shown, %d not, %d recorded", shown, nothing, w.count(`SELECT count(*) FROM lookups`))
	}
	a, err := w.one.Ask(t.Context(), lookup.Asked{Question: about(nermin), Way: lookup.ByTelephone, Prefix: "203.0.100.0/24"})
	if err != nil || a.Way != lookup.ByTelephone || w.count(`SELECT count(*) FROM lookups`) != 3 {
		t.Errorf("by telephone: %+v, %v", a, err)
	}
	w.later = 24 * time.Hour
	w.told(w.page(w.two, about(nermin), "203.0.101.0/24"))
}

func TestAnAddressHasTenQuestionsADay(t *testing.T) {
	w := open(t, map[string]int{"card_day": 1000, "proof_doublings": 3})
	const prefix = "198.51.100.0/24"
	bits := []int{}
	for i := range 10 {
		text, err := w.one.Puzzle(t.Context(), prefix)
		w.must(err)
		proof, err := lookup.Solve(text)
		w.must(err)
		q := lookup.Question{Card: tesdiq.DocumentNumber(fmt.Sprintf("AA000000%d", i)), Born: nermin.Born}
		w.silent(w.two.Ask(t.Context(), lookup.Asked{Question: q, Way: lookup.ByPage, Prefix: prefix, Proof: proof}))
		secret := w.secret()
		p, err := proof.Check(secret, w.now())
		w.must(err)
		bits = append(bits, p.Bits)
	}
	if fmt.Sprint(bits) != "[2 3 4 5 5 5 5 5 5 5]" {
		t.Errorf("each question costs %v bits", bits)
	}
	_, err := w.page(w.one, about(nermin), prefix)
	if !errors.Is(err, tesdiq.NewProblem(tesdiq.TooMany, "lookup.address")) {
		t.Errorf("the eleventh: %v", err)
	}
	if _, err := w.one.Ask(t.Context(), lookup.Asked{Question: about(nermin), Way: lookup.ByTelephone, Prefix: prefix}); !errors.Is(err, tesdiq.NewProblem(tesdiq.TooMany, "lookup.address")) {
		t.Errorf("the eleventh by telephone: %v", err)
	}
	w.told(w.page(w.one, about(nermin), "198.51.101.0/24"))
}

func (w *world) secret() (s lookup.Secret) {
	w.Helper()
	w.must(w.db.Admin.QueryRow(w.Context(), `SELECT key FROM lookup_secret`).Scan((*[]byte)(&s)))
	return s
}

// While too much is asked in vain everywhere, nobody is shown anything: answers go to telephones.
func TestTheTripwireLeavesTheTelephone(t *testing.T) {
	w := open(t, map[string]int{"misses_hour": 4})
	for i := range 4 {
		if only, err := w.one.TelephoneOnly(t.Context()); err != nil || only {
			t.Fatalf("after %d misses: %v, %v", i, only, err)
		}
		w.silent(w.page(w.one, lookup.Question{Card: tesdiq.DocumentNumber(fmt.Sprintf("AA000000%d", i)), Born: nermin.Born}, fmt.Sprintf("203.0.%d.0/24", i)))
	}
	if only, err := w.two.TelephoneOnly(t.Context()); err != nil || !only {
		t.Errorf("%v, %v", only, err)
	}
	a, err := w.page(w.two, about(nermin), "198.51.100.0/24")
	if err != nil || a.Way != lookup.ByTelephone || a.Result != (lookup.Result{Outcome: lookup.None}) || w.tripped != 1 {
		t.Errorf("%+v, %v, %d alarms", a, err, w.tripped)
	}
	if l, _ := w.last(); l.Way != lookup.ByTelephone || !l.Shows() {
		t.Errorf("recorded %+v", l)
	}
	if n := w.count(`SELECT count(*) FROM messages m JOIN outbox o ON o.message_id = m.id WHERE m.fin = $1 AND m.key = 'lookup.message.next' AND m.args ->> 'Next' <> ''`, nermin.FIN); n != 1 {
		t.Errorf("%d answers go to her telephone", n)
	}
	w.later = 61 * time.Minute
	if only, err := w.one.TelephoneOnly(t.Context()); err != nil || only {
		t.Errorf("an hour later: %v, %v", only, err)
	}
}

// Everything that an answer can be, by telephone: one message each, and for whom there is nothing none aloud.
func TestByTelephoneTheAnswerIsAMessage(t *testing.T) {
	w := open(t, map[string]int{"address_day": 1000})
	for who, key := range map[string]string{"nermin": "lookup.message.next", "sevinc": "lookup.message.decided", "elcin": "lookup.message.nothing"} {
		a, err := w.one.Ask(t.Context(), lookup.Asked{Question: about(people.Who(who)), Way: lookup.ByTelephone, Prefix: "198.51.100.0/24"})
		if err != nil || a != (lookup.Answer{Result: lookup.Result{Outcome: lookup.None}, Way: lookup.ByTelephone}) {
			t.Errorf("%s: %+v, %v", who, a, err)
		}
		if n := w.count(`SELECT count(*) FROM messages WHERE fin = $1 AND key = $2`, people.Who(who).FIN, key); n != 1 {
			t.Errorf("%s has %d messages %s", who, n, key)
		}
	}
}

// P5: who signed in once, or switched it off, is told of by nobody, until he switches it on.
func TestTheFirstSignInClosesIt(t *testing.T) {
	w := open(t, map[string]int{"card_day": 1000})
	setting := func(open, chosen bool) {
		t.Helper()
		s, err := w.switches.Setting(t.Context(), nermin.FIN)
		if err != nil || s.Open != open || s.Chosen != chosen {
			t.Errorf("%+v, %v", s, err)
		}
	}
	setting(true, false)
	w.must(w.switches.SignedIn(t.Context(), nermin.FIN))
	setting(false, false)
	w.silent(w.page(w.one, about(nermin), "198.51.1.0/24"))
	w.must(w.switches.Switch(t.Context(), nermin.FIN, true))
	w.must(w.switches.SignedIn(t.Context(), nermin.FIN)) // the second sign-in changes nothing
	setting(true, true)
	w.told(w.page(w.one, about(nermin), "198.51.2.0/24"))
	w.must(w.switches.Switch(t.Context(), nermin.FIN, false))
	w.silent(w.page(w.one, about(nermin), "198.51.3.0/24"))
	// Who chose before signing in anew has chosen: two sign-ins at once are one.
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { w.must(w.switches.SignedIn(t.Context(), elcin.FIN)) })
	}
	all.Wait()
	if n := w.count(`SELECT count(*) FROM lookup_switches WHERE subject = $1`, elcin.FIN); n != 1 {
		t.Errorf("%d rows of the first sign-in", n)
	}
	w.switchesOpen(4)
}

// switchesOpen opens the ledger line of each switching, of which there must be so many, and no line without one.
func (w *world) switchesOpen(want int) {
	w.Helper()
	rows, _ := w.db.Admin.Query(w.Context(), `
		SELECT s.id, s.at, s.subject, s.open, s.cause, l.kind, l.object, l.key, l.mac
		FROM lookup_switches s
		FULL JOIN (SELECT * FROM ledger_lines WHERE starts_with(object, 'switch/')) l ON l.object = 'switch/' || s.id`)
	n := 0
	var s lookup.Switched
	var line ledger.Line
	_, err := pgx.ForEachRow(rows, []any{&s.ID, &s.At, &s.Subject, &s.Open, &s.Cause, &line.Kind, &line.Object, &line.Key, &line.MAC}, func() error {
		n++
		content, err := s.Content()
		if err == nil && (line.Kind != ledger.Lookup || line.Object != s.Object() || !line.Opens(content)) {
			w.Errorf("the line of %s does not open with %s", s.Object(), content)
		}
		return err
	})
	w.must(err)
	if n != want {
		w.Errorf("%d lines of switches; want %d", n, want)
	}
}

// Without its line nothing is switched.
func TestASwitchWithoutItsLineIsNone(t *testing.T) {
	w := open(t, nil)
	broken := lookupdb.Switches{Pool: w.switches.Pool, Now: w.now, Rand: bytes.NewReader(nil)}
	if err := broken.Switch(t.Context(), nermin.FIN, false); err == nil {
		t.Error("switched without a line")
	}
	if err := broken.SignedIn(t.Context(), nermin.FIN); err == nil {
		t.Error("signed in without a line")
	}
	if n := w.count(`SELECT count(*) FROM lookup_switches`); n != 0 {
		t.Errorf("%d switches", n)
	}
}

// Only the current card counts, and a book entry that is annulled does not.
func TestTheBooksOfNowAreAsked(t *testing.T) {
	w := open(t, map[string]int{"card_day": 1000})
	reg := w.db.Pool(postgres.Registry)
	p, err := registrydb.Reader{Pool: reg}.Person(t.Context(), nermin.FIN)
	w.must(err)
	changed := p.Person
	changed.Document = "AA7777771"
	keeper := registrydb.Writer{Pool: reg, Now: time.Now, Rand: rand.Reader}
	_, _, err = keeper.Enter(t.Context(), registry.Change{Act: registry.Append, Body: changed, By: "Əhali reyestri", After: p.Head.Version})
	w.must(err)
	w.silent(w.page(w.one, about(nermin), "198.51.1.0/24"))
	w.told(w.page(w.one, lookup.Question{Card: "AA7777771", Born: nermin.Born}, "198.51.2.0/24"))
}

// call is the call centre with its program's token and its operator.
func (w *world) call() (office lookup.Office, operator organisationdb.Operator, token string) {
	w.Helper()
	operator = organisationdb.Operator{Pool: w.db.Pool(postgres.Operator), Now: time.Now, Rand: rand.Reader}
	voen := people.Organisations[0].VOEN
	_, err := operator.Add(w.Context(), organisation.Organisation{VOEN: voen, Name: "142 Çağrı Mərkəzi", Sort: organisation.Office})
	w.must(err)
	_, err = operator.AddMember(w.Context(), voen, organisation.Member{FIN: people.Who("leyla").FIN, Name: "Leyla Rüstəmova", Role: organisation.Clerk})
	w.must(err)
	client, _, err := operator.AddClient(w.Context(), voen, "Çağrı sistemi")
	w.must(err)
	sum := sha256.Sum256([]byte("a token"))
	_, err = w.db.Admin.Exec(w.Context(), `INSERT INTO api_tokens (sha256, client_id, expires_at) VALUES ($1, $2, now() + interval '1 hour')`, sum[:], client.ID)
	w.must(err)
	return lookup.Office{Organisation: client.Organisation, Client: client.ID, Operator: people.Who("leyla").FIN}, operator, "a token"
}

func TestAnOfficeEntersByItsDuty(t *testing.T) {
	w := open(t, nil)
	office, operator, token := w.call()
	voen := people.Organisations[0].VOEN
	is := func(want error) {
		t.Helper()
		o, err := w.one.Enter(t.Context(), token)
		if !errors.Is(err, want) || want == nil && (o.Client != office.Client || o.Organisation != office.Organisation) {
			t.Errorf("%+v, %v, want %v", o, err, want)
		}
	}
	none, unknown := tesdiq.NewProblem(tesdiq.Forbidden, "lookup.duty"), tesdiq.NewProblem(tesdiq.SignIn, "token.unknown")
	is(none)
	_, err := operator.AddDuty(t.Context(), voen, organisation.Filing)
	w.must(err)
	is(none)
	_, err = operator.AddDuty(t.Context(), voen, organisation.CallCentre)
	w.must(err)
	is(nil)
	if _, err := w.one.Enter(t.Context(), "another token"); !errors.Is(err, unknown) {
		t.Error(err)
	}
	_, err = operator.EndDuty(t.Context(), voen, organisation.CallCentre)
	w.must(err)
	is(none)
	_, err = operator.EndClient(t.Context(), office.Client)
	w.must(err)
	is(unknown)
}

func (w *world) byCall(office lookup.Office, q lookup.Question, key, request string) (lookup.Answer, error) {
	office.Key, office.Request = key, sha256.Sum256([]byte(request))
	return w.one.Ask(w.Context(), lookup.Asked{Question: q, Way: lookup.ByOffice, Office: office})
}

func TestAnOperatorAsksUnderHisOwnName(t *testing.T) {
	w := open(t, map[string]int{"operator_hour": 5, "office_day": 6})
	office, _, _ := w.call()
	stranger := office
	stranger.Operator = elcin.FIN
	if _, err := w.byCall(stranger, about(nermin), "0", "x"); !errors.Is(err, tesdiq.Invalid("lookup.operator.unknown")) {
		t.Errorf("of no member: %v", err)
	}
	// The same request again, at once too, is one question.
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			a, err := w.byCall(office, about(nermin), "1", "x")
			w.shows(a, err, true)
		})
	}
	all.Wait()
	if _, err := w.byCall(office, about(elcin), "1", "y"); !errors.Is(err, tesdiq.Invalid("idempotency.other")) {
		t.Errorf("another request under the key: %v", err)
	}
	if n := w.count(`SELECT count(*) FROM lookups`); n != 1 || w.count(`SELECT count(*) FROM lookup_tries`) != 1 {
		t.Errorf("%d looks", n)
	}
	l, line := w.last()
	content, err := l.Content()
	w.must(err)
	if l.Way != lookup.ByOffice || l.Office != office || !line.Opens(content) || !bytes.Contains(content, []byte(office.Operator)) {
		t.Errorf("recorded %+v", l)
	}
	seen, err := w.switches.Seen(t.Context(), nermin.FIN, 10)
	if err != nil || len(seen) != 1 || seen[0].Office != "142 Çağrı Mərkəzi" {
		t.Errorf("she sees %+v, %v", seen, err)
	}
	if n := w.count(`SELECT count(*) FROM messages WHERE fin = $1 AND args ->> 'Office' = '142 Çağrı Mərkəzi' AND args::text !~ $2`, nermin.FIN, "Leyla|"+string(office.Operator)); n != 1 {
		t.Error("she is not told of the office, or of its operator")
	}
	w.silent(w.byCall(office, lookup.Question{Card: "AA0000001", Born: nermin.Born}, "2", "z"))
	w.silent(w.byCall(office, lookup.Question{Card: "AA0000001", Born: nermin.Born}, "2", "z"))
	for key := 3; key <= 5; key++ {
		_, err := w.byCall(office, about(nermin), strconv.Itoa(key), "x")
		w.must(err)
	}
	if _, err := w.byCall(office, about(nermin), "6", "x"); !errors.Is(err, tesdiq.NewProblem(tesdiq.TooMany, "lookup.operator")) {
		t.Errorf("the operator's sixth in an hour: %v", err)
	}
	if n := w.count(`SELECT count(*) FROM lookups WHERE subject = $1`, nermin.FIN); n != 3 {
		t.Errorf("%d answers about one card by offices", n)
	}
	// The page is counted by itself: nobody locks a card out of the call centre, nor the other way round.
	w.told(w.page(w.one, about(nermin), "198.51.1.0/24"))
	w.later = 61 * time.Minute
	w.silent(w.byCall(office, about(elcin), "7", "x"))
	if _, err := w.byCall(office, about(elcin), "8", "x"); !errors.Is(err, tesdiq.NewProblem(tesdiq.TooMany, "lookup.office")) {
		t.Errorf("the organisation's seventh of the day: %v", err)
	}
}

// The limits of an office hold for questions that come at once, by whichever operators and processes: as many are answered as may be, and no more.
func TestAnOfficesLimitsHoldAtOnce(t *testing.T) {
	const asked, most = 60, 7
	w := open(t, map[string]int{"office_day": most, "operator_hour": 5})
	office, operator, _ := w.call()
	operators := []people.Actor{people.Who("leyla"), nermin, elcin, people.Who("sevinc")}
	for _, o := range operators[1:] {
		_, err := operator.AddMember(t.Context(), people.Organisations[0].VOEN, organisation.Member{FIN: o.FIN, Name: o.Name.Short(), Role: organisation.Clerk})
		w.must(err)
	}
	var all sync.WaitGroup
	var passed atomic.Int32
	begin := make(chan struct{})
	for n := range asked {
		all.Go(func() {
			db, by := []*lookupdb.DB{w.one, w.two}[n%2], office
			by.Operator, by.Key, by.Request = operators[n%len(operators)].FIN, strconv.Itoa(n), sha256.Sum256([]byte{byte(n)})
			<-begin
			q := lookup.Question{Card: tesdiq.DocumentNumber(fmt.Sprintf("AA%07d", n+1)), Born: nermin.Born} // another card each: the office alone is counted together
			switch _, err := db.Ask(t.Context(), lookup.Asked{Question: q, Way: lookup.ByOffice, Office: by}); {
			case err == nil:
				passed.Add(1)
			case !errors.Is(err, tesdiq.NewProblem(tesdiq.TooMany, "lookup.office")) && !errors.Is(err, tesdiq.NewProblem(tesdiq.TooMany, "lookup.operator")):
				t.Error(err)
			}
		})
	}
	close(begin)
	all.Wait()
	if n := w.count(`SELECT count(*) FROM lookup_tries`); passed.Load() != most || n != most {
		t.Errorf("%d of %d at once were answered and %d counted, want %d", passed.Load(), asked, n, most)
	}
}

// What fails is not half done.
func TestWhatFailsLeavesNothing(t *testing.T) {
	w := open(t, nil)
	text, err := w.one.Puzzle(t.Context(), "198.51.100.0/24")
	w.must(err)
	proof, err := lookup.Solve(text)
	w.must(err)
	ask := func(db *lookupdb.DB) (lookup.Answer, error) {
		return db.Ask(t.Context(), lookup.Asked{Question: about(nermin), Way: lookup.ByPage, Prefix: "198.51.100.0/24", Proof: proof})
	}
	broken := &lookupdb.DB{Pool: w.one.Pool, Limits: w.one.Limits, Now: w.now, Rand: bytes.NewReader(nil)} // there is no key for a ledger line
	if a, err := ask(broken); err == nil || a.Result.Shows() {
		t.Fatalf("%+v, %v", a, err)
	}
	for _, table := range []string{"lookups", "lookup_tries", "lookup_proofs", "messages", "ledger_lines WHERE kind = 'lookup'"} {
		if n := w.count(`SELECT count(*) FROM ` + table); n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
	w.told(ask(w.two))
}

// The role finds a person only by card and birthday, and can look around nowhere.
func TestTheRoleReadsNoBook(t *testing.T) {
	w := open(t, nil)
	pool := w.db.Pool(postgres.Lookup)
	for _, statement := range []string{
		"SELECT document FROM persons", "SELECT fin FROM persons", "SELECT subject FROM entries", "SELECT loss FROM examinations", "SELECT subject FROM cases",
		"SELECT open FROM lookup_switches", "SELECT subject FROM lookups", "SELECT operator_fin FROM lookups", "SELECT address FROM contacts", "SELECT args FROM messages", "SELECT name FROM members", "SELECT secret_sha256 FROM api_clients",
		"UPDATE lookups SET outcome = 'none'", "DELETE FROM lookups", "DELETE FROM lookup_tries", "UPDATE lookup_tries SET day = day - 1", "DELETE FROM lookup_proofs",
		"INSERT INTO lookup_switches (subject, open, cause, at) VALUES ('5ZK8R2M', true, 'choice', now())", "UPDATE lookup_secret SET key = key", "DELETE FROM ledger_lines",
	} {
		if _, err := pool.Exec(t.Context(), statement); err == nil {
			t.Errorf("it may: %s", statement)
		}
	}
	for _, role := range []postgres.Role{postgres.Cabinet, postgres.Casework, postgres.Verifier, postgres.Operator} {
		if _, err := w.db.Pool(role).Exec(t.Context(), "SELECT * FROM lookup_find('AA0000000', '1980-01-01')"); err == nil {
			t.Errorf("%s may ask", role)
		}
		if _, err := w.db.Pool(role).Exec(t.Context(), "SELECT key FROM lookup_secret"); err == nil {
			t.Errorf("%s reads the secret", role)
		}
	}
	if _, err := w.db.Pool(postgres.Cabinet).Exec(t.Context(), "SELECT operator_fin FROM lookups"); err == nil {
		t.Error("the cabinet reads who the operator was")
	}
}
