package pbft

import (
	"slices"

	"github.com/cretoai/consensus/messages"
)

// Group is what becomes durable in one flush, and the votes that may leave once
// it is: one flush group is one journal frame. Bundles are its votes as they
// are to be signed, one signature each.
type Group struct {
	Number  uint64
	Records []Record
	Bundles [][]messages.Vote
}

// Gatherer collects what the voter grants into groups. One group is in flight
// at a time: what is granted meanwhile is the next one. A vote waits for its
// flush anyway, so gathering there costs nothing, and under load one flush and
// one signature serve many sequences. [D1]
type Gatherer struct {
	number   uint64
	records  []Record
	votes    []messages.Vote // PrePrepare, Prepare, Commit
	apart    []messages.Vote // each signed alone, so that certificates stay small
	inFlight bool
}

// Remember adds records that no vote depends on yet. They do not start a flush:
// they leave with the next vote, which is what needs them.
func (g *Gatherer) Remember(records []Record) { g.records = append(g.records, records...) }

// Add takes a granted vote with its records.
func (g *Gatherer) Add(grant Grant) {
	g.Remember(grant.Records)
	switch grant.Vote.Kind {
	case messages.Checkpoint, messages.ViewChange, messages.NewView:
		if !slices.Contains(g.apart, grant.Vote) {
			g.apart = append(g.apart, grant.Vote)
		}
	default:
		g.votes = append(g.votes, grant.Vote)
	}
}

// Next gives the next group if none is in flight and a vote waits.
func (g *Gatherer) Next() (Group, bool) {
	if g.inFlight || len(g.votes)+len(g.apart) == 0 {
		return Group{}, false
	}
	g.number++
	group := Group{Number: g.number, Records: g.records}
	for votes := g.votes; len(votes) > 0; {
		n := min(len(votes), messages.BundleVotesMax)
		group.Bundles = append(group.Bundles, votes[:n:n])
		votes = votes[n:]
	}
	for i := range g.apart {
		group.Bundles = append(group.Bundles, g.apart[i:i+1:i+1])
	}
	g.records, g.votes, g.apart, g.inFlight = nil, nil, nil, true
	return group, true
}

// Drop forgets what waits: the voter was halted, and no vote of this replica is
// to leave any more. [V5]
func (g *Gatherer) Drop() { g.records, g.votes, g.apart = nil, nil, nil }

// Released says that the group in flight is durable, signed and sent.
func (g *Gatherer) Released() { g.inFlight = false }
