package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// quarantine sets aside what makes phase trackers panic. A verified vote that
// did so twice is kept from its tracker from then on, or it would do so at every
// replay until the replica stops: a message must not become a loop of restarts.
// It was valid, so it is on nobody's reputation; the bug is ours. The other votes
// of its bundle are for other trackers and go there.
//
// It belongs to the replica, and is used by the sequencer only, which is its
// trackers' supervisor, too.
type quarantine struct {
	t      *Tree
	struck map[memberVote]int
}

// memberVote is a vote as it may come again, under whatever signature.
type memberVote struct {
	from messages.Index
	vote messages.Vote
}

// quarantineStrikes is how many panics set a vote aside.
const quarantineStrikes = 2

// superviseTrackers is the sequencer's strategy for its trackers.
func (t *Tree) superviseTrackers() actor.SupervisorStrategy {
	return t.supervise(func(string) restarts { return actorRestarts }, func(child string, message any) {
		if e, ok := message.(*pbft.ToSlot); ok {
			t.quarantine.strike(child, e.Event)
		}
	})
}

func voteOf(e pbft.SlotEvent) (memberVote, bool) {
	v, ok := e.(pbft.VoteReceived)
	if !ok {
		return memberVote{}, false
	}
	return memberVote{v.Vote.From(), v.Vote.Value()}, true
}

// strike notes that a tracker panicked on an event.
func (q *quarantine) strike(tracker string, e pbft.SlotEvent) {
	v, ok := voteOf(e)
	if !ok {
		return
	}
	if q.struck[v]++; q.struck[v] == quarantineStrikes {
		q.t.cfg.Metrics.BundleQuarantined()
		q.t.log.Error().Str("actor", tracker).Int("peer", int(v.from)).Stringer("vote", v.vote).
			Msg("a valid vote made its tracker panic twice and is set aside: report this, with the causes logged before")
	}
}

// holds reports whether an event was set aside.
func (q *quarantine) holds(e pbft.SlotEvent) bool {
	if len(q.struck) == 0 {
		return false
	}
	v, ok := voteOf(e)
	return ok && q.struck[v] >= quarantineStrikes
}

// forget drops what is at or below the stable checkpoint.
func (q *quarantine) forget(low messages.Seq) {
	for v := range q.struck {
		if v.vote.Seq <= low {
			delete(q.struck, v)
		}
	}
}
