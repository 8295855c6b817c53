package runtime_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
)

var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// trace records what fired, and when on the clock.
type trace struct {
	clock *runtime.Virtual
	lines []string
}

func newTrace() *trace { return &trace{clock: runtime.NewVirtual(epoch)} }

func (t *trace) fire(name string) func() {
	return func() { t.lines = append(t.lines, fmt.Sprintf("%s@%v", name, t.clock.Now().Sub(epoch))) }
}

func (t *trace) expect(tt *testing.T, want ...string) {
	tt.Helper()
	if !slices.Equal(t.lines, want) {
		tt.Fatalf("fired %q, want %q", t.lines, want)
	}
}

func TestTimersFireInOrderOfTimeThenCreation(t *testing.T) {
	tr := newTrace()
	tr.clock.AfterFunc(20*time.Millisecond, tr.fire("c"))
	tr.clock.AfterFunc(10*time.Millisecond, tr.fire("a"))
	tr.clock.AfterFunc(10*time.Millisecond, tr.fire("b"))
	tr.clock.AfterFunc(-time.Second, tr.fire("past"))
	tr.expect(t) // nothing fires inside AfterFunc

	tr.clock.Advance(15 * time.Millisecond)
	tr.expect(t, "past@0s", "a@10ms", "b@10ms")
	if got := tr.clock.Now().Sub(epoch); got != 15*time.Millisecond {
		t.Fatalf("the clock shows %v after an advance of 15ms", got)
	}
	tr.clock.Advance(5 * time.Millisecond) // due exactly now
	tr.expect(t, "past@0s", "a@10ms", "b@10ms", "c@20ms")
}

func TestAdvanceFiresTimersMadeOnTheWay(t *testing.T) {
	tr := newTrace()
	var tick func()
	tick = func() {
		tr.fire("tick")()
		tr.clock.AfterFunc(3*time.Millisecond, tick)
	}
	tr.clock.AfterFunc(3*time.Millisecond, tick)
	tr.clock.AfterFunc(9*time.Millisecond, tr.fire("older")) // before the tick made at 6ms for 9ms
	tr.clock.Advance(10 * time.Millisecond)
	tr.expect(t, "tick@3ms", "tick@6ms", "older@9ms", "tick@9ms")
	if n := tr.clock.Pending(); n != 1 {
		t.Fatalf("%d timers are pending, want the tick at 12ms alone", n)
	}
}

func TestStepFiresOneTimer(t *testing.T) {
	tr := newTrace()
	if tr.clock.Step() {
		t.Fatal("a step without timers reports one")
	}
	if _, ok := tr.clock.Next(); ok {
		t.Fatal("a clock without timers has a next one")
	}
	tr.clock.AfterFunc(time.Hour, tr.fire("late"))
	tr.clock.AfterFunc(time.Minute, tr.fire("soon"))
	if at, ok := tr.clock.Next(); !ok || !at.Equal(epoch.Add(time.Minute)) {
		t.Fatalf("next is %v %v, want in a minute", at, ok)
	}
	if !tr.clock.Step() {
		t.Fatal("a step with timers reports none")
	}
	tr.expect(t, "soon@1m0s")
}

func TestStopCancelsOnceAndOnlyItsTimer(t *testing.T) {
	tr := newTrace()
	first := tr.clock.AfterFunc(time.Second, tr.fire("first"))
	second := tr.clock.AfterFunc(time.Second, tr.fire("second"))
	third := tr.clock.AfterFunc(time.Second, tr.fire("third"))
	if !second.Stop() {
		t.Error("Stop of a pending timer reports false")
	}
	if second.Stop() {
		t.Error("the second Stop reports true")
	}
	// A timer may stop another that is due at the same moment.
	tr.clock.AfterFunc(time.Millisecond, func() { third.Stop() })
	tr.clock.Advance(time.Second)
	tr.expect(t, "first@1s")
	if first.Stop() {
		t.Error("Stop of a fired timer reports true")
	}
}

// TestFunctionsMayUseTheClock would deadlock if functions ran under the
// clock's lock.
func TestFunctionsMayUseTheClock(t *testing.T) {
	clock := runtime.NewVirtual(epoch)
	var self runtime.Timer
	ran := false
	self = clock.AfterFunc(time.Second, func() {
		ran = true
		if self.Stop() {
			t.Error("a timer that fires reports that it was stopped")
		}
		clock.Advance(time.Minute)
	})
	clock.Advance(2 * time.Second)
	if !ran {
		t.Fatal("the timer did not fire")
	}
	// The inner advance went past the end of the outer one; time never goes back.
	if got := clock.Now().Sub(epoch); got != time.Minute+time.Second {
		t.Fatalf("the clock shows %v, want 1m1s", got)
	}
}

// TestOrderAgainstSortedList compares the heap, with cancellations, to a plain
// sorted list over random schedules.
func TestOrderAgainstSortedList(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		clock := runtime.NewVirtual(epoch)
		type entry struct {
			due, order int
			timer      runtime.Timer
		}
		var entries []entry
		var got []int
		for i := range 1 + r.IntN(40) {
			due := r.IntN(8)
			entries = append(entries, entry{due, i, clock.AfterFunc(time.Duration(due), func() { got = append(got, i) })})
		}
		entries = slices.DeleteFunc(entries, func(e entry) bool { return r.IntN(4) == 0 && e.timer.Stop() })
		slices.SortStableFunc(entries, func(a, b entry) int { return a.due - b.due })
		var want []int
		for _, e := range entries {
			want = append(want, e.order)
		}
		if r.IntN(2) == 0 {
			clock.Advance(8)
		} else {
			for clock.Step() {
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: fired %v, want %v", seed, got, want)
		}
	}
}

func TestVirtualFromManyGoroutines(t *testing.T) {
	clock := runtime.NewVirtual(epoch)
	var wg sync.WaitGroup
	var fired sync.Map
	for i := range 8 {
		wg.Go(func() {
			for j := range 100 {
				tm := clock.AfterFunc(time.Duration(j), func() { fired.Store([2]int{i, j}, true) })
				if j%2 == 0 && tm.Stop() {
					fired.Store([2]int{i, j}, true)
				}
				clock.Advance(1)
			}
		})
	}
	wg.Wait()
	clock.Advance(time.Second)
	n := 0
	fired.Range(func(_, _ any) bool { n++; return true })
	if n != 800 || clock.Pending() != 0 {
		t.Fatalf("%d of 800 timers fired or were stopped, %d pending", n, clock.Pending())
	}
}
