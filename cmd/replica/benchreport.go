package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/cretoai/consensus/cmd/replica/workload"
)

// benchReport is what a measurement has shown, as its JSON has it.
type benchReport struct {
	Replicas    int      `json:"replicas,omitempty"` // of a cluster of this process
	Scheme      string   `json:"scheme,omitempty"`
	Depth       int      `json:"depth,omitempty"`
	WALSync     string   `json:"wal_sync,omitempty"`
	Retain      uint64   `json:"ledger_retain,omitempty"`
	Optimistic  bool     `json:"optimistic_mode,omitempty"`
	FloorSteps  int      `json:"floor_steps,omitempty"`
	API         []string `json:"api,omitempty"`
	Submit      string   `json:"submit"`
	Outstanding int      `json:"outstanding,omitempty"`
	Rate        float64  `json:"rate,omitempty"`
	Payload     int      `json:"payload"`
	HTTP        string   `json:"http,omitempty"` // the format; empty without HTTP
	// Creators sign the vertices, so many with one signature; 0 if nobody does.
	Creators      int         `json:"creators,omitempty"`
	CreatorGroups int         `json:"creator_groups,omitempty"`
	Rounds        []benchPair `json:"rounds"`
	// Median has in every figure the median of the rounds.
	Median benchPair `json:"median"`
	// Of the rounds' figures of the replicas, and of the floor if it was measured.
	Spread      benchSpread  `json:"spread"`
	FloorSpread *benchSpread `json:"floor_spread,omitempty"`
	// Ratio is of the replicas' figures to the floor's in the same round.
	Ratio *benchSpread `json:"ratio,omitempty"`
}

// benchPair is one round.
type benchPair struct {
	Cluster *workload.Result `json:"cluster"`
	Floor   *workload.Result `json:"floor,omitempty"`
}

// benchSpread is how the figures that matter vary over the rounds.
type benchSpread struct {
	Throughput workload.Spread `json:"vertices_per_second"`
	P50        workload.Spread `json:"p50"`
	P99        workload.Spread `json:"p99"`
}

func newBenchReport(o benchOptions) *benchReport {
	r := &benchReport{
		Submit: o.submit, Outstanding: o.load.Outstanding, Rate: o.load.Rate, Payload: o.load.Payload, API: o.api,
	}
	if o.http || len(o.api) > 0 {
		r.HTTP = o.format
	}
	if o.creator.sign {
		r.Creators, r.CreatorGroups = o.creator.creators, o.creator.together
	}
	if len(o.api) == 0 {
		r.Replicas, r.Scheme, r.Depth, r.WALSync, r.Retain = o.replicas, o.scheme, o.depth, o.walSync, o.retain
		r.Optimistic = o.optimistic
	}
	if o.floor {
		r.FloorSteps = o.floorSteps
	}
	return r
}

func (r *benchReport) add(cluster, floor *workload.Result) {
	r.Rounds = append(r.Rounds, benchPair{cluster, floor})
}

// sum makes the figures that are of all rounds.
func (r *benchReport) sum() {
	var clusters, floors []*workload.Result
	for _, round := range r.Rounds {
		clusters = append(clusters, round.Cluster)
		if round.Floor != nil {
			floors = append(floors, round.Floor)
		}
	}
	r.Median.Cluster, r.Spread = workload.Median(clusters), spreadOf(clusters, nil)
	if len(floors) > 0 {
		spread, ratio := spreadOf(floors, nil), spreadOf(clusters, floors)
		r.Median.Floor, r.FloorSpread, r.Ratio = workload.Median(floors), &spread, &ratio
	}
}

// spreadOf gives the spread of results, or of their ratios to others, round by
// round: what disturbs the machine for a while disturbs both.
func spreadOf(results, others []*workload.Result) benchSpread {
	of := func(figure func(*workload.Result) float64) workload.Spread {
		list := make([]float64, len(results))
		for i, r := range results {
			if list[i] = figure(r); others != nil {
				list[i] /= figure(others[i])
			}
		}
		return workload.SpreadOf(list)
	}
	return benchSpread{
		Throughput: of(func(r *workload.Result) float64 { return r.VerticesPerSecond }),
		P50:        of(func(r *workload.Result) float64 { return r.Finality.P50 }),
		P99:        of(func(r *workload.Result) float64 { return r.Finality.P99 }),
	}
}

// benchRow is a line of the table.
type benchRow struct {
	name   string
	format string
	figure func(*workload.Result) float64
}

