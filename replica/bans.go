package replica

import (
	"errors"
	"fmt"

	"github.com/cretoai/consensus/detector"
	"github.com/cretoai/consensus/messages"
)

// ErrNoMember says that an index is no member's of this chain.
var ErrNoMember = errors.New("no such member")

// Ban is a member whose privileges this replica took: it is asked for nothing
// while others are there, passes no vertices on, and gets less of this replica's
// time. Its votes count like any other's.
type Ban struct {
	Replica    messages.Index `json:"replica"`
	Name       string         `json:"name"`
	Reputation float64        `json:"reputation"`
	// Convicted: evidence proves that the member lied. Such a ban ends only by
	// an operator's hand, any other when the reputation is back at 0.3.
	Convicted bool `json:"convicted"`
	// Violations counts what the member was charged with since the start.
	Violations map[string]uint64 `json:"violations,omitempty"`
	// Evidence names the files that convict it.
	Evidence []string `json:"evidence,omitempty"`
}

// Bans lists the members this replica has banned, in the order of the genesis.
func (r *Replica) Bans() []Ban {
	stats := r.tree.Detector().Stats()
	bans := make([]Ban, 0, stats.Banned)
	for _, m := range stats.Members {
		if !m.Banned {
			continue
		}
		b := Ban{
			Replica: m.Member, Name: r.genesis.Members[m.Member].Name,
			Reputation: float64(m.Score) / 1000, Convicted: m.Convicted, Violations: make(map[string]uint64),
		}
		for _, t := range detector.Types {
			if n := m.Violations[t]; n > 0 {
				b.Violations[t.String()] = n
			}
		}
		for _, f := range r.EvidenceFiles() {
			if f.Member == m.Member && m.Convicted {
				b.Evidence = append(b.Evidence, f.Name)
			}
		}
		bans = append(bans, b)
	}
	return bans
}

// LiftBan ends a member's ban, convictions included, and restores its
// reputation: an operator's decision, which outlives restarts. The lies known so
// far are forgiven; a new one convicts again. A member that is not banned starts
// afresh, too.
func (r *Replica) LiftBan(member messages.Index) error {
	if int(member) >= r.genesis.N() {
		return fmt.Errorf("member %d: %w: there are members 0 to %d", member, ErrNoMember, r.genesis.N()-1)
	}
	return r.tree.Detector().Lift(member)
}
