package tserasweb

import (
	"slices"
	"testing"

	"github.com/tesdiq/tesdiq"
)

// What is wrong with a referral is named from the top of the form to its end, whichever check found it.
func TestWrongFieldsComeInTheFormsOrder(t *testing.T) {
	var read, checked tesdiq.Problems
	for _, field := range []string{"subject", "main-since", "tests-0-since", "treatments-10-since", "physicians-0-code"} {
		read.Add(field, tesdiq.Invalid("date.malformed"))
	}
	for _, field := range []string{"number", "main.code", "treatments[2].to", "treatments[2].from", "tests[0].code", "on"} {
		checked.Add(field, tesdiq.Invalid("date.missing"))
	}
	ps, err := wrongIn(checked, read)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range ps {
		got = append(got, p.Field)
	}
	want := []string{"number", "on", "subject", "main-code", "main-since", "treatments-2-since", "treatments-2-to", "treatments-10-since", "tests-0-code", "tests-0-since", "physicians-0-code"}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
