package testkit

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// timelineMax bounds how much of a run is told when its test fails.
const timelineMax = 300

// timeline is what was done to a cluster and what came of it, in order.
type timeline struct {
	begin   time.Time
	mu      sync.Mutex
	lines   []string
	hooks   []func(int, messages.Event)
	hooking sync.Mutex // held while one of them is called
	readers sync.WaitGroup
}

func newTimeline() *timeline { return &timeline{begin: time.Now()} }

// OnEvent has f called with every event of every replica from now on, until the
// test ends. Events are values of the types that messages.Event lists:
//
//	c.OnEvent(func(i int, e messages.Event) {
//		if v, ok := e.(messages.ViewChanged); ok {
//			t.Logf("replica %d is in view %d", i, v.View)
//		}
//	})
//
// f is called on goroutines of the cluster, never on the test's, but by one at a time;
// what it shares with the test needs a lock. Events of one replica come in
// their order. f may set faults (PanicOn, Drop, Byzantine and the like) and fail the
// test with t.Error; it must not wait for the cluster, start or stop replicas, or
// call t.Fatal.
func (c *Cluster) OnEvent(f func(replica int, e messages.Event)) {
	c.timeline.mu.Lock()
	defer c.timeline.mu.Unlock()
	c.timeline.hooks = append(c.timeline.hooks, f)
}

func (l *timeline) tell(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == timelineMax {
		l.lines = append(l.lines[:0], l.lines[1:]...)
	}
	l.lines = append(l.lines, fmt.Sprintf("%9.3fs  %s", time.Since(l.begin).Seconds(), text))
}

// follow takes a replica's events until it stops.
func (l *timeline) follow(i int, r *replica.Replica) {
	events := r.Subscribe(1 << 12)
	l.readers.Go(func() {
		for e := range events.C {
			l.tell("replica %d: %s", i, describe(e))
			l.callHooks(i, e)
		}
	})
}

// callHooks leaves the timeline unlocked: what a hook does is told, too.
func (l *timeline) callHooks(i int, e messages.Event) {
	l.hooking.Lock()
	defer l.hooking.Unlock()
	l.mu.Lock()
	hooks := slices.Clone(l.hooks)
	l.mu.Unlock()
	for _, hook := range hooks {
		hook(i, e)
	}
}

func (l *timeline) wait() { l.readers.Wait() }

// tellFailure writes the timeline into the log of a test that failed.
func (l *timeline) tellFailure(t testing.TB) {
	if !t.Failed() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		t.Log(line)
	}
}

func describe(e messages.Event) string {
	switch e := e.(type) {
	case messages.Finalized:
		return fmt.Sprintf("sequence %d is final, batch %v", e.Seq, e.Digest)
	case messages.Checkpointed:
		return fmt.Sprintf("checkpoint %d is stable", e.Seq)
	case messages.StateInstalled:
		return fmt.Sprintf("the state of sequence %d is taken over", e.Seq)
	case messages.ViewChanged:
		return fmt.Sprintf("view %d, led by %d", e.View, e.Leader)
	case messages.LeaderSuspected:
		if e.Reason == "" {
			return fmt.Sprintf("the leader of view %d is suspected no more", e.View)
		}
		return fmt.Sprintf("the leader of view %d is suspected: %s", e.View, e.Reason)
	case messages.ViolationDetected:
		return fmt.Sprintf("member %d is charged with %s", e.Member, e.Type)
	case messages.MemberBanned:
		return fmt.Sprintf("member %d is banned", e.Member)
	case messages.BanEnded:
		return fmt.Sprintf("member %d is banned no more", e.Member)
	case messages.EvidenceFound:
		return fmt.Sprintf("evidence: %s", e.Evidence.FileName())
	case messages.KeyUsedElsewhere:
		return fmt.Sprintf("its own key signed elsewhere: %v", e.Votes)
	case messages.InvalidNewViewFound:
		return fmt.Sprintf("evidence: %s: %s", e.Proof.FileName(), e.Reason)
	}
	return ""
}
