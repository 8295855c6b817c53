package sim

import (
	"math/bits"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// votes is what honest members are known to have signed.
type votes struct {
	quorum, faulty int
	cast           map[place]messages.Digest
	left           []messages.View            // by member: the view of its last ViewChange
	claims         []*messages.ViewChangeBody // by member: what it said there
	committing     map[proposal]uint64
	accepting      map[proposal]uint64 // PrePrepares and Prepares, in optimistic mode
	// locked are the digests that so many honest members have sent Commits for
	// that a quorum may exist, with the view, or in optimistic mode all of them a
	// PrePrepare or a Prepare: no honest member may vote for anything else there in a
	// higher view.
	locked map[messages.Seq]proposal
	// prepared is what honest members say is prepared, by sending Commits.
	prepared map[place]messages.Digest
	own      [][]messages.Vote // by member: its votes at sequences, until they are stable
}

// place is where a member has one vote.
type place struct {
	member messages.Index
	kind   messages.Kind
	view   messages.View
	seq    messages.Seq
}

// proposal is a digest at a sequence in a view.
type proposal struct {
	view   messages.View
	seq    messages.Seq
	digest messages.Digest
}

func newVotes(n int) votes {
	return votes{
		quorum: messages.Quorum(n), faulty: messages.MaxFaulty(n),
		cast: make(map[place]messages.Digest), left: make([]messages.View, n),
		claims: make([]*messages.ViewChangeBody, n), own: make([][]messages.Vote, n),
		committing: make(map[proposal]uint64), accepting: make(map[proposal]uint64), locked: make(map[messages.Seq]proposal), prepared: make(map[place]messages.Digest),
	}
}

// voted looks at one vote of an honest member.
func (o *oracle) voted(member messages.Index, v messages.Vote) {
	at := place{member, v.Kind, v.View, v.Seq}
	before, known := o.votes.cast[at]
	if known && before != v.Digest {
		o.violated("one vote", "member %d signed %v and %v as its %v of view %d, sequence %d", member, before, v.Digest, v.Kind, v.View, v.Seq)
	}
	if known {
		return
	}
	o.votes.cast[at] = v.Digest
	if v.Seq > 0 {
		o.votes.own[member] = append(o.votes.own[member], v)
	}
	switch v.Kind {
	case messages.Checkpoint:
		o.checkpoint(int(member), v.Seq, v.Digest)
	case messages.ViewChange:
		o.votes.left[member] = max(o.votes.left[member], v.View)
	case messages.PrePrepare, messages.Prepare, messages.Commit:
		o.votedInView(member, v)
	case messages.NewView:
	}
}

// votedInView: a member that left a view votes in it no more, one place has not two
// kinds of first votes, and what may have been committed stays. A vote may come late,
// when it was lost on its way and asked for again; the ViewChange must know it then.
func (o *oracle) votedInView(member messages.Index, v messages.Vote) {
	if left := o.votes.left[member]; v.View < left && !o.votes.accountedFor(member, v) {
		o.violated("left is left", "member %d votes %v after its view-change to view %d, which knows nothing of it", member, v, left)
	}
	if v.Kind != messages.Commit {
		other := messages.PrePrepare + messages.Prepare - v.Kind
		if d, ok := o.votes.cast[place{member, other, v.View, v.Seq}]; ok {
			o.violated("one vote", "member %d has sent pre-prepare and prepare, for %v and %v, in view %d at sequence %d", member, d, v.Digest, v.View, v.Seq)
		}
	}
	if l, ok := o.votes.locked[v.Seq]; ok && v.View > l.view && v.Digest != l.digest {
		o.violated("what was committed stays", "member %d votes %v, and %v may have been committed in view %d", member, v, l.digest, l.view)
	}
	if top := o.highest(); v.Seq > top+o.params.Window {
		o.violated("bounds", "member %d votes %v, and the highest window anybody can have ends at %d", member, v, top+o.params.Window)
	}
	if v.Kind == messages.Commit {
		o.preparedIn(member, v)
		o.votes.commit(member, proposal{v.View, v.Seq, v.Digest})
	} else if o.params.OptimisticMode {
		o.accept(member, proposal{v.View, v.Seq, v.Digest})
	}
}

// accept notes that an honest member accepted something: if all did, it may be decided
// with the word of the faulty.
func (o *oracle) accept(member messages.Index, p proposal) {
	o.votes.accepting[p] |= 1 << member
	for m, faulty := range o.faulty {
		if !faulty && o.votes.accepting[p]&(1<<m) == 0 {
			return
		}
	}
	o.votes.lock(p)
}

// claim remembers what a member says in its last ViewChange.
func (s *votes) claim(m *messages.ViewChangeMessage) {
	from := m.Bundle.From
	if before := s.claims[from]; before == nil || before.View < m.Body.View {
		s.claims[from] = m.Body
	}
}

// accountedFor reports whether the member's last ViewChange claims what a vote of an
// earlier view says: for those who judge by the claims the vote was there before.
func (s *votes) accountedFor(member messages.Index, v messages.Vote) bool {
	body := s.claims[member]
	if body == nil || v.Seq <= body.Low {
		return body != nil
	}
	if v.Kind == messages.Commit {
		return slices.ContainsFunc(body.Prepared, func(c messages.Claim) bool {
			return c.Seq == v.Seq && (c.View > v.View || c.View == v.View && c.Digest == v.Digest)
		})
	}
	return slices.ContainsFunc(body.Accepted, func(c messages.Claim) bool {
		return c.Seq == v.Seq && c.View >= v.View && c.Digest == v.Digest
	})
}

// preparedIn: in one view one digest is prepared at a sequence, whoever says so.
func (o *oracle) preparedIn(member messages.Index, v messages.Vote) {
	at := place{kind: messages.Commit, view: v.View, seq: v.Seq}
	if d, ok := o.votes.prepared[at]; ok && d != v.Digest {
		o.violated("one digest is prepared", "member %d says %v is prepared in view %d at sequence %d, another says %v", member, v.Digest, v.View, v.Seq, d)
	}
	o.votes.prepared[at] = v.Digest
}

// highest is the highest checkpoint that can be stable: somebody honest has to have
// executed it.
func (o *oracle) highest() messages.Seq {
	executed := messages.Seq(len(o.executed))
	return executed - executed%o.params.CheckpointInterval
}

// above gives a member's votes above its stable checkpoint, and forgets the others.
func (s *votes) above(member int, stable messages.Seq) []messages.Vote {
	s.own[member] = slices.DeleteFunc(s.own[member], func(v messages.Vote) bool { return v.Seq <= stable })
	return s.own[member]
}

// commit counts Commits of honest members: with those the faulty may add, are
// they a quorum?
func (s *votes) commit(member messages.Index, p proposal) {
	s.committing[p] |= 1 << member
	if bits.OnesCount64(s.committing[p]) < s.quorum-s.faulty {
		return
	}
	s.lock(p)
}

func (s *votes) lock(p proposal) {
	if l, ok := s.locked[p.seq]; !ok || p.view < l.view {
		s.locked[p.seq] = p
	}
}
