package sim_test

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/cretoai/consensus/testkit/sim"
)

var (
	seed  = flag.Uint64("sim.seed", 0, "simulate this seed alone")
	trace = flag.Bool("sim.trace", false, "print every step of -sim.seed")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func simulate(t *testing.T, cfg sim.Config) *sim.Result {
	t.Helper()
	if *trace {
		cfg.Trace = os.Stderr
	}
	r, err := sim.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d: %d steps, %v, %d sequences, %d vertices, %d crashes, hash %x", r.Seed, r.Steps, r.Time, r.Sequences, r.Vertices, r.Crashes, r.Hash[:4])
	if r.Err != nil {
		for _, line := range r.Story {
			t.Log(line)
		}
		t.Errorf("%v\nreplay: go test ./testkit/sim -run TestSeeds -sim.seed=%d", r.Err, r.Seed)
	}
	return r
}

func TestSeeds(t *testing.T) {
	if *seed != 0 {
		simulate(t, sim.Config{Seed: *seed})
		return
	}
	for s := range uint64(10) {
		simulate(t, sim.Config{Seed: s + 1})
	}
}

// TestSameSeedSameRun compares every step and every frame of two runs.
func TestSameSeedSameRun(t *testing.T) {
	for s := range uint64(10) {
		first, second := simulate(t, sim.Config{Seed: s + 1}), simulate(t, sim.Config{Seed: s + 1})
		if first.Hash != second.Hash {
			t.Errorf("seed %d: two runs differ", s+1)
		}
	}
}
