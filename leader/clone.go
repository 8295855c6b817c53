package leader

import (
	"maps"
	"slices"
)

// Clone gives a manager that does what this one would, and does not touch it. The
// two share only what never changes: ViewChanges, bodies, bundles.
func (m *Manager) Clone() *Manager {
	c := *m
	c.tracker, c.timeout, c.finality = m.tracker.clone(), m.timeout.clone(), m.finality.clone()
	c.collected = &collection{m.collected.target, slices.Clone(m.collected.members)}
	c.exams = slices.Clone(m.exams)
	for i, ex := range c.exams {
		if ex != nil {
			copied := *ex
			copied.parts = slices.Clone(ex.parts)
			c.exams[i] = &copied
		}
	}
	c.load.Convicted = slices.Clone(m.load.Convicted)
	c.prepared, c.wanted, c.peers, c.out = maps.Clone(m.prepared), slices.Clone(m.wanted), slices.Clone(m.peers), slices.Clone(m.out)
	// What was built or proved is what is entered, once it is: one thing then.
	c.built, c.proved, c.entered = m.built.clone(), m.proved.clone(), m.entered.clone()
	switch {
	case m.entered == nil:
	case m.entered == m.built:
		c.entered = c.built
	case m.entered == m.proved:
		c.entered = c.proved
	}
	return &c
}

func (e *EnterView) clone() *EnterView {
	if e == nil {
		return nil
	}
	c := *e
	return &c
}

func (t *Tracker) clone() *Tracker {
	c := *t
	c.peers = slices.Clone(t.peers)
	return &c
}

func (t *Timeout) clone() *Timeout {
	c := *t
	return &c
}

func (f *finality) clone() *finality {
	c := newFinality(len(f.byLeader))
	for i, s := range f.byLeader {
		c.byLeader[i] = samples{slices.Clone(s.ring), s.next}
	}
	return c
}
