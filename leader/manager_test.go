package leader

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
)

// TestH1_QuorumOfSuspicionsLeaves: suspicions of every kind and ViewChanges add up;
// below a quorum the view stays, whatever is suspected. [H1]
func TestH1_QuorumOfSuspicionsLeaves(t *testing.T) {
	for _, n := range []int{4, 5, 6, 7, 10} {
		m, now := managing(t, messages.Index(n-1), n)
		status := &messages.Status{Active: true, Suspicion: messages.SuspicionOwn}
		if n%2 == 0 { // one of them left already
			m.OnViewChange(now, viewChange(0, body(1, "", "")))
		} else {
			m.OnStatus(now, 0, status)
		}
		for i := range messages.Index(messages.Quorum(n) - 2) {
			out := m.OnStatus(now, i+1, status)
			joins := int(i)+3 >= messages.Quorum(n) // with itself, amplified
			if left := len(effects[ChangeView](out)) > 0; left != joins {
				t.Errorf("n=%d: after %d members suspect it leaves: %t", n, i+2, left)
			}
		}
		// Said once a heartbeat, until the voter moves.
		none[ChangeView](t, m.OnStatus(now, 1, status))
		if e := only[ChangeView](t, m.OnTick(now, Load{})); e.View != 1 || e.Reason == "" {
			t.Errorf("n=%d: %+v", n, e)
		}
		m.OnStanding(now, Standing{View: 1})
		none[ChangeView](t, m.OnTick(now, Load{}))
	}
}

// TestH1_InvalidPrePrepare is a reason that lasts as long as the view. [H1]
func TestH1_InvalidPrePrepare(t *testing.T) {
	m, now := managing(t, 1, 4)
	none[Suspects](t, m.OnInvalidPrePrepare(now, 3)) // of another view
	s := only[Suspects](t, m.OnInvalidPrePrepare(now, 0))
	if s.Suspicion != (Suspicion{0, InvalidPrePrepare}) {
		t.Errorf("suspects %+v", s)
	}
	none[Suspects](t, m.OnTick(now, Load{}))
	if s := only[Suspects](t, m.OnStanding(now, Standing{View: 1})); s.Suspicion != (Suspicion{}) {
		t.Errorf("suspects %+v in the next view", s)
	}
}

// TestH1_VertexTimersStartWithTheView: an age told before a view was entered is
// none of its leader's business. [H1, L4]
func TestH1_VertexTimersStartWithTheView(t *testing.T) {
	m, now := managing(t, 1, 4)
	if s := only[Suspects](t, m.OnTick(now, Load{OldestVertex: time.Second})); s.Suspicion.Reasons != VertexOverdue {
		t.Fatalf("suspects %+v", s)
	}
	m.OnStanding(now, Standing{View: 2})
	m.OnStanding(now, Standing{View: 2, Active: true})
	if m.told.Suspicion.Reasons != 0 {
		t.Errorf("suspects %+v", m.told)
	}
}

// TestH10_BuildsOnceEverythingIsDecided: with q ViewChanges, its own among them or
// not, and not before; once, whatever comes afterwards.
func TestH10_BuildsOnceEverythingIsDecided(t *testing.T) {
	m, now := managing(t, 1, 4)
	none[EnterView](t, m.OnViewChange(now, viewChange(0, body(1, "1:a@0", ""))))
	none[EnterView](t, m.OnViewChange(now, viewChange(3, body(1, "", "1:a@0"))))
	none[EnterView](t, m.OnStanding(now, Standing{View: 1}))
	out := m.OnViewChange(now, viewChange(1, body(1, "2:b@0", "")))
	none[EnterView](t, out) // 2 is open: b is claimed by one and accepted by no other
	if got := effects[FetchPrepared](out); !slices.Equal(got, []FetchPrepared{{1, claims("2:b@0")[0]}}) {
		t.Fatalf("asks %+v", got)
	}
	if got := effects[FetchPrepared](m.OnTick(now, Load{})); len(got) != 1 {
		t.Errorf("asks %+v at the next heartbeat", got)
	}
	e := only[EnterView](t, m.OnPrepared(now, Prepared{Claim: claims("2:b@0")[0]}))
	want := &messages.NewViewBody{View: 1, List: digests("a b"), Marks: claims("2:b@0")}
	for _, vc := range []ViewChange{viewChange(0, body(1, "1:a@0", "")), viewChange(1, body(1, "2:b@0", "")), viewChange(3, body(1, "", "1:a@0"))} {
		want.ViewChanges = append(want.ViewChanges, messages.ViewChangeRef{Member: vc.From, Digest: vc.digest()})
	}
	if !reflect.DeepEqual(e.NewView.Body, want) || e.NewView.Bundle != nil || e.NewView.From != 1 || len(e.S) != 3 || len(e.Marks) != 1 {
		t.Errorf("enters by %+v", e)
	}
	none[EnterView](t, m.OnViewChange(now, viewChange(2, body(1, "", ""))))
	if again := only[EnterView](t, m.OnTick(now, Load{})); !reflect.DeepEqual(again, e) {
		t.Errorf("rebuilt as %+v", again)
	}
	m.OnStanding(now, Standing{View: 1, Active: true})
	none[EnterView](t, m.OnTick(now, Load{}))
	nv := newView(4, e.NewView.Body)
	if b := only[BroadcastNewView](t, m.OnNewView(now, 1, nv)); !reflect.DeepEqual(b.NewView.Body, want) {
		t.Errorf("broadcasts %+v", b)
	}
	none[BroadcastNewView](t, m.OnNewView(now, 1, nv))
}

