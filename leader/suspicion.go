package leader

import (
	"strings"
	"time"

	"github.com/cretoai/consensus/messages"
)

// Reason says why a leader is suspected; several reasons are or-ed together.
type Reason uint8

// The reasons. All but Amplified are a replica's own.
const (
	VertexOverdue     Reason = 1 << iota // a vertex was not executed within the view's timeout
	LeaderSilent                         // no Status came from the leader for long
	LeaderConvicted                      // evidence against the leader is held
	InvalidPrePrepare                    // the leader signed a pre-prepare no correct leader would
	NewViewOverdue                       // the replica changes views and the NewView does not come
	InvalidNewView                       // the leader signed a NewView that does not follow from its ViewChanges
	Amplified                            // f+1 members suspect for reasons of their own
)

var reasonNames = [...]string{
	"vertex overdue", "leader silent", "leader convicted", "invalid pre-prepare", "new-view overdue", "invalid new-view", "amplified",
}

// String lists the reasons in the order of their constants.
func (r Reason) String() string {
	if r == 0 {
		return "none"
	}
	var names []string
	for i, name := range reasonNames {
		if r&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// Suspicion is what a replica says of the leader of its view. The zero value
// suspects nobody.
type Suspicion struct {
	View    messages.View
	Reasons Reason
}

// Level is the suspicion's form in Status. A reason of one's own outweighs
// amplification: only own ones are counted when others amplify.
func (s Suspicion) Level() messages.Suspicion {
	switch {
	case s.Reasons&^Amplified != 0:
		return messages.SuspicionOwn
	case s.Reasons != 0:
		return messages.SuspicionAmplified
	}
	return messages.SuspicionNone
}

// Observation is what a replica knows, at Now, about the view it is in.
type Observation struct {
	Now time.Time
	// OldestVertex is the age of the oldest timed vertex that is not executed,
	// zero if no vertex timer runs. [protocol §8]
	OldestVertex time.Duration
	// Timeout is the view's timeout, see Timeout.Current.
	Timeout time.Duration
	// Silence is how long the leader may be silent, see Timeout.Scaled.
	Silence time.Duration
	// Convicted: the leader stands convicted.
	Convicted bool
}

// Suspect judges the leader of the replica's view. A suspicion is soft: judged
// again without its reason, it is gone. The replica calls it every heartbeat
// and after every event that may change the answer. [protocol §5 Suspicion]
func (t *Tracker) Suspect(o Observation) Suspicion {
	reasons := t.held
	if o.Convicted {
		reasons |= LeaderConvicted
	}
	// A pause of this replica ages everything it waits for; that is not the
	// leader's doing. What came meanwhile gets one Silence to be handled. A
	// replica that is late again and again gets no second one: then it is as
	// good a judge as it will ever be. [L6]
	late := t.judged && o.Now.Sub(t.last) > o.Silence
	if late && !t.late {
		t.excused = o.Now.Add(o.Silence)
	}
	t.judged, t.late, t.last = true, late, o.Now

	if !o.Now.Before(t.excused) {
		// Vertex timers start when a view is active, a leader answers for its
		// signs of life from the moment its view was entered.
		if t.active && o.OldestVertex > 0 && o.OldestVertex >= o.Timeout {
			reasons |= VertexOverdue
		}
		if leader := t.schedule.Leader(t.view); leader != t.self && o.Now.Sub(t.lastSign(leader)) >= o.Silence {
			reasons |= LeaderSilent
		}
	}
	if reasons == 0 {
		others := t.countOthers(o.Now, t.view)
		if others.Own+others.Hard >= t.weak {
			reasons = Amplified
		}
	}
	t.suspicion = Suspicion{}
	if reasons != 0 {
		t.suspicion = Suspicion{t.view, reasons}
	}
	return t.suspicion
}

// lastSign is when the leader last showed life, or when its view was entered.
func (t *Tracker) lastSign(leader messages.Index) time.Time {
	if at := t.peers[leader].at; at.After(t.entered) {
		return at
	}
	return t.entered
}
