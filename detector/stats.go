package detector

import (
	"slices"

	"github.com/cretoai/consensus/messages"
)

// Tally counts violations by Type, which is its index.
type Tally [types]uint64

// Total is the number of violations of all types.
func (t Tally) Total() uint64 {
	var sum uint64
	for _, n := range t {
		sum += n
	}
	return sum
}

// Stats is a snapshot of what the detector thinks of all members.
type Stats struct {
	Members    []MemberStats // by index
	Violations Tally         // of all members
	Banned     int
	Convicted  int
}

// MemberStats is what it thinks of one.
type MemberStats struct {
	Member     messages.Index
	Score      int // reputation in thousandths
	Violations Tally
	Banned     bool
	Convicted  bool
}

// Stats returns a snapshot that does not change any more.
func (d *Detector) Stats() Stats {
	stats := Stats{Members: make([]MemberStats, len(d.members))}
	for i := range d.members {
		s := &d.members[i]
		stats.Members[i] = MemberStats{
			Member: messages.Index(i), Score: s.score(), Violations: s.tally,
			Banned: s.banned, Convicted: s.convicted,
		}
		for t, n := range s.tally {
			stats.Violations[t] += n
		}
		if s.banned {
			stats.Banned++
		}
		if s.convicted {
			stats.Convicted++
		}
	}
	return stats
}

// TooManyConvicted reports that more members are convicted than the protocol
// tolerates as faulty: nothing it promises holds any more, and the replica has
// to stop and say so.
func (s Stats) TooManyConvicted() bool { return s.Convicted > messages.MaxFaulty(len(s.Members)) }

// Evidence lists the evidence held, by member and kind.
func (d *Detector) Evidence() []Evidence {
	var list []Evidence
	for i := range d.members {
		for _, r := range d.members[i].records {
			list = append(list, r.Evidence)
		}
	}
	return list
}

// Records lists what is held against one member, by kind: what to keep across
// restarts.
func (d *Detector) Records(id messages.Index) []Record {
	if !d.known(id) {
		return nil
	}
	return slices.Clone(d.members[id].records)
}

// Pardoned is the stable checkpoint up to which an operator forgave the
// member's lies, 0 if never.
func (d *Detector) Pardoned(id messages.Index) messages.Seq {
	if !d.known(id) {
		return 0
	}
	return d.members[id].forgiven
}

// IsBanned reports whether the member is banned. A banned member's votes count
// like any other's.
func (d *Detector) IsBanned(id messages.Index) bool {
	return d.known(id) && d.members[id].banned
}

// IsConvicted reports whether evidence convicts the member. Alone of all bans
// a conviction is reason to suspect a leader.
func (d *Detector) IsConvicted(id messages.Index) bool {
	return d.known(id) && d.members[id].convicted
}

// Reputation is the member's reputation from 0 to 1. That of no member is 0.
func (d *Detector) Reputation(id messages.Index) float64 {
	if !d.known(id) {
		return 0
	}
	return float64(d.members[id].score()) / scoreMax
}
