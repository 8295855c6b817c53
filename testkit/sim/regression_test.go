package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cretoai/consensus/testkit/sim"
)

// TestRegressions are runs that went wrong once, by the name of what was wrong.
// What a seed draws changes with the swarm, so those known by their faults say
// these, too; each bug has a test of its own beside the code as well, if that can
// show it.
func TestRegressions(t *testing.T) {
	slow := sim.Faults{DelayMin: 200 * time.Millisecond, DelayMax: 250 * time.Millisecond, CheckpointInterval: 4, PipelineDepth: 5, MaxPending: 1000}
	plain := sim.Config{Without: []string{"rough", "blackouts", "silence", "skew", "distance", "double-spending", "impatience"}} // they came later
	honest := sim.Config{Without: append([]string{"byzantine"}, plain.Without...)}                                               // a role that came later, too
	late := []sim.Split{{Group: []int{0, 0, 0, 1}, Lasts: 30 * time.Second}}
	for _, c := range []struct {
		bug   string
		seeds []uint64
		cfg   sim.Config
	}{
		{"a vertex accepted between a leader's start and its sequencer's first word was forwarded to itself, and waited for ever", []uint64{11}, plain},
		{"the vertices of a replica that is alone between two views waited with it for ever: nobody else knew of them", []uint64{19, 2000}, plain},
		{"a late replica never caught up where an answer takes longer than three heartbeats: it had asked somebody else by then", []uint64{18}, honest},
		{"the same, of one that was cut off on a slow network", []uint64{1}, sim.Config{Faults: &slow, Script: late, Vertices: 100}},
		{"votes of several lives made a certificate on a disk that none of them had seen: the oracle took what its start executed for a disagreement", []uint64{100005100}, sim.Config{}},
		{"a panic of the executor at the word that a state is whole lost it for a minute", []uint64{500000395}, sim.Config{}},
	} {
		for _, seed := range c.seeds {
			t.Run(fmt.Sprint(seed, ": ", c.bug), func(t *testing.T) {
				c.cfg.Seed = seed
				simulate(t, c.cfg)
			})
		}
	}
}

// TestScripts: a script splits the network as it says, and has to fit the replicas
// there are.
func TestScripts(t *testing.T) {
	faults := quiet
	cfg := sim.Config{Seed: 1, Vertices: 10, Faults: &faults}
	whole := simulate(t, cfg)
	cfg.Script = []sim.Split{{Group: []int{0, 1, 1, 1}, Lasts: 2 * time.Second}}
	if split := simulate(t, cfg); split.View == 0 || whole.View != 0 {
		t.Errorf("with its leader cut off the cluster ends in view %d, and in view %d without", split.View, whole.View)
	}
	cfg.Script = []sim.Split{{Group: []int{0, 1, 1}, Lasts: time.Second}}
	if _, err := sim.Run(t.Context(), cfg); err == nil {
		t.Error("a script for three replicas was run with four")
	}
	cfg.Script, cfg.Faults = []sim.Split{{Group: []int{0, 1, 1, 1}, Lasts: time.Second}}, nil
	if _, err := sim.Run(t.Context(), cfg); err == nil {
		t.Error("a script was run with drawn faults")
	}
}
