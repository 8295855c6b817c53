package pbft

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// Canonical bytes tell states apart: of two with the same bytes nobody can tell
// which one answers. What only names things, the number of the next group, is
// left out, and so are signatures: what they sign is in. The configuration is
// not in the bytes either; it never changes.

// canonical collects them: fixed-width fields, lists behind their lengths, maps
// in the order of their keys.
type canonical []byte

func (c *canonical) u64(n uint64)             { *c = binary.BigEndian.AppendUint64(*c, n) }
func (c *canonical) size(n int)               { *c = binary.BigEndian.AppendUint32(*c, uint32(n)) }
func (c *canonical) u8(n uint8)               { *c = append(*c, n) }
func (c *canonical) digest(d messages.Digest) { *c = append(*c, d[:]...) }

func (c *canonical) flag(b bool) {
	if b {
		c.u8(1)
	} else {
		c.u8(0)
	}
}

func (c *canonical) vote(v messages.Vote) {
	c.u8(uint8(v.Kind))
	c.u64(uint64(v.View))
	c.u64(uint64(v.Seq))
	c.digest(v.Digest)
}

func (c *canonical) votes(list []messages.Vote) {
	c.size(len(list))
	for _, v := range list {
		c.vote(v)
	}
}

func (c *canonical) bundle(b *messages.Bundle) {
	if b == nil {
		c.u8(0)
		return
	}
	c.u8(1)
	c.size(int(b.From))
	c.votes(b.Votes)
}

func (c *canonical) bundles(list []*messages.Bundle) {
	c.size(len(list))
	for _, b := range list {
		c.bundle(b)
	}
}

// verified is a vote with the bundle it came in, for that is what is sent on.
func (c *canonical) verified(list []verifiedVote) {
	c.size(len(list))
	for _, v := range list {
		c.flag(v.Valid())
		if v.Valid() {
			c.vote(v.Value())
			c.bundle(v.Bundle())
		}
	}
}

func (c *canonical) stable(k StableCheckpoint) {
	c.u64(uint64(k.Seq))
	c.digest(k.Digest)
	c.bundles(k.Bundles)
}

func (c *canonical) claim(k claim) {
	c.u64(uint64(k.view))
	c.digest(k.digest)
}

func (c *canonical) viewChange(b *messages.ViewChangeBody) {
	c.flag(b != nil)
	if b != nil {
		c.digest(b.Digest())
	}
}

func (c *canonical) newView(nv *NewView) {
	c.flag(nv != nil)
	if nv == nil {
		return
	}
	c.digest(nv.Body.Digest())
	c.bundle(nv.Bundle)
	c.stable(nv.Stable)
	c.size(len(nv.Support)) // which they are, the body says
	c.size(len(nv.Marks))
	for _, m := range nv.Marks {
		c.bundles(m.Bundles)
	}
}

func (c *canonical) record(r Record) {
	c.u8(uint8(r.Kind))
	c.vote(r.Vote)
	c.flag(r.Batch != nil)
	c.bundle(r.Bundle)
	c.viewChange(r.ViewChange)
	c.newView(r.NewView)
}

// ordered calls f for the values of a map in the order of its keys.
func ordered[K cmp.Ordered, V any](c *canonical, m map[K]V, f func(K, V)) {
	c.size(len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		f(k, m[k])
	}
}

// AppendCanonical appends the bytes of a record as they count in states.
func (r Record) AppendCanonical(b []byte) []byte {
	c := canonical(b)
	c.record(r)
	return c
}