// TestH10_UncertifiedCheckpointIsLeftOut: a ViewChange whose checkpoint nobody
// proved hides its claims below. It counts as soon as the certificate is known,
// from whatever source.
func TestH10_UncertifiedCheckpointIsLeftOut(t *testing.T) {
	m, now := managing(t, 1, 4)
	m.OnStanding(now, Standing{View: 1})
	m.OnViewChange(now, viewChange(0, body(1, "", "")))
	m.OnViewChange(now, viewChange(1, body(1, "", "")))
	none[EnterView](t, m.OnViewChange(now, viewChange(3, at(8, body(1, "", "")))))
	e := only[EnterView](t, m.OnStanding(now, Standing{View: 1, Stable: stable(8)}))
	if e.NewView.Body.MinS != 8 || len(e.S) != 3 {
		t.Errorf("enters by %+v", e.NewView.Body)
	}
}

// TestH10_OnlyTheLeaderWhileChanging builds.
func TestH10_OnlyTheLeaderWhileChanging(t *testing.T) {
	for _, self := range []messages.Index{1, 2} {
		m, now := managing(t, self, 4)
		if self == 2 {
			m.OnStanding(now, Standing{View: 1})
		}
		for i := range messages.Index(4) {
			none[EnterView](t, m.OnViewChange(now, viewChange(i, body(1, "", ""))))
		}
	}
}

// TestH6_KeepsTwoAMember: the one for the pending view and the highest; a second
// one of a view, a lower one and one's own from outside are not even verified.
func TestH6_KeepsTwoAMember(t *testing.T) {
	m, now := managing(t, 0, 7)
	m.OnStanding(now, Standing{View: 3})
	d := named("x")
	give := func(view messages.View) { m.OnViewChange(now, viewChange(2, body(view, "", ""))) }
	wants := func(view messages.View, want bool) {
		t.Helper()
		if got := m.WantsViewChange(2, view, d); got != want {
			t.Errorf("view %d is wanted: %t", view, got)
		}
	}
	wants(2, false)
	wants(3, true)
	wants(90, true)
	give(90)
	wants(3, true) // the first for the pending view
	wants(50, false)
	give(3)
	wants(3, false)
	wants(90, false)
	wants(91, true)
	for view := messages.View(100); view < 200; view++ {
		give(view)
	}
	k := m.collected.members[2]
	if k.target.Body.View != 3 || k.highest.Body.View != 199 {
		t.Errorf("keeps %d and %d", k.target.Body.View, k.highest.Body.View)
	}
	if m.WantsViewChange(0, 9, d) || m.WantsViewChange(7, 9, d) {
		t.Error("one's own, or of no member")
	}
	m.OnStanding(now, Standing{View: 199})
	if k = m.collected.members[2]; k.target != k.highest {
		t.Error("the highest is the one for the view that became pending")
	}
	m.OnStanding(now, Standing{View: 199, Active: true})
	if k = m.collected.members[2]; k.target != nil || k.highest != nil {
		t.Error("kept for a view that was entered")
	}
	wants(200, true)
}

