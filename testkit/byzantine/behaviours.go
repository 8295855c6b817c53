package byzantine

import (
	"slices"
	"time"
)

// Named is a behaviour one can ask for by name.
type Named struct {
	Name string
	// New makes it for one member; strength, below 1000, is how much of it.
	New func(strength int) Behaviour
}

// Behaviours lists all, in an order that stays: what a seed draws depends on it,
// so a new one goes to the end.
var Behaviours = []Named{
	{"equivocating", func(int) Behaviour { return Equivocating() }},
	{"double-voting", func(int) Behaviour { return DoubleVoting() }},
	{"mute", func(int) Behaviour { return Mute() }},
	{"vague", func(int) Behaviour { return Vague() }},
	{"selective", func(int) Behaviour { return Selective() }},
	{"slow", func(strength int) Behaviour { return Slow(time.Duration(1+strength*400/1000) * time.Millisecond) }},
	{"censoring", func(int) Behaviour { return Censoring() }},
	{"forging", func(int) Behaviour { return Forging() }},
	{"replaying", func(int) Behaviour { return Replaying() }},
	{"flooding", func(int) Behaviour { return Flooding() }},
	{"lying-server", func(int) Behaviour { return LyingServer() }},
	{"lying-view-changes", func(int) Behaviour { return LyingViewChanges() }},
	{"lying-new-views", func(int) Behaviour { return LyingNewViews() }},
	{"mutating", func(strength int) Behaviour { return Mutating(strength) }},
	{Amnesiac, func(int) Behaviour { return simulated{name: Amnesiac} }},
	{Dead, func(int) Behaviour { return simulated{name: Dead} }},
	{Twins, func(int) Behaviour { return simulated{name: Twins} }},
	{"lying-state", func(int) Behaviour { return LyingState() }},
	{"skipping", func(int) Behaviour { return Skipping() }},
	{"emptying", func(int) Behaviour { return Emptying() }},
	{"overvoting", func(int) Behaviour { return Overvoting() }},
}

// Amnesiac, Dead and Twins name ways to fail that are no matter of messages:
// whoever runs the member sees to them, as the simulator does. In a member of one's
// own they change nothing, see SimulatedOnly. An amnesiac comes back from every crash
// with an empty disk and its old key; a dead member does not come back; twins are
// two honest replicas with one key that know nothing of each other (Bano et al.,
// OPODIS 2021).
const (
	Amnesiac = "amnesiac"
	Dead     = "dead"
	Twins    = "twins"
)

// simulated stands for a way to fail that is none of messages.
type simulated struct {
	honest
	name string
}

// SimulatedOnly gives the name of a behaviour that only the simulator performs,
// and whether this is one.
func SimulatedOnly(b Behaviour) (name string, only bool) {
	s, only := b.(simulated)
	return s.name, only
}

// ByName finds a behaviour.
func ByName(name string) (Named, bool) {
	i := slices.IndexFunc(Behaviours, func(n Named) bool { return n.Name == name })
	if i < 0 {
		return Named{}, false
	}
	return Behaviours[i], true
}
