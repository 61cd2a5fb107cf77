package together_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/tesdiq/tesdiq/internal/together"
)

type call struct{ batch int }

// What comes while two batches are at work waits for the next one, whole.
func TestCallsThatComeTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q together.Queue[*call]
		var mu sync.Mutex
		var sizes []int
		gate := make(chan struct{})
		work := func(batch []*call) {
			mu.Lock()
			sizes = append(sizes, len(batch))
			n := len(sizes)
			mu.Unlock()
			<-gate
			for _, c := range batch {
				c.batch = n
			}
		}
		var all sync.WaitGroup
		calls := make([]call, 2+together.Most+3)
		for i := range calls {
			all.Go(func() { q.Do(&calls[i], work) })
			synctest.Wait()
		}
		close(gate)
		all.Wait()
		var total int
		for _, n := range sizes {
			total += n
		}
		if sizes[0] != 1 || sizes[1] != 1 || slices.Max(sizes) != together.Most || total != len(calls) {
			t.Errorf("batches of %v for %d calls", sizes, len(calls))
		}
		for i, c := range calls {
			if c.batch == 0 {
				t.Errorf("call %d came back without having been carried out", i)
			}
		}
	})
}

// A panic is its caller's; those whom it took along come back as they were, and the next are carried out.
func TestAPanicStopsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q together.Queue[*call]
		gate := make(chan struct{})
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() { q.Do(&call{}, func([]*call) { <-gate }) })
		}
		synctest.Wait()
		var panicked, came int
		var mu sync.Mutex
		for range 5 {
			all.Go(func() {
				defer func() {
					mu.Lock()
					defer mu.Unlock()
					if recover() != nil {
						panicked++
					}
					came++
				}()
				c := call{}
				q.Do(&c, func([]*call) { panic("stumbled") })
				if c.batch != 0 {
					t.Error("something carried it out")
				}
			})
			synctest.Wait()
		}
		close(gate)
		all.Wait()
		if panicked == 0 || came != 5 {
			t.Errorf("%d panicked and %d came back of 5", panicked, came)
		}
		c := call{}
		q.Do(&c, func(batch []*call) { batch[0].batch = 1 })
		if c.batch != 1 {
			t.Error("after a panic nothing is carried out any more")
		}
	})
}
