package twins

import (
	"time"

	"github.com/cretoai/consensus/testkit/byzantine"
	"github.com/cretoai/consensus/testkit/sim"
)

// How long a split lasts in the simulator. There views are left by timeouts alone:
// a round in which somebody is to lead lasts longer than these, so that where no
// group is a quorum with the leader in it, the view is left.
const (
	shortSplit = 150 * time.Millisecond
	longSplit  = 900 * time.Millisecond
)

// Plan is a scenario for the simulator: the same twins and splits, among actors.
// Nothing is lost but between groups, nobody crashes. What the seed draws besides
// is the order of steps.
func Plan(c Scenario, seed uint64) sim.Config {
	faults := sim.Faults{
		DelayMin: time.Millisecond, DelayMax: 10 * time.Millisecond, Reorder: seed%2 == 0,
		CheckpointInterval: 4, PipelineDepth: 2, MaxPending: 1000,
	}
	for _, m := range c.Doubled {
		faults.Byzantine = append(faults.Byzantine, sim.Role{Member: m, Behaviours: []string{byzantine.Twins}})
	}
	cfg := sim.Config{Seed: seed, Replicas: c.Members, Vertices: 12, Faults: &faults}
	for _, r := range c.Rounds {
		lasts := shortSplit
		if r.Leader >= 0 {
			lasts = longSplit
		}
		cfg.Script = append(cfg.Script, sim.Split{Group: r.Group, Lasts: lasts})
	}
	return cfg
}
