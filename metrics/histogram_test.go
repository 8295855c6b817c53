package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestBucketsTile walks all buckets: each must begin where the one before
// ends, and the middle given for it must lie in it and within 1/128 of both
// its ends.
func TestBucketsTile(t *testing.T) {
	low := uint64(0)
	for b := range bucketsNumber {
		if got := bucketOf(time.Duration(low)); got != b {
			t.Fatalf("%d ns is in bucket %d, want %d", low, got, b)
		}
		high := low // the last of this bucket: found by its width
		if b >= 2*subBuckets {
			high += 1<<(b>>subBits-1) - 1
		}
		if got := bucketOf(time.Duration(high)); got != b {
			t.Fatalf("%d ns is in bucket %d, want %d", high, got, b)
		}
		middle := uint64(middleOf(b))
		if middle < low || middle > high || float64(middle-low) > float64(low)/128 || float64(high-middle) > float64(low)/128 {
			t.Fatalf("bucket %d, [%d, %d] ns, has its middle at %d", b, low, high, middle)
		}
		low = high + 1
	}
	if low != 1<<rangeBits {
		t.Fatalf("the buckets end at %d ns, want 2^%d", low, rangeBits)
	}
	if b := bucketOf(math.MaxInt64); b != bucketsNumber-1 {
		t.Errorf("the longest duration is in bucket %d, want the last", b)
	}
}

// TestQuantilesAgainstSortedList compares with the exact answer over random
// samples from nanoseconds to an hour.
func TestQuantilesAgainstSortedList(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var h Histogram
		var all []time.Duration
		octaves := 1 + r.IntN(41)
		for range 1 + r.IntN(200) {
			d, n := time.Duration(math.Exp2(r.Float64()*float64(octaves))), 1+r.IntN(3)
			h.RecordN(d, n)
			all = append(all, slices.Repeat([]time.Duration{d}, n)...)
		}
		slices.Sort(all)
		for _, q := range []float64{0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1} {
			rank := max(int(math.Ceil(q*float64(len(all)))), 1)
			want, got := all[rank-1], h.Quantile(q)
			if math.Abs(float64(got-want)) > float64(want)*0.008 {
				t.Fatalf("seed %d: quantile %v of %d durations is %v, want %v within 0.8%%", seed, q, len(all), got, want)
			}
		}
		if got, want := h.Count(), uint64(len(all)); got != want {
			t.Fatalf("seed %d: count %d, want %d", seed, got, want)
		}
		if got, want := h.Max(), all[len(all)-1]; got != want {
			t.Fatalf("seed %d: max %v, want %v exactly", seed, got, want)
		}
	}
}

func TestHistogramEdges(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 || h.Max() != 0 || h.Mean() != 0 || h.Count() != 0 {
		t.Error("an empty histogram is not all zeros")
	}
	h.RecordN(time.Second, 0)
	h.RecordN(time.Second, -3)
	if h.Count() != 0 || h.Max() != 0 {
		t.Error("recording no durations recorded some")
	}
	h.Record(-time.Second)
	if h.Count() != 1 || h.Quantile(1) != 0 {
		t.Error("a negative duration does not count as zero")
	}
	h.Record(100 * time.Hour) // beyond the last bucket
	if got := h.Quantile(1); got != 100*time.Hour {
		t.Errorf("the longest of all is %v, want 100h", got)
	}
	if got := h.Quantile(0.99); got > 100*time.Hour || got < time.Hour {
		t.Errorf("a duration beyond the range is shown as %v", got)
	}
}

// TestQuantileNeverExceedsMax: the middle of a bucket may lie above everything
// in it, and a table that shows p99 > max is not believed.
func TestQuantileNeverExceedsMax(t *testing.T) {
	var h Histogram
	low := time.Duration(1) << 30 // the first of a wide bucket
	h.Record(low)
	if got := h.Quantile(0.99); got != low {
		t.Errorf("p99 is %v, max %v", got, low)
	}
}

func TestMergeIsRecordingIntoOne(t *testing.T) {
	var a, b, both Histogram
	r := rand.New(rand.NewPCG(7, 7))
	for i := range 1000 {
		d := time.Duration(r.Int64N(int64(time.Minute)))
		both.Record(d)
		if i%3 == 0 {
			a.Record(d)
		} else {
			b.Record(d)
		}
	}
	a.Merge(&b)
	for q := 0.0; q <= 1; q += 0.05 {
		if a.Quantile(q) != both.Quantile(q) {
			t.Fatalf("quantile %v is %v merged, %v recorded into one", q, a.Quantile(q), both.Quantile(q))
		}
	}
	if a.Count() != both.Count() || a.Max() != both.Max() || a.Mean() != both.Mean() {
		t.Errorf("merged: %d %v %v, into one: %d %v %v", a.Count(), a.Max(), a.Mean(), both.Count(), both.Max(), both.Mean())
	}
	a.Reset()
	if a.Count() != 0 || a.Max() != 0 || a.Mean() != 0 || a.Quantile(0.5) != 0 {
		t.Error("a reset histogram is not empty")
	}
}

func TestHistogramFromManyGoroutines(t *testing.T) {
	var h, sink Histogram
	var writers, reader sync.WaitGroup
	stop := make(chan struct{})
	reader.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				sink.Merge(&h)
				if q := h.Quantile(0.99); q > 8*time.Millisecond {
					t.Errorf("p99 is %v, nothing is above 8ms", q)
				}
			}
		}
	})
	for i := range 8 {
		writers.Go(func() {
			for range 5000 {
				h.RecordN(time.Duration(i+1)*time.Millisecond, 2)
			}
		})
	}
	writers.Wait()
	close(stop)
	reader.Wait()
	if h.Count() != 80_000 || h.Max() != 8*time.Millisecond {
		t.Errorf("count %d, max %v; want 80000 and 8ms", h.Count(), h.Max())
	}
}
