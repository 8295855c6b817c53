package sim_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/storage"
	"github.com/cretoai/consensus/testkit/sim"
)

var (
	seed     = flag.Uint64("sim.seed", 0, "simulate this seed alone, and print its story")
	seeds    = flag.Uint64("sim.seeds", seedsDefault, "how many seeds TestSeeds simulates")
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
	if n == 0 {
		n = messages.MembersMin
	}
	fmt.Fprintf(&b, "%v\nreplay: go test ./testkit/sim -run TestSeeds -sim.seed=%d -sim.replicas=%d", r.Err, r.Seed, n)
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

// TestSameSeedSameRun compares every step and every frame of two runs, side by
// side: they share nothing.
func TestSameSeedSameRun(t *testing.T) {
	hashes := make(map[[32]byte]uint64)
	for s := uint64(1); s <= seedsTwice; s++ {
		var runs [2]*sim.Result
		var wg sync.WaitGroup
		for i := range runs {
			wg.Go(func() {
				var err error
				if runs[i], err = sim.Run(t.Context(), sim.Config{Seed: s}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if runs[0] == nil || runs[1] == nil {
			t.FailNow()
		}
		if runs[0].Hash != runs[1].Hash {
			t.Errorf("seed %d: two runs differ", s)
		}
		if other, ok := hashes[runs[0].Hash]; ok {
			t.Errorf("seeds %d and %d gave the same run", other, s)
		}
		hashes[runs[0].Hash] = s
	}
}

// TestSevenReplicas: two may be down, and five are a quorum.
func TestSevenReplicas(t *testing.T) {
	for s := uint64(1); s <= seedsOfSeven; s++ {
		simulate(t, sim.Config{Seed: s, Replicas: 7})
	}
}

// TestCalmClusterFinalisesAtOnce: without faults there is neither
// a crash nor any delay beyond the network's.
func TestCalmClusterFinalisesAtOnce(t *testing.T) {
	calm := sim.Faults{DelayMin: time.Millisecond, DelayMax: 2 * time.Millisecond, CheckpointInterval: 8, PipelineDepth: 4, MaxPending: 1000}
	r := simulate(t, sim.Config{Seed: 1, Replicas: 4, Faults: &calm})
	if r.Crashes != 0 || r.Vertices != 60 || r.Time > 3100*time.Millisecond {
		t.Errorf("a calm run had %d crashes and finalised %d vertices within %v", r.Crashes, r.Vertices, r.Time)
	}
}

// TestFaultsOfOnesOwnHaveDefaults: what is left out is a fault that does not happen,
// or has its default, and the caller's are as they were.
func TestFaultsOfOnesOwnHaveDefaults(t *testing.T) {
	for _, f := range []sim.Faults{
		{}, {Loss: 1000}, {CheckpointInterval: 8}, {DelayMin: time.Millisecond}, {DelayMax: time.Millisecond}, {PipelineDepth: 1}, {MaxPending: 20},
	} {
		given := f
		r := simulate(t, sim.Config{Seed: 1, Faults: &given})
		if !reflect.DeepEqual(given, f) {
			t.Errorf("faults %v were changed into %v", f, given)
		}
		if r.Vertices != 60 || r.Sequences == 0 {
			t.Errorf("faults %v: %d sequences of %d vertices", r.Faults, r.Sequences, r.Vertices)
		}
	}
	r := simulate(t, sim.Config{Seed: 1, Faults: &sim.Faults{}})
	if got, want := r.Faults.String(), "delay 0s to 0s, checkpoints every 4, pipeline 4, pool 1000"; got != want {
		t.Errorf("no faults are %q, want %q", got, want)
	}
}

func TestRunSaysWhatIsWrongWithAConfiguration(t *testing.T) {
	for _, cfg := range []sim.Config{{Replicas: 3}, {Replicas: 65}, {Vertices: -1}, {Without: []string{"luck"}}} {
		if _, err := sim.Run(t.Context(), cfg); err == nil {
			t.Errorf("%+v was simulated", cfg)
		}
	}
	for want, faults := range map[string]sim.Faults{
		"Loss 1001":                                   {Loss: 1001},
		"Duplicate -1":                                {Duplicate: -1},
		"travel from 2ms to 1ms":                      {DelayMin: 2 * time.Millisecond, DelayMax: time.Millisecond},
		"Crashes every 1ns":                           {Crashes: 1},
		"Blackouts every -1s":                         {Hardships: sim.Hardships{Blackouts: -time.Second}},
		"Skew 1000":                                   {Hardships: sim.Hardships{Skew: 1000}},
		"PipelineDepth 9: 1 to":                       {PipelineDepth: 9},
		"PipelineDepth -1":                            {PipelineDepth: -1},
		"CheckpointInterval 1048576":                  {CheckpointInterval: 1 << 20},
		"MaxPending -1":                               {MaxPending: -1},
		"2 members misbehave":                         {Byzantine: []sim.Role{{Member: 1}, {Member: 2}}},
		`no behaviour is called "luck"`:               {Byzantine: []sim.Role{{Member: 1, Behaviours: []string{"luck"}}}},
		"member 4 cannot misbehave":                   {Byzantine: []sim.Role{{Member: 4}}},
		"member 1 misbehaves 2000‰: 0 to 1000 are po": {Byzantine: []sim.Role{{Member: 1, Strength: 2000}}},
	} {
		if err := (sim.Config{Faults: &faults}).Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("what is wrong with %v is said to be %v, want %q", faults, err, want)
		}
	}
	wrong := sim.Config{Configure: func(_ int, cfg *replica.Config) { cfg.PipelineDepth = 0 }}
	if _, err := sim.Run(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), "configure replica 0: pipeline depth 0") {
		t.Errorf("replicas without a pipeline were simulated: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sim.Run(over, sim.Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a run whose context had ended gave %v", err)
	}
}

// ending ends a context after some lines of a trace.
type ending struct {
	left int
	end  context.CancelFunc
}

func (e *ending) Write(line []byte) (int, error) {
	if e.left--; e.left == 0 {
		e.end()
	}
	return len(line), nil
}

// TestARunWhoseContextEndsGivesWhatThereWas: with the error, so that nobody takes it
// for a verdict.
func TestARunWhoseContextEndsGivesWhatThereWas(t *testing.T) {
	whole := simulate(t, sim.Config{Seed: 1})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := sim.Run(ctx, sim.Config{Seed: 1, Trace: &ending{2000, cancel}})
	if !errors.Is(err, context.Canceled) || r == nil || r.Steps == 0 || r.Steps >= whole.Steps {
		t.Errorf("the run gave %+v, %v", r, err)
	}
}

// TestD1_FindsVotesSentBeforeTheyAreDurable takes the flush away: a
// crash shows that somebody would forget what it signed.
func TestD1_FindsVotesSentBeforeTheyAreDurable(t *testing.T) {
	forgetful := func(_ int, cfg *replica.Config) { cfg.WALSync = storage.SyncNever }
	for s := uint64(1); s <= 200; s++ {
		cfg := sim.Config{Seed: s, Configure: forgetful}
		r, err := sim.Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		var found *sim.Violation
		if errors.As(r.Err, &found) && found.Property == "the record is on disk" && minimises(t, cfg, r, found) {
			t.Logf("found by seed %d: %v", s, found)
			return
		}
	}
	t.Error("200 seeds without a flush, and no crash showed a vote that is not on disk")
}

// minimises makes a smaller run of one that went wrong. That has to go wrong in
// the same way, again and again; false says that nothing could be left out.
func minimises(t *testing.T, cfg sim.Config, failed *sim.Result, found *sim.Violation) bool {
	t.Helper()
	smaller, r, err := sim.Minimise(t.Context(), cfg, failed)
	if err != nil {
		t.Fatal(err)
	}
	again, err := sim.Run(t.Context(), smaller)
	if err != nil {
		t.Fatal(err)
	}
	var same *sim.Violation
	if again.Hash != r.Hash || !errors.As(again.Err, &same) || same.Property != found.Property {
		t.Errorf("the smaller run, without %v, gives %v", smaller.Without, again.Err)
	}
	return len(smaller.Without) > 0
}
