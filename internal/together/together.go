// Package together lets calls that come at the same time be carried out by one statement: group commit. A call that comes
// alone waits for nothing.
package together

import "sync"

const (
	// Most is how many calls a batch has at most.
	Most = 64
	// abreast is how many batches are at work at a time: one gathers while the other waits for the disk.
	abreast = 2
)

// Queue gathers what comes while others are being carried out. There is no goroutine of its own: whoever comes while few
// enough batches are at work takes what is there, then passes the turn on to the first who waits. Its zero value is ready.
type Queue[T any] struct {
	mu      sync.Mutex
	working int
	waiting []*place[T]
}

// place is one who waits in the queue.
type place[T any] struct {
	item T
	done chan bool // true: it is your turn to work; false: somebody's work took you along
}

// Do returns when item was part of a batch that work was called with, by this caller or by another one, whose work must
// do the same. work leaves in each item what became of it; should it panic, items stay as they were for those who wait.
func (q *Queue[T]) Do(item T, work func(batch []T)) {
	p := &place[T]{item: item, done: make(chan bool, 1)}
	if !q.join(p) && !<-p.done {
		return
	}
	others := q.take()
	batch := []T{item}
	for _, o := range others {
		batch = append(batch, o.item)
	}
	defer func() { // after a panic, too: nobody may wait for ever
		q.pass()
		for _, o := range others {
			o.done <- false
		}
	}()
	work(batch)
}

// join says whether it is the turn of p to work; else p waits.
func (q *Queue[T]) join(p *place[T]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.working < abreast {
		q.working++
		return true
	}
	q.waiting = append(q.waiting, p)
	return false
}

// take gives those who wait, as many as fit into a batch beside the one whose turn it is.
func (q *Queue[T]) take() []*place[T] {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), Most-1)
	others := q.waiting[:n:n]
	q.waiting = append([]*place[T](nil), q.waiting[n:]...)
	return others
}

// pass gives the turn to the first who waits.
func (q *Queue[T]) pass() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.working--
		return
	}
	next := q.waiting[0]
	q.waiting = q.waiting[1:]
	next.done <- true
}
