package sim_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/cretoai/consensus/testkit/sim"
)

var (
	seed     = flag.Uint64("sim.seed", 0, "simulate this seed alone, and print its story")
	seeds    = flag.Uint64("sim.seeds", 100, "how many seeds TestSeeds simulates")
	from     = flag.Uint64("sim.from", 1, "the first of them")
	replicas = flag.Int("sim.replicas", 4, "the members of the cluster")
	steps    = flag.Bool("sim.steps", false, "print every step of -sim.seed")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// simulate runs a seed in which nothing may go wrong.
func simulate(t *testing.T, cfg sim.Config) *sim.Result {
	t.Helper()
	r, err := sim.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if r.Err != nil {
		t.Fatal(story(r, cfg.Replicas))
	}
	return r
}

// story is what there is to say about a failed run, with the command that
// repeats it.
func story(r *sim.Result, n int) string {
	var b bytes.Buffer
	for _, line := range r.Story {
		fmt.Fprintln(&b, line)
	}
	fmt.Fprintf(&b, "%v\nreplay: go test ./testkit/sim -run TestSeeds -sim.seed=%d -sim.replicas=%d -sim.steps", r.Err, r.Seed, n)
	return b.String()
}

// TestSeeds simulates many seeds, or one.
func TestSeeds(t *testing.T) {
	if *seed != 0 {
		cfg := sim.Config{Seed: *seed, Replicas: *replicas}
		if *steps {
			cfg.Trace = os.Stderr
		}
		r := simulate(t, cfg)
		for _, line := range r.Story {
			t.Log(line)
		}
		t.Logf("%+v", *r)
		return
	}
	var crashes, sequences int
	for s := *from; s < *from+*seeds; s++ {
		r := simulate(t, sim.Config{Seed: s, Replicas: *replicas})
		crashes, sequences = crashes+r.Crashes, sequences+int(r.Sequences)
	}
	t.Logf("%d seeds, %d sequences, %d crashes", *seeds, sequences, crashes)
	if n := int(*seeds); sequences < 5*n || crashes < n {
		t.Errorf("%d seeds had %d sequences and %d crashes: too quiet to find anything", n, sequences, crashes)
	}
}

// TestSameSeedSameRun compares every step and every frame of two runs.
func TestSameSeedSameRun(t *testing.T) {
	hashes := make(map[[32]byte]uint64)
	for s := uint64(1); s <= 10; s++ {
		first, second := simulate(t, sim.Config{Seed: s, Replicas: 4}), simulate(t, sim.Config{Seed: s, Replicas: 4})
		if first.Hash != second.Hash {
			t.Errorf("seed %d: two runs differ", s)
		}
		if other, ok := hashes[first.Hash]; ok {
			t.Errorf("seeds %d and %d gave the same run", other, s)
		}
		hashes[first.Hash] = s
	}
}
