package actors

import (
	"time"

	"github.com/cretoai/consensus/messages"
)

// pace keeps a replica that is far behind from taking all there is of what it
// shares with others: the disks of those who serve it, their links, or a whole
// machine. Twice as long as a range of batches took, from its request until it was
// executed, it rests before the next one: most of the time it is no burden. That it
// may do for as long as it is twice as fast as the others; else it would never get
// there.
type pace struct {
	asked            time.Time
	beats            int
	executed, others messages.Seq // paceBeats ago at most
	hurry            bool
}

const (
	paceBeats = 10 // heartbeats over which progress is compared
	restBeats = 5  // heartbeats it rests at most
)

// beat compares the progress of some heartbeats with that of the others.
func (p *pace) beat(executed, others messages.Seq) {
	if p.beats++; p.others != 0 && p.beats < paceBeats {
		return
	}
	if others = max(others, p.others); p.others != 0 {
		p.hurry = executed-p.executed < 2*(others-p.others)
	}
	p.beats, p.executed, p.others = 0, executed, others
}

// ask begins a range.
func (p *pace) ask(now time.Time) { p.asked = now }

// rest is how long to wait after the range.
func (p *pace) rest(now time.Time, heartbeat time.Duration) time.Duration {
	if p.hurry {
		return 0
	}
	return min(2*now.Sub(p.asked), restBeats*heartbeat)
}
