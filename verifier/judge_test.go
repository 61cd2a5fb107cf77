package verifier

import (
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
)

var (
	noon     = time.Date(2026, 11, 21, 12, 0, 0, 0, tesdiq.Baku)
	before   = noon.AddDate(0, 0, -3)
	tomorrow = tesdiq.MustDate("2026-11-22")
)

func TestJudge(t *testing.T) {
	all := State{ValidUntil: tesdiq.MustDate("2026-01-01"), RevokedAt: before, AnnulledAt: before, WithdrawnAt: before, CorrectedAt: before, NewerAt: before}
	with := func(s State, change func(*State)) State { change(&s); return s }
	tests := []struct {
		name  string
		state State
		now   time.Time
		want  Reason
	}{
		{"everything at once, and added to", with(all, func(s *State) { s.Match = MatchContinued }), noon, AlteredContinued},
		{"everything at once, in another file", with(all, func(s *State) { s.Match = MatchClaimed }), noon, AlteredClaimed},
		{"everything at once", with(all, func(s *State) { s.Match = MatchFile }), noon, RevokedByIssuer},
		{"all but revoked", with(all, func(s *State) { s.Match, s.RevokedAt = MatchFile, time.Time{} }), noon, RevokedAnnulled},
		{"withdrawn, superseded, expired", State{Match: MatchCode, WithdrawnAt: before, CorrectedAt: before, NewerAt: before}, noon, WithdrawnBySubject},
		{"superseded twice, expired", State{Match: MatchCode, CorrectedAt: before, NewerAt: before}, noon, SupersededCorrected},
		{"superseded, expired", State{Match: MatchCode, NewerAt: before}, noon, SupersededNewer},
		{"expired", State{Match: MatchCode, ValidUntil: tesdiq.MustDate("2026-11-20")}, noon, ExpiredTerm},
		{"last day", State{Match: MatchCode, ValidUntil: tesdiq.MustDate("2026-11-21")}, noon, ValidCode},
		{"last second of the last day in Baku", State{Match: MatchFile, ValidUntil: tesdiq.MustDate("2026-11-21")}, time.Date(2026, 11, 21, 19, 59, 59, 0, time.UTC), ValidFile},
		{"first second after it in Baku", State{Match: MatchFile, ValidUntil: tesdiq.MustDate("2026-11-21")}, time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC), ExpiredTerm},
		{"in force, by code", State{Match: MatchCode, ValidUntil: tomorrow}, noon, ValidCode},
		{"in force, by file", State{Match: MatchFile, ValidUntil: tomorrow}, noon, ValidFile},
		{"in force, by a file with validation data added", State{Match: MatchArchived, ValidUntil: tomorrow}, noon, ValidArchived},
		{"nothing found", State{Missing: UnknownPicture}, noon, UnknownPicture},
		{"nothing found counts even with a state", with(all, func(s *State) { s.Missing = UnknownCode }), noon, UnknownCode},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Judge(tt.state, tt.now)
			word, _, _ := strings.Cut(string(tt.want), ".")
			if got.Reason != tt.want || got.Verdict != tesdiq.Verdict(word) {
				t.Errorf("got %s because %s, want %s", got.Verdict, got.Reason, tt.want)
			}
		})
	}
}

func TestEveryReasonBelongsToAVerdict(t *testing.T) {
	seen := map[tesdiq.Verdict]bool{}
	for _, r := range Reasons {
		word, _, _ := strings.Cut(string(r), ".")
		seen[tesdiq.Verdict(word)] = true
	}
	for _, v := range tesdiq.Verdicts {
		if !seen[v] {
			t.Errorf("no reason for %s", v)
		}
		delete(seen, v)
	}
	if len(seen) > 0 {
		t.Errorf("reasons for no verdict: %v", seen)
	}
}

func TestDisclose(t *testing.T) {
	fine := State{Match: MatchFile, ValidUntil: tomorrow}
	with := func(change func(*State)) State { s := fine; change(&s); return s }
	tests := []struct {
		name         string
		state        State
		all, anybody Disclosure
	}{
		{"valid", fine, ShowAll, ShowMasked},
		{"superseded", with(func(s *State) { s.NewerAt = before }), ShowAll, ShowMasked},
		{"expired", with(func(s *State) { s.ValidUntil = tesdiq.MustDate("2026-01-01") }), ShowAll, ShowMasked},
		{"revoked", with(func(s *State) { s.RevokedAt = before }), ShowDocument, ShowDocument},
		{"annulled", with(func(s *State) { s.AnnulledAt = before }), ShowDocument, ShowDocument},
		{"withdrawn", with(func(s *State) { s.WithdrawnAt = before }), ShowNothing, ShowNothing},
		{"revoked and withdrawn", with(func(s *State) { s.WithdrawnAt, s.RevokedAt = before, before }), ShowDocument, ShowDocument},
		{"altered copy of what is valid", with(func(s *State) { s.Match = MatchContinued }), ShowAll, ShowMasked},
		{"altered copy of what was withdrawn", with(func(s *State) { s.Match, s.WithdrawnAt = MatchClaimed, before }), ShowNothing, ShowNothing},
		{"altered copy of what was revoked", with(func(s *State) { s.Match, s.RevokedAt = MatchContinued, before }), ShowDocument, ShowDocument},
		{"unknown", State{Missing: UnknownCode}, ShowNothing, ShowNothing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Disclose(tt.state, true, noon, noon); got != tt.all {
				t.Errorf("to an organisation %d, want %d", got, tt.all)
			}
			if got := Disclose(tt.state, false, noon, noon); got != tt.anybody {
				t.Errorf("to anybody %d, want %d", got, tt.anybody)
			}
			if got := Disclose(tt.state, true, noon, noon.Add(Reread+time.Second)); got > ShowDocument {
				t.Errorf("a day later %d", got)
			}
		})
	}
}
