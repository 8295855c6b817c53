package leader

import (
	"math"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
)

func (tr *trial) wantCounts(v messages.View, want Counts) {
	tr.t.Helper()
	if got := tr.Counts(tr.now, v); got != want {
		tr.t.Errorf("view %d: counts %+v, want %+v", v, got, want)
	}
}

func TestCounts_WhoSuspectsAView(t *testing.T) {
	const none, own, amplified = messages.SuspicionNone, messages.SuspicionOwn, messages.SuspicionAmplified
	tests := []struct {
		name string
		tell func(*trial)
		want Counts // for view 5
	}{
		{"nobody heard", func(*trial) {}, Counts{}},
		{"a content member", func(tr *trial) { tr.status(5, none, 0) }, Counts{}},
		{"own", func(tr *trial) { tr.status(5, own, 0) }, Counts{Own: 1}},
		{"amplified", func(tr *trial) { tr.status(5, amplified, 0) }, Counts{Amplified: 1}},
		{"of a lower view", func(tr *trial) { tr.status(4, own, 0) }, Counts{}},
		{"of a higher view", func(tr *trial) { tr.status(6, own, 0) }, Counts{Hard: 1}},
		{"in a higher view", func(tr *trial) { tr.status(6, none, 0) }, Counts{Hard: 1}},
		{"claims to suspect a view far above its own", func(tr *trial) {
			tr.Heard(tr.now, 0, &messages.Status{View: 3, Suspects: math.MaxUint64, Suspicion: own})
		}, Counts{Own: 1}},
		{"asked for the view itself", func(tr *trial) { tr.Asked(0, 5) }, Counts{}},
		{"asked for the next", func(tr *trial) { tr.Asked(0, 6) }, Counts{Hard: 1}},
		{"asked for a later one, then an earlier came late", func(tr *trial) { tr.Asked(0, 8); tr.Asked(0, 2) }, Counts{Hard: 1}},
		{"asked and told", func(tr *trial) { tr.Asked(0, 6); tr.status(5, own, 0) }, Counts{Hard: 1}},
		{"the newest Status counts", func(tr *trial) { tr.status(5, own, 0); tr.status(5, none, 0) }, Counts{}},
		{"one member many times", func(tr *trial) { tr.status(5, own, 0, 0, 0, 0) }, Counts{Own: 1}},
		{"one of each", func(tr *trial) {
			tr.status(5, own, 0)
			tr.status(5, amplified, 1)
			tr.Asked(2, 6)
		}, Counts{Hard: 1, Own: 1, Amplified: 1}},
		{"no member, or oneself", func(tr *trial) {
			tr.status(5, own, 3, 4, 99, math.MaxUint16)
			tr.Asked(3, 9)
			tr.Asked(4, 9)
		}, Counts{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTrial(t, 3, 4)
			tr.enter(5, true)
			tt.tell(tr)
			tr.wantCounts(5, tt.want)
			if got := tr.Counts(tr.now, 5).All(); got != tt.want.Hard+tt.want.Own+tt.want.Amplified {
				t.Errorf("all are %d", got)
			}
		})
	}
}

// A suspicion that is not repeated ends; a view left stays left. [E2, E4]
func TestCounts_SoftAndHard(t *testing.T) {
	tr := newTrial(t, 3, 4)
	tr.status(0, messages.SuspicionOwn, 0)
	tr.status(1, messages.SuspicionNone, 1)
	tr.Asked(2, 1)
	tr.now = tr.now.Add(2 * heartbeat)
	tr.wantCounts(0, Counts{Hard: 2, Own: 1})
	tr.now = tr.now.Add(1)
	tr.wantCounts(0, Counts{Hard: 2})
	tr.now = tr.now.Add(time.Hour)
	tr.wantCounts(0, Counts{Hard: 2})
}

func TestCounts_Oneself(t *testing.T) {
	tr := newTrial(t, 3, 4)
	o := tr.observation()
	o.OldestVertex = timeout
	tr.Suspect(o)
	tr.wantCounts(0, Counts{Own: 1})
	tr.wantCounts(1, Counts{}) // of no view above its own

	tr.enter(1, false) // it left view 0
	tr.wantCounts(0, Counts{Hard: 1})
	tr.wantCounts(1, Counts{}) // and suspects nobody in view 1 yet

	tr.status(1, messages.SuspicionOwn, 0, 1)
	tr.Suspect(tr.observation())
	tr.wantCounts(1, Counts{Own: 2, Amplified: 1})
}

// What the counts are for: one member left by a quorum's word that others did
// not hear, then a member fell silent. Those that remain count the one that
// left and the one that suspects alike, and move. [E2]
func TestCounts_LeftAndSuspectingAddUp(t *testing.T) {
	tr := newTrial(t, 2, 4)
	tr.Asked(1, 1)
	tr.status(0, messages.SuspicionOwn, 3)
	tr.want(tr.observation(), Amplified, messages.SuspicionAmplified)
	if got := tr.Counts(tr.now, 0).All(); got != messages.Quorum(4) {
		t.Errorf("%d members suspect, want a quorum", got)
	}
}

func TestNewTracker_OfNoMember(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("member 4 of 4 follows suspicions")
		}
	}()
	NewTracker(4, 4, heartbeat, start)
}
