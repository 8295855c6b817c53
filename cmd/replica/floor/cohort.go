package floor

import "time"

// cohort has the leader wait for callers who come back together, as a replica's
// does: a quarter of a round at most, while half of them usually do. What a batch
// costs is the same, so without it the floor would be no floor.
type cohort struct {
	round     time.Duration // from the cut to the execution, smoothed
	returning float64       // the share that came back within a window, smoothed

	waiting bool // a window is open
	want    int  // vertices in the pool with which all are back
	freed   int  // vertices of the batch that opened it
	before  int  // vertices that had arrived when it opened
}

// freed opens a window when a batch of so many vertices was executed.
func (m *member) freed(vertices int, cut time.Time) {
	k := &m.cohort
	k.round += (time.Since(cut) - k.round) / 4
	if k.waiting {
		k.want += vertices
		return
	}
	if k.want = len(m.pool) + vertices; k.want == 1 {
		return
	}
	k.waiting, k.freed, k.before = true, vertices, m.arrived
	time.AfterFunc(k.round/4, m.returned)
}

// returned ends the window.
func (m *member) returned() {
	m.mu.Lock()
	k := &m.cohort
	k.waiting = false
	k.returning += (min(float64(m.arrived-k.before)/float64(k.freed), 1) - k.returning) / 4
	cut := m.cut()
	m.mu.Unlock()
	m.sendBodies(cut)
}

// holds reports whether a batch that is not full waits.
func (m *member) holds() bool {
	return m.cohort.waiting && m.cohort.returning >= 0.5 && len(m.pool) < m.cohort.want
}
