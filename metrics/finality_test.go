package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// handClock is a clock moved by hand.
type handClock struct{ at time.Time }

func (c *handClock) now() time.Time { return c.at }

func newHandClock() *handClock { return &handClock{time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)} }

// gather finds one family of the registry.
func gather(t *testing.T, m *Metrics, name string) *dto.MetricFamily {
	t.Helper()
	families, err := m.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == name })
	if i < 0 {
		t.Fatalf("no metric is named %s", name)
	}
	return families[i]
}

func summary(t *testing.T, m *Metrics) (count uint64, sum, p50, p99 float64) {
	t.Helper()
	s := gather(t, m, "cretoai_consensus_finality_time_ms").Metric[0].GetSummary()
	if len(s.Quantile) != 2 || s.Quantile[0].GetQuantile() != 0.5 || s.Quantile[1].GetQuantile() != 0.99 {
		t.Fatalf("the summary's quantiles are %v, want 0.5 and 0.99", s.Quantile)
	}
	return s.GetSampleCount(), s.GetSampleSum(), s.Quantile[0].GetValue(), s.Quantile[1].GetValue()
}

func near(got, want float64) bool { return math.Abs(got-want) <= want*0.008 }

func TestFinalityCountsEveryVertex(t *testing.T) {
	m := New(Options{Now: newHandClock().now})
	m.ObserveFinality(10*time.Millisecond, 980)
	m.ObserveFinality(500*time.Millisecond, 20)
	m.ObserveFinality(time.Second, 0)
	count, sum, p50, p99 := summary(t, m)
	if count != 1000 || sum != 980*10+20*500 {
		t.Errorf("count %d, sum %v ms; want 1000 and 19800", count, sum)
	}
	if !near(p50, 10) || !near(p99, 500) {
		t.Errorf("p50 %v, p99 %v; want 10 and 500 ms", p50, p99)
	}
}

func TestFinalityQuantilesSlide(t *testing.T) {
	clock := newHandClock()
	m := New(Options{Now: clock.now})
	if _, _, p50, _ := summary(t, m); !math.IsNaN(p50) {
		t.Errorf("p50 of nothing is %v, want NaN", p50)
	}
	m.ObserveFinality(time.Second, 100)
	clock.at = clock.at.Add(30 * time.Second)
	m.ObserveFinality(time.Millisecond, 1)
	if _, _, p50, _ := summary(t, m); !near(p50, 1000) {
		t.Errorf("p50 is %v ms half a minute after a hundred of 1 s", p50)
	}
	clock.at = clock.at.Add(31 * time.Second)
	if _, _, p50, p99 := summary(t, m); !near(p50, 1) || !near(p99, 1) {
		t.Errorf("p50 %v, p99 %v: the first minute's vertices still count", p50, p99)
	}
	clock.at = clock.at.Add(100 * time.Hour)
	count, _, p50, _ := summary(t, m)
	if !math.IsNaN(p50) || count != 101 {
		t.Errorf("after a long silence p50 is %v and count %d; want NaN and all 101", p50, count)
	}
	m.ObserveFinality(2*time.Millisecond, 1)
	clock.at = clock.at.Add(50 * time.Second)
	if _, _, p50, _ := summary(t, m); !near(p50, 2) {
		t.Errorf("p50 is %v ms; an observation after a silence must stay for its minute", p50)
	}
}

// TestFinalityHistogramAgainstTheLibrarys gives the same durations to a
// histogram of the library and compares both forms, bucket by bucket.
func TestFinalityHistogramAgainstTheLibrarys(t *testing.T) {
	m := New(Options{Now: newHandClock().now})
	twin := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "twin", Help: "twin", Buckets: latencyBuckets, NativeHistogramBucketFactor: 1.1,
	})
	r := rand.New(rand.NewPCG(3, 3))
	record := func(d time.Duration, n int) {
		m.ObserveFinality(d, n)
		for range n {
			twin.Observe(d.Seconds())
		}
	}
	record(0, 2)
	record(time.Nanosecond, 1)
	for _, bound := range latencyBuckets { // a bound belongs to its bucket
		record(time.Duration(math.Round(bound*1e9)), 1)
	}
	for i := -20; i < 6; i++ { // exact powers of two bound native buckets
		if s := math.Ldexp(1, i); time.Duration(s*1e9).Seconds() == s {
			record(time.Duration(s*1e9), 1)
		}
	}
	for range 2000 {
		record(time.Duration(math.Exp2(r.Float64()*36)), 1+r.IntN(4))
	}
	var metric dto.Metric
	if err := twin.Write(&metric); err != nil {
		t.Fatal(err)
	}
	got, want := gather(t, m, "cretoai_consensus_finality_seconds").Metric[0].GetHistogram(), metric.GetHistogram()
	if got.GetSampleCount() != want.GetSampleCount() || math.Abs(got.GetSampleSum()-want.GetSampleSum()) > 1e-6*want.GetSampleSum() {
		t.Errorf("count %d, sum %v; want %d, %v", got.GetSampleCount(), got.GetSampleSum(), want.GetSampleCount(), want.GetSampleSum())
	}
	if len(got.Bucket) != len(want.Bucket) {
		t.Fatalf("%d classic buckets, want %d", len(got.Bucket), len(want.Bucket))
	}
	for i := range want.Bucket {
		if got.Bucket[i].GetUpperBound() != want.Bucket[i].GetUpperBound() || got.Bucket[i].GetCumulativeCount() != want.Bucket[i].GetCumulativeCount() {
			t.Errorf("classic bucket %d is %v, want %v", i, got.Bucket[i], want.Bucket[i])
		}
	}
	if got.GetSchema() != want.GetSchema() || got.GetZeroCount() != want.GetZeroCount() || got.GetZeroThreshold() != want.GetZeroThreshold() {
		t.Errorf("native schema %d, zero %d; want %d, %d", got.GetSchema(), got.GetZeroCount(), want.GetSchema(), want.GetZeroCount())
	}
	if !slices.Equal(got.PositiveDelta, want.PositiveDelta) || !slices.EqualFunc(got.PositiveSpan, want.PositiveSpan, func(a, b *dto.BucketSpan) bool {
		return a.GetOffset() == b.GetOffset() && a.GetLength() == b.GetLength()
	}) {
		t.Errorf("native buckets %v %v,\nwant %v %v", got.PositiveSpan, got.PositiveDelta, want.PositiveSpan, want.PositiveDelta)
	}
}
