package pure

import (
	"slices"

	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// record is what a crash leaves: the journal, and what was durable beside it.
type record struct {
	journal []pbft.Record // above the stable checkpoint
	beside  []pbft.Record // where the voter stood when that became stable
	stable  pbft.StableCheckpoint
	ledger  []pbft.Committed // executed, as of the last flush
}

// flush makes a group durable, has it signed and releases it, all at once: what
// could happen between is a crash, and then the group was never made.
func (r *Replica) flush(g pbft.Group) {
	r.record.journal = append(r.record.journal[:len(r.record.journal):len(r.record.journal)], g.Records...)
	r.record.ledger = r.ledger
	var bundles []*messages.Bundle
	var votes []Vote
	for _, list := range g.Bundles {
		b, v := r.chain.Sign(r.Self, list...)
		bundles, votes = append(bundles, b), append(votes, v...)
	}
	r.later(func() { r.perform(r.core.OnReleased(bundles, votes)) })
}

// stable makes a checkpoint durable, with what was executed up to it, and says so.
func (r *Replica) stable(c pbft.StableCheckpoint) {
	if c.Seq <= r.record.stable.Seq {
		return
	}
	r.record.stable, r.record.beside, r.record.ledger = c, r.core.ViewRecords(), r.ledger
	r.record.journal = slices.DeleteFunc(slices.Clone(r.record.journal), func(rec pbft.Record) bool { return rec.Vote.Seq <= c.Seq })
	r.perform(r.core.OnStable(c))
	r.stand()
}

// Restart is a crash, and the start from what is durable.
func (r *Replica) Restart() []Message {
	kept := r.record
	r.reset()
	r.alarm = ""
	low := kept.stable.Seq
	for _, c := range kept.ledger[:low] {
		r.state = state{c.Seq, pbft.NextHead(r.state.head, c.Seq, c.Digest)}
	}
	r.ledger, r.backlog = kept.ledger[:low:low], pbft.NewBacklog[pbft.Committed](low)
	r.core = pbft.NewSequencer(r.chain.config(r.Self), kept.stable, r.state.head)
	for _, rec := range slices.Concat(kept.beside, kept.journal) {
		r.core.Restore(rec)
		if rec.Bundle != nil {
			for _, v := range must(r.chain.keyring.Restore(rec.Bundle)) {
				r.core.RestoreVote(v)
			}
		}
	}
	for _, c := range kept.ledger[low:] {
		r.committed(c)
	}
	if r.manager != nil {
		r.resumeManager()
	}
	r.perform(r.core.Resume())
	return r.settle()
}

// resumeManager begins with a new manager where the voter stands.
func (r *Replica) resumeManager() {
	r.manager = leader.NewManager(r.managerConfig(), r.now)
	var nv *leader.NewView
	var support []leader.ViewChange
	var marks []leader.Prepared
	if e := r.core.Entered(); e != nil {
		nv = &leader.NewView{From: r.chain.Leader(e.Body.View), Bundle: e.Bundle, Body: e.Body, Stable: e.Stable}
		for _, s := range e.Support {
			support = append(support, leader.ViewChange{From: s.Bundle.From, Bundle: s.Bundle, Body: s.Body})
		}
		for _, p := range e.Marks {
			marks = append(marks, leader.Prepared{Claim: p.Claim, Bundles: p.Bundles})
		}
	}
	r.manager.Resume(r.now, r.standing(), nil, nv, support, marks)
}

// Clone gives a replica that does what this one would, and does not touch it.
func (r *Replica) Clone() *Replica {
	c := *r
	c.core, c.backlog = r.core.Clone(), r.backlog.Clone()
	c.slots = make(map[messages.Seq]*pbft.Slot, len(r.slots))
	for seq, s := range r.slots {
		c.slots[seq] = s.Clone()
	}
	if r.manager != nil {
		c.manager = r.manager.Clone()
	}
	return &c
}

// AppendCanonical appends bytes that tell this replica's state from any other,
// but for what only a crash would bring to light, unless that is asked for.
func (r *Replica) AppendCanonical(b []byte, durable bool) []byte {
	b = r.core.AppendCanonical(b)
	for seq := r.core.Marks().Low; seq <= r.core.Marks().High; seq++ {
		if s := r.slots[seq]; s != nil {
			b = s.AppendCanonical(b)
		}
	}
	b = appendDecisions(append(b, 0xff), r.ledger)
	for seq := r.state.seq + 1; seq <= r.core.Marks().High; seq++ {
		if c, ok := r.backlog.Waiting(seq); ok {
			b = appendDecisions(b, []pbft.Committed{c})
		}
	}
	b = append(b, r.alarm...)
	if r.manager != nil {
		b = r.manager.AppendCanonical(b)
	}
	if !durable {
		return b
	}
	for _, rec := range slices.Concat(r.record.beside, r.record.journal) {
		b = rec.AppendCanonical(b)
	}
	return append(b, byte(len(r.record.ledger)), byte(r.record.stable.Seq))
}

func appendDecisions(b []byte, list []pbft.Committed) []byte {
	for _, c := range list {
		b = append(b, byte(c.View), byte(c.Seq))
		b = append(b, c.Digest[:]...)
	}
	return b
}
