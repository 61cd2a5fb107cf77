package main

import (
	"io"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/simulate"
)

// The applications of a short year in a third of it: every case is decided or explained, whatever was killed, and each thing has happened once.
func TestAYearOfAssessments(t *testing.T) {
	r, err := simulate.Run(t.Context(), simulate.Options{Cases: 300, Seed: 7, Crashes: 9, Sealed: 10, Days: 120, Now: time.Now, Progress: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range r.Wrong {
		t.Error(what)
	}
	if r.Opened != 300 || r.Decided < 200 || r.Crashes < 3 || r.Audit.Packages != r.Decided || r.Audit.Drawings == 0 || r.Audit.Lines < 10*r.Decided {
		t.Errorf("%+v", r)
	}
	by := map[string]int{}
	for _, o := range r.Outcomes {
		by[string(o.State)+" "+o.By] += o.Cases
	}
	for _, want := range []string{"decided registers", "decided commission", "declined ", "withdrawn "} {
		if by[want] == 0 {
			t.Errorf("nobody is %s: %v", want, by)
		}
	}
	for _, want := range []string{"questions sealed and logged", "refuses to sign", "asks for the longer term", "told of terms", "overdue clocks seen on an evening",
		"takes a programme", "enters a programme", "misses something in a draft", "invites who did not come", "says that a register is wrong", "corrections asked of agencies"} {
		if r.Did[want] == 0 {
			t.Errorf("nothing of %q: %v", want, r.Did)
		}
	}
}
