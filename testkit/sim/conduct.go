package sim

import (
	"slices"

	"github.com/cretoai/consensus/detector"
	"github.com/cretoai/consensus/messages"
)

// suspicions are the charges that may be the network's fault: anybody may be
// late, and nobody is banned for it.
var suspicions = []string{detector.TypeTimeout.String(), detector.TypeNonParticipation.String()}

// onConduct takes what a correct replica thinks of the others: nobody honest is
// charged with more than lateness, banned or convicted, and at most f members
// are banned.
func (s *simulation) onConduct(m *member, e messages.Event) {
	switch e := e.(type) {
	case messages.ViolationDetected:
		switch {
		case slices.Contains(suspicions, e.Type):
			s.trace.tell("replica %d suspects member %d: %s", m.index, e.Member, e.Type)
		case s.members[e.Member].faulty:
			s.charges[e.Type]++
		default:
			s.oracle.violated("no honest member is charged", "replica %d charges member %d with %s", m.index, e.Member, e.Type)
		}
	case messages.MemberBanned:
		s.trace.tell("replica %d bans member %d", m.index, e.Member)
		if !s.members[e.Member].faulty {
			s.oracle.violated("no honest member is banned", "replica %d bans member %d", m.index, e.Member)
		}
		if banned := m.replica.Detector().Stats().Banned; banned > messages.MaxFaulty(s.cfg.Replicas) {
			s.oracle.violated("at most f bans", "replica %d bans %d members", m.index, banned)
		}
	case messages.Finalized, messages.Checkpointed, messages.StateInstalled, messages.LeaderSuspected, messages.ViewChanged: // of no conduct
	case messages.BanEnded:
		s.trace.tell("replica %d bans member %d no more", m.index, e.Member)
	case messages.InvalidNewViewFound:
		s.trace.tell("replica %d convicts by %s: %s", m.index, e.Proof.FileName(), e.Reason)
		if leader := e.Proof.NewView.Bundle.From; !s.members[leader].faulty {
			s.oracle.violated("no honest member is convicted", "replica %d convicts by %s", m.index, e.Proof.FileName())
		}
	case messages.KeyUsedElsewhere:
		s.oracle.violated("no honest member is charged", "replica %d sees %v under its own key", m.index, e.Votes)
	case messages.EvidenceFound:
		s.trace.tell("replica %d convicts by %s", m.index, e.Evidence.FileName())
		if !s.members[e.Evidence.Member].faulty {
			s.oracle.violated("no honest member is convicted", "replica %d convicts by %s", m.index, e.Evidence.FileName())
		}
	}
}
