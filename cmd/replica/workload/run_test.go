package workload

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeTarget finalises after a time of its own, and stands still for a while.
type fakeTarget struct {
	doors, leader int
	takes         time.Duration
	stallAt       time.Time // between here
	stallUntil    time.Time // and here nothing is finalised
	fail          error

	mu          sync.Mutex
	submitted   map[int]int // payloads by door
	groups      int
	outstanding int
	most        int // outstanding
	sequence    uint64
}

func (f *fakeTarget) Doors() int  { return f.doors }
func (f *fakeTarget) Leader() int { return f.leader }

func (f *fakeTarget) Submit(ctx context.Context, door int, payloads [][]byte) ([]uint64, error) {
	f.mu.Lock()
	if f.submitted == nil {
		f.submitted = make(map[int]int)
	}
	f.submitted[door] += len(payloads)
	f.groups++
	f.outstanding += len(payloads)
	f.most = max(f.most, f.outstanding)
	f.sequence++
	sequence := f.sequence
	f.mu.Unlock()
	wait := f.takes
	if end := time.Now().Add(wait); end.After(f.stallAt) && end.Before(f.stallUntil) {
		wait = time.Until(f.stallUntil)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.outstanding -= len(payloads)
	list := make([]uint64, len(payloads))
	for i := range list {
		list[i] = sequence
	}
	return list, f.fail
}

func (f *fakeTarget) Count() (Counters, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Counters{Sequences: float64(f.sequence), Messages: 10 * float64(f.sequence)}, nil
}

func near(got, want, tolerance float64) bool { return got >= want-tolerance && got <= want+tolerance }

// An open loop beyond what the target carries says so, before what waits has taken all
// the memory there is.
func TestOpenLoopGivesUpOnAnOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		f := &fakeTarget{doors: 4, stallAt: begin.Add(2 * time.Second), stallUntil: begin.Add(time.Hour)}
		_, err := Run(t.Context(), f, Options{Rate: 1000, Payload: 1, Duration: time.Minute, Patience: 5 * time.Second})
		if err == nil || !strings.Contains(err.Error(), "1000/s are more than the cluster carries") {
			t.Errorf("the error is %v", err)
		}
		if f.most > 5001 || time.Since(begin) > 8*time.Second {
			t.Errorf("up to %d waited, for %v", f.most, time.Since(begin))
		}
	})
}

// TestOpenLoopOmitsNothing has the target stand still for one second of ten, at
// 1000 vertices a second. Those that fell due meanwhile wait for what is left of
// that second, so a tenth of all wait for up to one second, evenly spread. A
// loop that stops submitting while nothing is answered, or that counts from when it
// got to submit, sees a handful of slow ones.
func TestOpenLoopOmitsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		f := &fakeTarget{doors: 4, takes: time.Millisecond, stallAt: begin.Add(4 * time.Second), stallUntil: begin.Add(5 * time.Second)}
		got, err := Run(t.Context(), f, Options{Rate: 1000, Payload: 1, Duration: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if !near(float64(got.Vertices), 10_000, 5) || !near(got.VerticesPerSecond, 1000, 1) {
			t.Errorf("%d vertices at %v/s, want 10000 at the rate asked for", got.Vertices, got.VerticesPerSecond)
		}
		l := got.Finality
		if !near(l.P50, 1, 1) || !near(l.P90, 1, 10) || !near(l.P99, 900, 10) || !near(l.P999, 990, 10) || !near(l.Max, 1000, 2) {
			t.Errorf("finality %+v: of the tenth that waited, the 0.9 quantile is 900 ms and the longest 1000 ms", l)
		}
		if !near(l.Mean, 1+0.1*500, 2) {
			t.Errorf("the mean is %v ms, want 51", l.Mean)
		}
	})
}

// TestOpenLoopWaitsForTheLast: a target that stands still from the middle of the
// window until after its end is not measured by what it answered before.
func TestOpenLoopWaitsForTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		f := &fakeTarget{doors: 1, takes: time.Millisecond, stallAt: begin.Add(5 * time.Second), stallUntil: begin.Add(15 * time.Second)}
		got, err := Run(t.Context(), f, Options{Rate: 100, Payload: 1, Duration: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if !near(float64(got.Vertices), 500, 2) {
			t.Errorf("%d vertices count for the window, want the 500 that were final in it", got.Vertices)
		}
		if l := got.Finality; !near(l.P90, 9000, 30) || !near(l.Max, 10_000, 10) {
			t.Errorf("finality %+v, want those that fell due before the end of the window to count: 9 s and 10 s", l)
		}
	})
}

// TestOpenLoopAtHighRates submits together what falls due within a pause, each
// vertex timed from its own moment.
func TestOpenLoopAtHighRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeTarget{doors: 2, takes: 2 * time.Millisecond}
		got, err := Run(t.Context(), f, Options{Rate: 100_000, Payload: 1, Duration: time.Second, Warmup: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if !near(got.VerticesPerSecond, 100_000, 200) {
			t.Errorf("%v vertices/s", got.VerticesPerSecond)
		}
		if l := got.Finality; !near(l.P50, 2.25, 0.02) || !near(l.Max, 2.5, 0.02) {
			t.Errorf("finality %+v, want 2 ms and up to the pause of half a millisecond", l)
		}
		if f.submitted[0] == 0 || !near(float64(f.submitted[0])/float64(f.submitted[1]), 1, 0.1) {
			t.Errorf("submitted by door: %v", f.submitted)
		}
	})
}

func TestClosedLoopKeepsOutstanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, outstanding := range []int{1, 3, 64, 1500, 8000} {
			f := &fakeTarget{doors: 4, takes: 10 * time.Millisecond}
			got, err := Run(t.Context(), f, Options{Outstanding: outstanding, Payload: 8, Duration: time.Second, Warmup: 100 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if f.most != outstanding {
				t.Errorf("%d outstanding, want %d", f.most, outstanding)
			}
			if want := float64(outstanding * 100); !near(got.VerticesPerSecond, want, want/50) {
				t.Errorf("%v vertices/s with %d outstanding for 10 ms each, want %v", got.VerticesPerSecond, outstanding, want)
			}
			if got.Finality.P50 != 10 || got.Finality.Max != 10 {
				t.Errorf("finality %+v, want 10 ms", got.Finality)
			}
			for door := range 4 {
				if share := float64(f.submitted[door]) / float64(f.submitted[0]); !near(share, 1, 0.1) {
					t.Errorf("%d outstanding: submitted by door %v", outstanding, f.submitted)
				}
			}
			if !near(got.MessagesPerSequence, 10, 1e-9) {
				t.Errorf("%v messages a sequence, want 10", got.MessagesPerSequence)
			}
		}
	})
}

func TestLeaderOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeTarget{doors: 4, leader: 2, takes: time.Millisecond}
		o := Options{Outstanding: 100, Payload: 8, Vertices: 1000, LeaderOnly: true}
		if _, err := Run(t.Context(), f, o); err != nil {
			t.Fatal(err)
		}
		if len(f.submitted) != 1 || f.submitted[2] < 1000 {
			t.Errorf("submitted by door: %v, want all at door 2", f.submitted)
		}
		f.leader = -1
		if _, err := Run(t.Context(), f, o); err == nil {
			t.Error("a leader that nobody knows was submitted to")
		}
	})
}

func TestRunFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		for _, o := range []Options{{Outstanding: 10, Payload: 1, Duration: time.Hour}, {Rate: 10, Payload: 1, Duration: time.Hour}} {
			f := &fakeTarget{doors: 1, takes: time.Second, fail: broken}
			if _, err := Run(t.Context(), f, o); !errors.Is(err, broken) {
				t.Errorf("the target is broken, and the error is %v", err)
			}
		}
		// One that never answers is an error, too.
		f := &fakeTarget{doors: 1, takes: 1000 * time.Hour}
		begin := time.Now()
		_, err := Run(t.Context(), f, Options{Outstanding: 10, Payload: 1, Duration: time.Minute, Patience: time.Minute})
		if err == nil || time.Since(begin) != 2*time.Minute {
			t.Errorf("a target that never answers gives %v after %v", err, time.Since(begin))
		}
	})
}

func TestPeak(t *testing.T) {
	if got := sizeOf("VmPeak:\t  900 kB\nVmHWM:\t    12 kB\nVmRSS:\t 3 kB\n", "VmHWM:"); got != 12<<10 {
		t.Errorf("a peak of %d bytes, want 12 kB", got)
	}
	if got := sizeOf("VmHWM: much\n", "VmHWM:"); got != 0 {
		t.Errorf("a peak of %d bytes out of nothing", got)
	}
}

// limitedTarget has so many payloads to submit and no more.
type limitedTarget struct {
	fakeTarget
	left int
}

func (l *limitedTarget) Submit(ctx context.Context, door int, payloads [][]byte) ([]uint64, error) {
	l.mu.Lock()
	l.left -= len(payloads)
	out := l.left < 0
	l.mu.Unlock()
	if out {
		return nil, ErrExhausted
	}
	return l.fakeTarget.Submit(ctx, door, payloads)
}

// TestExhausted: the window ends when nothing is left, and what was measured until then
// counts; nothing left in the warm-up is an error.
func TestExhausted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, o := range []Options{{Outstanding: 10, Group: 1}, {Rate: 1000}} {
			o.Payload, o.Warmup, o.Duration = 1, time.Second, time.Hour
			l := &limitedTarget{fakeTarget{doors: 1, takes: 10 * time.Millisecond}, 5000}
			got, err := Run(t.Context(), l, o)
			if err != nil {
				t.Fatal(err)
			}
			if !near(got.VerticesPerSecond, 1000, 15) || !near(got.Seconds, 4, 0.05) {
				t.Errorf("%v/s for %v s, want 1000/s for the 4 s there was something", got.VerticesPerSecond, got.Seconds)
			}
			l.left = 500
			if _, err := Run(t.Context(), l, o); !errors.Is(err, ErrExhausted) {
				t.Errorf("used up in the warm-up: %v", err)
			}
		}
	})
}
