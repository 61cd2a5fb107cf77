package verifierdb_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier"
)

// Checks of many askers are written together; each has its own answer, line and message, and none is lost or doubled.
func TestManyAtOnceAreEachRecordedOnce(t *testing.T) {
	w, _ := open(t)
	bank := w.Organisation("Nümunə Bank")
	w.Client(bank, "bank", "secret")
	x := w.Excerpt(w.Entry("contract", nermin, "K-1", 1, "append", day("2021-03-14")), nextYear)
	const askers, each = 50, 8
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		seen = map[verifier.CheckID]bool{}
	)
	for a := range askers {
		all.Go(func() {
			for n := range each {
				q := anonymous(x.Code)
				q.By = verifier.Client{ID: "bank", Organisation: bank, Name: "Nümunə Bank"}.Asker("p")
				if n%2 == 0 { // every second one twice under one key
					q.Key, q.Request = fmt.Sprintf("%d %d", a, n/2), sum([]byte("body"))
				}
				answer, err := w.v.Check(t.Context(), q)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				seen[answer.Check.ID] = true
				mu.Unlock()
				if n%2 == 0 {
					again, err := w.v.Check(t.Context(), q)
					if err != nil || again.Check.ID != answer.Check.ID {
						t.Errorf("the same request: check %s, then %s, %v", answer.Check.ID, again.Check.ID, err)
					}
				}
			}
		})
	}
	all.Wait()
	if len(seen) != askers*each {
		t.Errorf("%d checks were answered, want %d", len(seen), askers*each)
	}
	for _, sql := range []string{
		"SELECT count(*) FROM checks", "SELECT count(*) FROM messages", "SELECT count(DISTINCT id) FROM checks JOIN ledger_lines ON object = id",
		"SELECT count(*) FROM ledger_lines WHERE kind = 'check'",
	} {
		if n := w.ID(sql); n != askers*each {
			t.Errorf("%s: %d, want %d", sql, n, askers*each)
		}
	}
}

// A check that the database refuses fails alone, whoever was written with it.
func TestWhatIsRefusedFailsAlone(t *testing.T) {
	w, _ := open(t)
	x := w.Excerpt(w.Entry("contract", nermin, "K-1", 1, "append", day("2021-03-14")), nextYear)
	var all sync.WaitGroup
	var fine, refused atomic.Int64
	for i := range 60 {
		all.Go(func() {
			q := anonymous(x.Code)
			if i%10 == 0 { // an asker who is somebody and nobody
				q.By.Member = tesdiq.FIN("7HV1K9T")
			}
			_, err := w.v.Check(t.Context(), q)
			switch {
			case err == nil:
				fine.Add(1)
			case strings.Contains(err.Error(), "violates check constraint"):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if fine.Load() != 54 || refused.Load() != 6 {
		t.Errorf("%d recorded, %d refused", fine.Load(), refused.Load())
	}
	if n := w.ID("SELECT count(*) FROM checks"); n != 54 {
		t.Errorf("%d checks", n)
	}
}

// When the database is gone, everybody is told, and when it is back, so are the checks.
func TestNobodyWaitsForADatabaseThatIsGone(t *testing.T) {
	w, _ := open(t)
	x := w.Excerpt(w.Entry("contract", nermin, "K-1", 1, "append", day("2021-03-14")), nextYear)
	for range 3 {
		var all sync.WaitGroup
		for range 30 { // of one asker, who has 120 checks a minute
			all.Go(func() {
				_, err := w.v.Check(t.Context(), anonymous(x.Code))
				if errors.Is(err, verifier.ErrRepeated) {
					t.Error(err)
				}
			})
		}
		w.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tesdiq_verifier'`)
		all.Wait()
	}
	// Each connection that was cut while it lay idle is found out by whoever takes it first.
	var err error
	for tries := range 25 {
		if _, err = w.v.Check(t.Context(), anonymous(x.Code)); err == nil {
			break
		}
		t.Logf("try %d: %v", tries, err)
	}
	if err != nil {
		t.Error(err)
	}
	if checks, lines := w.ID("SELECT count(*) FROM checks"), w.ID("SELECT count(*) FROM ledger_lines WHERE kind = 'check'"); checks != lines {
		t.Errorf("%d checks, %d lines", checks, lines)
	}
}
