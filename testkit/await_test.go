package testkit

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cretoai/consensus/messages"
)

// viewed accepts that a later view than the first has begun.
func viewed(e messages.Event) bool {
	v, ok := e.(messages.ViewChanged)
	return ok && v.View > 0
}

func TestAwaitEventTakesNilForAnyEventAndNothingPast(t *testing.T) {
	c := NewCluster(t, 4)
	c.Kill(0)
	c.AwaitEvent(1, nil, nil) // that it suspects the leader
	c.AwaitEvent(1, viewed, func() bool { return c.Replica(1).CurrentView() > 0 })
	c.AwaitEvent(2, viewed, func() bool { return c.Replica(2).CurrentView() > 0 })
}

func TestAwaitTrueAsksUntilItIsSo(t *testing.T) {
	c := NewCluster(t, 4)
	asked := 0
	c.AwaitTrue("it was asked three times", func() bool {
		asked++
		return asked == 3
	})
	if asked != 3 {
		t.Errorf("it was asked %d times", asked)
	}
}

// What is called for an event may set faults, which the timeline tells of, and take
// others to be called.
func TestWhoIsToldOfEventsMaySetFaults(t *testing.T) {
	c := NewCluster(t, 4)
	var told, first atomic.Int64
	c.OnEvent(func(i int, e messages.Event) {
		if f, ok := e.(messages.Finalized); ok && i == 2 && first.CompareAndSwap(0, int64(f.Seq)) {
			c.PanicOn(2, "executor", 1, nil)
			c.Drop(2, 3, 10)
			c.OnEvent(func(int, messages.Event) { told.Add(1) })
		}
	})
	c.AwaitEqual(c.Propose(0, "for the first to be told of"))
	c.AwaitTrue("the first was told", func() bool { return first.Load() > 0 })
	c.AwaitEqual(c.Propose(1, "for the second"))
	c.AwaitTrue("the second was told", func() bool { return told.Load() > 0 })
	r := &recorder{TB: t, failed: true}
	c.timeline.tellFailure(r)
	if story := strings.Join(r.log, "\n"); !strings.Contains(story, "actors executor of replica 2 are to panic") {
		t.Errorf("the fault is missing in:\n%s", story)
	}
}
