package cluster

import (
	"sync"
	"testing"
	"testing/synctest"
)

func TestCreditBlocksAtTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &credit{max: 10}
		c.take(9)
		if !c.wait(nil) {
			t.Fatal("below the bound one may go on")
		}
		c.take(5) // one batch may exceed it
		var passed sync.WaitGroup
		through := make(chan bool, 2)
		for range 2 {
			passed.Go(func() { through <- c.wait(nil) })
		}
		synctest.Wait()
		c.give(4)
		synctest.Wait()
		if len(through) != 0 {
			t.Fatal("passed with all of the bound in use")
		}
		c.give(1)
		passed.Wait()
		for range 2 {
			if !<-through {
				t.Error("wait reports false with room")
			}
		}
	})
}

func TestCreditLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &credit{max: 1}
		c.take(1)
		done := make(chan struct{})
		results := make(chan bool, 1)
		go func() { results <- c.wait(done) }()
		synctest.Wait()
		close(done)
		if <-results {
			t.Error("a stream that ended goes on reading")
		}
		go func() { results <- c.wait(nil) }()
		synctest.Wait()
		c.close()
		if !<-results || !c.wait(nil) {
			t.Error("a closed credit still blocks")
		}
	})
}

// Release gives back exactly what the gate took, once.
func TestReleaseGivesBackOnce(t *testing.T) {
	cfg := members(t, 2)
	victim := start(t, cfg[0])
	h := infiltrate(t, cfg[1], 0, true)
	b := legal([]byte("first"))
	b.Envelopes = append(b.Envelopes, legal([]byte("the second")).Envelopes...)
	b.Envelopes = append(b.Envelopes, legal(nil).Envelopes...) // a knock costs nothing
	h.send(batchOf(b))
	r := victim.Transport.(*Remote)
	used := func() int {
		c := &r.mailboxes[1].credit
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.used
	}
	victim.wait("two frames", func() bool { return len(victim.in) == 2 })
	if n := used(); n != len("first")+len("the second")+2*frameOverhead {
		t.Errorf("two frames are charged %d", n)
	}
	for _, in := range victim.in {
		in.Release()
		in.Release()
	}
	if n := used(); n != 0 {
		t.Errorf("after release %d remain charged", n)
	}
}