// TestHeldTellsThePendingView: the bitmap of Status is about the pending view only.
// [H11]
func TestHeldTellsThePendingView(t *testing.T) {
	m, now := managing(t, 1, 7)
	none[Suspects](t, m.OnViewChange(now, viewChange(3, body(5, "", ""))))
	if s := only[Suspects](t, m.OnStanding(now, Standing{View: 5})); s.Held != 1<<3 {
		t.Errorf("holds %b", s.Held)
	}
	m.OnViewChange(now, viewChange(4, body(6, "", "")))
	if s := only[Suspects](t, m.OnViewChange(now, viewChange(1, body(5, "", "")))); s.Held != 1<<3|1<<1 {
		t.Errorf("holds %b", s.Held)
	}
	if s := only[Suspects](t, m.OnStanding(now, Standing{View: 5, Active: true})); s.Held != 0 {
		t.Errorf("holds %b in an active view", s.Held)
	}
}

// TestH11_ViewChangeIsResent: as it was recorded, to those whose Status lacks it, at
// a bounded rate. [V7, R2]
func TestH11_ViewChangeIsResent(t *testing.T) {
	m, now := managing(t, 2, 4)
	m.OnStanding(now, Standing{View: 2})
	own := viewChange(2, body(2, "1:a@0", ""))
	if b := only[BroadcastViewChange](t, m.OnViewChange(now, own)); !reflect.DeepEqual(b.ViewChange, own) {
		t.Errorf("broadcasts %+v", b)
	}
	tests := []struct {
		name   string
		status messages.Status
		sends  int // in 20 heartbeats
	}{
		{"below", messages.Status{View: 1, Active: true}, 3}, // after 2, 4, 8 heartbeats …
		{"changing below", messages.Status{View: 1}, 3},
		{"changing to it, lacking", messages.Status{View: 2, ViewChanges: 0b1010}, 10},
		{"changing to it, holding", messages.Status{View: 2, ViewChanges: 0b0100}, 0},
		{"active in it", messages.Status{View: 2, Active: true}, 0},
		{"above", messages.Status{View: 3}, 0},
	}
	for _, tt := range tests {
		m.peers = make([]peerView, 4)
		m.peers[3].viewChange = resend{at: now}
		sends := 0
		for i := range 20 {
			for _, e := range effects[SendViewChange](m.OnStatus(now.Add(time.Duration(i+1)*heartbeat), 3, &tt.status)) {
				sends++
				if e.To != 3 || !reflect.DeepEqual(e.ViewChange, own) {
					t.Errorf("%s: sends %+v", tt.name, e)
				}
			}
		}
		if sends != tt.sends {
			t.Errorf("%s: sent %d times, want %d", tt.name, sends, tt.sends)
		}
	}
}

// TestH11_NewViewIsResent: by its leader every heartbeat, by others after two and
// less often, to members below or changing to it.
func TestH11_NewViewIsResent(t *testing.T) {
	for _, tt := range []struct {
		name   string
		self   messages.Index
		status messages.Status
		sends  int // in 12 heartbeats
	}{
		{"leader, to one below", 2, messages.Status{View: 1, Active: true}, 11},
		{"leader, to one that changes to it", 2, messages.Status{View: 2}, 11},
		{"leader, to one that is in it", 2, messages.Status{View: 2, Active: true}, 0},
		{"leader, to one above", 2, messages.Status{View: 3}, 0},
		{"another, to one below", 3, messages.Status{View: 0, Active: true}, 3},
		{"another, to one that changes to it", 3, messages.Status{View: 2}, 3},
		{"another, to one that is in it", 3, messages.Status{View: 2, Active: true}, 0},
	} {
		v := provenView()
		m := NewManager(managerConfig(tt.self, 4), start)
		m.Resume(start, Standing{View: 2, Active: true, Stable: stable(16)}, nil, &v.nv, v.s, v.marks)
		sends := 0
		for i := range 12 {
			for _, e := range effects[SendNewView](m.OnStatus(start.Add(time.Duration(i)*heartbeat), 1, &tt.status)) {
				sends++
				if e.To != 1 || !reflect.DeepEqual(e.NewView, v.nv) {
					t.Errorf("%s: sends %+v", tt.name, e)
				}
			}
		}
		if sends != tt.sends {
			t.Errorf("%s: sent %d times, want %d", tt.name, sends, tt.sends)
		}
	}
}

