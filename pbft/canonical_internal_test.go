package pbft

import (
	"reflect"
	"slices"
	"testing"
)

// TestClonesAndBytesKnowEveryField: a field that is added has to be cloned, and to
// be in the canonical bytes or have a reason not to be.
func TestClonesAndBytesKnowEveryField(t *testing.T) {
	for _, c := range []struct {
		of    any
		known []string // in the bytes
		apart []string // not in them: configuration, names, or what follows from others
	}{
		{Sequencer{}, []string{"voter", "log", "bodies", "checkpoints", "gatherer", "fetching", "newcomer", "executed", "head", "highest", "stable", "floor", "beside", "certified", "states", "reopened", "reported", "released", "stableAt", "tick", "patience", "agreed", "halted"}, []string{"cfg", "out"}},
		{Voter{}, []string{"view", "active", "left", "entered", "marks", "settled", "memory", "checkpoints", "halted", "observing"}, []string{"self", "leader", "window", "interval"}},
		{memory{}, []string{"accepted", "prepared", "sent", "fixed"}, nil},
		{VoteLog{}, []string{"slots"}, nil},
		{seqVotes{}, []string{"votes"}, []string{"views"}},
		{Bodies{}, []string{"bound", "loose"}, []string{"looseMax"}},
		{Checkpoints{}, []string{"seqs"}, []string{"quorum", "n"}},
		{Gatherer{}, []string{"records", "votes", "apart", "inFlight"}, []string{"number"}},
		{fetching{}, []string{"wants", "shun"}, []string{"self", "n"}},
		{want{}, []string{"seqs", "holders", "since", "asked"}, nil},
		{newcomer{}, []string{"answers", "seen", "voted", "told"}, []string{"need"}},
		{Slot{}, []string{"seq", "accepted", "held", "rounds", "certified", "reported", "asked", "optimism"}, []string{"self", "quorum", "n"}},
		{round{}, []string{"view", "preprepare", "prepares", "commits"}, nil},
		{patience{}, []string{"eager", "penalty", "heard", "late"}, nil},
		{Backlog[int]{}, []string{"last", "waiting"}, nil},
	} {
		kind := reflect.TypeOf(c.of)
		for i := range kind.NumField() {
			if name := kind.Field(i).Name; !slices.Contains(append(c.known, c.apart...), name) {
				t.Errorf("%v has a field %s that Clone and AppendCanonical do not know", kind, name)
			}
		}
		if kind.NumField() != len(c.known)+len(c.apart) {
			t.Errorf("%v has %d fields, not %d", kind, kind.NumField(), len(c.known)+len(c.apart))
		}
	}
}
