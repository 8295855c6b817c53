package testkit

import (
	"context"
	"errors"
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
	for deadline := time.Now().Add(c.o.patience); r.Status().StableCheckpoint < seq; c.AwaitHeartbeat(i) {
		if time.Now().After(deadline) {
			c.t.Fatalf("replica %d is at sequence %d, stable checkpoint %d, and %d is not stable after %v",
				i, r.CurrentSequence(), r.Status().StableCheckpoint, seq, c.o.patience)
		}
	}
}

// AwaitEvent waits for an event of replica i, of the types that messages.Event lists,
// that is accepts; a nil is accepts any. Events that were before the call do not
// come again, so already says whether what is awaited is past; the replica's
// events are followed before it is asked, and none is missed. A nil already says that
// nothing is past yet: only what happens during the call counts.
//
//	c.Kill(0) // who leads view 0
//	c.AwaitEvent(1, func(e messages.Event) bool {
//		v, ok := e.(messages.ViewChanged)
//		return ok && v.View >= 1
//	}, func() bool { return c.Replica(1).CurrentView() >= 1 })
func (c *Cluster) AwaitEvent(i int, is func(messages.Event) bool, already func() bool) {
	c.t.Helper()
	r := c.running(i)
	events := r.Subscribe(1 << 12)
	defer events.Close()
	ctx, cancel := context.WithTimeout(c.t.Context(), c.o.patience)
	defer cancel()
	if already != nil && already() {
		return
	}
	for {
		select {
		case e, open := <-events.C:
			if !open {
				c.t.Fatalf("replica %d stopped: %v", i, r.Err())
			}
			if is == nil || is(e) {
				return
			}
		case <-ctx.Done():
			c.t.Fatalf("replica %d is at sequence %d, stable checkpoint %d, and what was awaited did not happen within %v",
				i, r.CurrentSequence(), r.Status().StableCheckpoint, c.o.patience)
		}
	}
}

// AwaitTrue waits until holds gives true, for what no event tells. It is asked at
// once and then with every heartbeat, on the test's goroutine; what says what is
// awaited, for the case that it does not come:
//
//	c.AwaitTrue("replica 2 is ready", func() bool {
//		ready, _ := c.Replica(2).Ready()
//		return ready
//	})
func (c *Cluster) AwaitTrue(what string, holds func() bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), c.o.patience)
	defer cancel()
	beat := time.NewTicker(replica.DefaultConfig().Heartbeat)
	defer beat.Stop()
	for !holds() {
		select {
		case <-beat.C:
		case <-ctx.Done():
			c.t.Fatalf("after %v it is still not so: %s", c.o.patience, what)
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

// AwaitHalted waits until a replica has halted: it executes and votes no more, for it
// would contradict itself or the others, but runs, answers and serves what it has.
// Status().Halted says why. What leads there is a disk or a key that is not what it
// was: an old copy of its disk (SetDisk), its key in use elsewhere too, or a state
// that differs from a quorum's, of an application that is not deterministic; or more
// than f members are convicted of lies, so that nothing is promised any more. A Restart
// on the same disk mostly ends in the same; with a disk that is right (Kill, SetDisk,
// Start) it goes on. A replica that a fault of this package ends does not halt: see
// AwaitEnd.
func (c *Cluster) AwaitHalted(i int) {
	c.t.Helper()
	r := c.running(i)
	ctx, cancel := context.WithTimeout(c.t.Context(), c.o.patience)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for r.Status().Halted == "" {
		select {
		case <-poll.C:
		case <-ctx.Done():
			c.t.Fatalf("replica %d goes on voting after %v", i, c.o.patience)
		}
	}
}

// AwaitEnd waits until a replica has ended by itself, discards it as Kill does, and
// gives the error that ended it. What leads there is a fault that a replica does not
// survive in place: a failing disk (DiskFault), a panic of the journal, more than
// five panics of another of its own actors in ten seconds (PanicOn), an application
// that panics at the same batch twice. Its data are as they were, and Start lets it
// live again. For one that stops voting and goes on otherwise see AwaitHalted.
func (c *Cluster) AwaitEnd(i int) error {
	c.t.Helper()
	r := c.running(i)
	c.await(r.Done(), "replica %d goes on after %v", i, c.o.patience)
	err := r.Err()
	if err := c.stop(i); errors.Is(err, context.DeadlineExceeded) { // else it fails for the same reason
		c.t.Errorf("replica %d ended, and does not stop: %v", i, err)
	}
	return err
}

// await waits for a channel to be closed, within patience.
func (c *Cluster) await(done <-chan struct{}, format string, args ...any) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), c.o.patience)
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
