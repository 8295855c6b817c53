package explore

import (
	"cmp"
	"slices"

	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// claims lists the ViewChanges the liar may sign for a view, at genesis or at any
// certified checkpoint. At one sequence it claims whatever a correct member could:
// up to two digests accepted, one a view, and any of them prepared. At two, to keep
// them few, one digest each, none of them null.
func (w *world) claims(view messages.View, stable []pbft.StableCheckpoint) (list []leader.ViewChange) {
	for _, low := range stable {
		options := []claimed{{}}
		for seq := low.Seq + 1; seq <= messages.Seq(w.cfg.Sequences); seq++ {
			var more []claimed
			for _, before := range options {
				for _, at := range w.claimsAt(seq, view) {
					more = append(more, claimed{slices.Concat(before.prepared, at.prepared), slices.Concat(before.accepted, at.accepted)})
				}
			}
			options = more
		}
		for _, o := range options {
			b := &messages.ViewChangeBody{View: view, Low: low.Seq, LowDigest: low.Digest, Prepared: o.prepared, Accepted: o.accepted}
			if b.Validate() != nil {
				continue
			}
			bundle, _ := w.chain.Sign(w.cfg.Liar, messages.Vote{Kind: messages.ViewChange, View: view, Digest: b.Digest()})
			list = append(list, leader.ViewChange{From: w.cfg.Liar, Bundle: bundle, Body: b, Stable: low})
		}
	}
	return list
}

// claimed is P and Q.
type claimed struct{ prepared, accepted []messages.Claim }

// claimsAt lists what may be claimed of one sequence.
func (w *world) claimsAt(seq messages.Seq, below messages.View) []claimed {
	digests := w.digests
	if w.cfg.Sequences == 1 {
		digests = append([]messages.Digest{messages.NullDigest}, digests...)
	}
	var single []messages.Claim
	for view := range below {
		for _, d := range digests {
			single = append(single, messages.Claim{Seq: seq, View: view, Digest: d})
		}
	}
	accepted := [][]messages.Claim{nil}
	for i, a := range single {
		accepted = append(accepted, []messages.Claim{a})
		for _, b := range single[i+1:] {
			if w.cfg.Sequences == 1 && a.Digest != b.Digest && a.View != b.View {
				accepted = append(accepted, slices.SortedFunc(slices.Values([]messages.Claim{a, b}), func(a, b messages.Claim) int { return cmp.Compare(a.View, b.View) }))
			}
		}
	}
	var all []claimed
	for _, q := range accepted {
		all = append(all, claimed{nil, q})
		for _, p := range single {
			if slices.ContainsFunc(q, func(c messages.Claim) bool { return c.Digest == p.Digest && c.View >= p.View }) {
				all = append(all, claimed{[]messages.Claim{p}, q})
			}
		}
	}
	return all
}

// certificates lists the stable checkpoints there may be: what enough correct
// members signed for, with the liar's help.
func (w *world) certificates(s *state) (list []pbft.StableCheckpoint) {
	if !w.cfg.Checkpoints {
		return nil
	}
	for _, seq := range w.sequences() {
		for _, digest := range s.checkpointed(seq) {
			c := pbft.StableCheckpoint{Seq: seq, Digest: digest}
			for _, n := range s.nodes {
				if n == nil {
					c.Bundles = append(c.Bundles, w.lie(messages.Vote{Kind: messages.Checkpoint, Seq: seq, Digest: digest}).Bundle())
				} else if v, ok := n.said(messages.Checkpoint, 0, seq); ok && v.Value().Digest == digest {
					c.Bundles = append(c.Bundles, v.Bundle())
				}
			}
			if len(c.Bundles) >= quorum {
				c.Bundles = c.Bundles[:quorum]
				list = append(list, c)
			}
		}
	}
	return list
}

// signers counts the members that signed for a state after a sequence, or would:
// all but one.
func (s *state) signers(seq messages.Seq, d messages.Digest, but *node) (count int) {
	for _, n := range s.nodes {
		if n == nil {
			count++
		} else if v, ok := n.said(messages.Checkpoint, 0, seq); ok && n != but && v.Value().Digest == d {
			count++
		}
	}
	return count
}

// checkpointed lists the states that correct members signed after a sequence.
func (s *state) checkpointed(seq messages.Seq) (list []messages.Digest) {
	for _, n := range s.nodes {
		if n == nil {
			continue
		}
		if v, ok := n.said(messages.Checkpoint, 0, seq); ok && !slices.Contains(list, v.Value().Digest) {
			list = append(list, v.Value().Digest)
		}
	}
	return list
}
