package testkit

import (
	"context"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// Await waits until a replica executed seq and says where it is.
func (c *Cluster) Await(i int, seq messages.Seq) messages.Seq {
	c.t.Helper()
	r := c.running(i)
	c.AwaitEvent(i, func(e messages.Event) bool {
		if f, ok := e.(messages.Finalized); ok {
			return f.Seq >= seq
		}
		t, ok := e.(messages.StateInstalled)
		return ok && t.Seq >= seq
	}, func() bool { return r.CurrentSequence() >= seq })
	return r.CurrentSequence()
}

// AwaitStable waits until a replica's checkpoint at seq is stable. Its word on
// that comes a moment after the event, which may be past by then.
func (c *Cluster) AwaitStable(i int, seq messages.Seq) {
	c.t.Helper()
	r := c.running(i)
	for deadline := time.Now().Add(patience); r.Status().StableCheckpoint < seq; c.AwaitHeartbeat(i) {
		if time.Now().After(deadline) {
			c.t.Fatalf("replica %d is at sequence %d, stable checkpoint %d, and %d is not stable",
				i, r.CurrentSequence(), r.Status().StableCheckpoint, seq)
		}
	}
}

// AwaitEvent waits for an event of a replica, unless already says that it is
// past. Events are followed before already is asked, so none is missed.
func (c *Cluster) AwaitEvent(i int, is func(messages.Event) bool, already func() bool) {
	c.t.Helper()
	r := c.running(i)
	events := r.Subscribe(1 << 12)
	defer events.Close()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	if already() {
		return
	}
	for {
		select {
		case e, open := <-events.C:
			if !open {
				c.t.Fatalf("replica %d stopped: %v", i, r.Err())
			}
			if is(e) {
				return
			}
		case <-ctx.Done():
			c.t.Fatalf("replica %d is at sequence %d, stable checkpoint %d, and what was awaited did not happen",
				i, r.CurrentSequence(), r.Status().StableCheckpoint)
		}
	}
}

// AwaitHeartbeat lets about a heartbeat of a replica pass.
func (c *Cluster) AwaitHeartbeat(i int) {
	c.t.Helper()
	r := c.running(i)
	beat := time.NewTimer(replica.DefaultConfig().Heartbeat)
	defer beat.Stop()
	select {
	case <-beat.C:
	case <-r.Done():
		c.t.Fatalf("replica %d stopped: %v", i, r.Err())
	}
}

// AwaitHalted waits until a replica has stopped executing and voting.
func (c *Cluster) AwaitHalted(i int) {
	c.t.Helper()
	r := c.running(i)
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for r.Status().Halted == "" {
		select {
		case <-poll.C:
		case <-ctx.Done():
			c.t.Fatalf("replica %d goes on voting", i)
		}
	}
}

// AwaitEnd waits until a replica has failed, discards it, and gives the error
// that ended it.
func (c *Cluster) AwaitEnd(i int) error {
	c.t.Helper()
	r := c.running(i)
	c.await(r.Done(), "replica %d goes on", i)
	err := r.Err()
	_ = c.stop(i) // fails for the same reason
	return err
}

// await waits for a channel to be closed, within patience.
func (c *Cluster) await(done <-chan struct{}, format string, args ...any) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	select {
	case <-done:
	case <-ctx.Done():
		c.t.Fatalf(format, args...)
	}
}

// AwaitEqual waits until all running replicas executed the same sequence, seq
// or a later one, and compares their ledgers there.
func (c *Cluster) AwaitEqual(seq messages.Seq) {
	c.t.Helper()
	for i := 0; i < len(c.replicas); i++ {
		if c.replicas[i] == nil {
			continue
		}
		if got := c.Await(i, seq); got > seq {
			seq, i = got, -1 // someone went on: all must
		}
	}
	var heads []messages.Digest
	for i, r := range c.replicas {
		if r == nil {
			continue
		}
		s := r.Status()
		if s.Sequence != seq {
			c.t.Fatalf("replica %d went on to sequence %d while compared at %d", i, s.Sequence, seq)
		}
		heads = append(heads, s.LedgerHead)
	}
	for _, h := range heads {
		if h != heads[0] {
			c.t.Fatalf("ledger heads at sequence %d differ: %v", seq, heads)
		}
	}
}
