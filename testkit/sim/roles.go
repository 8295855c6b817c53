package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// forgetting is the mean time between two crashes of an amnesiac.
const forgetting = 700 * time.Millisecond

// assign gives the members their roles.
func (s *simulation) assign(rng *rand.Rand) {
	for _, m := range s.members {
		i := slices.IndexFunc(s.faults.Byzantine, func(r Role) bool { return r.Member == m.index })
		if i < 0 {
			continue
		}
		r := s.faults.Byzantine[i]
		m.faulty = true
		m.amnesiac = slices.Contains(r.Behaviours, byzantine.Amnesiac)
		m.mortal = slices.Contains(r.Behaviours, byzantine.Dead)
		var behaviours []byzantine.Behaviour
		for _, name := range r.Behaviours {
			b, ok := byzantine.ByName(name)
			if !ok {
				panic("sim: no behaviour " + name) // Config was validated
			}
			behaviours = append(behaviours, b.New(r.Strength))
		}
		if s.faults.Signed {
			behaviours = append(behaviours, byzantine.ForgingVertices())
		}
		var seed [32]byte
		for i := range seed {
			seed[i] = byte(rng.Uint64())
		}
		m.byzantine = byzantine.New(byzantine.Config{
			Self: messages.Index(r.Member), Genesis: s.genesis, Keyring: s.keyring, Key: m.key, Clock: s.clock, Rand: rand.NewChaCha8(seed),
			Creator: s.creatorKey(clients + r.Member),
		}, behaviours...)
		s.oracle.inventors[byzantine.InventorOf(s.genesis, messages.Index(r.Member), s.creatorKey(clients+r.Member))] = true
		s.oracle.faulty[r.Member] = true
	}
}

// identities gives the members' indices by replica: each has one, twins have two.
func (f *Faults) identities(n int) []int {
	var all []int
	for i := range n {
		all = append(all, i)
	}
	for _, r := range f.Byzantine {
		if slices.Contains(r.Behaviours, byzantine.Twins) {
			all = append(all, r.Member)
		}
	}
	return all
}

// mortality has amnesiacs crash now and then, and the dead die once.
func (s *simulation) mortality() {
	for _, m := range s.members {
		if m.amnesiac || m.mortal {
			s.every(forgetting, func() { s.strike(m) })
		}
	}
}

func (s *simulation) strike(m *member) {
	if m.process != nil && !m.process.dead && !m.ending {
		s.crash(m)
	}
}

// leaderless reports whether the leader of the first view is one from whom
// nothing can be expected, so that progress cannot be either.
func (s *simulation) leaderless() bool { return !viewChanges && s.members[0].faulty }

// viewChanges says whether replicas replace a leader.
const viewChanges = true
