package cluster

import "sync"

// credit bounds what one peer has sent and the replica has not yet worked off.
// It outlives connections: a peer gains nothing by connecting again.
type credit struct {
	mu     sync.Mutex
	used   int
	max    int
	closed bool
	room   chan struct{} // closed when there is room again; nil if nobody waits
}

// take charges n bytes. It may exceed the bound, by one batch at most: wait
// comes before each batch.
func (c *credit) take(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used += n
}

// give returns n bytes.
func (c *credit) give(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used -= n
	c.wake()
}

// close lets everybody who waits go on, for good.
func (c *credit) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.wake()
}

func (c *credit) wake() {
	if c.room != nil && (c.closed || c.used < c.max) {
		close(c.room)
		c.room = nil
	}
}

// wait returns when less than the bound is used, or when done is closed: then
// it reports false.
func (c *credit) wait(done <-chan struct{}) bool {
	for {
		c.mu.Lock()
		if c.closed || c.used < c.max {
			c.mu.Unlock()
			return true
		}
		if c.room == nil {
			c.room = make(chan struct{})
		}
		room := c.room
		c.mu.Unlock()
		select {
		case <-room:
		case <-done:
			return false
		}
	}
}
