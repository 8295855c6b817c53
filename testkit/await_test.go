package testkit

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

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
	if story := strings.Join(r.log, "\n"); !strings.Contains(story, "actor executor of replica 2 is to panic") {
		t.Errorf("the fault is missing in:\n%s", story)
	}
}

func TestPatienceBoundsEachWait(t *testing.T) {
	c := NewCluster(t, 4, WithPatience(250*time.Millisecond))
	if deadline, ok := c.Context().Deadline(); !ok || time.Until(deadline) > 250*time.Millisecond {
		t.Errorf("what is asked of a replica ends at %v", deadline)
	}
	c.Partition([]int{0, 1}, []int{2, 3}) // and nothing is final any more
	fault := c.PanicOn(0, "nobody", 1, nil)
	for want, what := range map[string]func(){
		"after 250ms it is still not so: cows fly": func() { c.AwaitTrue("cows fly", func() bool { return false }) },
		"replica 0 goes on after 250ms":            func() { _ = c.AwaitEnd(0) },
		"replica 0 goes on voting after 250ms":     func() { c.AwaitHalted(0) },
		"did not happen within 250ms":              func() { c.AwaitEvent(0, func(messages.Event) bool { return false }, nil) },
		"8 is not stable after 250ms":              func() { c.AwaitStable(0, 8) },
		"nobody has yet to strike after 250ms":     func() { fault.Await() },
		"propose at replica 0":                     func() { c.Propose(0, "for nobody") },
		"replica 0: there is no metric cows":       func() { c.Metric(0, "cows") },
	} {
		if message, at := fails(c, what); !strings.Contains(message, want) || at != "await_test.go" {
			t.Errorf("fails with %q in %s, want %q", message, at, want)
		}
	}
}

func TestAClusterThatCannotBeIsRefused(t *testing.T) {
	for want, what := range map[string]func(testing.TB){
		"a cluster has 4 to 64 replicas, not 3":        func(f testing.TB) { NewCluster(f, 3) },
		"a cluster has 4 to 64 replicas, not 65":       func(f testing.TB) { New(f, 65) },
		"WithPatience(0s): nothing happens in no time": func(f testing.TB) { New(f, 4, WithPatience(0)) },
	} {
		if message, at := failsIn(t, what); message != want || at != "await_test.go" {
			t.Errorf("fails with %q in %s, want %q", message, at, want)
		}
	}
}

// Load goes on for longer than any one wait may take, each of which is long enough for
// a vertex to be final on a busy machine.
func TestLoadOutlastsPatience(t *testing.T) {
	c := NewCluster(t, 4, WithPatience(8*time.Second))
	stop := c.Load(0, 1)
	began := time.Now()
	c.AwaitTrue("more than patience has passed", func() bool { return time.Since(began) > 4300*time.Millisecond })
	c.AwaitTrue("more than patience has passed", func() bool { return time.Since(began) > 8300*time.Millisecond })
	stop()
	stop() // is idle
}
