package actors

import "time"

// cohort tells the leader whether to wait a moment for those whose vertices have just
// become final. Callers who wait for a receipt and then propose again come back
// together, a message or two after the completion that freed them. A batch cut at
// that completion holds only who waited meanwhile; the others get the batch after it,
// and from then on two half-empty batches take turns, each at the whole price of a
// sequence, and everybody waits for two. [B1]
//
// It waits while it pays: as long as, of late, at least half of the vertices that a
// completion freed were followed by new ones within the window, a quarter of a round.
// A round is three message delays and more; who is not back by then was not waiting.
// Arrivals that do not depend on completions bring a quarter of a batch in that time,
// so load of that kind waits for nothing. It holds no clock: moments are given.
type cohort struct {
	round     time.Duration // from the cut to the execution, smoothed
	returning float64       // the share that came back within the window, smoothed

	open    bool
	opened  int    // windows so far: the number of the open one
	freed   int    // vertices of the completed batch
	arrived uint64 // vertices that had arrived in the pool when it opened
	want    int    // vertices in the pool with which everybody is back
}

// flight is a batch between its cut and its execution.
type flight struct {
	vertices int
	cut      time.Time // the zero time if another life of the leader cut it
}

const (
	cohortWindow  = 4 // the part of a round
	cohortReturns = 0.5
	cohortSmooth  = 4 // the weight of the newest among so many
)

// completed opens a window when a batch was executed, unless one is open: then those
// it freed are waited for, too. before is the backlog before it freed them. It gives
// the length of a window that it opened, after which close is to be called, or 0.
func (k *cohort) completed(now time.Time, f flight, before backlog) time.Duration {
	if f.cut.IsZero() {
		return 0
	}
	k.round += (now.Sub(f.cut) - k.round) / cohortSmooth
	window := k.round / cohortWindow
	switch want := before.vertices + f.vertices; {
	case k.open:
		k.want += f.vertices
		return 0
	case want == 1, window <= 0: // the first to come is everybody
		return 0
	default:
		k.open, k.want = true, want
	}
	k.opened++
	k.freed, k.arrived = f.vertices, before.arrived
	return window
}

// waits reports whether a batch that is not full is to wait, with so many vertices in
// the pool.
func (k *cohort) waits(pooled int) bool {
	return k.open && k.returning >= cohortReturns && pooled < k.want
}

// close ends the window of that number and learns from it.
func (k *cohort) close(window int, now backlog) {
	if !k.open || window != k.opened {
		return
	}
	k.open = false
	share := min(float64(now.arrived-k.arrived)/float64(k.freed), 1)
	k.returning += (share - k.returning) / cohortSmooth
}

// reset forgets the open window: another view has begun.
func (k *cohort) reset() { k.open = false }
