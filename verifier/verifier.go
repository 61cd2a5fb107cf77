package verifier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/verifier/throttle"
)

// What the database's side answers.
var (
	ErrNoExcerpt = errors.New("verifier: no such excerpt")             // a verdict: tesdiq.Unknown
	ErrRepeated  = errors.New("verifier: this key has been used")      // the answer is that of the first time
	ErrNoCheck   = tesdiq.NewProblem(tesdiq.NotFound, "check.unknown") // or none that the asker may see: never told apart
)

// Excerpt is what the verifier knows of an excerpt, with its state at this moment.
type Excerpt struct {
	ID        int64 // 0: none was found, and State.Missing says why
	Code      tesdiq.Code
	Number    string
	Kind      string
	Subject   tesdiq.FIN
	Statement templates.Statement
	IssuedAt  time.Time
	State
}

// Excerpts finds what was issued, with its state read in the same query.
type Excerpts interface {
	// ByCode finds the excerpt of a code, or ErrNoExcerpt.
	ByCode(ctx context.Context, code tesdiq.Code) (Excerpt, error)
	// ByFiles finds the excerpt of the first of these files that was handed out, and which of them it is, or ErrNoExcerpt.
	ByFiles(ctx context.Context, sums []Sum) (Excerpt, Sum, error)
}

// Checks are the records of who asked. They are inserted and read, never changed.
type Checks interface {
	// Record writes the check, its ledger line and, when tell is set, the message to the subject, together or not at
	// all. When it returns nil, they are durable. It answers ErrRepeated when the client, or a form, has used the key before.
	Record(ctx context.Context, c Check, line ledger.Line, tell *Telling) error
	// ByID reads a check that the asker may see, or ErrNoCheck.
	// With it comes the excerpt that was found, in its state of now; its ID is 0 when none was.
	ByID(ctx context.Context, id CheckID, by Asker) (Check, Excerpt, error)
	// ByKey reads the check of a client's key, or of a form's (no client), in the same way.
	ByKey(ctx context.Context, client, key string) (Check, Excerpt, error)
}

// Telling is what the subject is told of a check at once.
type Telling struct {
	To           tesdiq.FIN
	Kind, Number string // of the excerpt
}

// Verifier checks excerpts. All fields are required.
type Verifier struct {
	Excerpts Excerpts
	Checks   Checks
	Reader   Reader
	// Alarm is called for a file that our key signed and that was never issued, with its SHA-256: the key is stolen, or a
	// record of ours is lost.
	Alarm    func(ctx context.Context, sum Sum)
	Throttle *throttle.Throttle
	Now      func() time.Time
	Rand     io.Reader
}

// Answer is what is told: the judgement as recorded, and of the excerpt as much as may be shown.
type Answer struct {
	Check     Check
	Judgement Judgement
	// Later is the judgement of now, when the check is read again and the answer would be another.
	Later *Judgement
	Shown Shown
}

// Shown is as much of an excerpt as an answer shows; see Disclose.
type Shown struct {
	Disclosure Disclosure
	Kind       string // from ShowDocument on
	Number     string
	Code       tesdiq.Code
	IssuedAt   time.Time
	ValidUntil tesdiq.Date         // from ShowMasked on
	Statement  templates.Statement // from ShowMasked on; already masked unless ShowAll. At ShowDocument only its title
	Own        bool                // the asker is the subject
}

