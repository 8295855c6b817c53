package detector

import (
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// memory keeps the first vote seen for each place, of one member. Beyond its
// bound the vote seen longest ago makes room: a member that fills it with
// votes far ahead blinds its observer no longer than it goes on. [K1]
type memory struct {
	bound int
	votes map[place]crypto.Verified[messages.Vote]
	order []place // as they came; once full, a ring whose oldest is at next
	next  int
}

func newMemory(bound int) memory {
	return memory{bound: bound, votes: make(map[place]crypto.Verified[messages.Vote])}
}

// first returns the vote kept for v's place; v itself if there was none.
func (m *memory) first(v crypto.Verified[messages.Vote]) crypto.Verified[messages.Vote] {
	p := placeOf(v.Value())
	if kept, ok := m.votes[p]; ok {
		return kept
	}
	if len(m.order) < m.bound {
		m.order = append(m.order, p)
	} else {
		delete(m.votes, m.order[m.next])
		m.order[m.next] = p
		m.next = (m.next + 1) % m.bound
	}
	m.votes[p] = v
	return v
}

// forget drops the votes at or below low.
func (m *memory) forget(low messages.Seq) {
	kept := make([]place, 0, len(m.order))
	for i := range m.order {
		p := m.order[(m.next+i)%len(m.order)]
		if p.seq > low {
			kept = append(kept, p)
		} else {
			delete(m.votes, p)
		}
	}
	m.order, m.next = kept, 0
}
