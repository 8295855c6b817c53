package sim

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// Config says what to simulate. Seed alone decides everything that is left to
// chance.
type Config struct {
	Seed uint64
	// Replicas is the number of members; 4 if 0.
	Replicas int
	// Vertices is how many are proposed while there are faults; 60 if 0.
	Vertices int
	// Faults replaces those drawn from the seed.
	Faults *Faults
	// Configure changes the configuration of a replica before each start: to
	// show that a wrong one is found out.
	Configure func(member int, cfg *replica.Config)
	// Trace gets a line for every step; nil for none.
	Trace io.Writer
}

func (c Config) withDefaults() (Config, error) {
	if c.Replicas == 0 {
		c.Replicas = messages.MembersMin
	}
	if c.Vertices == 0 {
		c.Vertices = 60
	}
	if c.Replicas < messages.MembersMin || c.Replicas > messages.MembersMax {
		return c, fmt.Errorf("%d replicas: simulate %d to %d", c.Replicas, messages.MembersMin, messages.MembersMax)
	}
	if c.Vertices < 0 {
		return c, errors.New("fewer than no vertices")
	}
	return c, nil
}

// Faults are what goes wrong during the first phase of a run. Every seed draws
// its own selection: a cluster that suffers from everything at once never gets
// far enough for the rarer bugs.
type Faults struct {
	// DelayMin and DelayMax bound how long a frame travels.
	DelayMin, DelayMax time.Duration
	// Loss and Duplicate count frames of 1000.
	Loss, Duplicate int
	// Reorder lets frames of one link overtake each other.
	Reorder bool
	// Hurry counts the turns of 1000 in which time goes on although there is
	// something to do: the replicas are slow, or stand still, by comparison.
	Hurry int
	// Lazy names actors, as below their replica, that get few turns; "" for none.
	Lazy string
	// Partitions, Crashes, WriteFailures, Panics and Pauses are mean times between two of
	// a kind, 0 for none. A crash is a power cut at any step or write; a failing
	// write, and a panic of any actor but a tracker, stop a replica. What stopped
	// is started again. A replica that pauses handles nothing for a while.
	Partitions, Crashes, WriteFailures, Panics, Pauses time.Duration
	// TrackerPanics counts messages to phase trackers of 1000.
	TrackerPanics int
	// CheckpointInterval is the chain's, the others are the replicas'.
	CheckpointInterval        messages.Seq
	PipelineDepth, MaxPending int
}

// lazy are the actors whose lagging behind the others is of interest.
var lazy = []string{"journal", "signers", "egress", "ingress", "sequencer", "proposer", "executor", "sync"}

// drawFaults draws a swarm.
func drawFaults(rng *rand.Rand) Faults {
	f := Faults{
		DelayMin:           time.Duration(rng.IntN(5)) * time.Millisecond,
		CheckpointInterval: 4 << rng.IntN(3),
		Reorder:            rng.IntN(2) == 0,
	}
	f.DelayMax = f.DelayMin + time.Duration(1+rng.IntN(40))*time.Millisecond
	some := func(limit int) int { return rng.IntN(2) * (1 + rng.IntN(limit)) }
	f.Loss = some(200)
	f.Duplicate = some(100)
	f.Hurry = some(30)
	f.TrackerPanics = some(20)
	period := func() time.Duration { return time.Duration(rng.IntN(2)*(150+rng.IntN(1200))) * time.Millisecond }
	f.Partitions, f.Crashes, f.WriteFailures, f.Panics = period(), period(), 2*period(), 2*period()
	f.Pauses = period()
	f.PipelineDepth, f.MaxPending = 1+rng.IntN(6), 8+rng.IntN(2)*10000
	if rng.IntN(3) == 0 {
		f.Lazy = lazy[rng.IntN(len(lazy))]
	}
	return f
}

// String lists what is switched on.
func (f Faults) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "delay %v to %v, checkpoints every %d, pipeline %d, pool %d", f.DelayMin, f.DelayMax, f.CheckpointInterval, f.PipelineDepth, f.MaxPending)
	for _, rate := range []struct {
		name string
		n    int
	}{{"loss", f.Loss}, {"duplicates", f.Duplicate}, {"hurry", f.Hurry}, {"tracker panics", f.TrackerPanics}} {
		if rate.n > 0 {
			fmt.Fprintf(&b, ", %s %d‰", rate.name, rate.n)
		}
	}
	if f.Lazy != "" {
		fmt.Fprintf(&b, ", lazy %s", f.Lazy)
	}
	if f.Reorder {
		b.WriteString(", reordering")
	}
	for _, mean := range []struct {
		name string
		d    time.Duration
	}{{"partitions", f.Partitions}, {"crashes", f.Crashes}, {"write failures", f.WriteFailures}, {"panics", f.Panics}, {"pauses", f.Pauses}} {
		if mean.d > 0 {
			fmt.Fprintf(&b, ", %s every %v", mean.name, mean.d)
		}
	}
	return b.String()
}
