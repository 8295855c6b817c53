package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cretoai/consensus/cmd/replica/workload"
)

// TestRatiosArePaired: a ratio is taken within its round. The rounds here are
// each half as fast as the one before, of both; unpaired ratios would be anything
// from 0.2 to 3.2.
func TestRatiosArePaired(t *testing.T) {
	result := func(throughput, p50 float64) *workload.Result {
		return &workload.Result{VerticesPerSecond: throughput, Finality: workload.Finality{P50: p50, P99: 2 * p50}}
	}
	r := newBenchReport(benchOptions{})
	for round, ratio := range []float64{0.8, 0.7, 0.9} {
		speed := float64(int(400) >> round)
		r.add(result(ratio*speed, 3), result(speed, 2))
	}
	r.sum()
	if got, want := r.Ratio.Throughput, (workload.Spread{Median: 0.8, Min: 0.7, Max: 0.9}); got != want {
		t.Errorf("the ratio of throughputs is %+v, want %+v", got, want)
	}
	if got, want := r.Ratio.P99, (workload.Spread{Median: 1.5, Min: 1.5, Max: 1.5}); got != want {
		t.Errorf("the ratio of latencies is %+v, want %+v", got, want)
	}
	if got := r.Median.Cluster.VerticesPerSecond; got != 0.7*200 {
		t.Errorf("the median of the replicas is %v vertices/s, want 140", got)
	}
	if got, want := *r.FloorSpread, spreadOf([]*workload.Result{result(400, 2), result(200, 2), result(100, 2)}, nil); got != want {
		t.Errorf("the floor's spread is %+v, want %+v", got, want)
	}
	var row bytes.Buffer
	if err := r.markdown(&row); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(row.String(), "\n")
	if len(lines) != 4 || !strings.HasSuffix(lines[2], "| 0.80 (0.70–0.90) | 1.50 (1.50–1.50) | 1.50 (1.50–1.50) |") ||
		strings.Count(lines[0], "|") != strings.Count(lines[1], "|") || strings.Count(lines[0], "|") != strings.Count(lines[2], "|") {
		t.Errorf("not a table of one row:\n%s", &row)
	}
	var text bytes.Buffer
	if err := r.write(&text, false); err != nil {
		t.Fatal(err)
	}
	if line := "replicas / floor     0.800 (0.700 to 0.900)  1.500 (1.500 to 1.500)  1.500 (1.500 to 1.500)\n"; !strings.Contains(text.String(), line) {
		t.Errorf("the table lacks %q:\n%s", line, &text)
	}
}
