package leader

import (
	"slices"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
)

// The traces of protocol §10 that this package decides, each under the name it has
// there.

// TestE1_MinSIsAdopted: two members with h = 0 committed a at 1; a liar's
// ViewChange carries the certificate of the checkpoint there. The NewView lists
// nothing, and min-s with its certificate is in what is entered, so that nobody
// votes at 1 again: the voter raises h by it.
func TestE1_MinSIsAdopted(t *testing.T) {
	m, now := managing(t, 1, 4)
	m.OnStanding(now, Standing{View: 1})
	lagging := body(1, "1:a@0", "")
	m.OnViewChange(now, viewChange(1, lagging))
	m.OnViewChange(now, viewChange(2, lagging))
	liar := viewChange(3, at(1, body(1, "", "")))
	liar.Stable = stable(1)
	e := only[EnterView](t, m.OnViewChange(now, liar))
	if b := e.NewView.Body; b.MinS != 1 || b.MinSDigest != state(1) || len(b.List) != 0 || e.NewView.Stable.Seq != 1 {
		t.Errorf("enters by %+v, want min-s 1 with its certificate, and nothing listed", e.NewView)
	}

	// Who examines it enters by the same min-s, and not without its certificate.
	backup, now := managing(t, 2, 4)
	for _, vc := range e.S {
		backup.OnViewChange(now, ViewChange{From: vc.From, Bundle: vc.Bundle, Body: vc.Body})
	}
	nv := newView(4, e.NewView.Body)
	incomplete := nv
	incomplete.Stable = stable(0)
	none[EnterView](t, backup.OnNewView(now, 1, incomplete))
	if got := only[EnterView](t, backup.OnNewView(now, 3, nv)); got.NewView.Stable.Seq != 1 {
		t.Errorf("entered without the certificate: %+v", got.NewView)
	}
}

// TestE2_CountedTogether: member 1 left view 0 by a quorum's word that 2 and 3 lost
// a part of; then the liar, 0, falls silent. One ViewChange and two suspicions are
// a quorum, and all three go on. [H1]
func TestE2_CountedTogether(t *testing.T) {
	c := newCluster(t, 4)
	c.submit()
	c.nodes[0].idle = true
	deaf := true
	c.lose = func(from, to messages.Index, message any) bool {
		st, ok := message.(*messages.Status)
		return ok && deaf && from == 1 && st.Active && st.Suspicion != messages.SuspicionNone
	}
	c.nodes[0].status = func(st *messages.Status) {
		*st = messages.Status{Active: true, Suspicion: messages.SuspicionOwn}
	}
	// The liar tells 1 alone that it suspects.
	c.cut = func(from, to messages.Index) bool { return from == 0 && to != 1 }
	c.until(2*time.Second, "member 1 leaves", func() bool { return c.nodes[1].standing.View == 1 })
	deaf = false
	c.crash(0)
	c.until(3*time.Second, "the others follow", func() bool { return c.in(1) && c.done() })
}

// TestE4_NewViewLostToOneThatChanges: a member that is "in" the view already, but
// only changing to it, lost the NewView, and its leader died. Others who entered
// send theirs, and the ViewChanges it rests on. [H8, H11]
func TestE4_NewViewLostToOneThatChanges(t *testing.T) {
	c := newCluster(t, 5)
	c.load(50 * ms)
	c.run(time.Second)
	c.lose = func(_, to messages.Index, message any) bool {
		_, nv := message.(NewView)
		return to == 4 && nv
	}
	c.crash(0)
	c.until(2*time.Second, "the change", func() bool { return c.nodes[3].standing.View == 1 && c.nodes[3].standing.Active })
	if d := c.nodes[4]; d.standing.View != 1 || d.standing.Active {
		t.Fatalf("member 4 should be changing\n%s", c)
	}
	c.lose = nil
	from := make(map[messages.Index]bool)
	c.cut = func(a, to messages.Index) bool {
		from[a] = from[a] || to == 4
		return a == 1 // its leader is mute from now on
	}
	took := c.until(500*ms, "member 4 enters", func() bool { return c.nodes[4].standing.Active })
	t.Logf("entered after %v", took)
}

