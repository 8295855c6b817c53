package sim

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
)

// TestSkewedClocksKeepTheContract: a timer does not fire before its time has
// passed on the clock it was set on, nor much later.
func TestSkewedClocksKeepTheContract(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		virtual := runtime.NewVirtual(time.Unix(0, 0))
		c := newSkewed(virtual, skewMax, rng)
		d := time.Duration(rng.Int64N(int64(time.Minute)))
		set, fired := c.Now(), time.Duration(-1)
		c.AfterFunc(d, func() { fired = c.Now().Sub(set) })
		virtual.Step()
		if fired < d || fired > d+2*time.Microsecond {
			t.Fatalf("on a clock at %v, a timer of %v fires after %v", c, d, fired)
		}
	}
}

// TestEveryHardship puts each into a cluster in which nothing else goes wrong: it
// makes another run of it, and all the same everything becomes final.
func TestEveryHardship(t *testing.T) {
	calm := Faults{DelayMin: 20 * time.Millisecond, DelayMax: 45 * time.Millisecond, CheckpointInterval: 4, PipelineDepth: 4, MaxPending: 1000}
	run := func(f Faults) *Result {
		t.Helper()
		r, err := Run(t.Context(), Config{Seed: 1, Faults: &f, Vertices: 20})
		if err != nil || r.Err != nil {
			t.Fatalf("%v: %v, %v\n%v", f, err, r.Err, r.Story)
		}
		return r
	}
	before := run(calm)
	for _, c := range []struct {
		name string
		set  func(*Faults)
		want func(*Result) bool
	}{
		{"rough", func(f *Faults) { f.Rough = true }, nil},
		{"blackouts", func(f *Faults) { f.Blackouts = 500 * time.Millisecond }, nil},
		{"silence", func(f *Faults) { f.Silent = true }, func(r *Result) bool { return r.Time > silenceMax && r.View == 0 && r.Vertices == 20 }},
		{"skew", func(f *Faults) { f.Skew = skewMax }, nil},
		{"distance", func(f *Faults) { f.Distant = true }, nil},
		{"double-spending", func(f *Faults) { f.DoubleSpends = 500 }, func(r *Result) bool { return r.Vertices > 20 }},
		{"impatience", func(f *Faults) { f.Impatient = true }, func(r *Result) bool { return r.View > 0 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := calm
			c.set(&f)
			r := run(f)
			if r.Hash == before.Hash || c.want != nil && !c.want(r) {
				t.Errorf("it changes nothing, or something else: %d vertices, view %d, %v", r.Vertices, r.View, r.Time)
			}
			f.without([]string{c.name})
			if off := run(f); off.Hash != before.Hash {
				t.Error("switched off it is still there")
			}
		})
	}
	if before.View != 0 {
		t.Errorf("a calm run ends in view %d", before.View)
	}
}

// TestHardshipsAreDrawn: within a few seeds each is there, and half of them have
// none.
func TestHardshipsAreDrawn(t *testing.T) {
	seen, none := make(map[string]int), 0
	for seed := range uint64(400) {
		var f Faults
		f.drawHardships(rand.New(rand.NewPCG(seed, hardshipStream)))
		if f.Hardships == (Hardships{}) {
			none++
		}
		for _, k := range hardships {
			if k.level(&f) != "" {
				seen[k.name]++
			}
		}
	}
	for _, k := range hardships {
		if seen[k.name] < 10 {
			t.Errorf("of 400 seeds %d have %s", seen[k.name], k.name)
		}
	}
	if none < 150 || none > 250 {
		t.Errorf("of 400 seeds %d have no hardship", none)
	}
}

// TestIdlenessIsJudged: replicas whose leaders' heartbeats are late by more than
// they wait for change views for ever, though there is nothing to do.
func TestIdlenessIsJudged(t *testing.T) {
	f := Faults{DelayMax: 5 * time.Second, CheckpointInterval: 4, PipelineDepth: 4, MaxPending: 1000, Hardships: Hardships{Silent: true, Impatient: true}}
	r, err := Run(t.Context(), Config{Seed: 1, Faults: &f, Vertices: 20})
	var v *Violation
	if err != nil || !errors.As(r.Err, &v) || v.Property != "idleness" {
		t.Errorf("the run ends with %v, %v; want a violation of idleness", r.Err, err)
	}
}
