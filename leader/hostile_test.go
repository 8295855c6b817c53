package leader

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
)

// anything is one input, drawn at random, that could come from a liar, a correct
// member, or this replica's own voter, at any time.
func anything(rng *rand.Rand, n int, now time.Time, views messages.View, own messages.Index) func(*Manager) []Effect {
	member := func() messages.Index { return messages.Index(rng.IntN(n + 1)) }
	other := func() messages.Index { return (own + 1 + messages.Index(rng.IntN(n-1))) % messages.Index(n) }
	view := views + messages.View(rng.IntN(6))
	if rng.IntN(20) == 0 {
		view = messages.View(rng.Uint64())
	}
	view = max(view, 1)
	vc := func() ViewChange {
		b := randomBody(rng, min(view, 3), messages.Seq(rng.IntN(3)*8))
		b.View = view
		if rng.IntN(2) == 0 {
			b = body(view, "", "") // one that NewViews name
		}
		out := viewChange(other(), b)
		if rng.IntN(2) == 0 && b.Low > 0 {
			out.Stable = stable(b.Low)
		}
		return out
	}
	switch rng.IntN(12) {
	case 0, 1, 2:
		x := vc()
		return func(m *Manager) []Effect { return m.OnViewChange(now, x) }
	case 3, 4:
		b := &messages.NewViewBody{View: view, MinS: messages.Seq(rng.IntN(3) * 8)}
		if b.MinS > 0 {
			b.MinSDigest = state(b.MinS)
		}
		for i := range n {
			if rng.IntN(8) > 0 {
				b.ViewChanges = append(b.ViewChanges, messages.ViewChangeRef{Member: messages.Index(i), Digest: body(view, "", "").Digest()})
			}
		}
		if len(b.ViewChanges) == 0 {
			b.ViewChanges = []messages.ViewChangeRef{{Member: 60, Digest: named("x")}}
		}
		nv := newView(n, b)
		if rng.IntN(2) == 0 {
			nv.Stable = stable(0)
		}
		via := other()
		return func(m *Manager) []Effect { return m.OnNewView(now, via, nv) }
	case 5, 6:
		from := member()
		st := &messages.Status{
			View: view, Active: rng.IntN(2) == 0, Suspects: view, Suspicion: messages.Suspicion(rng.IntN(3)), ViewChanges: rng.Uint64(),
		}
		return func(m *Manager) []Effect { return m.OnStatus(now, from, st) }
	case 7:
		load := Load{OldestVertex: time.Duration(rng.IntN(2000)) * ms, Convicted: make([]bool, rng.IntN(n+2))}
		return func(m *Manager) []Effect { return m.OnTick(now, load) }
	case 8:
		s := Standing{View: views + messages.View(rng.IntN(3)), Active: rng.IntN(2) == 0, Stable: stable(messages.Seq(rng.IntN(3) * 8))}
		return func(m *Manager) []Effect { return m.OnStanding(now, s) }
	case 9:
		x := vc()
		x.From, x.Bundle.From = own, own
		return func(m *Manager) []Effect { return m.OnViewChange(now, x) }
	case 10:
		from, of, d, p := member(), member(), vc().Body.Digest(), Prepared{Claim: claims("1:a@0")[0]}
		return func(m *Manager) []Effect {
			return slices.Concat(m.OnFetchViewChange(from, view, of, d), m.OnFetchPrepared(from, p.Claim), m.OnPrepared(now, p))
		}
	default:
		return func(m *Manager) []Effect { return m.OnInvalidPrePrepare(now, view) }
	}
}

// TestK1_AnythingGoes: whatever comes in whatever order, nothing panics, what is kept
// of a member stays bounded, one input brings a bounded answer, and two managers
// that were told the same say the same. [H6, H8]
func TestK1_AnythingGoes(t *testing.T) {
	const n, inputs = 7, 400
	for seed := range uint64(200 / raceShare) {
		rng := rand.New(rand.NewPCG(seed, 5))
		own := messages.Index(rng.IntN(n))
		one, two := NewManager(managerConfig(own, n), start), NewManager(managerConfig(own, n), start)
		now := start
		for range inputs {
			now = now.Add(time.Duration(rng.IntN(200)) * ms)
			input := anything(rng, n, now, one.standing.View, own)
			out := input(one)
			if again := input(two); !reflect.DeepEqual(out, again) {
				t.Fatalf("seed %d: one says %+v, the other %+v", seed, out, again)
			}
			if len(out) > (n+1)*(asksMax+4) {
				t.Fatalf("seed %d: %d effects of one input", seed, len(out))
			}
			if len(one.prepared) > messages.WindowMax*n || len(one.exams) != n {
				t.Fatalf("seed %d: %d certificates, %d NewViews kept", seed, len(one.prepared), len(one.exams))
			}
			for i, k := range one.collected.members {
				if k.target != nil && k.target.Body.View != one.target() || k.highest != nil && k.highest.Body.View < one.target() {
					t.Fatalf("seed %d: of member %d a ViewChange is kept that serves nothing", seed, i)
				}
			}
		}
	}
}
