package actors

import "github.com/cretoai/consensus/messages"

// fairQueue holds work by the member it came from and gives it out one member
// after the other. A member that floods delays its own work only; how much of
// it may wait is bounded by the transport's credit. [S10]
type fairQueue[T any] struct {
	members [][]T
	next    int
	count   int
}

func newFairQueue[T any](n int) *fairQueue[T] { return &fairQueue[T]{members: make([][]T, n)} }

func (q *fairQueue[T]) push(from messages.Index, work T) {
	q.members[from] = append(q.members[from], work)
	q.count++
}

func (q *fairQueue[T]) pop() (work T, ok bool) {
	if q.count == 0 {
		return work, false
	}
	for len(q.members[q.next]) == 0 {
		q.next = (q.next + 1) % len(q.members)
	}
	queue := q.members[q.next]
	work, q.members[q.next] = queue[0], queue[1:]
	q.next = (q.next + 1) % len(q.members)
	q.count--
	return work, true
}
