package workload

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestQuantilesAreExact compares with the sorted list of all durations.
func TestQuantilesAreExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	shares := []float64{0, 0.001, 0.5, 0.9, 0.99, 0.999, 0.9999, 1}
	for _, n := range []int{1, 2, 3, 10, 100, 999, 1000, 1001, 20_000} {
		var l Latencies
		var all []time.Duration
		for len(all) < n {
			d := time.Duration(math.Exp(random.Float64()*20)) * time.Microsecond
			same := min(1+random.IntN(4), n-len(all))
			l.Record(d, same)
			for range same {
				all = append(all, d)
			}
		}
		slices.Sort(all)
		for i, got := range l.Quantiles(shares...) {
			rank := max(int(math.Ceil(shares[i]*float64(n))), 1)
			if want := all[rank-1]; got != want {
				t.Errorf("of %d durations the %v-quantile is %v, want the %d-th smallest, %v", n, shares[i], got, rank, want)
			}
		}
		if l.max != all[n-1] || l.total != n {
			t.Errorf("%d durations up to %v were counted as %d up to %v", n, all[n-1], l.total, l.max)
		}
	}
	var none Latencies
	if got := none.Quantiles(0.5, 1); got[0] != 0 || got[1] != 0 {
		t.Errorf("quantiles of nothing are %v", got)
	}
}

// TestWindow: only what falls due in the window has a latency that counts, also
// if it is final later; only what is final in it counts as throughput.
func TestWindow(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }
	r := newRecorder(0)
	record := func(due, done int, sequences ...uint64) {
		r.group(func(int) time.Time { return at(due) }, at(done), sequences)
	}
	record(0, 9, 1, 1)      // before the window
	r.begin(at(10))         //
	record(8, 11, 2, 2, 2)  // due before it
	record(12, 15, 3)       // in it
	record(13, 16, 3, 4)    // in it, over two batches
	r.end(at(20))           //
	record(14, 90, 5, 5)    // due in it, final after it
	record(21, 22, 6, 6, 6) // after it
	if r.vertices != 6 || r.total != 13 {
		t.Errorf("%d vertices in the window and %d in all, want 6 and 13", r.vertices, r.total)
	}
	if r.latencies.total != 5 || r.latencies.max != 76*time.Millisecond {
		t.Errorf("%d latencies up to %v, want 5 up to 76 ms", r.latencies.total, r.latencies.max)
	}
	if got, want := r.sizes(), (Sizes{Mean: 2, P50: 2, Max: 3}); got != want {
		t.Errorf("batches of %+v, want %+v", got, want)
	}
}

// TestWindowOfVertices ends with the vertex that fills it.
func TestWindowOfVertices(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }
	r := newRecorder(3)
	due := func(int) time.Time { return at(1) }
	r.begin(at(0))
	r.group(due, at(5), []uint64{1, 1})
	select {
	case <-r.full:
		t.Fatal("two vertices of three fill the window")
	default:
	}
	r.group(due, at(7), []uint64{1, 1})
	<-r.full
	r.group(due, at(8), []uint64{1})
	r.end(at(9))
	if r.vertices != 4 || !r.to.Equal(at(7)) {
		t.Errorf("%d vertices until %v, want the 4 of whole groups until 7 ms", r.vertices, r.to.Sub(at(0)))
	}
}
