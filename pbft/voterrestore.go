package pbft

import (
	"cmp"
	"maps"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// Restore brings a durable record back after a crash. Records are restored in
// the order in which they were written, after Stable; those that say where the
// voter stands may come twice, or before older ones. [D5]
func (v *Voter) Restore(r Record) {
	switch r.Kind {
	case RecordViewChange:
		if r.ViewChange.View > v.view {
			v.leave(r.ViewChange)
		}
		return
	case RecordNewView:
		v.restoreNewView(r.NewView)
		return
	case RecordBundle:
		return
	case RecordAccepted, RecordPrepared, RecordVote:
	}
	vote := r.Vote
	if vote.Seq <= v.marks.Low {
		return
	}
	if r.Kind == RecordVote && vote.Kind == messages.Checkpoint {
		v.checkpoints[vote.Seq] = vote.Digest
		return
	}
	m := v.remember(vote.Seq)
	switch r.Kind {
	case RecordAccepted:
		m.accept(vote.View, vote.Digest)
	case RecordPrepared:
		m.prepare(vote.View, vote.Digest)
	case RecordVote:
		if vote.View >= v.view && !slices.Contains(m.sent, vote) {
			m.sent = append(m.sent, vote)
		}
	case RecordBundle, RecordViewChange, RecordNewView:
	}
}

// restoreNewView enters its view again, unless a higher one is known already:
// then its list still says what was accepted.
func (v *Voter) restoreNewView(nv *NewView) {
	switch w := nv.Body.View; {
	case w > v.view, w == v.view && !v.active:
		v.enter(nv)
	default:
		v.acceptListed(nv.Body)
	}
}

// Remembers reports whether the record holds a vote of this member's own, if it
// is to hold it at all: a vote above the low watermark in the view the record is
// of, or one in a higher view, was recorded before it was signed. Of anything
// older the record need not know any more. [D3]
func (v *Voter) Remembers(vote messages.Vote) bool {
	switch {
	case vote.Kind == messages.Checkpoint:
		voted, ok := v.checkpoints[vote.Seq]
		return vote.Seq <= v.marks.Low || ok && voted == vote.Digest
	case vote.View != v.view || vote.Kind > messages.Commit: // of a view, there is one
		return vote.View <= v.view
	}
	m := v.memory[vote.Seq]
	return vote.Seq <= v.marks.Low || m != nil && slices.Contains(m.sent, vote)
}

// silent reports that nothing of this member's votes is remembered: there are
// none above the stable checkpoint, and no view was left.
func (v *Voter) silent() bool {
	for _, m := range v.memory {
		if len(m.sent) > 0 {
			return false
		}
	}
	return len(v.checkpoints) == 0 && v.view == 0 && v.marks.Low == 0
}

// Accepted lists the pre-prepares accepted in the current view, by sequence.
func (v *Voter) Accepted() []messages.Vote {
	var list []messages.Vote
	for _, seq := range slices.Sorted(maps.Keys(v.memory)) {
		if d, ok := v.memory[seq].acceptedIn(v.view); ok {
			list = append(list, messages.Vote{Kind: messages.PrePrepare, View: v.view, Seq: seq, Digest: d})
		}
	}
	return list
}

// AcceptedAt gives the digest accepted at seq in the current view.
func (v *Voter) AcceptedAt(seq messages.Seq) (messages.Digest, bool) {
	if m := v.memory[seq]; m != nil {
		return m.acceptedIn(v.view)
	}
	return messages.Digest{}, false
}

// Sent lists every vote that may be sent again: the ViewChange of a view not
// entered yet, or the own NewView; those of the current view by sequence; then
// Checkpoints. [V7]
func (v *Voter) Sent() []messages.Vote {
	var list []messages.Vote
	switch {
	case !v.active && v.left != nil:
		list = append(list, viewChangeVote(v.left))
	case v.active && v.entered != nil && v.leader(v.view) == v.self:
		list = append(list, newViewVote(v.entered.Body))
	}
	for _, seq := range slices.Sorted(maps.Keys(v.memory)) {
		for _, vote := range v.memory[seq].sent {
			if vote.View == v.view {
				list = append(list, vote)
			}
		}
	}
	for _, seq := range slices.SortedFunc(maps.Keys(v.checkpoints), cmp.Compare[messages.Seq]) {
		list = append(list, messages.Vote{Kind: messages.Checkpoint, Seq: seq, Digest: v.checkpoints[seq]})
	}
	return list
}