// Check answers a question. When it returns an answer, the check is recorded durably; an error shows nothing.
// A Problem of kind TooMany says that too much was asked in vain.
func (v *Verifier) Check(ctx context.Context, q Question) (Answer, error) {
	if q.Note != "" && q.By.Sort != ByOrganisation {
		// Free text of somebody unknown could pose as a bank's.
		return Answer{}, tesdiq.Invalid("note.organisations-only").In("note")
	}
	// Microseconds are what the database keeps: the ledger line must open with what is read back.
	now := v.Now().Truncate(time.Microsecond)
	ticket, err := v.reserve(ctx, q, now)
	if err != nil {
		return Answer{}, err
	}
	defer ticket.Hit() // unless it was a miss: our fault is not his guess
	x, err := v.find(ctx, q)
	switch {
	case errors.Is(err, ErrNoExcerpt):
		x.State.Match = NoMatch
		if x.Missing == "" {
			x.Missing = missing(q)
		}
		if q.guess() {
			ticket.Miss()
		}
	case err != nil:
		return Answer{}, fmt.Errorf("verifier: find: %w", err)
	default:
		ticket.Hit() // before the record is written, which takes longer
	}
	c := Check{
		At: now, Way: q.Way, Excerpt: x.ID, Subject: x.Subject, Code: q.Code, Sum: q.Sum, By: q.By,
		Purpose: q.Purpose, Note: q.Note, Key: q.Key, Request: q.Request,
	}
	if q.File != nil {
		c.Sum, c.Code = &q.File.Sum, q.File.Code
	}
	var tell *Telling
	if x.ID != 0 && x.Subject != q.By.Member {
		tell = &Telling{To: x.Subject, Kind: x.Kind, Number: x.Number}
	}
	judgement := Judge(x.State, now)
	c.Verdict, c.Reason = judgement.Verdict, judgement.Reason
	line, err := v.number(&c)
	if err != nil {
		return Answer{}, err
	}
	err = v.Checks.Record(ctx, c, line, tell)
	if errors.Is(err, ErrRepeated) && q.Key != "" {
		return v.again(ctx, q)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("verifier: record: %w", err)
	}
	return answer(c, x, judgement, now), nil
}

// reserve asks the throttle. A person's question that cannot be a guess need not ask; a program's counts towards its quota.
func (v *Verifier) reserve(ctx context.Context, q Question, now time.Time) (*throttle.Reservation, error) {
	if q.By.Sort != ByOrganisation {
		if err := v.Throttle.Ask(q.By.guesser(), now); err != nil {
			return nil, err
		}
	}
	switch {
	case q.By.Client != "":
		return v.Throttle.Client(ctx, q.By.Client, now)
	case q.guess():
		return v.Throttle.Prefix(ctx, q.By.guesser(), now)
	default:
		return new(throttle.Reservation), nil
	}
}

// guess says whether a question may be a try at other people's codes. A SHA-256 cannot be guessed.
func (q Question) guess() bool { return q.Code != "" || q.File != nil && q.File.Code != "" }

// find looks for the excerpt, or answers ErrNoExcerpt.
func (v *Verifier) find(ctx context.Context, q Question) (Excerpt, error) {
	switch {
	case q.Sum != nil:
		return v.byFile(ctx, File{Sum: *q.Sum})
	case q.File != nil:
		return v.byFile(ctx, *q.File)
	default:
		return v.byCode(ctx, q.Code, MatchCode)
	}
}

func (v *Verifier) byCode(ctx context.Context, code tesdiq.Code, match Match) (Excerpt, error) {
	x, err := v.Excerpts.ByCode(ctx, code)
	x.Match = match
	return x, err
}

// byFile takes the exact bytes first. What is not exactly what was handed out is read strictly; then a beginning of it counts,
// or the code that it bears.
func (v *Verifier) byFile(ctx context.Context, f File) (Excerpt, error) {
	x, sum, err := v.Excerpts.ByFiles(ctx, append([]Sum{f.Sum}, f.Beginnings...))
	if err == nil {
		x.Match = MatchContinued
		if sum == f.Sum {
			x.Match = MatchFile
			return x, nil
		}
	}
	if errors.Is(err, ErrNoExcerpt) && f.Code != "" && !f.Incomplete {
		x, err = v.byCode(ctx, f.Code, MatchClaimed)
	}
	if err != nil && !errors.Is(err, ErrNoExcerpt) {
		return Excerpt{}, err
	}
	if err != nil {
		x = Excerpt{}
	}
	if err := v.judgeFile(ctx, f, &x); err != nil {
		return Excerpt{}, err
	}
	if x.Match == NoMatch {
		err = ErrNoExcerpt
	}
	return x, err
}

