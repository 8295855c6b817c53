package testkit

import (
	"slices"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// BringsVote is for PanicOn: it accepts what brings a phase tracker a vote of one
// of these kinds, or of any if none is given.
func BringsVote(kinds ...messages.Kind) func(message any) bool {
	return func(message any) bool {
		to, ok := message.(*pbft.ToSlot)
		if !ok {
			return false
		}
		v, ok := to.Event.(pbft.VoteReceived)
		return ok && (len(kinds) == 0 || slices.Contains(kinds, v.Vote.Value().Kind))
	}
}
