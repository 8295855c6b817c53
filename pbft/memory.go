package pbft

import (
	"slices"

	"github.com/cretoai/consensus/messages"
)

// memory is what the voter remembers of one sequence above the low watermark.
type memory struct {
	// accepted are the pre-prepares accepted here, by view, the newest last: for
	// each digest the highest view. They are the claims Q of a ViewChange, so the
	// newest few are kept, and the prepared one always.
	accepted []claim
	prepared claim // recorded in the highest view: the claim P
	sent     []messages.Vote
	fixed    claim // executed here, in the view it was committed in
}

// claim is a digest in a view; the zero value, whose digest is no batch's,
// claims nothing.
type claim struct {
	view   messages.View
	digest messages.Digest
}

func (c claim) is(view messages.View, digest messages.Digest) bool {
	return c.view == view && c.digest == digest && !digest.IsZero()
}

// acceptedIn gives the digest accepted in a view, if that is the highest in
// which one was: lower ones take no votes any more.
func (m *memory) acceptedIn(view messages.View) (messages.Digest, bool) {
	if n := len(m.accepted); n > 0 && m.accepted[n-1].view == view {
		return m.accepted[n-1].digest, true
	}
	return messages.Digest{}, false
}

// accept adds a claim. Of more than ClaimDigestsMax digests the one of the
// lowest view is dropped, but not what was prepared: a ViewChange that claims
// P must claim its acceptance as well. [V4]
func (m *memory) accept(view messages.View, digest messages.Digest) {
	if i := slices.IndexFunc(m.accepted, func(c claim) bool { return c.digest == digest }); i >= 0 {
		if m.accepted[i].view >= view {
			return
		}
		m.accepted = slices.Delete(m.accepted, i, i+1)
	}
	at := len(m.accepted)
	for at > 0 && m.accepted[at-1].view > view { // records may come back out of order
		at--
	}
	m.accepted = slices.Insert(m.accepted, at, claim{view, digest})
	if len(m.accepted) > messages.ClaimDigestsMax {
		oldest := slices.IndexFunc(m.accepted, func(c claim) bool { return c.digest != m.prepared.digest })
		m.accepted = slices.Delete(m.accepted, oldest, oldest+1)
	}
}

// prepare records prepared(view, seq, digest).
func (m *memory) prepare(view messages.View, digest messages.Digest) {
	if m.prepared.digest.IsZero() || view >= m.prepared.view {
		m.prepared = claim{view, digest}
	}
}

// Record is what must be durable before a vote that depends on it leaves.
type Record struct {
	Kind RecordKind
	// Vote holds the record's fields: for RecordVote the vote itself, else the
	// (view, sequence, digest) that was accepted or prepared.
	Vote messages.Vote
	// Batch travels with RecordAccepted: whoever voted can serve the batch.
	Batch *messages.Batch
	// Bundle is of RecordBundle.
	Bundle *messages.Bundle
	// ViewChange is of RecordViewChange, NewView of RecordNewView.
	ViewChange *messages.ViewChangeBody
	NewView    *NewView
}

// RecordKind says what a Record records.
type RecordKind uint8

// The kinds of records.
const (
	RecordAccepted   RecordKind = iota + 1 // a pre-prepare was accepted, with its batch
	RecordPrepared                         // prepared(v,s,d) holds
	RecordVote                             // this vote may be signed
	RecordBundle                           // votes that prove a claim P
	RecordViewChange                       // the replica left for a view
	RecordNewView                          // the replica entered a view, and accepted what its NewView lists
)