// TestE3_TimerCountsHigherViews: the new leader is dead, and one member has given up
// on it already: its ViewChange is for the view after. The three of them are a
// quorum for the timer all the same. [H9]
func TestE3_TimerCountsHigherViews(t *testing.T) {
	m, now := managing(t, 2, 4)
	m.OnStanding(now, Standing{View: 1})
	m.OnViewChange(now, viewChange(2, body(1, "", "")))
	m.OnViewChange(now, viewChange(3, body(1, "", "")))
	alive := func(d time.Duration) (out []Effect) {
		for end := now.Add(d); now.Before(end); {
			now = now.Add(heartbeat)
			// The leader lives, it only makes no NewView: silence is not what is tested.
			out = slices.Concat(out, m.OnStatus(now, 1, &messages.Status{View: 1}), m.OnTick(now, Load{}))
		}
		return out
	}
	none[Suspects](t, alive(time.Minute)) // two of four: no timer runs
	m.OnViewChange(now, viewChange(0, body(2, "", "")))
	none[Suspects](t, alive(timeout))
	s := only[Suspects](t, alive(3*timeout))
	if s.Suspicion != (Suspicion{1, NewViewOverdue}) {
		t.Errorf("suspects %+v, want the NewView overdue", s.Suspicion)
	}
}

// TestE3_DeadLeadersAndOneAhead is the same trace played out: leaders 1 and 2 are
// dead from the start, one of the others is a view ahead. [H7, H9]
func TestE3_DeadLeadersAndOneAhead(t *testing.T) {
	c := newCluster(t, 7)
	c.load(50 * ms)
	c.run(time.Second)
	c.crash(1, 2)
	c.nodes[0].idle = true
	c.nodes[6].change(2)
	c.until(20*time.Second, "progress", func() bool { return c.in(3) && c.done() })
}

// TestE9_LiarsThatSuspect: f liars that always suspect turn no view, while the
// leader serves; nor does it help them that a member thinks ill of the leader: a
// ban is no input of this package, only a conviction is, and that is shared. [E6]
func TestE9_LiarsThatSuspect(t *testing.T) {
	c := newCluster(t, 7)
	c.load(50 * ms)
	for _, i := range []messages.Index{5, 6} {
		c.nodes[i].status = func(st *messages.Status) {
			st.Suspects, st.Suspicion = st.View, messages.SuspicionOwn
		}
	}
	c.run(10 * time.Minute)
	if !c.in(0) || c.sent["leader.ViewChange"] != 0 {
		t.Errorf("two of seven turned the view\n%s", c)
	}
	for _, d := range c.nodes {
		d.convicted = []bool{0: true, 6: false}
	}
	c.until(2*time.Second, "a convicted leader is replaced", func() bool { return c.in(1) })
}

// TestH7_Join: with f+1 members that ask for higher views, a replica goes along
// though it suspects nobody, and to the (f+1)-th highest: a view that a liar made
// up moves nobody. [H7]
func TestH7_Join(t *testing.T) {
	tests := []struct {
		name string
		n    int
		ask  []messages.View // by members from 1 on; 0: none
		want messages.View   // 0: it stays
	}{
		{"one of four", 4, []messages.View{1}, 0},
		{"two of four", 4, []messages.View{1, 1}, 1},
		{"the second highest", 4, []messages.View{9, 3}, 3},
		{"of three", 4, []messages.View{9, 3, 5}, 5},
		{"a liar far ahead", 4, []messages.View{1 << 62, 1}, 1},
		{"a liar at the end of views", 4, []messages.View{^messages.View(0), 2, 2}, 2},
		{"two of seven", 7, []messages.View{4, 4}, 0},
		{"three of seven", 7, []messages.View{4, 6, 5}, 4},
		{"five of seven", 7, []messages.View{4, 8, 6, 5, 7}, 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, now := managing(t, 0, tt.n)
			var got messages.View
			for i, view := range tt.ask {
				for _, e := range effects[ChangeView](m.OnViewChange(now, viewChange(messages.Index(i+1), body(view, "", "")))) {
					got = e.View
				}
			}
			// A quorum left: that alone takes it to the next view, by the counts.
			if tt.want == 0 && got != 0 || tt.want != 0 && got != tt.want {
				t.Errorf("changes to view %d, want %d", got, tt.want)
			}
		})
	}
}

// managing is a manager in view 0, active, that has been judging for a while.
func managing(t *testing.T, self messages.Index, n int) (*Manager, time.Time) {
	t.Helper()
	m := NewManager(managerConfig(self, n), start)
	if out := m.OnTick(start, Load{}); len(out) != 0 {
		t.Fatalf("effects from the start: %+v", out)
	}
	return m, start
}

// TestH9_TimerDoubles: each change that fails doubles the wait for the next
// NewView, with a jitter of an eighth at most that differs between members. [L1]
func TestH9_TimerDoubles(t *testing.T) {
	seen := make(map[time.Duration]bool)
	for _, self := range []messages.Index{1, 2, 3, 5, 6} {
		m, now := managing(t, self, 7)
		for view := messages.View(7); view < 12; view++ { // led by 0, 1, 2, 3, 4
			m.OnStanding(now, Standing{View: view})
			for i := range messages.Index(5) {
				m.OnViewChange(now, viewChange((self+i)%7, body(view, "", "")))
			}
			least := timeout << (view - 6)
			if m.timer.deadline.Before(now.Add(least)) || m.timer.deadline.After(now.Add(least*9/8)) {
				t.Errorf("member %d waits %v in view %d, want %v and an eighth at most", self, m.timer.deadline.Sub(now), view, least)
			}
			if view == 7 {
				seen[m.timer.deadline.Sub(now)] = true
			}
		}
	}
	if len(seen) < 4 {
		t.Errorf("five members wait alike: %v", seen)
	}
}

