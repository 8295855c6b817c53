package testkit

import "github.com/cretoai/consensus/replica"

// check fails the test if there is no replica i.
func (c *Cluster) check(i int) {
	c.t.Helper()
	if i < 0 || i >= len(c.replicas) {
		c.t.Fatalf("there is no replica %d: they are 0 to %d", i, len(c.replicas)-1)
	}
}

// checkEnds fails the test if a link is named that does not exist.
func (c *Cluster) checkEnds(ends ...int) {
	c.t.Helper()
	for _, i := range ends {
		if i != Any {
			c.check(i)
		}
	}
}

// running is replica i; the test fails if it is down.
func (c *Cluster) running(i int) *replica.Replica {
	c.t.Helper()
	c.check(i)
	r := c.replicas[i]
	if r == nil {
		c.t.Fatalf("replica %d is not running: Start it first", i)
	}
	return r
}