// AppendCanonical appends bytes that tell this state from any other. It is asked
// between two inputs.
func (s *Sequencer) AppendCanonical(b []byte) []byte {
	c := canonical(b)
	c.voter(s.voter)
	ordered(&c, s.log.slots, func(seq messages.Seq, v *seqVotes) {
		c.u64(uint64(seq))
		c.verified(v.votes) // the filled places follow
	})
	c.bodies(s.bodies)
	ordered(&c, s.checkpoints.seqs, func(seq messages.Seq, votes []verifiedVote) {
		c.u64(uint64(seq))
		c.verified(votes)
	})
	c.gatherer(&s.gatherer)
	c.fetching(s.fetching)
	c.newcomer(s.newcomer)
	for _, n := range [...]messages.Seq{s.executed, s.highest, s.beside, s.reported} {
		c.u64(uint64(n))
	}
	c.digest(s.head)
	for _, k := range [...]StableCheckpoint{s.stable, s.floor, s.certified} {
		c.stable(k)
	}
	ordered(&c, s.states, func(seq messages.Seq, d messages.Digest) { c.u64(uint64(seq)); c.digest(d) })
	ordered(&c, s.reopened, func(seq messages.Seq, open bool) { c.u64(uint64(seq)); c.flag(open) })
	ordered(&c, s.released, func(seq messages.Seq, tick uint64) { c.u64(uint64(seq)); c.u64(tick) })
	ordered(&c, s.agreed, func(seq messages.Seq, agreed bool) { c.u64(uint64(seq)); c.flag(agreed) })
	c.u64(s.tick)
	c.u64(s.stableAt)
	c.size(s.patience.eager)
	c.size(s.patience.penalty)
	c.flag(s.patience.heard)
	c.size(s.patience.late)
	c.flag(s.halted)
	return c
}

func (c *canonical) voter(v *Voter) {
	c.u64(uint64(v.view))
	c.flag(v.active)
	c.viewChange(v.left)
	c.newView(v.entered)
	c.u64(uint64(v.marks.Low))
	c.u64(uint64(v.marks.High))
	c.u64(uint64(v.settled))
	c.flag(v.halted)
	c.flag(v.observing)
	ordered(c, v.checkpoints, func(seq messages.Seq, d messages.Digest) { c.u64(uint64(seq)); c.digest(d) })
	ordered(c, v.memory, func(seq messages.Seq, m *memory) {
		c.u64(uint64(seq))
		c.size(len(m.accepted))
		for _, k := range m.accepted {
			c.claim(k)
		}
		c.claim(m.prepared)
		c.claim(m.fixed)
		c.votes(m.sent)
	})
}

func (c *canonical) bodies(b *Bodies) {
	c.size(len(b.bound))
	for _, d := range slices.SortedFunc(maps.Keys(b.bound), compareDigests) {
		c.digest(d)
		c.u64(uint64(b.bound[d].seq))
	}
	c.size(len(b.loose))
	for _, batch := range b.loose {
		c.digest(batch.Digest())
	}
}

func (c *canonical) gatherer(g *Gatherer) {
	c.flag(g.inFlight)
	c.votes(g.votes)
	c.votes(g.apart)
	c.size(len(g.records))
	for _, r := range g.records {
		c.record(r)
	}
}

func (c *canonical) fetching(f *fetching) {
	c.u64(f.shun)
	c.size(len(f.wants))
	for _, d := range slices.SortedFunc(maps.Keys(f.wants), compareDigests) {
		w := f.wants[d]
		c.digest(d)
		c.size(len(w.seqs))
		for _, seq := range w.seqs {
			c.u64(uint64(seq))
		}
		c.size(len(w.holders))
		for _, h := range w.holders {
			c.size(int(h))
		}
		c.u64(w.since)
		c.size(w.asked)
	}
}

func (c *canonical) newcomer(n *newcomer) {
	c.flag(n != nil)
	if n == nil {
		return
	}
	c.u64(uint64(n.seen))
	c.u64(uint64(n.voted))
	c.flag(n.told)
	for _, a := range n.answers {
		c.flag(a != nil)
		if a != nil {
			c.u64(uint64(a.Executed))
			c.u64(uint64(a.View))
			c.flag(a.Nothing)
		}
	}
}

// AppendCanonical appends bytes that tell this state from any other.
func (s *Slot) AppendCanonical(b []byte) []byte {
	c := canonical(b)
	c.u64(uint64(s.seq))
	c.flag(s.accepted.ok)
	c.u64(uint64(s.accepted.view))
	c.size(int(s.accepted.leader))
	c.digest(s.accepted.digest)
	c.size(int(s.optimism))
	c.size(len(s.held))
	for _, d := range s.held {
		c.digest(d)
	}
	c.size(len(s.rounds))
	for _, r := range s.rounds {
		c.u64(uint64(r.view))
		c.verified([]verifiedVote{r.preprepare})
		c.verified(r.prepares)
		c.verified(r.commits)
	}
	c.flag(s.certified != nil)
	if k := s.certified; k != nil {
		c.u64(uint64(k.View))
		c.digest(k.Digest)
		c.bundles(k.Bundles)
	}
	c.flag(s.reported)
	c.votes(s.asked)
	return c
}
