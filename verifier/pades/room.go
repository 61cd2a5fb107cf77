package pades

import (
	"slices"
	"sync"
)

// roomFor doubles what append would let grow by a quarter, at four times the cost.
func roomFor[T any](stack []T) []T {
	if len(stack) == cap(stack) && len(stack) >= pieceSize {
		return slices.Grow(stack, len(stack))
	}
	return stack
}

// pieceSize is how many values are allocated at a time.
const pieceSize = 128

// keep moves what stands on the stack from a place on to a piece of exactly its size.
func keep[T any](stack *[]T, from int, piece *[]T, reuse bool, first *[]T) []T {
	n := len(*stack) - from
	if n == 0 {
		return nil
	}
	if len(*piece) < n {
		*piece = make([]T, max(n, pieceSize))
		if reuse && len(*piece) > len(*first) {
			*first = *piece
		}
	}
	kept := (*piece)[:n:n]
	*piece = (*piece)[n:]
	copy(kept, (*stack)[from:])
	clear((*stack)[from:])
	*stack = (*stack)[:from]
	return kept
}

// room is memory for the values of one reading, given to the next one when it is over: allocating it anew took a seventh of the time of
// reading a file of ours. Larger files allocate what they need besides.
type room struct {
	items, itemsStack []value
	pairs, pairsStack []pair
	operands          []value
}

var rooms = sync.Pool{New: func() any {
	return &room{
		items: make([]value, 1024), itemsStack: make([]value, 0, 512), pairs: make([]pair, 512), pairsStack: make([]pair, 0, 64),
		operands: make([]value, maxOperands+1),
	}
}}

// borrow gives a reader room.
func (r *reader) borrow() *room {
	m := rooms.Get().(*room)
	r.itemsPiece, r.items, r.pairsPiece, r.pairs = m.items, m.itemsStack, m.pairs, m.pairsStack
	return m
}

// giveBack ends a reading: none of its values may be used any more.
func (r *reader) giveBack(m *room) {
	clear(m.items[:used(m.items, r.itemsPiece)])
	clear(m.pairs[:used(m.pairs, r.pairsPiece)])
	clear(r.items) // what an error left there; keep clears what it takes
	clear(r.pairs)
	clear(m.operands)
	r.itemsPiece, r.items, r.pairsPiece, r.pairs = nil, nil, nil, nil
	rooms.Put(m)
}

// used says how much of a piece was cut off, if left is what remains of it and not of a later one.
func used[T any](piece, left []T) int {
	if len(left) == 0 || &left[len(left)-1] != &piece[len(piece)-1] {
		return len(piece)
	}
	return len(piece) - len(left)
}
