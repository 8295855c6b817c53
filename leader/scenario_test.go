package leader

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
)

// TestL1_CrashedLeadersInARow: f leaders dead, one after the other, cost one
// timeout, each twice the one before, and a round; the timeout is back at its base
// afterwards. [L1, L2, H1]
func TestL1_CrashedLeadersInARow(t *testing.T) {
	for _, n := range []int{4, 7, 10, 13} {
		t.Run(fmt.Sprint("n=", n), func(t *testing.T) {
			c := newCluster(t, n)
			c.load(50 * ms)
			c.run(time.Second)
			f := messages.MaxFaulty(n)
			for i := range f {
				c.crash(messages.Index(i))
			}
			bound := timeout*(1<<f-1)*9/8 + time.Duration(f+1)*3*heartbeat
			took := c.until(bound, "progress", func() bool { return c.in(messages.View(f)) && c.done() })
			t.Logf("%d leaders down, progress after %v", f, took)
			c.run(time.Minute)
			for _, d := range c.correct() {
				if d.m.Timeout() != timeout {
					t.Errorf("member %d still waits %v", d.self, d.m.Timeout())
				}
			}
			if !c.in(messages.View(f)) {
				t.Errorf("the view does not last\n%s", c)
			}
		})
	}
}

// TestL3_IdleForHours: nothing to do is no reason to suspect. [L3, H1]
func TestL3_IdleForHours(t *testing.T) {
	c := newCluster(t, 4)
	c.run(time.Hour / raceShare)
	if !c.in(0) || c.sent["leader.ViewChange"] != 0 {
		t.Errorf("an idle cluster moved\n%s", c)
	}
}

// TestH1_CutOffReplica: one that hears nobody suspects, alone, and goes on voting in
// its view; back again it disturbs nobody. If the others moved meanwhile, it comes
// after them, and they do not move for it. [H1, H8, H11]
func TestH1_CutOffReplica(t *testing.T) {
	c := newCluster(t, 4)
	c.load(50 * ms)
	away := func(from, to messages.Index) bool { return from == 3 || to == 3 }
	c.cut = away
	c.run(time.Minute)
	if d := c.nodes[3]; d.standing.View != 0 || !d.standing.Active || d.told.Suspicion.Reasons == 0 {
		t.Fatalf("cut off, it should suspect and stay\n%s", c)
	}
	c.cut = nil
	c.run(time.Minute)
	if !c.in(0) || !c.done() || c.sent["leader.ViewChange"] != 0 {
		t.Fatalf("its return disturbed the others\n%s", c)
	}

	c.cut = away
	c.nodes[0].idle = true
	c.until(5*time.Second, "another leader", func() bool { return c.nodes[1].standing.View == 1 && c.nodes[1].executed == len(c.work) })
	c.nodes[1].idle = true
	c.until(5*time.Second, "a third leader", func() bool { return c.nodes[1].standing.View == 2 && c.nodes[1].executed == len(c.work) })
	c.cut = nil
	took := c.until(time.Second, "its return", func() bool { return c.in(2) && c.done() })
	t.Logf("back in view 2 after %v", took)
	c.run(time.Minute)
	if !c.in(2) {
		t.Errorf("its return disturbed the others\n%s", c)
	}
}

// TestPartitions: every shape, for a while, then whole again: progress within the
// timeout that was reached. [H1, H7, H11]
func TestPartitions(t *testing.T) {
	shapes := map[string]func(from, to messages.Index) bool{
		"halves":          func(from, to messages.Index) bool { return from/2 != to/2 },
		"star":            func(from, to messages.Index) bool { return from != 2 && to != 2 },
		"leader isolated": func(from, to messages.Index) bool { return from == 0 || to == 0 },
		"leader deaf":     func(from, to messages.Index) bool { return to == 0 },
		"leader mute":     func(from, to messages.Index) bool { return from == 0 },
		"ring":            func(from, to messages.Index) bool { return (from+2)%4 == to },
		"non-transitive":  func(from, to messages.Index) bool { return from == 1 && to == 2 || from == 2 && to == 1 },
		"all alone":       func(from, to messages.Index) bool { return true },
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 4)
			c.load(50 * ms)
			c.run(time.Second)
			c.cut = shape
			c.run(20 * time.Second)
			c.cut = nil
			var longest time.Duration
			for _, d := range c.nodes {
				longest = max(longest, d.m.Timeout())
			}
			took := c.until(2*longest+2*time.Second, "progress", c.done)
			t.Logf("timeout %v, progress after %v, in view %d", longest, took, c.nodes[0].standing.View)
			c.run(10 * time.Second)
			view := c.nodes[0].standing.View
			c.run(time.Minute)
			if !c.in(view) || !c.done() {
				t.Errorf("no rest in view %d\n%s", view, c)
			}
		})
	}
}

// TestL2_LongOutage: no leader gets anything done for minutes, and the timeouts
// climb to their cap; then more than f members are down for minutes more. When they
// are back and work is done, there is progress soon, and every timeout is at its
// base again. [L1, L2]
func TestL2_LongOutage(t *testing.T) {
	const highest = 30 * time.Second
	c := newCluster(t, 7)
	c.load(time.Second)
	for _, d := range c.nodes {
		d.idle = true
	}
	c.run(5 * time.Minute)
	for _, d := range c.nodes {
		if d.m.Timeout() != highest {
			t.Errorf("member %d waits %v, want the cap", d.self, d.m.Timeout())
		}
		d.idle = false
	}
	c.crash(0, 1, 2, 3)
	c.run(5 * time.Minute)
	for i := range messages.Index(4) {
		c.restart(i)
	}
	took := c.until(2*highest, "progress", c.done)
	t.Logf("progress after %v, in view %d", took, c.nodes[6].standing.View)
	c.run(time.Minute)
	for _, d := range c.nodes {
		if d.m.Timeout() != timeout {
			t.Errorf("member %d still waits %v", d.self, d.m.Timeout())
		}
	}
}

// TestLossAndChaos: members crash and restart at most f at a time, and a third of
// all messages are lost; when that ends, everything is executed. [H1, H8, H9, H11]
func TestLossAndChaos(t *testing.T) {
	for seed := range uint64(30 / raceShare) {
		rng := rand.New(rand.NewPCG(seed, 3))
		n := []int{4, 5, 6, 7}[seed%4]
		c := newCluster(t, n)
		c.load(100 * ms)
		c.lose = func(messages.Index, messages.Index, any) bool { return rng.IntN(3) == 0 }
		for range 10 {
			down := messages.Index(rng.IntN(n))
			c.crash(down)
			c.run(time.Duration(rng.IntN(4000)) * ms)
			c.restart(down)
			c.run(time.Duration(rng.IntN(4000)) * ms)
		}
		c.lose = nil
		var longest time.Duration
		for _, d := range c.nodes {
			longest = max(longest, d.m.Timeout())
		}
		c.until(2*longest+5*time.Second, fmt.Sprintf("seed %d: progress", seed), c.done)
		c.run(5 * time.Second)
		view := c.nodes[0].standing.View
		c.run(20 * time.Second)
		if !c.in(view) || !c.done() {
			t.Fatalf("seed %d: no rest in view %d\n%s", seed, view, c)
		}
	}
}
