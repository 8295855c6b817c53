package actors

import (
	"time"

	"github.com/cretoai/consensus/messages"
)

// pace keeps a replica that is far behind from taking all there is of what it
// shares with others: the disks of those who serve it, their links, or a whole
// machine: it rests between two ranges of batches, and between two rounds of parts of a
// snapshot.
type pace struct {
	beats            int
	executed, others messages.Seq // paceBeats ago at most
	hurry            bool
	quiet            bool // the others had nothing to do
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
		p.quiet = others == p.others
	}
	p.beats, p.executed, p.others = 0, executed, others
}

// batches reports whether there is time to rest between ranges of batches: for as long
// as it is twice as fast as the others. Else it would never get there.
func (p *pace) batches() bool { return !p.hurry }

// parts reports whether there is time to rest between parts of a snapshot that the
// others keep until they are at a sequence. While they have nothing to do, there is
// no reason to.
func (p *pace) parts(others, kept messages.Seq) bool { return !p.quiet && others < kept }

// breath is the turn of work and rest: after work, rest twice as long. Most of the
// time who works so is no burden.
type breath struct{ began, until time.Time }

// work begins.
func (b *breath) work(now time.Time) { b.began = now }

// rest begins, or goes on longer if work that was begun before ends now. It gives
// how long it is.
func (b *breath) rest(now time.Time, heartbeat time.Duration) time.Duration {
	d := min(2*now.Sub(b.began), restBeats*heartbeat)
	b.until = now.Add(d)
	return d
}

// left is how much of the rest there is.
func (b *breath) left(now time.Time) time.Duration { return max(b.until.Sub(now), 0) }