// TestL2_NewViewEndsNoDoubling: neither its arrival nor what it lists. [L2, P8]
func TestL2_NewViewEndsNoDoubling(t *testing.T) {
	m, now := managing(t, 2, 4)
	m.OnStanding(now, Standing{View: 1})
	m.OnStanding(now, Standing{View: 1, Active: true})
	if m.Timeout() != 2*timeout {
		t.Fatalf("the timeout is %v after a failed view", m.Timeout())
	}
	m.OnExecuted(Progress{Fresh: true}, 0)    // listed by the NewView
	m.OnExecuted(Progress{Proposed: true}, 0) // a null batch, or repeated vertices
	if m.Timeout() != 2*timeout {
		t.Errorf("the timeout is %v without progress", m.Timeout())
	}
	m.OnExecuted(Progress{Proposed: true, Fresh: true}, 0)
	if m.Timeout() != 2*timeout {
		t.Errorf("the timeout is %v at the beginning of a view, when nothing can be late yet", m.Timeout())
	}
	late := now.Add(3 * timeout)
	m.OnTick(late, Load{OldestVertex: timeout + 1}) // the cluster is slower than the base
	m.OnTick(late.Add(timeout), Load{})
	m.OnExecuted(Progress{Proposed: true, Fresh: true}, 0)
	if m.Timeout() != 2*timeout {
		t.Errorf("the timeout is %v although something waited longer than its base", m.Timeout())
	}
	m.OnTick(late.Add(2*timeout), Load{})
	m.OnExecuted(Progress{Proposed: true, Fresh: true}, 0)
	if m.Timeout() != timeout {
		t.Errorf("the timeout is %v after progress", m.Timeout())
	}
}

// TestBaseFollowsOtherLeaders: what was measured under a leader is no measure for
// itself.
func TestBaseFollowsOtherLeaders(t *testing.T) {
	m, now := managing(t, 3, 4)
	for i := range 200 {
		took := 70 * ms
		if i%50 == 0 {
			took = time.Second // one in fifty: the 99th percentile sees it
		}
		m.OnExecuted(Progress{Proposed: true, Fresh: true}, took)
	}
	m.OnStanding(now, Standing{View: 1, Active: true})
	if m.timeout.Base() != timeout {
		t.Errorf("base %v with a slow hundredth, want the ceiling", m.timeout.Base())
	}
	for range samplesMax {
		m.OnExecuted(Progress{Proposed: true, Fresh: true}, 80*ms)
		m.OnExecuted(Progress{Proposed: false, Fresh: true}, time.Hour) // begun under another
	}
	m.OnStanding(now, Standing{View: 2, Active: true})
	for range samplesMax {
		m.OnExecuted(Progress{Proposed: true, Fresh: true}, 90*ms)
	}
	m.OnStanding(now, Standing{View: 4, Active: true}) // led by 0: 1 and 2 count
	if m.timeout.Base() != 4*90*ms {
		t.Errorf("base %v, want four times the 90 ms of others", m.timeout.Base())
	}
	if got := newFinality(4).p99(0); got != 0 {
		t.Errorf("nothing measured gives %v", got)
	}
	few := newFinality(4)
	few.add(1, 5*ms)
	if few.p99(0) != 5*ms || few.p99(1) != 0 {
		t.Error("one sample is its own percentile, and no measure for its leader")
	}
}

// TestOnHalted: after a safety alarm there is nothing more to say. [V5]
func TestOnHalted(t *testing.T) {
	m, now := managing(t, 2, 4)
	m.OnHalted()
	var out []Effect
	for i := range messages.Index(4) {
		out = append(out, m.OnViewChange(now, viewChange(i, body(1, "", "")))...)
		out = append(out, m.OnStatus(now, i, &messages.Status{View: 9, Active: true})...)
	}
	out = slices.Concat(out, m.OnTick(now.Add(time.Hour), Load{OldestVertex: time.Hour}), m.OnStanding(now, Standing{View: 2}),
		m.OnInvalidPrePrepare(now, 0), m.OnNewView(now, 1, newView(4, supported(1, nil))))
	if len(out) != 0 || m.WantsViewChange(1, 1, named("x")) || m.WantsNewView(1, named("x")) {
		t.Errorf("a halted manager does %+v", out)
	}
}
