package leader

import (
	"math"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
)

const (
	heartbeat = 100 * ms
	silence   = 400 * ms
	timeout   = 500 * ms
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// a trial is a tracker of one member and the time it lives in.
type trial struct {
	*Tracker
	t   *testing.T
	now time.Time
}

func newTrial(t *testing.T, self messages.Index, n int) *trial {
	return &trial{NewTracker(self, n, heartbeat, start), t, start}
}

func (tr *trial) enter(v messages.View, active bool) { tr.Enter(tr.now, v, active) }

// status lets members tell their view, and whether they suspect it.
func (tr *trial) status(v messages.View, s messages.Suspicion, from ...messages.Index) {
	for _, i := range from {
		m := &messages.Status{View: v, Active: true, Suspicion: s}
		if s != messages.SuspicionNone {
			m.Suspects = v
		}
		tr.Heard(tr.now, i, m)
	}
}

// alive passes d in heartbeats, in each of which the member is heard.
func (tr *trial) alive(d time.Duration, from messages.Index) {
	for end := tr.now.Add(d); tr.now.Before(end); {
		tr.now = tr.now.Add(heartbeat)
		tr.status(tr.view, messages.SuspicionNone, from)
		tr.Suspect(tr.observation())
	}
}

// silent passes d in heartbeats, in which nobody is heard.
func (tr *trial) silent(d time.Duration) {
	for end := tr.now.Add(d); tr.now.Before(end); {
		tr.now = tr.now.Add(min(heartbeat, end.Sub(tr.now)))
		tr.Suspect(tr.observation())
	}
}

func (tr *trial) observation() Observation {
	return Observation{Now: tr.now, Timeout: timeout, Silence: silence}
}

func (tr *trial) want(o Observation, reasons Reason, level messages.Suspicion) {
	tr.t.Helper()
	s := tr.Suspect(o)
	if s.Reasons != reasons || s.Level() != level {
		tr.t.Errorf("suspects because of %q (%v), want %q (%v)", s.Reasons, s.Level(), reasons, level)
	}
	if reasons != 0 && s.View != tr.view {
		tr.t.Errorf("suspects view %d in view %d", s.View, tr.view)
	}
}

func TestSuspect_OverdueVertex(t *testing.T) {
	tr := newTrial(t, 1, 4)
	o := tr.observation()
	o.OldestVertex = timeout - 1
	tr.want(o, 0, messages.SuspicionNone)
	o.OldestVertex = timeout
	tr.want(o, VertexOverdue, messages.SuspicionOwn)
	o.OldestVertex = 0 // it was executed: soft
	tr.want(o, 0, messages.SuspicionNone)

	// No vertex, no suspicion, however short the timeout. [L3]
	o.Timeout = 0
	tr.want(o, 0, messages.SuspicionNone)
}

func TestSuspect_VertexTimersRestartWithTheView(t *testing.T) {
	tr := newTrial(t, 2, 4)
	tr.enter(1, false)
	o := tr.observation()
	o.OldestVertex = time.Hour
	tr.want(o, 0, messages.SuspicionNone)
}

// The leader itself suspects when its batches go nowhere: with f members
// silent, no quorum leaves the view without it.
func TestSuspect_LeaderJudgesItself(t *testing.T) {
	tr := newTrial(t, 0, 4)
	tr.silent(time.Minute) // it never hears a Status of its own
	o := tr.observation()
	tr.want(o, 0, messages.SuspicionNone)
	o.OldestVertex = timeout
	tr.want(o, VertexOverdue, messages.SuspicionOwn)
}

func TestSuspect_SilentLeader(t *testing.T) {
	tr := newTrial(t, 1, 4)
	tr.alive(time.Second, 0)
	tr.silent(silence - 1)
	tr.want(tr.observation(), 0, messages.SuspicionNone)
	tr.silent(1)
	tr.want(tr.observation(), LeaderSilent, messages.SuspicionOwn)
	tr.alive(heartbeat, 2) // another's sign of life is not the leader's
	tr.want(tr.observation(), LeaderSilent, messages.SuspicionOwn)
	tr.alive(heartbeat, 0) // it is back: soft
	tr.want(tr.observation(), 0, messages.SuspicionNone)
}

// A leader not heard for long before its view began gets its full time.
func TestSuspect_SilenceCountsFromEntering(t *testing.T) {
	tr := newTrial(t, 2, 4)
	tr.alive(heartbeat, 1)
	tr.alive(time.Minute, 0)
	tr.enter(1, false)
	tr.silent(silence - 1)
	tr.want(tr.observation(), 0, messages.SuspicionNone)
	tr.enter(1, true) // NewView accepted: its author lives
	tr.silent(silence - 1)
	tr.want(tr.observation(), 0, messages.SuspicionNone)
	tr.enter(1, true) // heard again, nothing new
	tr.silent(1)
	tr.want(tr.observation(), LeaderSilent, messages.SuspicionOwn)
}

// A replica that was stopped for a while must not take its own absence for the
// leader's, but one that is slow all the time must not be blind either. [L6]
func TestSuspect_OwnPause(t *testing.T) {
	tr := newTrial(t, 1, 4)
	tr.alive(time.Second, 0)

	tr.now = tr.now.Add(10 * time.Second)
	o := tr.observation()
	o.OldestVertex = 10 * time.Second
	tr.want(o, 0, messages.SuspicionNone)
	tr.silent(silence - 1)
	tr.want(tr.observation(), 0, messages.SuspicionNone)
	tr.silent(1) // the leader had its second chance
	tr.want(tr.observation(), LeaderSilent, messages.SuspicionOwn)

	tr.now = tr.now.Add(time.Second)
	tr.want(tr.observation(), 0, messages.SuspicionNone)
	tr.now = tr.now.Add(time.Second)
	tr.want(tr.observation(), LeaderSilent, messages.SuspicionOwn)
}

// Proofs are no matter of time: no pause excuses them.
func TestSuspect_OwnPauseExcusesNoProof(t *testing.T) {
	tr := newTrial(t, 1, 4)
	tr.Suspect(tr.observation())
	tr.Hold(0, InvalidPrePrepare)
	tr.now = tr.now.Add(time.Hour)
	o := tr.observation()
	o.Convicted = true
	tr.want(o, InvalidPrePrepare|LeaderConvicted, messages.SuspicionOwn)
}

func TestSuspect_ConvictedLeader(t *testing.T) {
	tr := newTrial(t, 1, 4)
	o := tr.observation()
	o.Convicted = true
	tr.want(o, LeaderConvicted, messages.SuspicionOwn)
	tr.want(tr.observation(), 0, messages.SuspicionNone) // lifted by an operator
	tr.enter(1, false)
	tr.want(o, LeaderConvicted, messages.SuspicionOwn)
}

func TestSuspect_HeldReasonsLastAsLongAsTheView(t *testing.T) {
	tr := newTrial(t, 3, 4)
	tr.Hold(1, InvalidPrePrepare) // of a view to come
	tr.Hold(0, NewViewOverdue)    // a timer of a view that is active
	tr.want(tr.observation(), 0, messages.SuspicionNone)

	tr.Hold(0, InvalidPrePrepare)
	tr.want(tr.observation(), InvalidPrePrepare, messages.SuspicionOwn)
	tr.want(tr.observation(), InvalidPrePrepare, messages.SuspicionOwn)

	tr.enter(1, false)
	tr.want(tr.observation(), 0, messages.SuspicionNone)
	tr.Hold(0, NewViewOverdue) // a stale timer
	tr.want(tr.observation(), 0, messages.SuspicionNone)
	tr.Hold(1, NewViewOverdue)
	tr.want(tr.observation(), NewViewOverdue, messages.SuspicionOwn)
	tr.enter(1, true) // it came after all
	tr.want(tr.observation(), 0, messages.SuspicionNone)
}

// Reasons held are those of the view; the others cannot be forced in.
func TestSuspect_HoldTakesNoOtherReason(t *testing.T) {
	tr := newTrial(t, 1, 4)
	tr.Hold(0, VertexOverdue|LeaderSilent|LeaderConvicted|Amplified)
	tr.want(tr.observation(), 0, messages.SuspicionNone)
}

func TestSuspect_Amplified(t *testing.T) {
	tr := newTrial(t, 3, 7) // f+1 = 3
	tr.status(0, messages.SuspicionOwn, 1, 2)
	tr.want(tr.observation(), 0, messages.SuspicionNone)
	tr.status(0, messages.SuspicionAmplified, 4, 5, 6) // never counts: it would sustain itself
	tr.want(tr.observation(), 0, messages.SuspicionNone)
	tr.status(0, messages.SuspicionOwn, 4)
	tr.want(tr.observation(), Amplified, messages.SuspicionAmplified)

	o := tr.observation() // a reason of its own outweighs it
	o.OldestVertex = timeout
	tr.want(o, VertexOverdue, messages.SuspicionOwn)

	tr.status(0, messages.SuspicionNone, 4) // it ends when those f+1 do
	tr.want(tr.observation(), 0, messages.SuspicionNone)
	tr.Asked(4, 1)
	tr.want(tr.observation(), Amplified, messages.SuspicionAmplified)
}

// Two replicas that merely amplify each other must both stop once the one with
// a reason does.
func TestSuspect_AmplificationEnds(t *testing.T) {
	a, b := newTrial(t, 2, 4), newTrial(t, 3, 4)
	exchange := func(own messages.Suspicion) {
		a.status(0, own, 0, 1)
		b.status(0, own, 0, 1)
		sa, sb := a.Suspect(a.observation()), b.Suspect(b.observation())
		a.status(0, sb.Level(), 3)
		b.status(0, sa.Level(), 2)
	}
	exchange(messages.SuspicionOwn)
	a.want(a.observation(), Amplified, messages.SuspicionAmplified)
	b.want(b.observation(), Amplified, messages.SuspicionAmplified)
	exchange(messages.SuspicionNone)
	a.want(a.observation(), 0, messages.SuspicionNone)
	b.want(b.observation(), 0, messages.SuspicionNone)
}

func TestReason_String(t *testing.T) {
	tests := map[Reason]string{
		0:                              "none",
		LeaderSilent:                   "leader silent",
		VertexOverdue | NewViewOverdue: "vertex overdue, new-view overdue",
		Amplified:                      "amplified",
		math.MaxUint8: "vertex overdue, leader silent, leader convicted, " +
			"invalid pre-prepare, new-view overdue, invalid new-view, amplified",
	}
	for r, want := range tests {
		if got := r.String(); got != want {
			t.Errorf("Reason(%#x) prints as %q, want %q", uint8(r), got, want)
		}
	}
}
