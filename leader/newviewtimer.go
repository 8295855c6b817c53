package leader

import (
	"time"

	"github.com/cretoai/consensus/messages"
)

// newViewTimer bounds the wait for the NewView of the pending view. It starts when
// ViewChanges of a quorum for that view or a higher one are held: before, its
// leader could not build one, or this replica is alone and nobody would follow.
// Higher ones count: members that have given up already need no NewView of this
// view, but the others must not wait for ever for theirs. [H9]
type newViewTimer struct {
	running  bool
	deadline time.Time
}

func (t *newViewTimer) start(now time.Time, wait time.Duration) {
	if !t.running {
		t.running, t.deadline = true, now.Add(wait)
	}
}

func (t *newViewTimer) stop() { t.running = false }

func (t *newViewTimer) expired(now time.Time) bool { return t.running && !now.Before(t.deadline) }

// jitter is an even choice for Timeout.Jittered that needs no chance: it differs
// from member to member and view to view. (SplitMix64's mixing.)
func jitter(self messages.Index, view messages.View) uint64 {
	x := uint64(view)*0x9e3779b97f4a7c15 + uint64(self)*0xd1342543de82ef95
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
