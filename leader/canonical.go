package leader

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// canonical collects bytes that tell a manager's state from any other: fixed-width
// fields, lists behind their lengths, maps in the order of their keys. Signatures
// are left out, and what follows from the configuration.
type canonical []byte

func (c *canonical) u64(n uint64) { *c = binary.BigEndian.AppendUint64(*c, n) }

func (c *canonical) numbers(list ...uint64) {
	for _, n := range list {
		c.u64(n)
	}
}

func (c *canonical) flag(b bool) {
	if b {
		*c = append(*c, 1)
	} else {
		*c = append(*c, 0)
	}
}

// time is a moment to the nanosecond; the zero one is apart from all others.
func (c *canonical) time(t time.Time) {
	c.flag(t.IsZero())
	if !t.IsZero() {
		c.u64(uint64(t.UnixNano()))
	}
}

func (c *canonical) stable(k pbft.StableCheckpoint) {
	c.u64(uint64(k.Seq))
	*c = append(*c, k.Digest[:]...)
	c.u64(uint64(len(k.Bundles)))
}

func (c *canonical) claims(list []messages.Claim) {
	c.u64(uint64(len(list)))
	for _, k := range list {
		c.numbers(uint64(k.Seq), uint64(k.View))
		*c = append(*c, k.Digest[:]...)
	}
}

func (c *canonical) bundle(b *messages.Bundle) {
	c.flag(b != nil)
	if b != nil {
		*c = append(*c, b.SigningBytes(messages.Digest{})...)
	}
}

func (c *canonical) viewChange(vc *ViewChange) {
	c.flag(vc != nil)
	if vc == nil {
		return
	}
	c.u64(uint64(vc.From))
	c.bundle(vc.Bundle) // which names the body's digest
	c.stable(vc.Stable)
}

func (c *canonical) newView(nv *NewView) {
	c.u64(uint64(nv.From))
	c.bundle(nv.Bundle)
	d := nv.Body.Digest()
	*c = append(*c, d[:]...)
	c.stable(nv.Stable)
}

func (c *canonical) certificate(p Prepared) {
	c.claims([]messages.Claim{p.Claim})
	c.u64(uint64(len(p.Bundles)))
	for _, b := range p.Bundles {
		c.bundle(b)
	}
}

func (c *canonical) entering(e *EnterView) {
	c.flag(e != nil)
	if e == nil {
		return
	}
	c.newView(&e.NewView)
	c.u64(uint64(len(e.S)))
	for i := range e.S {
		c.viewChange(&e.S[i])
	}
	c.u64(uint64(len(e.Marks)))
	for _, p := range e.Marks {
		c.certificate(p)
	}
}

// AppendCanonical appends bytes that tell this state from any other. It is asked
// between two inputs.
func (m *Manager) AppendCanonical(b []byte) []byte {
	c := canonical(b)
	c.numbers(uint64(m.standing.View), uint64(m.asked), uint64(m.load.OldestVertex), uint64(m.told.Suspicion.View), uint64(m.told.Suspicion.Reasons), m.told.Held)
	for _, f := range [...]bool{m.standing.Active, m.halted, m.replan, m.timer.running} {
		c.flag(f)
	}
	c.stable(m.standing.Stable)
	c.stable(m.certified)
	for _, t := range [...]time.Time{m.ticked, m.calm, m.timer.deadline} {
		c.time(t)
	}
	c.u64(uint64(len(m.load.Convicted)))
	for _, f := range m.load.Convicted {
		c.flag(f)
	}
	c.tracker(m.tracker)
	c.numbers(uint64(m.timeout.base), uint64(m.timeout.failed))
	for _, s := range m.finality.byLeader {
		c.numbers(uint64(s.next), uint64(len(s.ring)))
		for _, d := range s.ring {
			c.u64(uint64(d))
		}
	}
	c.viewChange(m.own)
	c.u64(uint64(m.collected.target))
	for i := range m.collected.members {
		k := &m.collected.members[i]
		c.viewChange(k.target)
		c.viewChange(k.highest)
		c.u64(uint64(k.seen))
	}
	for _, ex := range m.exams {
		c.examination(ex)
	}
	c.u64(uint64(len(m.prepared)))
	for _, k := range slices.SortedFunc(maps.Keys(m.prepared), compareClaims) {
		c.certificate(m.prepared[k])
	}
	c.claims(m.wanted)
	for _, e := range [...]*EnterView{m.built, m.proved, m.entered} {
		c.entering(e)
	}
	c.flag(m.entered != nil && (m.entered == m.built || m.entered == m.proved))
	for i := range m.peers {
		p := &m.peers[i]
		c.time(p.viewChange.at)
		c.time(p.newView.at)
		c.time(p.lacking)
		c.numbers(uint64(p.viewChange.times), uint64(p.newView.times), uint64(p.served))
	}
	return c
}

func (c *canonical) tracker(t *Tracker) {
	c.numbers(uint64(t.view), uint64(t.held), uint64(t.suspicion.View), uint64(t.suspicion.Reasons))
	for _, f := range [...]bool{t.active, t.judged, t.late} {
		c.flag(f)
	}
	for _, at := range [...]time.Time{t.entered, t.last, t.excused} {
		c.time(at)
	}
	for i := range t.peers {
		p := &t.peers[i]
		c.time(p.at)
		c.numbers(uint64(p.view), uint64(p.suspects), uint64(p.suspicion), uint64(p.viewChange))
	}
}

func (c *canonical) examination(ex *examination) {
	c.flag(ex != nil)
	if ex == nil {
		return
	}
	c.newView(&ex.nv)
	c.numbers(uint64(ex.via), uint64(ex.asked), uint64(len(ex.parts)))
	for _, p := range ex.parts {
		c.viewChange(p)
	}
	c.flag(ex.follows)
	c.flag(ex.refused)
}

func compareClaims(a, b messages.Claim) int {
	return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.View, b.View), bytes.Compare(a.Digest[:], b.Digest[:]))
}
