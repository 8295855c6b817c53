package pbft

import (
	"maps"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// Clones share with their originals only what never changes: batches, bundles,
// bodies of ViewChanges and NewViews. Whoever explores states goes on from one in
// many ways.

// Clone gives a sequencer that does what this one would, and does not touch it.
// It is made between two inputs.
func (s *Sequencer) Clone() *Sequencer {
	c := *s
	c.voter, c.log, c.bodies, c.checkpoints = s.voter.clone(), s.log.clone(), s.bodies.clone(), s.checkpoints.clone()
	c.gatherer, c.fetching = s.gatherer.clone(), s.fetching.clone()
	if s.newcomer != nil {
		n := *s.newcomer
		n.answers = slices.Clone(n.answers)
		c.newcomer = &n
	}
	c.states, c.reopened, c.released = maps.Clone(s.states), maps.Clone(s.reopened), maps.Clone(s.released)
	c.agreed = maps.Clone(s.agreed)
	c.out = slices.Clone(s.out)
	return &c
}

func (v *Voter) clone() *Voter {
	c := *v
	c.memory = make(map[messages.Seq]*memory, len(v.memory))
	for seq, m := range v.memory {
		copied := *m
		copied.accepted, copied.sent = slices.Clone(m.accepted), slices.Clone(m.sent)
		c.memory[seq] = &copied
	}
	c.checkpoints = maps.Clone(v.checkpoints)
	return &c
}

func (l *VoteLog) clone() *VoteLog {
	c := &VoteLog{slots: make(map[messages.Seq]*seqVotes, len(l.slots))}
	for seq, s := range l.slots {
		c.slots[seq] = &seqVotes{votes: slices.Clone(s.votes), views: slices.Clone(s.views)}
	}
	return c
}

func (b *Bodies) clone() *Bodies {
	return &Bodies{bound: maps.Clone(b.bound), loose: slices.Clone(b.loose), looseMax: b.looseMax}
}

func (c *Checkpoints) clone() *Checkpoints {
	copied := NewCheckpoints(c.n, c.quorum)
	for seq, votes := range c.seqs {
		copied.seqs[seq] = slices.Clone(votes)
	}
	return copied
}

func (g *Gatherer) clone() Gatherer {
	c := *g
	c.records, c.votes, c.apart = slices.Clone(g.records), slices.Clone(g.votes), slices.Clone(g.apart)
	return c
}

func (f *fetching) clone() *fetching {
	c := *f
	c.wants = make(map[messages.Digest]*want, len(f.wants))
	for digest, w := range f.wants {
		copied := *w
		copied.seqs, copied.holders = slices.Clone(w.seqs), slices.Clone(w.holders)
		c.wants[digest] = &copied
	}
	return &c
}

// Clone gives a tracker's machine that does what this one would, and does not
// touch it.
func (s *Slot) Clone() *Slot {
	c := *s
	c.held, c.asked, c.rounds = slices.Clone(s.held), slices.Clone(s.asked), slices.Clone(s.rounds)
	for i, r := range c.rounds {
		c.rounds[i].prepares, c.rounds[i].commits = slices.Clone(r.prepares), slices.Clone(r.commits)
	}
	return &c
}

// Clone gives a backlog of its own with the same in it.
func (b *Backlog[T]) Clone() *Backlog[T] {
	return &Backlog[T]{last: b.last, waiting: maps.Clone(b.waiting)}
}
