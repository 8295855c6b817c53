package leader

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
)

// TestClonesGoTheirOwnWay: a run in which managers are replaced by their clones
// again and again is the run without, and what they were cloned from stays as it
// was. Leaders die, and a liar asks for views.
func TestClonesGoTheirOwnWay(t *testing.T) {
	type left struct {
		m     *Manager
		bytes []byte
	}
	run := func(cloned bool) (end string, states []byte) {
		c := newCluster(t, 7)
		c.load(50 * ms)
		var originals []left
		for step := range 1500 {
			c.run(5 * ms)
			switch step {
			case 200:
				c.crash(0, 1)
			case 700:
				c.restart(0)
				c.cut = func(from, to messages.Index) bool { return from == 3 || to == 3 }
			case 1000:
				c.cut = nil
			}
			if d := c.nodes[step%c.n]; cloned {
				originals = append(originals, left{d.m, d.m.AppendCanonical(nil)})
				d.m = d.m.Clone()
			}
		}
		for _, was := range originals {
			if !bytes.Equal(was.m.AppendCanonical(nil), was.bytes) {
				t.Fatal("a clone's input changed the manager it was cloned from")
			}
		}
		for _, d := range c.nodes {
			states = d.m.AppendCanonical(states)
		}
		return fmt.Sprint(c, c.sent), states
	}
	end, states := run(false)
	again, same := run(true)
	if end != again || !bytes.Equal(states, same) {
		t.Errorf("with clones the run ends\n%s\nand without\n%s", again, end)
	}
}

// TestBytesTellStatesApart: each input that changes what a manager does later
// changes its bytes.
func TestBytesTellStatesApart(t *testing.T) {
	fresh := func() *Manager { return NewManager(managerConfig(1, 4), start) }
	seen := map[string]string{string(fresh().AppendCanonical(nil)): "nothing"}
	vc := viewChange(2, body(1, "1:a@0", "1:a@0"))
	for name, input := range map[string]func(*Manager){
		"a heartbeat":            func(m *Manager) { m.OnTick(start.Add(time.Second), Load{}) },
		"a vertex that waits":    func(m *Manager) { m.OnTick(start, Load{OldestVertex: ms}) },
		"a conviction":           func(m *Manager) { m.OnTick(start, Load{Convicted: []bool{true, false, false, false}}) },
		"a status":               func(m *Manager) { m.OnStatus(start, 2, &messages.Status{}) },
		"a status of another":    func(m *Manager) { m.OnStatus(start, 3, &messages.Status{}) },
		"a suspicion":            func(m *Manager) { m.OnStatus(start, 2, &messages.Status{Suspicion: messages.SuspicionOwn}) },
		"a view-change":          func(m *Manager) { m.OnViewChange(start, vc) },
		"another's":              func(m *Manager) { m.OnViewChange(start, viewChange(3, vc.Body)) },
		"with other claims":      func(m *Manager) { m.OnViewChange(start, viewChange(2, body(1, "1:b@0", "1:b@0"))) },
		"for a higher view":      func(m *Manager) { m.OnViewChange(start, viewChange(2, body(2, "", ""))) },
		"a view that is left":    func(m *Manager) { m.OnStanding(start, Standing{View: 1}) },
		"one that is entered":    func(m *Manager) { m.OnStanding(start, Standing{View: 1, Active: true}) },
		"a bad pre-prepare":      func(m *Manager) { m.OnInvalidPrePrepare(start, 0) },
		"an alarm":               func(m *Manager) { m.OnHalted() },
		"a sample of finality":   func(m *Manager) { m.OnExecuted(Progress{Proposed: true}, ms) },
		"a sample of another":    func(m *Manager) { m.OnExecuted(Progress{Proposed: true}, 2*ms) },
		"a new-view of another":  func(m *Manager) { m.OnNewView(start, 2, newView(4, &messages.NewViewBody{View: 2})) },
		"one with view-changes":  func(m *Manager) { m.OnNewView(start, 2, newView(4, named2())) },
		"one that another sends": func(m *Manager) { m.OnNewView(start, 3, newView(4, named2())) },
	} {
		m := fresh()
		input(m)
		state := string(m.AppendCanonical(nil))
		if other, ok := seen[state]; ok {
			t.Errorf("after %s the bytes are those after %s", name, other)
		}
		seen[state] = name
	}
}

// named2 is a NewView for view 2 that names three ViewChanges.
func named2() *messages.NewViewBody {
	b := &messages.NewViewBody{View: 2}
	for i := range messages.Index(3) {
		b.ViewChanges = append(b.ViewChanges, messages.ViewChangeRef{Member: i, Digest: named("some")})
	}
	return b
}

// TestClonesAndBytesKnowEveryField: a field that is added has to be cloned, and to
// be in the canonical bytes or have a reason not to be.
func TestClonesAndBytesKnowEveryField(t *testing.T) {
	for _, c := range []struct {
		of    any
		known []string // in the bytes
		apart []string // not in them: configuration, or empty between two inputs
	}{
		{Manager{}, []string{"tracker", "timeout", "finality", "standing", "certified", "load", "asked", "told", "timer", "ticked", "calm", "halted", "own", "collected", "exams", "prepared", "wanted", "replan", "built", "proved", "entered", "peers"}, []string{"cfg", "rules", "schedule", "out"}},
		{Tracker{}, []string{"view", "active", "entered", "held", "judged", "late", "last", "excused", "suspicion", "peers"}, []string{"self", "schedule", "weak", "heartbeat"}},
		{peer{}, []string{"at", "view", "suspects", "suspicion", "viewChange"}, nil},
		{Timeout{}, []string{"base", "failed"}, []string{"config"}},
		{finality{}, []string{"byLeader"}, nil},
		{samples{}, []string{"ring", "next"}, nil},
		{collection{}, []string{"target", "members"}, nil},
		{kept{}, []string{"target", "highest", "seen"}, nil},
		{examination{}, []string{"nv", "parts", "via", "asked", "follows", "refused"}, nil},
		{newViewTimer{}, []string{"running", "deadline"}, nil},
		{peerView{}, []string{"viewChange", "newView", "lacking", "served"}, nil},
		{resend{}, []string{"at", "times"}, nil},
		{Load{}, []string{"OldestVertex", "Convicted"}, nil},
		{Standing{}, []string{"View", "Active", "Stable"}, nil},
	} {
		kind := reflect.TypeOf(c.of)
		for i := range kind.NumField() {
			if name := kind.Field(i).Name; !slices.Contains(append(c.known, c.apart...), name) {
				t.Errorf("%v has a field %s that Clone and AppendCanonical do not know", kind, name)
			}
		}
		if kind.NumField() != len(c.known)+len(c.apart) {
			t.Errorf("%v has %d fields, not %d", kind, kind.NumField(), len(c.known)+len(c.apart))
		}
	}
}
