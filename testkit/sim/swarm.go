package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// Faults are what goes wrong during the first phase of a run. Every seed draws
// its own selection: a cluster that suffers from everything at once never gets
// far enough for the rarer bugs.
//
// Those of one's own, in Config, are all there is: a field that is left out is a
// fault that does not happen. &Faults{} is a cluster that lacks nothing, and
// &Faults{Loss: 100} one that loses every tenth frame. The fields that are no
// faults have defaults.
type Faults struct {
	// DelayMin and DelayMax bound how long a frame travels; DelayMax is DelayMin
	// if 0.
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
	// write, and a panic of the journal, stop a replica. What stopped is started
	// again. A replica that pauses handles nothing for a while.
	Partitions, Crashes, WriteFailures, Panics, Pauses time.Duration
	// TrackerPanics counts messages to phase trackers of 1000.
	TrackerPanics int
	// CheckpointInterval is the chain's, in sequences; 4 if 0.
	CheckpointInterval messages.Seq
	// PipelineDepth is how many sequences a leader has in flight, at most two
	// checkpoint intervals; 4 if 0. MaxPending is how many vertices a replica's pool
	// takes; 1000 if 0.
	PipelineDepth, MaxPending int
	// Retain has ledgers keep no more than so many sequences and what lies above
	// their snapshots, and snapshots at every checkpoint; 0 keeps all.
	Retain messages.Seq
	// Absent keeps a member away until the others' ledgers no longer hold what it
	// lacks.
	Absent bool
	// Eventful has the faults go on until some sequences are final, a view was
	// changed and a replica has crashed, if need be the leader's.
	Eventful bool
	// Signed has the chain require creators' signatures; members that misbehave
	// forge vertices then, too, when they lead.
	Signed bool
	// Byzantine are the members that misbehave, until the very end: at most f.
	Byzantine []Role
	Hardships
}

// Role is how a member misbehaves.
type Role struct {
	Member     int
	Behaviours []string // by their names in package byzantine, one after the other
	Strength   int      // of those that have one, 0 to 1000
}

func (r Role) String() string {
	return fmt.Sprintf("replica %d is %s (%d‰)", r.Member, strings.Join(r.Behaviours, ", "), r.Strength)
}

// drawRoles draws who misbehaves: in half of all runs somebody does.
func drawRoles(rng *rand.Rand, n int) (roles []Role) {
	if rng.IntN(2) == 0 {
		return nil
	}
	members := rng.Perm(n)
	for _, m := range members[:1+rng.IntN(messages.MaxFaulty(n))] {
		r := Role{Member: m, Strength: 1 + rng.IntN(999)}
		for range 1 + rng.IntN(2) {
			r.Behaviours = append(r.Behaviours, byzantine.Behaviours[rng.IntN(behavioursDrawn)].Name)
		}
		roles = append(roles, r)
	}
	return roles
}

// behavioursDrawn are the first of package byzantine's: for what a seed draws to
// stay the same, those that came later are drawn apart.
const behavioursDrawn = 17

// transferStream is the stream from which state transfers are drawn.
const transferStream = 1 << 32

// drawTransfers has some runs trim their ledgers, with a member that stays away
// for long, and perhaps one that serves states badly and votes as it should.
func (f *Faults) drawTransfers(rng *rand.Rand, n int) {
	if rng.IntN(4) > 0 {
		return
	}
	f.Retain = 1 + messages.Seq(rng.IntN(8))
	f.CheckpointInterval = 4
	if rng.IntN(2) == 0 {
		f.Byzantine = []Role{{Member: rng.IntN(n), Behaviours: []string{"lying-state"}}}
	}
	f.Absent = f.harmless()
}

// harmless reports whether all members vote as they should: then one may be away.
func (f *Faults) harmless() bool {
	return !slices.ContainsFunc(f.Byzantine, func(r Role) bool {
		return slices.ContainsFunc(r.Behaviours, func(name string) bool { return name != "lying-state" })
	})
}

// lazy are the actors whose lagging behind the others is of interest.
var lazy = []string{"journal", "signers", "egress", "ingress", "sequencer", "proposer", "executor", "sync"}

// poolLarge holds whatever a run proposes.
const poolLarge = 10008

// slowerBy makes three delays, which a batch takes, longer than the base timeout:
// without doubling it no leader lasts.
const slowerBy = 180 * time.Millisecond

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
	f.Eventful = true
	f.PipelineDepth, f.MaxPending = 1+rng.IntN(6), 8+rng.IntN(2)*(poolLarge-8)
	if rng.IntN(3) == 0 {
		f.Lazy = lazy[rng.IntN(len(lazy))]
	}
	if rng.IntN(12) == 0 { // a network slower than the first timeouts; a small pool would be a bottleneck besides
		f.MaxPending = poolLarge
		f.DelayMin += slowerBy
		f.DelayMax += slowerBy + time.Duration(rng.Int64N(int64(slowerBy)))
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
var kinds = append([]kind{
	{"byzantine", func(f *Faults) string {
		roles := make([]string, len(f.Byzantine))
		for i, r := range f.Byzantine {
			roles[i] = r.String()
		}
		return strings.Join(roles, ", ")
	}, func(f *Faults) { f.Byzantine = nil }},
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
	{"trimming", func(f *Faults) string {
		if f.Retain == 0 {
			return ""
		}
		return fmt.Sprintf("ledgers keep %d", f.Retain)
	}, func(f *Faults) { f.Retain = 0 }},
	{"absence", func(f *Faults) string { return map[bool]string{true: "absence"}[f.Absent] }, func(f *Faults) { f.Absent = false }},
	{"lazy", func(f *Faults) string {
		if f.Lazy == "" {
			return ""
		}
		return "lazy " + f.Lazy
	}, func(f *Faults) { f.Lazy = "" }},
}, hardships...)

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
	if f.Signed {
		parts = append(parts, "creators sign")
	}
	for _, k := range kinds {
		if level := k.level(&f); level != "" {
			parts = append(parts, level)
		}
	}
	return strings.Join(parts, ", ")
}
