package gateway

import "time"

// Reason is why there is no answer. The texts are stable: they stand in the log and are keys of the pages' words.
type Reason string

// What keeps an answer from coming.
const (
	Unreachable Reason = "unreachable"    // no connection, or it broke before an answer began
	TimedOut    Reason = "timed-out"      // nothing came within the deadline
	Queued      Reason = "queued"         // too many others were before it: it was not sent
	Paused      Reason = "paused"         // the service failed too often and is left alone for a while: it was not sent
	Busy        Reason = "busy"           // the service asks to come later (429, 503)
	Failed      Reason = "failed"         // the service or a security server had an error (5xx)
	Refused     Reason = "refused"        // the service does not accept the question (4xx)
	Redirected  Reason = "redirected"     // it names another address, which is not gone to (PR-REST, 4.4)
	NotNamed    Reason = "not-named"      // no configuration names the service: it was not sent
	NotLogged   Reason = "not-logged"     // what cannot be written down is not asked, and not believed
	Outdated    Reason = "trust-outdated" // our own trust file is too old to ask by: it was not sent
	Broken      Reason = "broken-off"     // whoever asked gave up
	Malformed   Reason = "malformed"      // the question itself is none
)

// What makes an answer none.
const (
	Truncated     Reason = "truncated"      // half an answer
	TooLarge      Reason = "too-large"      //
	Garbage       Reason = "garbage"        // no JSON
	UnknownField  Reason = "unknown-field"  // more than the schema has
	WrongSchema   Reason = "wrong-schema"   // anything else that the schema does not allow
	Unsigned      Reason = "unsigned"       //
	BadSignature  Reason = "bad-signature"  // it is not over this message
	Stranger      Reason = "stranger"       // by a key that is not the answering agency's
	OutOfTime     Reason = "out-of-time"    // by a certificate that was not valid then
	Revoked       Reason = "revoked"        // by a certificate that was taken back
	WrongID       Reason = "wrong-id"       // of another question
	WrongHash     Reason = "wrong-hash"     // to another request
	WrongCase     Reason = "wrong-case"     //
	WrongPerson   Reason = "wrong-person"   //
	WrongService  Reason = "wrong-service"  //
	WrongClient   Reason = "wrong-client"   //
	FutureDate    Reason = "future-date"    // it says what has not happened yet
	Stale         Reason = "stale"          // the register's state is too old
	Replayed      Reason = "replayed"       // a true answer, given before
	Contradictory Reason = "contradictory"  // it cannot all be true
	NotStamped    Reason = "not-stamped"    // only offline: no time stamp yet
	BadStamp      Reason = "bad-time-stamp" // only offline
)

// passing are the reasons for which the same question is sent again at once, after a pause: such faults pass in seconds. Anything else was
// said on purpose or is wrong in a way that a second try will not mend, and would only hide.
var passing = map[Reason]bool{Unreachable: true, TimedOut: true, Busy: true, Failed: true, Truncated: true}

// blameless are the reasons that say nothing about the health of a service.
var blameless = map[Reason]bool{Refused: true, Queued: true, Paused: true, NotNamed: true, NotLogged: true, Outdated: true, Broken: true, Malformed: true, FutureDate: true,
	Contradictory: true, Stale: true}

// unsaid are the reasons for which nothing that the register said arrived; for all others it arrived and cannot be believed.
var unsaid = map[Reason]bool{Unreachable: true, TimedOut: true, Queued: true, Paused: true, Busy: true, Failed: true, Refused: true, Redirected: true,
	NotNamed: true, NotLogged: true, Outdated: true, Broken: true, Malformed: true}

// Doubted says whether something was answered that cannot be believed.
func (r Reason) Doubted() bool { return r != "" && !unsaid[r] }

// later is after how many tries it is worth asking again when. ASSUMPTION: no rule of law sets it; a clock of working days does not notice minutes,
// and a register that is being mended should not be asked each second by every case in the country.
var later = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour}

// LaterThan is how long to wait with a question that was sent so often and got no answer.
func LaterThan(attempts int) time.Duration { return later[min(max(attempts, 1)-1, len(later)-1)] }

// failure is a reason with what the operator should know.
type failure struct {
	reason Reason
	detail string
	after  time.Duration // the service says when to come again
}

func (f *failure) Error() string {
	if f.detail == "" {
		return "gateway: " + string(f.reason)
	}
	return "gateway: " + string(f.reason) + ": " + f.detail
}

func fail(r Reason, detail string) *failure { return &failure{reason: r, detail: detail} }
