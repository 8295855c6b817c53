package leader

import (
	"slices"
	"time"

	"github.com/cretoai/consensus/messages"
)

// finality remembers how long batches took to become final, under each leader.
type finality struct{ byLeader []samples }

// samplesMax latest samples a leader are kept.
const samplesMax = 128

type samples struct {
	ring []time.Duration
	next int
}

func newFinality(members int) *finality { return &finality{make([]samples, members)} }

func (f *finality) add(leader messages.Index, d time.Duration) {
	s := &f.byLeader[leader]
	if len(s.ring) < samplesMax {
		s.ring = append(s.ring, d)
		return
	}
	s.ring[s.next] = d
	s.next = (s.next + 1) % samplesMax
}

// p99 is the 99th percentile under all leaders but one, who could otherwise slow
// down step by step and be waited for ever longer; zero if nothing was measured.
func (f *finality) p99(except messages.Index) time.Duration {
	var all []time.Duration
	for i := range f.byLeader {
		if messages.Index(i) != except {
			all = append(all, f.byLeader[i].ring...)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[(len(all)*99+99)/100-1]
}
