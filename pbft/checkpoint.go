package pbft

import (
	"maps"
	"slices"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// Checkpoints collects Checkpoint votes until a quorum agrees. [C1, C2,
// PBFT99 §4.3]
type Checkpoints struct {
	quorum int
	n      int
	seqs   map[messages.Seq][]crypto.Verified[messages.Vote] // by member
}

// StableCheckpoint is a state digest with the certificate that proves it: a
// quorum of distinct members signed Checkpoint(Seq, Digest). Genesis, Seq 0,
// needs no proof.
type StableCheckpoint struct {
	Seq     messages.Seq
	Digest  messages.Digest
	Bundles []*messages.Bundle // in member order
}

// NewCheckpoints makes an empty collection.
func NewCheckpoints(n, quorum int) *Checkpoints {
	return &Checkpoints{quorum: quorum, n: n, seqs: make(map[messages.Seq][]crypto.Verified[messages.Vote])}
}

// Add counts a member's first Checkpoint vote for a sequence, and gives the
// certificate at the vote that completes it. The caller bounds the sequences
// to its window.
func (c *Checkpoints) Add(v crypto.Verified[messages.Vote]) (StableCheckpoint, bool) {
	vote := v.Value()
	if vote.Kind != messages.Checkpoint || int(v.From()) >= c.n {
		return StableCheckpoint{}, false
	}
	votes := c.seqs[vote.Seq]
	if votes == nil {
		votes = make([]crypto.Verified[messages.Vote], c.n)
		c.seqs[vote.Seq] = votes
	}
	if votes[v.From()].Valid() {
		return StableCheckpoint{}, false
	}
	votes[v.From()] = v
	var bundles []*messages.Bundle
	for _, w := range votes {
		if w.Valid() && w.Value().Digest == vote.Digest {
			bundles = append(bundles, w.Bundle())
		}
	}
	if len(bundles) != c.quorum {
		return StableCheckpoint{}, false // not yet, or reported before
	}
	return StableCheckpoint{Seq: vote.Seq, Digest: vote.Digest, Bundles: bundles}, true
}

// Own gives a member's vote for seq, if it was counted.
func (c *Checkpoints) Own(seq messages.Seq, self messages.Index) (crypto.Verified[messages.Vote], bool) {
	votes := c.seqs[seq]
	if votes == nil || !votes[self].Valid() {
		return crypto.Verified[messages.Vote]{}, false
	}
	return votes[self], true
}

// Held gives, for Status, the members whose votes are kept, by sequence.
func (c *Checkpoints) Held() []messages.CheckpointHeld {
	var held []messages.CheckpointHeld
	for _, seq := range slices.Sorted(maps.Keys(c.seqs)) {
		h := messages.CheckpointHeld{Seq: seq}
		for m, v := range c.seqs[seq] {
			if v.Valid() {
				h.Members |= 1 << m
			}
		}
		held = append(held, h)
	}
	return held
}

// Forget drops the votes at or below low.
func (c *Checkpoints) Forget(low messages.Seq) {
	maps.DeleteFunc(c.seqs, func(s messages.Seq, _ []crypto.Verified[messages.Vote]) bool { return s <= low })
}
