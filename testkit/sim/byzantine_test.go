package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cretoai/consensus/testkit/byzantine"
	"github.com/cretoai/consensus/testkit/sim"
)

// quiet is a network without faults, so that whatever happens is a member's
// doing.
var quiet = sim.Faults{DelayMin: time.Millisecond, DelayMax: 3 * time.Millisecond, CheckpointInterval: 4, PipelineDepth: 4, MaxPending: 1000}

// charged are the charges that a behaviour must lead to, as a leader (true) or as
// another member; some lead to none, for nothing can be proved of silence.
var charged = map[string]map[bool]string{
	"equivocating":  {true: "equivocation"},
	"double-voting": {true: "equivocation", false: "equivocation"},
	"forging":       {true: "invalid_signature", false: "invalid_signature"},
	"mutating":      {true: "equivocation", false: "equivocation"},
}

// idle are the behaviours that have no occasion while nobody leaves a view, or
// needs a state.
func idle(name string, leads bool) bool {
	return name == "lying-new-views" || name == "lying-state" || name == "censoring" && !leads || name == "equivocating" && !leads
}

// TestEveryBehaviour puts each into a cluster in which nothing else goes wrong:
// the others stay safe, and as long as the leader is honest they finalise
// everything. A behaviour that changes nothing is none.
func TestEveryBehaviour(t *testing.T) {
	honest := simulate(t, sim.Config{Seed: 1, Faults: &quiet, Vertices: 20}).Hash
	for _, b := range byzantine.Behaviours {
		for _, leads := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/leads=%v", b.Name, leads), func(t *testing.T) {
				faults := quiet
				member := 2
				if leads {
					member = 0
				}
				faults.Byzantine = []sim.Role{{Member: member, Behaviours: []string{b.Name}, Strength: 500}}
				r := simulate(t, sim.Config{Seed: 1, Faults: &faults, Vertices: 20})
				if same := r.Hash == honest; same && !idle(b.Name, leads) {
					t.Error("the run is the one of an honest member")
				}
				// Whoever is told one of two things only has nothing to show: not
				// every seed brings both before the same eyes.
				want := charged[b.Name][leads]
				for seed := uint64(2); want != "" && r.Charges[want] == 0; seed++ {
					if seed > 8 {
						t.Fatalf("nobody was charged with %s, but with %v", want, r.Charges)
					}
					r = simulate(t, sim.Config{Seed: seed, Faults: &faults, Vertices: 20})
				}
			})
		}
	}
}

func TestAtMostFMembersMisbehave(t *testing.T) {
	for _, roles := range [][]sim.Role{
		{{Member: 1, Behaviours: []string{"mute"}}, {Member: 2, Behaviours: []string{"mute"}}},
		{{Member: 4, Behaviours: []string{"mute"}}},
		{{Member: 1, Behaviours: []string{"polite"}}},
	} {
		faults := quiet
		faults.Byzantine = roles
		if _, err := sim.Run(t.Context(), sim.Config{Faults: &faults}); err == nil {
			t.Errorf("%v was simulated", roles)
		}
	}
}
