package testkit

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
)

// Any stands for every replica where a link is named.
const Any = -1

// links are what goes wrong on the way from one replica to another, apart from
// being cut off.
type links struct {
	mu  sync.Mutex
	rng *rand.Rand
	all [][]link // from, to
}

type link struct {
	delay                    time.Duration
	drop, duplicate, reorder int    // of 1000 frames
	held                     func() // the frame that waits to be overtaken, nil for none
}

func newLinks(n int) *links {
	l := &links{rng: rand.New(rand.NewPCG(1, 1)), all: make([][]link, n)}
	for i := range l.all {
		l.all[i] = make([]link, n)
	}
	return l
}

// Delay has every frame from one replica to another, or Any, travel so much
// longer.
func (c *Cluster) Delay(from, to int, by time.Duration) {
	c.t.Helper()
	c.checkEnds(from, to)
	c.timeline.tell("frames from %d to %d take %v longer", from, to, by)
	c.links.each(from, to, func(l *link) { l.delay = by })
}

// Drop loses so many of 1000 frames from one replica to another, or Any.
func (c *Cluster) Drop(from, to, of1000 int) {
	c.t.Helper()
	c.checkEnds(from, to)
	c.timeline.tell("%d‰ of the frames from %d to %d are lost", of1000, from, to)
	c.links.each(from, to, func(l *link) { l.drop = of1000 })
}

// Duplicate has so many of 1000 frames from one replica to another, or Any,
// arrive twice.
func (c *Cluster) Duplicate(from, to, of1000 int) {
	c.t.Helper()
	c.checkEnds(from, to)
	c.timeline.tell("%d‰ of the frames from %d to %d come twice", of1000, from, to)
	c.links.each(from, to, func(l *link) { l.duplicate = of1000 })
}

// Reorder has so many of 1000 frames from one replica to another, or Any, be
// overtaken by the next one.
func (c *Cluster) Reorder(from, to, of1000 int) {
	c.t.Helper()
	c.checkEnds(from, to)
	c.timeline.tell("%d‰ of the frames from %d to %d are overtaken", of1000, from, to)
	c.links.each(from, to, func(l *link) { l.reorder = of1000 })
}

func (l *links) each(from, to int, change func(*link)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.all {
		for j := range l.all[i] {
			if (from == Any || from == i) && (to == Any || to == j) {
				change(&l.all[i][j])
			}
		}
	}
}

// calm ends all of it; frames held back are lost.
func (l *links) calm() { l.each(Any, Any, func(l *link) { *l = link{} }) }

// transport puts the links between a replica and the network.
func (l *links) transport(from int, inner cluster.Transport) cluster.Transport {
	return &faultyTransport{Transport: inner, links: l, from: from}
}

type faultyTransport struct {
	cluster.Transport
	links *links
	from  int
}

// Send implements cluster.Transport.
func (t *faultyTransport) Send(to messages.Index, lane cluster.Lane, frame []byte) {
	l := t.links
	l.mu.Lock()
	defer l.mu.Unlock()
	link := &l.all[t.from][to]
	send := func() { t.Transport.Send(to, lane, frame) }
	if by := link.delay; by > 0 {
		soon := send
		send = func() { time.AfterFunc(by, soon) }
	}
	if l.rng.IntN(1000) < link.drop {
		return
	}
	if link.held == nil && l.rng.IntN(1000) < link.reorder {
		link.held = send
		return
	}
	send()
	if l.rng.IntN(1000) < link.duplicate {
		send()
	}
	if link.held != nil {
		link.held()
		link.held = nil
	}
}
