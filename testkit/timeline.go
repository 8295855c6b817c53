package testkit

import (
	"fmt"
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
	readers sync.WaitGroup
}

func newTimeline() *timeline { return &timeline{begin: time.Now()} }

// OnEvent has f called with every event of every replica from now on, one at a
// time. It must not wait for the cluster.
func (c *Cluster) OnEvent(f func(replica int, e messages.Event)) {
	c.timeline.mu.Lock()
	defer c.timeline.mu.Unlock()
	c.timeline.hooks = append(c.timeline.hooks, f)
}

func (l *timeline) tell(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tellLocked(fmt.Sprintf(format, args...))
}

func (l *timeline) tellLocked(text string) {
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
			l.mu.Lock()
			l.tellLocked(fmt.Sprintf("replica %d: %s", i, describe(e)))
			for _, hook := range l.hooks {
				hook(i, e)
			}
			l.mu.Unlock()
		}
	})
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
	case messages.InvalidNewViewFound:
		return fmt.Sprintf("evidence: %s: %s", e.Proof.FileName(), e.Reason)
	}
	return ""
}
