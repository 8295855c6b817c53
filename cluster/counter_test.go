package cluster

import (
	"sync"

	"github.com/cretoai/consensus/messages"
)

// counts is an Observer that remembers.
type counts struct {
	mu       sync.Mutex
	n        *node
	sent     map[messages.Index]int
	received map[messages.Index]int
	dropped  map[string]int // by "lane/reason"
	refused  map[string]int
}

// count connects an observer to a configuration; attach it to the node whose
// wait shall notice.
func count(cfg *RemoteConfig) *counts {
	c := &counts{
		sent: make(map[messages.Index]int), received: make(map[messages.Index]int),
		dropped: make(map[string]int), refused: make(map[string]int),
	}
	cfg.Observer = Observer{
		Sent:     func(peer messages.Index, _ Lane, n int) { c.add(func() { c.sent[peer] += n }) },
		Received: func(peer messages.Index, n int) { c.add(func() { c.received[peer] += n }) },
		Dropped:  func(_ messages.Index, lane, reason string) { c.add(func() { c.dropped[lane+"/"+reason]++ }) },
		Refused:  func(reason string) { c.add(func() { c.refused[reason]++ }) },
	}
	return c
}

func (c *counts) add(f func()) {
	c.mu.Lock()
	f()
	n := c.n
	c.mu.Unlock()
	if n != nil {
		n.poke()
	}
}

func (c *counts) attach(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n = n
}

// read gives a number under the lock.
func (c *counts) read(f func() int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return f()
}

func (c *counts) drops(lane, reason string) int {
	return c.read(func() int { return c.dropped[lane+"/"+reason] })
}

func (c *counts) refusals(reason string) int { return c.read(func() int { return c.refused[reason] }) }
