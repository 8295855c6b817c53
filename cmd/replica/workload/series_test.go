package workload

import (
	"testing"
	"testing/synctest"
	"time"
)

// The window is cut in intervals, each with what was final in it: when the target
// stands still nothing is, and afterwards what waited is, with how long it waited.
// What is left at the end is an interval, too, unless it is the smaller half.
func TestSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opens := time.Now().Add(time.Second)
		f := &fakeTarget{doors: 2, takes: time.Millisecond, stallAt: opens.Add(3 * time.Second), stallUntil: opens.Add(5500 * time.Millisecond)}
		asked := int64(0)
		got, err := Run(t.Context(), f, Options{
			Rate: 1000, Payload: 1, Warmup: time.Second, Duration: 8700 * time.Millisecond, Series: time.Second,
			Usage: func() Usage { asked++; return Usage{MemoryBytes: asked} },
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Series) != 9 {
			t.Fatalf("%d intervals of a second in 8.7 s", len(got.Series))
		}
		for i, want := range []float64{1000, 1000, 1000, 0, 0, 3000, 1000, 1000, 1000} {
			part := got.Series[i]
			if !near(part.VerticesPerSecond, want, 3) || !near(part.Seconds, min(float64(i+1), 8.7), 0.001) || part.Usage.MemoryBytes != int64(i+1) {
				t.Errorf("interval %d is %+v, want %v vertices a second", i, part, want)
			}
			if longest := map[bool]float64{true: 2500, false: 1}[i == 5]; want > 0 && !near(part.Finality.Max, longest, 2) {
				t.Errorf("the longest of interval %d took %v ms, want %v", i, part.Finality.Max, longest)
			}
		}
		if !near(got.LongestPauseMS, 2500, 2) {
			t.Errorf("the longest pause was %v ms, want 2500", got.LongestPauseMS)
		}
	})
}

// A target that finalises nothing to the end of the window paused until then.
func TestAPauseEndsWithTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		f := &fakeTarget{doors: 1, takes: time.Millisecond, stallAt: begin.Add(time.Second), stallUntil: begin.Add(15 * time.Second)}
		got, err := Run(t.Context(), f, Options{Outstanding: 1, Payload: 1, Duration: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if !near(got.LongestPauseMS, 9000, 2) || got.Series != nil {
			t.Errorf("the longest pause was %v ms, want 9000; the series is %v", got.LongestPauseMS, got.Series)
		}
	})
}

// An end that comes with a tick, before it or after it, makes no interval more or less.
func TestTheLastIntervalIsNeitherLostNorDoubled(t *testing.T) {
	for _, length := range []time.Duration{2999 * time.Millisecond, 3 * time.Second, 3001 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			f := &fakeTarget{doors: 1, takes: time.Millisecond}
			got, err := Run(t.Context(), f, Options{Rate: 1000, Payload: 1, Duration: length, Series: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Series) != 3 || !near(got.Series[2].Seconds, 3, 0.002) {
				t.Errorf("%d intervals of a second in %v: %+v", len(got.Series), length, got.Series)
			}
		})
	}
}