// TestH11_ServesWhatItEnteredBy: the ViewChanges and certificates of the view
// entered, a bounded number a heartbeat. [K1]
func TestH11_ServesWhatItEnteredBy(t *testing.T) {
	v := provenView()
	m := NewManager(managerConfig(2, 4), start)
	m.Resume(start, Standing{View: 2, Active: true, Stable: stable(16)}, nil, &v.nv, v.s, v.marks)
	for _, vc := range v.s {
		if e := only[SendViewChange](t, m.OnFetchViewChange(1, 2, vc.From, vc.digest())); e.To != 1 || !reflect.DeepEqual(e.ViewChange, vc) {
			t.Errorf("sends %+v", e)
		}
	}
	if e := only[SendPrepared](t, m.OnFetchPrepared(3, v.marks[0].Claim)); e.To != 3 || !reflect.DeepEqual(e.Prepared, v.marks[0]) {
		t.Errorf("sends %+v", e)
	}
	vc := v.s[1]
	for name, out := range map[string][]Effect{
		"another view":    m.OnFetchViewChange(1, 3, vc.From, vc.digest()),
		"another member":  m.OnFetchViewChange(1, 2, 3, vc.digest()),
		"another digest":  m.OnFetchViewChange(1, 2, vc.From, named("x")),
		"another claim":   m.OnFetchPrepared(1, claims("18:b@1")[0]),
		"oneself":         m.OnFetchViewChange(2, 2, vc.From, vc.digest()),
		"a stranger":      m.OnFetchViewChange(4, 2, vc.From, vc.digest()),
		"a far stranger":  m.OnFetchPrepared(60000, v.marks[0].Claim),
		"member 60000's ": m.OnFetchViewChange(1, 2, 60000, vc.digest()),
	} {
		if len(out) != 0 {
			t.Errorf("%s: %+v", name, out)
		}
	}
	answers := 0
	for range 100 {
		answers += len(m.OnFetchViewChange(1, 2, vc.From, vc.digest()))
	}
	if answers != asksMax-3 {
		t.Errorf("%d answers in a heartbeat, want %d", answers, asksMax-3)
	}
	m.OnTick(start, Load{})
	if len(m.OnFetchViewChange(1, 2, vc.From, vc.digest())) != 1 {
		t.Error("no answer in the next heartbeat")
	}
}

// TestV7_RestartRebuildsNothing: what was recorded is sent as it was, though the
// stable checkpoint moved since and other ViewChanges came; what was not signed yet
// is sent when it is. [V7]
func TestV7_RestartRebuildsNothing(t *testing.T) {
	own := viewChange(2, body(2, "1:a@0", ""))
	m := NewManager(managerConfig(2, 4), start)
	m.Resume(start, Standing{View: 2, Stable: stable(16)}, &own, nil, nil, nil)
	out := m.OnStatus(start, 3, &messages.Status{View: 1, Active: true})
	if e := only[SendViewChange](t, out); !reflect.DeepEqual(e.ViewChange, own) {
		t.Errorf("sends %+v", e)
	}
	if m.collected.held() != 1<<2 {
		t.Error("its own does not count after a restart")
	}
	none[BroadcastViewChange](t, m.OnViewChange(start, viewChange(2, body(2, "", ""))))
	none[BroadcastViewChange](t, m.OnViewChange(start, viewChange(2, body(1, "", ""))))
	later := start.Add(time.Second)
	if e := only[SendViewChange](t, m.OnStatus(later, 3, &messages.Status{View: 1, Active: true})); !reflect.DeepEqual(e.ViewChange, own) {
		t.Errorf("another one replaced it: %+v", e)
	}

	v := provenView()
	unsigned := v.nv
	unsigned.Bundle = nil
	m = NewManager(managerConfig(2, 4), start)
	m.Resume(start, Standing{View: 2, Active: true, Stable: stable(16)}, nil, &unsigned, v.s, v.marks)
	none[SendNewView](t, m.OnStatus(start.Add(time.Second), 1, &messages.Status{View: 2}))
	for i := range messages.Index(4) {
		none[EnterView](t, m.OnViewChange(start, viewChange(i, body(2, "", "")))) // not decided anew
	}
	other := v.nv
	other.Body, other.Stable = supported(2, bodies(2, member{}, member{}, member{})), stable(0)
	if b := only[BroadcastNewView](t, m.OnNewView(start, 2, v.nv)); !reflect.DeepEqual(b.NewView, v.nv) {
		t.Errorf("broadcasts %+v", b)
	}
	none[BroadcastNewView](t, m.OnNewView(start, 2, other))
}

// TestStaleStanding: the voter's word may come late; views only rise.
func TestStaleStanding(t *testing.T) {
	m, now := managing(t, 1, 4)
	m.OnStanding(now, Standing{View: 3, Active: true})
	for _, s := range []Standing{{View: 2, Active: true}, {View: 3}, {}} {
		if m.OnStanding(now, s); !reflect.DeepEqual(m.standing, Standing{View: 3, Active: true}) {
			t.Errorf("moved to %+v by %+v", m.standing, s)
		}
	}
}
