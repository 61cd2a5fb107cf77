package lookupdb_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/casework/tseras/lookup"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup/lookupdb"
)

// P4, in the database: a proof is for one question, in whichever process, also when two come at once; one that was cheap before cannot be kept for later.
func TestAProofIsForOneQuestion(t *testing.T) {
	w := open(t, nil)
	const prefix = "198.51.100.0/24"
	kept, err := w.one.Puzzle(t.Context(), prefix)
	w.must(err)
	const nothing = "0.0" // what a browser sends that has not worked, which of few bits is sometimes right
	proof := lookup.Proof{Numbers: nothing}
	for proof.Numbers == nothing {
		text, err := w.one.Puzzle(t.Context(), prefix)
		w.must(err)
		proof, err = lookup.Solve(text)
		w.must(err)
	}
	used := 0
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			_, err := []*lookupdb.DB{w.one, w.two}[i%2].Ask(t.Context(), lookup.Asked{Question: about(nermin), Way: lookup.ByPage, Prefix: fmt.Sprintf("203.0.%d.0/24", i), Proof: proof})
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, lookup.ErrProofUsed) {
				used++
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if used != 5 || w.count(`SELECT count(*) FROM lookup_tries`) != 1 {
		t.Errorf("%d of six were refused, %d counted", used, w.count(`SELECT count(*) FROM lookup_tries`))
	}
	w.silent(w.page(w.one, lookup.Question{Card: "AA0000001", Born: nermin.Born}, prefix))
	cheap, err := lookup.Solve(kept)
	w.must(err)
	if _, err := w.two.Ask(t.Context(), lookup.Asked{Question: about(nermin), Way: lookup.ByPage, Prefix: prefix, Proof: cheap}); !errors.Is(err, lookup.ErrProofUsed) {
		t.Errorf("a proof from before the last question: %v", err)
	}
	if _, err := w.two.Ask(t.Context(), lookup.Asked{Question: about(nermin), Way: lookup.ByPage, Prefix: prefix, Proof: lookup.Proof{Puzzle: proof.Puzzle, Numbers: nothing}}); !errors.Is(err, lookup.ErrProofWrong) {
		t.Errorf("no work: %v", err)
	}
	w.later = time.Hour
	if _, err := w.two.Ask(t.Context(), lookup.Asked{Question: about(nermin), Way: lookup.ByPage, Prefix: "203.0.9.0/24", Proof: cheap}); !errors.Is(err, lookup.ErrProofExpired) {
		t.Errorf("after an hour: %v", err)
	}
}
