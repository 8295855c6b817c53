package pbft

import (
	"maps"

	"github.com/cretoai/consensus/messages"
)

// Backlog brings what was committed into the order of its sequences: each is
// given out once, when everything before it was. [N9]
type Backlog[T any] struct {
	last    messages.Seq // given out
	waiting map[messages.Seq]T
}

// NewBacklog begins after the sequence last.
func NewBacklog[T any](last messages.Seq) *Backlog[T] {
	return &Backlog[T]{last: last, waiting: make(map[messages.Seq]T)}
}

// Add takes what was committed at seq, unless it is there or was given out
// already. The caller bounds how far ahead seq may be.
func (b *Backlog[T]) Add(seq messages.Seq, committed T) {
	if _, ok := b.waiting[seq]; seq > b.last && !ok {
		b.waiting[seq] = committed
	}
}

// Next gives out what comes next, if it is there.
func (b *Backlog[T]) Next() (next T, ok bool) {
	if next, ok = b.waiting[b.last+1]; ok {
		b.last++
		delete(b.waiting, b.last)
	}
	return next, ok
}

// Waiting gives what was added at seq and not given out yet.
func (b *Backlog[T]) Waiting(seq messages.Seq) (waiting T, ok bool) {
	waiting, ok = b.waiting[seq]
	return waiting, ok
}

// Skip goes on after the sequence last: what lies at or below is not given out
// any more.
func (b *Backlog[T]) Skip(last messages.Seq) {
	if last <= b.last {
		return
	}
	b.last = last
	maps.DeleteFunc(b.waiting, func(seq messages.Seq, _ T) bool { return seq <= last })
}