// missing is the reason if nothing is found.
func missing(q Question) Reason {
	switch {
	case q.Sum != nil:
		return UnknownHash
	case q.File != nil:
		return q.File.Missing()
	default:
		return UnknownCode
	}
}

// number gives the check its id and its ledger line.
func (v *Verifier) number(c *Check) (ledger.Line, error) {
	id, err := tesdiq.RandomText(v.Rand, idLength)
	if err != nil {
		return ledger.Line{}, fmt.Errorf("verifier: id: %w", err)
	}
	c.ID = CheckID(id)
	return ledger.NewLine(v.Rand, ledger.Check, id, c.Canonical())
}

// again answers a repeated question with the check of the first time.
func (v *Verifier) again(ctx context.Context, q Question) (Answer, error) {
	c, x, err := v.Checks.ByKey(ctx, q.By.Client, q.Key)
	if err != nil {
		return Answer{}, fmt.Errorf("verifier: repeated: %w", err)
	}
	if c.Request == nil || q.Request == nil || *c.Request != *q.Request {
		return Answer{}, tesdiq.Invalid("idempotency.other").In("Idempotency-Key")
	}
	return v.reread(c, x), nil
}

// Read reads a check again, for whoever made it. Nothing is recorded: it tells what was told, and less where the
// excerpt's state has changed since. ErrNoCheck when there is none, or none of his.
func (v *Verifier) Read(ctx context.Context, id CheckID, by Asker) (Answer, error) {
	c, x, err := v.Checks.ByID(ctx, id, by)
	if err != nil {
		return Answer{}, fmt.Errorf("verifier: read: %w", err)
	}
	return v.reread(c, x), nil
}

func (v *Verifier) reread(c Check, x Excerpt) Answer {
	x.Match = c.Reason.match()
	now := v.Now()
	a := answer(c, x, Judgement{Verdict: c.Verdict, Reason: c.Reason}, now)
	if x.ID == 0 {
		return a // what was not found then is another question now
	}
	switch later := Judge(x.State, now); {
	case later.Verdict != c.Verdict || later.Reason != c.Reason:
		a.Later = &later
	default:
		a.Judgement.Since = later.Since
	}
	return a
}

// match is how the asker's paper or file hung together with the excerpt, as far as a later reading needs it.
func (r Reason) match() Match {
	switch r {
	case AlteredContinued:
		return MatchContinued
	case ValidArchived:
		return MatchArchived
	case AlteredClaimed:
		return MatchClaimed
	case ValidFile:
		return MatchFile
	default:
		return MatchCode
	}
}

func answer(c Check, x Excerpt, j Judgement, now time.Time) Answer {
	a := Answer{Check: c, Judgement: j}
	if x.ID == 0 {
		return a
	}
	own := c.By.Sort == ByPerson && c.By.Member == x.Subject
	a.Shown = show(x, Disclose(x.State, own || c.By.Sort == ByOrganisation, c.At, now))
	a.Shown.Own = own
	return a
}

func show(x Excerpt, d Disclosure) Shown {
	s := Shown{Disclosure: d}
	if d >= ShowDocument {
		s.Kind, s.Number, s.Code, s.IssuedAt = x.Kind, x.Number, x.Code, x.IssuedAt
		s.Statement = x.Statement
		s.Statement.Facts = nil
	}
	switch d {
	case ShowMasked:
		s.Statement, s.ValidUntil = x.Statement.Masked(), x.ValidUntil
	case ShowAll:
		s.Statement, s.ValidUntil = x.Statement.Full(), x.ValidUntil
	}
	return s
}
