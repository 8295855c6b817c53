package runtime

import (
	"container/heap"
	"sync"
	"time"
)

// Virtual is a clock that stands still until it is moved. Timers fire inside
// Advance and Step, on the caller's goroutine, in order of the time they are
// due and, among equals, in the order they were created. The same calls thus
// give the same order, always.
//
// Virtual is safe for concurrent use, but a deterministic run has one driver.
type Virtual struct {
	mu      sync.Mutex
	now     time.Time
	created uint64 // timers created so far: the second key of the order
	due     timerHeap
}

var _ Clock = (*Virtual)(nil)

// NewVirtual is a clock that shows start.
func NewVirtual(start time.Time) *Virtual { return &Virtual{now: start.Round(0)} }

// Now is the time the clock was last moved to. Inside a timer's function it is
// the time that timer was due.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// AfterFunc implements Clock. A d of zero or less is due now: f runs in the
// next Advance or Step, never inside AfterFunc.
func (v *Virtual) AfterFunc(d time.Duration, f func()) Timer {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.created++
	t := &virtualTimer{clock: v, at: v.now.Add(max(d, 0)), order: v.created, f: f}
	heap.Push(&v.due, t)
	return t
}

// Advance moves the clock d ≥ 0 ahead and fires every timer that becomes due
// on the way, those created by firing timers included.
func (v *Virtual) Advance(d time.Duration) {
	end := v.Now().Add(max(d, 0))
	for {
		v.mu.Lock()
		if len(v.due) == 0 || v.due[0].at.After(end) {
			if v.now.Before(end) { // a timer's function may have advanced further
				v.now = end
			}
			v.mu.Unlock()
			return
		}
		f := v.popLocked()
		v.mu.Unlock()
		f()
	}
}

// Step moves the clock to the earliest timer and fires that one alone. It
// reports whether there was one.
func (v *Virtual) Step() bool {
	v.mu.Lock()
	if len(v.due) == 0 {
		v.mu.Unlock()
		return false
	}
	f := v.popLocked()
	v.mu.Unlock()
	f()
	return true
}

// Next is the time the earliest timer is due; ok is false when none is
// pending.
func (v *Virtual) Next() (at time.Time, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.due) == 0 {
		return time.Time{}, false
	}
	return v.due[0].at, true
}

// Pending is the number of timers that have neither fired nor been stopped.
func (v *Virtual) Pending() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.due)
}

// popLocked takes the earliest timer, moves the clock to it and gives its
// function.
func (v *Virtual) popLocked() func() {
	t := heap.Pop(&v.due).(*virtualTimer)
	if t.at.After(v.now) {
		v.now = t.at
	}
	return t.f
}

type virtualTimer struct {
	clock *Virtual
	at    time.Time
	order uint64
	f     func()
	index int // in clock.due, kept by timerHeap; −1 once fired or stopped
}

// Stop implements Timer.
func (t *virtualTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	if t.index < 0 {
		return false
	}
	heap.Remove(&t.clock.due, t.index)
	return true
}

// timerHeap orders by due time, then by creation.
type timerHeap []*virtualTimer

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	if c := h[i].at.Compare(h[j].at); c != 0 {
		return c < 0
	}
	return h[i].order < h[j].order
}

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *timerHeap) Push(x any) {
	t := x.(*virtualTimer)
	t.index = len(*h)
	*h = append(*h, t)
}

func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
