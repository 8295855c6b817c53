package actors

import (
	"time"

	"github.com/cretoai/consensus/messages"
)

// patience is how long a member may take with the range of batches it is asked for:
// for the next one, and for all. Else whoever sends one now and then, and each in time,
// has a late replica wait for ever.
type patience struct {
	heartbeat time.Duration
	failed    int             // requests that took too long, of late
	vain      int             // those for what no more members claim than can lie
	took      []time.Duration // by member, a sequence of the last range it completed; 0 is unknown

	of              messages.Index
	sequences       messages.Seq // how many
	sure            bool         // more members claim to have the range than can lie
	began           time.Time
	deadline, until time.Time // for the next one, for all
}

const (
	fetchPatience = 3 // heartbeats without progress
	// fetchDoublings bounds how often patience doubles: on a network slower than it
	// every answer came too late, and a late replica stayed so for ever.
	fetchDoublings = 5
	// fetchSlack is how many times as long as the quickest of the others a member may take.
	fetchSlack = 2
)

func newPatience(n int, heartbeat time.Duration) patience {
	return patience{heartbeat: heartbeat, took: make([]time.Duration, n)}
}

// begin is when a member is asked for some sequences.
func (p *patience) begin(now time.Time, of messages.Index, sequences messages.Seq, sure bool) {
	p.began, p.of, p.sequences, p.sure = now, of, sequences, sure
	p.until = now.Add(p.whole())
	p.progress(now)
}

// progress renews the time for the next sequence, and not that for all. A member that
// sends what is known already makes none.
func (p *patience) progress(now time.Time) {
	p.deadline = now.Add(p.step())
	if p.deadline.After(p.until) {
		p.deadline = p.until
	}
}

// over reports whether the member took too long.
func (p *patience) over(now time.Time) bool { return !now.Before(p.deadline) }

// step is the time for the next sequence.
func (p *patience) step() time.Duration {
	if p.sure {
		return fetchPatience * p.heartbeat << p.failed
	}
	return fetchPatience * p.heartbeat << p.vain
}

// whole is the time for all: as long as each sequence may take, but not much longer
// than it takes another member, if that is known.
func (p *patience) whole() time.Duration {
	whole := time.Duration(p.sequences) * p.step()
	if quickest, ok := p.quickest(); ok {
		return min(whole, max(p.step(), time.Duration(fetchSlack*p.sequences)*quickest))
	}
	return whole
}

// quickest is how long a sequence takes the quickest of the other members.
func (p *patience) quickest() (d time.Duration, ok bool) {
	for m, took := range p.took {
		if took > 0 && messages.Index(m) != p.of && (!ok || took < d) {
			d, ok = took, true
		}
	}
	return d, ok
}

// done is when the whole range is there. It reports whether that was quick: whoever
// takes longer with all than it may with one is no better than one that fails. What
// came in half the time was waited for too patiently.
func (p *patience) done(now time.Time) (quick bool) {
	took := now.Sub(p.began)
	quick = took <= p.step()
	p.took[p.of] = max(took/time.Duration(p.sequences), 1)
	if !p.sure {
		p.vain = 0
		return quick
	}
	for p.failed > 0 && 2*took <= p.step() {
		p.failed--
	}
	return quick
}

// fail is when it took too long. The next one may take twice as long; but what nobody
// may have says nothing of those who have something.
func (p *patience) fail() {
	if p.sure {
		p.failed = min(p.failed+1, fetchDoublings)
	} else {
		p.vain = min(p.vain+1, fetchDoublings)
	}
}
