package tseras_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
)

// The drawings in ARCHITECTURE.md have every state that a case of their kind can come to.
func TestEveryStateIsDrawn(t *testing.T) {
	doc, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(doc), "\n## A case\n")
	section, _, _ = strings.Cut(section, "\n## ")
	kinds := []casework.Kind{tseras.Assessment, tseras.Appeal, tseras.Programme, tseras.Correction}
	for i, kind := range kinds {
		_, drawing, found := strings.Cut(section, "\n"+string(kind))
		if !found {
			t.Errorf("%s is not drawn", kind)
			continue
		}
		if i+1 < len(kinds) {
			drawing, _, _ = strings.Cut(drawing, "\n"+string(kinds[i+1]))
		}
		into := map[casework.State]bool{}
		for _, w := range tseras.Machine.Transitions {
			if w.Kind == kind && w.From != w.To {
				into[w.To] = true
			}
		}
		for state := range into {
			word := string(state)
			if state == tseras.Withdrawn {
				word = "withdraw(n)?" // told of below the drawing, as it leaves from most states
			}
			if !regexp.MustCompile(`(^|[^a-z_])` + word + `([^a-z_]|$)`).MatchString(drawing) {
				t.Errorf("%s: %s is not drawn", kind, state)
			}
		}
	}
}