// benchRows are the lines of the table.
var benchRows = []benchRow{
	{"vertices/s", "%.0f", func(r *workload.Result) float64 { return r.VerticesPerSecond }},
	{"finality p50, ms", "%.2f", func(r *workload.Result) float64 { return r.Finality.P50 }},
	{"finality p90, ms", "%.2f", func(r *workload.Result) float64 { return r.Finality.P90 }},
	{"finality p99, ms", "%.2f", func(r *workload.Result) float64 { return r.Finality.P99 }},
	{"finality p99.9, ms", "%.2f", func(r *workload.Result) float64 { return r.Finality.P999 }},
	{"finality max, ms", "%.2f", func(r *workload.Result) float64 { return r.Finality.Max }},
	{"longest pause, ms", "%.2f", func(r *workload.Result) float64 { return r.LongestPauseMS }},
	{"batch mean, vertices", "%.1f", func(r *workload.Result) float64 { return r.Batch.Mean }},
	{"batch p50, vertices", "%.0f", func(r *workload.Result) float64 { return float64(r.Batch.P50) }},
	{"batch max, vertices", "%.0f", func(r *workload.Result) float64 { return float64(r.Batch.Max) }},
	{"sequences/s", "%.1f", func(r *workload.Result) float64 { return r.SequencesPerSecond }},
	{"signatures/sequence", "%.2f", func(r *workload.Result) float64 { return perSequence(r, r.Spent.Signatures) }},
	{"verifications/sequence", "%.2f", func(r *workload.Result) float64 { return perSequence(r, r.Spent.Verifications) }},
	{"flushes/sequence", "%.2f", func(r *workload.Result) float64 { return perSequence(r, r.Spent.Flushes) }},
	{"messages/sequence", "%.2f", func(r *workload.Result) float64 { return r.MessagesPerSequence }},
	{"flushes", "%.0f", func(r *workload.Result) float64 { return r.Spent.Flushes }},
	{"flush mean, ms", "%.3f", func(r *workload.Result) float64 { return r.FlushMeanMS }},
	{"network bytes/vertex", "%.0f", func(r *workload.Result) float64 { return r.NetworkBytesPer }},
	{"journal bytes/vertex", "%.0f", func(r *workload.Result) float64 { return r.JournalBytesPer }},
	{"CPU s/10⁶ vertices", "%.2f", func(r *workload.Result) float64 { return r.CPUSecondsPerMillion }},
	{"peak memory, MB", "%.0f", func(r *workload.Result) float64 { return float64(r.PeakMemoryBytes) / 1e6 }},
}

// creatorRows are those of a chain whose creators sign.
var creatorRows = []benchRow{
	{"creators' verifications/vertex", "%.3f", func(r *workload.Result) float64 { return perVertex(r, r.Spent.CreatorVerifications) }},
	{"creators' keys expanded/vertex", "%.3f", func(r *workload.Result) float64 { return perVertex(r, r.Spent.CreatorKeys) }},
}

func perVertex(r *workload.Result, n float64) float64 {
	if r.Vertices == 0 {
		return 0
	}
	return n / float64(r.Vertices)
}

func perSequence(r *workload.Result, n float64) float64 {
	if r.Spent.Sequences == 0 {
		return 0
	}
	return n / r.Spent.Sequences
}

// write prints the report as one JSON object, or as a table for people.
func (r *benchReport) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	fmt.Fprintln(w, r.title())
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "\n\treplicas")
	if r.Median.Floor != nil {
		fmt.Fprintf(table, "\tfloor, %d steps", r.FloorSteps)
	}
	fmt.Fprintln(table)
	rows := benchRows
	if r.Creators > 0 {
		rows = slices.Concat(rows, creatorRows)
	}
	for _, row := range rows {
		fmt.Fprintf(table, "%s\t"+row.format, row.name, row.figure(r.Median.Cluster))
		if r.Median.Floor != nil {
			fmt.Fprintf(table, "\t"+row.format, row.figure(r.Median.Floor))
		}
		fmt.Fprintln(table)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if err := r.writeSpreads(w); err != nil {
		return err
	}
	return r.writeSeries(w)
}

// title says what was measured.
func (r *benchReport) title() string {
	what := fmt.Sprintf("%d replicas, %s, depth %d, wal_sync %s", r.Replicas, r.Scheme, r.Depth, r.WALSync)
	if r.Optimistic {
		what += ", optimistic mode"
	}
	if r.Retain > 0 {
		what += fmt.Sprintf(", ledger_retain %d", r.Retain)
	}
	if len(r.API) > 0 {
		what = fmt.Sprintf("a running cluster by %d APIs", len(r.API))
	}
	much := fmt.Sprintf("%d outstanding", r.Outstanding)
	if r.Rate > 0 {
		much = fmt.Sprintf("%.0f vertices/s asked for", r.Rate)
	}
	rounds := "one round"
	if n := len(r.Rounds); n > 1 {
		rounds = fmt.Sprintf("medians of %d rounds", n)
	}
	title := fmt.Sprintf("%s; %s of %d bytes%s, submitted at %s%s; %s", what, much, r.Payload, r.signed(), r.Submit, r.over(), rounds)
	for i, round := range r.Rounds {
		if n := round.Cluster.Spent.ViewChanges; n > 0 {
			title += fmt.Sprintf("\nin round %d the view changed %.0f times: its figures are of timeouts", i+1, n)
		}
	}
	return title
}

// signed says who signed the vertices.
func (r *benchReport) signed() string {
	switch {
	case r.Creators == 0:
		return ""
	case r.CreatorGroups == 1:
		return fmt.Sprintf(", each signed, by %d creators", r.Creators)
	}
	return fmt.Sprintf(", %d to a signature, by %d creators", r.CreatorGroups, r.Creators)
}

// over says how the vertices came to the replicas.
func (r *benchReport) over() string {
	if r.HTTP == "" {
		return ""
	}
	return " over HTTP in " + r.HTTP
}

// writeSpreads prints how the rounds differ, if there are several.
func (r *benchReport) writeSpreads(w io.Writer) error {
	if len(r.Rounds) < 2 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nmedian (min to max)\tvertices/s\tp50, ms\tp99, ms")
	line := func(name, throughput, latency string, s benchSpread) {
		fmt.Fprint(table, name)
		for _, cell := range []struct {
			format string
			s      workload.Spread
		}{{throughput, s.Throughput}, {latency, s.P50}, {latency, s.P99}} {
			fmt.Fprintf(table, "\t"+cell.format+" ("+cell.format+" to "+cell.format+")", cell.s.Median, cell.s.Min, cell.s.Max)
		}
		fmt.Fprintln(table)
	}
	line("replicas", "%.0f", "%.2f", r.Spread)
	if r.Ratio != nil {
		line("floor", "%.0f", "%.2f", *r.FloorSpread)
		line("replicas / floor", "%.3f", "%.3f", *r.Ratio)
	}
	return table.Flush()
}
