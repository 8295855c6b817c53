package workload

import (
	"slices"
	"time"
)

// Result is what a run has shown.
type Result struct {
	Vertices          int     `json:"vertices"`
	Seconds           float64 `json:"seconds"`
	VerticesPerSecond float64 `json:"vertices_per_second"`
	// Finality is the time from when a vertex should have been submitted to its
	// receipt.
	Finality Finality `json:"finality_ms"`
	Batch    Sizes    `json:"batch_vertices"`
	Spent    Counters `json:"spent"`

	SequencesPerSecond   float64 `json:"sequences_per_second"`
	MessagesPerSequence  float64 `json:"messages_per_sequence"`
	FlushMeanMS          float64 `json:"flush_mean_ms"`
	NetworkBytesPer      float64 `json:"network_bytes_per_vertex"`
	JournalBytesPer      float64 `json:"journal_bytes_per_vertex"`
	CPUSecondsPerMillion float64 `json:"cpu_seconds_per_million_vertices"`
	// LongestPauseMS is the longest time in which nothing became final.
	LongestPauseMS float64 `json:"longest_pause_ms"`
	// Series are the intervals of the window, if it was cut.
	Series []Interval `json:"series,omitempty"`
	// PeakMemoryBytes is of this process, which is the whole of a cluster that runs
	// in it; 0 where the system does not say.
	PeakMemoryBytes int64 `json:"peak_memory_bytes,omitempty"`
}

// Finality is a distribution of durations in milliseconds.
type Finality struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// Sizes is a distribution of numbers.
type Sizes struct {
	Mean float64 `json:"mean"`
	P50  int     `json:"p50"`
	Max  int     `json:"max"`
}

// result sums up; nothing is recorded any more.
func (r *run) result(spent Counters, series []Interval) *Result {
	rec := r.record
	rec.mu.Lock()
	defer rec.mu.Unlock()
	seconds := rec.to.Sub(rec.from).Seconds()
	out := &Result{
		Vertices: rec.vertices, Seconds: seconds, VerticesPerSecond: ratio(float64(rec.vertices), seconds),
		Finality: rec.latencies.finality(), Batch: rec.sizes(), Spent: spent,
		SequencesPerSecond: ratio(spent.Sequences, seconds), MessagesPerSequence: ratio(spent.Messages, spent.Sequences),
		LongestPauseMS: milliseconds(rec.pause), Series: series,
		FlushMeanMS: 1000 * ratio(spent.FlushSeconds, spent.Flushes),
	}
	n := float64(rec.vertices)
	out.NetworkBytesPer, out.JournalBytesPer = ratio(spent.NetworkBytes, n), ratio(spent.JournalBytes, n)
	out.CPUSecondsPerMillion = 1e6 * ratio(spent.CPUSeconds, n)
	return out
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func (l *Latencies) finality() Finality {
	if l.total == 0 {
		return Finality{}
	}
	q := l.Quantiles(0.5, 0.9, 0.99, 0.999)
	return Finality{
		Mean: milliseconds(l.sum / time.Duration(l.total)), P50: milliseconds(q[0]), P90: milliseconds(q[1]),
		P99: milliseconds(q[2]), P999: milliseconds(q[3]), Max: milliseconds(l.max),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// sizes are those of the batches that began to be final in the window.
func (r *recorder) sizes() Sizes {
	var list []int
	sum := 0
	for _, b := range r.batches {
		if b.counts {
			list = append(list, b.vertices)
			sum += b.vertices
		}
	}
	if len(list) == 0 {
		return Sizes{}
	}
	slices.Sort(list)
	return Sizes{Mean: float64(sum) / float64(len(list)), P50: list[(len(list)-1)/2], Max: list[len(list)-1]}
}
