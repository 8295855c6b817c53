package workload

import (
	"reflect"
	"testing"
)

func TestMedian(t *testing.T) {
	of := func(n int) *Result {
		return &Result{
			Vertices: n, Seconds: float64(10 * n), Finality: Finality{P50: float64(-n)}, Batch: Sizes{Max: 2 * n},
			Spent: Counters{Flushes: float64(n) / 2}, PeakMemoryBytes: int64(n) << 40,
		}
	}
	if got := Median([]*Result{of(30), of(10), of(20)}); !reflect.DeepEqual(got, of(20)) {
		t.Errorf("the median of three is %+v, want %+v", got, of(20))
	}
	if got := Median([]*Result{of(40), of(10), of(20), of(30)}); got.Seconds != 250 || got.Vertices != 25 {
		t.Errorf("the median of four is %+v, want the middle of 20 and 30", got)
	}
	// Every field has a median of its own.
	a, b, c := of(1), of(2), of(3)
	a.Finality.P99, b.Finality.P99, c.Finality.P99 = 5, 9, 7
	if got := Median([]*Result{a, b, c}); got.Vertices != 2 || got.Finality.P99 != 7 {
		t.Errorf("%+v, want 2 vertices and a p99 of 7 ms", got)
	}
	if got, want := SpreadOf([]float64{3, 1, 2}), (Spread{2, 1, 3}); got != want {
		t.Errorf("a spread of %+v, want %+v", got, want)
	}
}
