package pbft

import (
	"maps"
	"math/bits"
	"slices"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// VoteLog keeps the verified votes of the window: one place per (member, view,
// sequence, kind), filled by the first. It is what a restarted tracker is
// replayed from, and what Status tells peers this replica holds.
type VoteLog struct {
	slots map[messages.Seq]*seqVotes
}

// seqVotes are the votes of one sequence in the order of their arrival, with a
// bitmap of the filled places (members are at most 64).
type seqVotes struct {
	votes []crypto.Verified[messages.Vote]
	views []viewPlaces
}

type viewPlaces struct {
	view   messages.View
	filled [messages.Commit + 1]uint64 // by kind, a bit a member
}

// NewVoteLog makes an empty log.
func NewVoteLog() *VoteLog { return &VoteLog{slots: make(map[messages.Seq]*seqVotes)} }

// Admit keeps a vote of kind PrePrepare, Prepare or Commit if its place is
// free, and reports whether it was. The caller admits only views and sequences
// near its own; that bounds the log.
func (l *VoteLog) Admit(v crypto.Verified[messages.Vote]) bool {
	vote := v.Value()
	if vote.Kind > messages.Commit || int(v.From()) >= messages.MembersMax {
		return false
	}
	s := l.slots[vote.Seq]
	if s == nil {
		s = &seqVotes{}
		l.slots[vote.Seq] = s
	}
	places := s.places(vote.View)
	bit := uint64(1) << v.From()
	if places.filled[vote.Kind]&bit != 0 {
		return false
	}
	places.filled[vote.Kind] |= bit
	s.votes = append(s.votes, v)
	return true
}

func (s *seqVotes) places(view messages.View) *viewPlaces {
	for i := range s.views {
		if s.views[i].view == view {
			return &s.views[i]
		}
	}
	s.views = append(s.views, viewPlaces{view: view})
	return &s.views[len(s.views)-1]
}

// Votes gives the kept votes of seq in the order of their arrival. The slice is
// not to be changed.
func (l *VoteLog) Votes(seq messages.Seq) []crypto.Verified[messages.Vote] {
	if s := l.slots[seq]; s != nil {
		return s.votes
	}
	return nil
}

// Held gives, for Status, which members' Prepares and Commits for (view,
// digest) are kept, a bit a member.
func (l *VoteLog) Held(seq messages.Seq, view messages.View, digest messages.Digest) (prepares, commits uint64) {
	for _, v := range l.Votes(seq) {
		vote := v.Value()
		if vote.View != view || vote.Digest != digest {
			continue
		}
		switch vote.Kind {
		case messages.Prepare:
			prepares |= 1 << v.From()
		case messages.Commit:
			commits |= 1 << v.From()
		}
	}
	return prepares, commits
}

// accepting are the members, a bit each, whose PrePrepare or Prepare of a vote's view,
// sequence and digest is kept.
func (l *VoteLog) accepting(of messages.Vote) (members uint64) {
	for _, v := range l.Votes(of.Seq) {
		if w := v.Value(); w.Kind <= messages.Prepare && w.View == of.View && w.Digest == of.Digest {
			members |= 1 << v.From()
		}
	}
	return members
}

// Accepts reports whether a member is among them.
func (l *VoteLog) Accepts(of messages.Vote, member messages.Index) bool {
	return l.accepting(of)&(1<<member) != 0
}

// Unanimous reports whether all of n members are.
func (l *VoteLog) Unanimous(of messages.Vote, n int) bool {
	return bits.OnesCount64(l.accepting(of)) == n
}

// Seqs lists the sequences with kept votes, ascending.
func (l *VoteLog) Seqs() []messages.Seq { return slices.Sorted(maps.Keys(l.slots)) }

// Forget drops everything at or below low.
func (l *VoteLog) Forget(low messages.Seq) {
	forgetUpTo(l.slots, low)
}

// Retain drops the votes that keep refuses, and frees their places.
func (l *VoteLog) Retain(keep func(messages.Vote) bool) {
	for seq, s := range l.slots {
		kept := &seqVotes{}
		for _, v := range s.votes {
			if vote := v.Value(); keep(vote) {
				kept.votes = append(kept.votes, v)
				kept.places(vote.View).filled[vote.Kind] |= 1 << v.From()
			}
		}
		if len(kept.votes) == 0 {
			delete(l.slots, seq)
		} else {
			l.slots[seq] = kept
		}
	}
}
