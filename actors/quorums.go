package actors

import (
	"sync/atomic"

	"github.com/cretoai/consensus/messages"
)

// quorums says which votes add nothing any more: of four members one Prepare and one
// Commit of each sequence come when a quorum has spoken, and verifying them is a
// third of all verification. Trackers write it and signers read it.
//
// A vote for any other digest is verified as ever: it may be a lie.
type quorums struct {
	slots [quorumSlots]atomic.Pointer[reached]
}

// quorumSlots is more than there are sequences in a window.
const quorumSlots = 2 * messages.WindowMax

// reached is where a sequence has got to in a view; digests are zero before.
type reached struct {
	seq                 messages.Seq
	view                messages.View
	prepared, committed messages.Digest
}

func (q *quorums) slot(seq messages.Seq) *atomic.Pointer[reached] { return &q.slots[seq%quorumSlots] }

// prepared says that a tracker has all the Prepares for a digest it needs.
func (q *quorums) prepared(seq messages.Seq, view messages.View, digest messages.Digest) {
	q.slot(seq).Store(&reached{seq: seq, view: view, prepared: digest})
}

// committed says that a tracker has a commit certificate.
func (q *quorums) committed(seq messages.Seq, view messages.View, digest messages.Digest) {
	r := reached{seq: seq, view: view, committed: digest}
	if before := q.slot(seq).Load(); before != nil && before.seq == seq && before.view == view {
		r.prepared = before.prepared
	}
	q.slot(seq).Store(&r)
}

// decided says that a tracker needs no vote for a digest any more. In optimistic mode
// each Prepare may be the one that decides, and is needed until then.
func (q *quorums) decided(seq messages.Seq, view messages.View, digest messages.Digest) {
	q.slot(seq).Store(&reached{seq: seq, view: view, prepared: digest, committed: digest})
}

// forget is called when a tracker begins anew: it may lack a vote that counted.
func (q *quorums) forget(seq messages.Seq) { q.slot(seq).Store(nil) }

// reset is called when all votes were lost.
func (q *quorums) reset() {
	for i := range q.slots {
		q.slots[i].Store(nil)
	}
}

// need reports whether a vote of a bundle may count.
func (q *quorums) need(votes []messages.Vote) bool {
	for _, v := range votes {
		r := q.slot(v.Seq).Load()
		switch {
		case r == nil || r.seq != v.Seq || r.view != v.View:
			return true
		case v.Kind == messages.Prepare && r.prepared == v.Digest, v.Kind == messages.Commit && r.committed == v.Digest:
		default:
			return true
		}
	}
	return false
}
