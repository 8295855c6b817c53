package local

import (
	"testing"

	"github.com/cretoai/consensus/replica"
)

// TestAtRest: the replicas are stopped only when nothing is on its way.
func TestAtRest(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(s *replica.Status) // of the last of three
		want   bool
	}{
		{"all at rest", func(*replica.Status) {}, true},
		{"a vertex waits", func(s *replica.Status) { s.Pending = 1 }, false},
		{"a batch is in flight", func(s *replica.Status) { s.HighestSequence = 8 }, false},
		{"one is behind", func(s *replica.Status) { s.Sequence, s.HighestSequence = 6, 6 }, false},
		{"one is ahead", func(s *replica.Status) { s.Sequence, s.HighestSequence = 8, 8 }, false},
	} {
		rest := replica.Status{Sequence: 7, HighestSequence: 7, Vertices: 100}
		statuses := []replica.Status{rest, rest, rest}
		test.change(&statuses[2])
		if got := atRest(statuses); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
