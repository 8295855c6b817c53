package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/cretoai/consensus/cmd/replica/workload"
)

// markdown prints the report as a table of one row, for docs/performance.md: rows
// of several measurements are put together by whoever runs them.
func (r *benchReport) markdown(w io.Writer) error {
	much := fmt.Sprintf("%d outstanding", r.Outstanding)
	if r.Rate > 0 {
		much = fmt.Sprintf("%.0f/s", r.Rate)
	}
	much += r.signed() + strings.Replace(r.over(), " over", ", over", 1)
	if r.Retain > 0 {
		much += ", ledger trimmed"
	}
	c := r.Median.Cluster
	cells := [][2]string{
		{"n", fmt.Sprint(max(r.Replicas, len(r.API)))},
		{"load", much},
		{"payload", fmt.Sprint(r.Payload)},
		{"vertices/s (min–max)", fmt.Sprintf("%.0f (%.0f–%.0f)", c.VerticesPerSecond, r.Spread.Throughput.Min, r.Spread.Throughput.Max)},
		{"p50 ms", fmt.Sprintf("%.2f", c.Finality.P50)},
		{"p99 ms", fmt.Sprintf("%.2f", c.Finality.P99)},
		{"batch", fmt.Sprintf("%.0f", c.Batch.Mean)},
		{"seq/s", fmt.Sprintf("%.0f", c.SequencesPerSecond)},
		{"messages/seq", fmt.Sprintf("%.1f", c.MessagesPerSequence)},
		{"flush ms", fmt.Sprintf("%.2f", c.FlushMeanMS)},
		{"CPU s/10⁶", fmt.Sprintf("%.1f", c.CPUSecondsPerMillion)},
		{"view changes", fmt.Sprintf("%.0f", r.viewChanges())},
	}
	if r.Creators > 0 {
		cells = append(cells, [2]string{"verifications/vertex", fmt.Sprintf("%.2f", perVertex(c, c.Spent.CreatorVerifications))},
			[2]string{"keys expanded/vertex", fmt.Sprintf("%.2f", perVertex(c, c.Spent.CreatorKeys))})
	}
	if f := r.Median.Floor; f != nil {
		cells = append(cells,
			[2]string{"floor/s", fmt.Sprintf("%.0f", f.VerticesPerSecond)},
			[2]string{"floor p50 ms", fmt.Sprintf("%.2f", f.Finality.P50)},
			[2]string{"floor p99 ms", fmt.Sprintf("%.2f", f.Finality.P99)},
			[2]string{"floor CPU s/10⁶", fmt.Sprintf("%.1f", f.CPUSecondsPerMillion)},
			[2]string{"ratio/s (min–max)", ratioCell(r.Ratio.Throughput)},
			[2]string{"ratio p50 (min–max)", ratioCell(r.Ratio.P50)},
			[2]string{"ratio p99 (min–max)", ratioCell(r.Ratio.P99)},
		)
	}
	var names, rule, row strings.Builder
	for _, cell := range cells {
		fmt.Fprintf(&names, "| %s ", cell[0])
		rule.WriteString("|---")
		fmt.Fprintf(&row, "| %s ", cell[1])
	}
	_, err := fmt.Fprintf(w, "%s|\n%s|\n%s|\n", &names, &rule, &row)
	return err
}

func ratioCell(s workload.Spread) string {
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Min, s.Max)
}

// viewChanges are those of all rounds.
func (r *benchReport) viewChanges() (sum float64) {
	for _, round := range r.Rounds {
		sum += round.Cluster.Spent.ViewChanges
	}
	return sum
}
