package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/cretoai/consensus/cmd/replica/workload"
)

// format is how a report is printed.
type format uint8

const (
	formatText format = iota
	formatMarkdown
	formatJSON
)

// report is what was measured, as its JSON has it.
type report struct {
	Outstanding int            `json:"outstanding"`
	Payload     int            `json:"payload"`
	Group       int            `json:"group"` // payloads submitted together
	Submit      string         `json:"submit"`
	Seconds     float64        `json:"seconds"` // of one measurement
	Systems     []systemReport `json:"systems"`
}

// systemReport is what one system has shown.
type systemReport struct {
	system
	Rounds []*workload.Result `json:"rounds"`
	// Median has in every figure the median of the rounds.
	Median     *workload.Result `json:"median"`
	Throughput workload.Spread  `json:"vertices_per_second"`
	// Ratio is of our throughput to this system's in the same round, nil without ours.
	Ratio *workload.Spread `json:"ours_to_this,omitempty"`
}

func newReport(o options) *report {
	r := &report{
		Outstanding: o.load.Outstanding, Payload: o.load.Payload, Group: o.load.Group, Submit: "all", Seconds: o.load.Duration.Seconds(),
	}
	if o.load.LeaderOnly {
		r.Submit = "leader"
	}
	for _, s := range o.systems {
		r.Systems = append(r.Systems, systemReport{system: s})
	}
	return r
}

// sum makes the figures that are of all rounds.
func (r *report) sum() {
	var own []*workload.Result
	for _, s := range r.Systems {
		if s.Name == ours {
			own = s.Rounds
		}
	}
	for i := range r.Systems {
		s := &r.Systems[i]
		s.Median = workload.Median(s.Rounds)
		var throughputs, ratios []float64
		for k, result := range s.Rounds {
			throughputs = append(throughputs, result.VerticesPerSecond)
			if own != nil {
				ratios = append(ratios, own[k].VerticesPerSecond/result.VerticesPerSecond)
			}
		}
		s.Throughput = workload.SpreadOf(throughputs)
		if own != nil {
			ratio := workload.SpreadOf(ratios)
			s.Ratio = &ratio
		}
	}
}

// columns are those of the table.
var columns = []struct {
	name string
	cell func(s *systemReport) string
}{
	{"system", func(s *systemReport) string { return s.Title }},
	{"n", func(s *systemReport) string { return fmt.Sprint(s.Members) }},
	{"survives", func(s *systemReport) string { return s.Faults }},
	{"signs", func(s *systemReport) string { return s.Signs }},
	{"vertices/s (min–max)", func(s *systemReport) string {
		return fmt.Sprintf("%.0f (%.0f–%.0f)", s.Throughput.Median, s.Throughput.Min, s.Throughput.Max)
	}},
	{"p50 ms", func(s *systemReport) string { return fmt.Sprintf("%.2f", s.Median.Finality.P50) }},
	{"p99 ms", func(s *systemReport) string { return fmt.Sprintf("%.2f", s.Median.Finality.P99) }},
	{"batch", func(s *systemReport) string { return fmt.Sprintf("%.0f", s.Median.Batch.Mean) }},
	{"CPU s/10⁶", func(s *systemReport) string { return fmt.Sprintf("%.1f", s.Median.CPUSecondsPerMillion) }},
	{"ours to it (min–max)", func(s *systemReport) string {
		if s.Ratio == nil || s.Name == ours {
			return "–"
		}
		return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Ratio.Median, s.Ratio.Min, s.Ratio.Max)
	}},
}

// write prints the report.
func (r *report) write(w io.Writer, f format) error {
	switch f {
	case formatJSON:
		return json.NewEncoder(w).Encode(r)
	case formatMarkdown:
		return r.markdown(w)
	}
	fmt.Fprintf(w, "%d outstanding of %d bytes, submitted %d together at %s, flushed; %s of %.0f s\n\n",
		r.Outstanding, r.Payload, r.Group, r.where(), rounds(len(r.Systems[0].Rounds)), r.Seconds)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, c := range columns {
		if i > 0 {
			fmt.Fprint(table, "\t")
		}
		fmt.Fprint(table, c.name)
	}
	fmt.Fprintln(table)
	for i := range r.Systems {
		for k, c := range columns {
			if k > 0 {
				fmt.Fprint(table, "\t")
			}
			fmt.Fprint(table, c.cell(&r.Systems[i]))
		}
		fmt.Fprintln(table)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return r.writeNotes(w)
}

func (r *report) where() string {
	if r.Submit == "leader" {
		return "the leader"
	}
	return "all members"
}

func rounds(n int) string {
	if n == 1 {
		return "one round"
	}
	return fmt.Sprintf("medians of %d rounds", n)
}

// markdown prints the table for docs/performance.md.
func (r *report) markdown(w io.Writer) error {
	var names, rule strings.Builder
	for _, c := range columns {
		fmt.Fprintf(&names, "| %s ", c.name)
		rule.WriteString("|---")
	}
	fmt.Fprintf(w, "%s|\n%s|\n", &names, &rule)
	for i := range r.Systems {
		for _, c := range columns {
			fmt.Fprintf(w, "| %s ", c.cell(&r.Systems[i]))
		}
		fmt.Fprintln(w, "|")
	}
	return r.writeNotes(w)
}

// writeNotes says which rounds of ours measured timeouts.
func (r *report) writeNotes(w io.Writer) error {
	for _, s := range r.Systems {
		for i, result := range s.Rounds {
			if n := result.Spent.ViewChanges; n > 0 {
				if _, err := fmt.Fprintf(w, "\nIn round %d the view of %s changed %.0f times: its figures are of timeouts.\n", i+1, s.Title, n); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
