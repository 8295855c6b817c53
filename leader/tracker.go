package leader

import (
	"fmt"
	"time"

	"github.com/cretoai/consensus/messages"
)

// Tracker follows who suspects whom: the replica itself, see Suspect, and the
// others by their Status and ViewChanges. It triggers nothing.
type Tracker struct {
	self      messages.Index
	schedule  Schedule
	weak      int
	heartbeat time.Duration

	view    messages.View
	active  bool
	entered time.Time
	held    Reason // reasons that last until the view is left or, for those of a change, becomes active

	judged, late bool // Suspect was called; its last call came late
	last         time.Time
	excused      time.Time // no reasons of time before this
	suspicion    Suspicion

	peers []peer // by index; that of self stays empty
}

// peer is what counts of a member's newest Status and of its ViewChanges.
type peer struct {
	at         time.Time // when the Status came, zero before any
	view       messages.View
	suspects   messages.View
	suspicion  messages.Suspicion
	viewChange messages.View // the highest view it asked for, 0 if none
}

// NewTracker follows the members of the schedule for member self, which is in
// view 0 since now. heartbeat is the time between two Status of a member,
// 100 ms unless configured otherwise.
func NewTracker(self messages.Index, members int, heartbeat time.Duration, now time.Time) *Tracker {
	if int(self) >= members {
		panic(fmt.Sprintf("member %d of %d", self, members))
	}
	return &Tracker{
		self: self, schedule: NewSchedule(members), weak: messages.Weak(members), heartbeat: heartbeat,
		active: true, entered: now, peers: make([]peer, members),
	}
}

// Enter notes that the replica changes to a view (active false) or accepted its
// NewView (active true). Reasons held against the leader before are gone; its
// silence counts from now.
func (t *Tracker) Enter(now time.Time, view messages.View, active bool) {
	if view == t.view && active == t.active {
		return
	}
	t.view, t.active, t.entered = view, active, now
	t.held, t.suspicion = 0, Suspicion{}
}

// Hold notes a reason that lasts as long as the view: InvalidPrePrepare by the
// leader of an active view, or NewViewOverdue and InvalidNewView while changing
// to one. A reason for another view than the replica's is stale and ignored.
func (t *Tracker) Hold(view messages.View, reason Reason) {
	if view != t.view {
		return
	}
	if t.active {
		t.held |= reason & InvalidPrePrepare
	} else {
		t.held |= reason & (NewViewOverdue | InvalidNewView)
	}
}

// Heard notes a member's Status. The newest one counts. Indices of no member,
// and the replica's own, are ignored.
func (t *Tracker) Heard(now time.Time, from messages.Index, s *messages.Status) {
	if p := t.peer(from); p != nil {
		p.at, p.view, p.suspects, p.suspicion = now, s.View, s.Suspects, s.Suspicion
	}
}

// Asked notes a verified ViewChange of a member. The highest view counts.
func (t *Tracker) Asked(from messages.Index, view messages.View) {
	if p := t.peer(from); p != nil {
		p.viewChange = max(p.viewChange, view)
	}
}

func (t *Tracker) peer(i messages.Index) *peer {
	if i == t.self || int(i) >= len(t.peers) {
		return nil
	}
	return &t.peers[i]
}

// Counts says how many members, oneself included, suspect a view. Each member
// is counted once, under the first of Hard, Own and Amplified that holds.
type Counts struct {
	// Hard have left the view for a higher one.
	Hard int
	// Own suspect the view's leader for reasons of their own.
	Own int
	// Amplified suspect it because others do. They never count towards
	// amplification: it would sustain itself for ever.
	Amplified int
}

// All is the number that makes a replica leave the view, once it is a quorum.
func (c Counts) All() int { return c.Hard + c.Own + c.Amplified }

// Counts counts the members that suspect view v at now. A suspicion told by
// Status is soft: it counts for two heartbeats. A higher view, shown by Status
// or asked for by a ViewChange, is hard: it counts however old, for views only
// rise. [protocol §5 Who counts]
func (t *Tracker) Counts(now time.Time, v messages.View) Counts {
	c := t.countOthers(now, v)
	switch {
	case t.view > v:
		c.Hard++
	case t.view == v:
		c.add(t.suspicion.Level())
	}
	return c
}

func (t *Tracker) countOthers(now time.Time, v messages.View) Counts {
	var c Counts
	for i := range t.peers {
		switch p := &t.peers[i]; {
		case p.viewChange > v, p.view > v:
			c.Hard++
		case p.suspects >= v && now.Sub(p.at) <= 2*t.heartbeat:
			c.add(p.suspicion)
		}
	}
	return c
}

func (c *Counts) add(s messages.Suspicion) {
	switch s {
	case messages.SuspicionOwn:
		c.Own++
	case messages.SuspicionAmplified:
		c.Amplified++
	}
}
