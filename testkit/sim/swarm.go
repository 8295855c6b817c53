package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/cretoai/consensus/messages"
)

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

// kind is one kind of faults.
type kind struct {
	name string
	// level gives how much there is of it, in words; "" for none.
	level func(*Faults) string
	off   func(*Faults)
}

// kinds lists all, in the order in which they are tried to do without.
var kinds = []kind{
	often("partitions", func(f *Faults) *time.Duration { return &f.Partitions }),
	often("crashes", func(f *Faults) *time.Duration { return &f.Crashes }),
	often("write-failures", func(f *Faults) *time.Duration { return &f.WriteFailures }),
	often("panics", func(f *Faults) *time.Duration { return &f.Panics }),
	often("pauses", func(f *Faults) *time.Duration { return &f.Pauses }),
	share("tracker-panics", func(f *Faults) *int { return &f.TrackerPanics }),
	share("loss", func(f *Faults) *int { return &f.Loss }),
	share("duplicates", func(f *Faults) *int { return &f.Duplicate }),
	share("hurry", func(f *Faults) *int { return &f.Hurry }),
	{"reordering", func(f *Faults) string { return map[bool]string{true: "reordering"}[f.Reorder] }, func(f *Faults) { f.Reorder = false }},
	{"lazy", func(f *Faults) string {
		if f.Lazy == "" {
			return ""
		}
		return "lazy " + f.Lazy
	}, func(f *Faults) { f.Lazy = "" }},
}

// often is a kind that happens again and again, a mean time apart.
func often(name string, of func(*Faults) *time.Duration) kind {
	return kind{name, func(f *Faults) string {
		if *of(f) == 0 {
			return ""
		}
		return fmt.Sprintf("%s every %v", name, *of(f))
	}, func(f *Faults) { *of(f) = 0 }}
}

// share is a kind that concerns so many of 1000.
func share(name string, of func(*Faults) *int) kind {
	return kind{name, func(f *Faults) string {
		if *of(f) == 0 {
			return ""
		}
		return fmt.Sprintf("%s %d‰", name, *of(f))
	}, func(f *Faults) { *of(f) = 0 }}
}

// FaultKinds lists the kinds of faults by name.
func FaultKinds() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// without switches kinds off.
func (f *Faults) without(names []string) {
	for _, k := range kinds {
		if slices.Contains(names, k.name) {
			k.off(f)
		}
	}
}

// String lists what is switched on.
func (f Faults) String() string {
	parts := []string{
		fmt.Sprintf("delay %v to %v", f.DelayMin, f.DelayMax), fmt.Sprintf("checkpoints every %d", f.CheckpointInterval),
		fmt.Sprintf("pipeline %d", f.PipelineDepth), fmt.Sprintf("pool %d", f.MaxPending),
	}
	for _, k := range kinds {
		if level := k.level(&f); level != "" {
			parts = append(parts, level)
		}
	}
	return strings.Join(parts, ", ")
}
