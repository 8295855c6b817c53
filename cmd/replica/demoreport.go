package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// demoReport is the outcome of a demo, as its JSON has it.
type demoReport struct {
	Replicas          int               `json:"replicas"`
	Vertices          int               `json:"vertices"`
	Finalized         int               `json:"finalized"`
	ElapsedSeconds    float64           `json:"elapsed_seconds"`
	VerticesPerSecond float64           `json:"vertices_per_second"`
	FinalityMS        quantiles         `json:"finality_ms"`
	View              messages.View     `json:"view"`
	Heads             []messages.Digest `json:"heads"`
	Agree             bool              `json:"agree"`
	Fault             *strikeReport     `json:"fault,omitempty"`

	statuses  []replica.Status // before the replicas were stopped
	ledgers   []*demoLedger
	agreement agreement
}

// quantiles of a duration, in milliseconds.
type quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// newReport reads the stopped replicas' folders.
func newReport(o demoOptions, l *load, c *demoCluster, statuses []replica.Status) (*demoReport, error) {
	ledgers, err := c.readLedgers()
	if err != nil {
		return nil, err
	}
	r := &demoReport{
		Replicas: o.replicas, Vertices: o.vertices, Finalized: l.finalized,
		ElapsedSeconds: l.elapsed.Seconds(), VerticesPerSecond: float64(l.finalized) / l.elapsed.Seconds(),
		FinalityMS: quantiles{
			P50: milliseconds(l.finality.Quantile(0.5)), P99: milliseconds(l.finality.Quantile(0.99)),
			Max: milliseconds(l.finality.Max()),
		},
		statuses: statuses, ledgers: ledgers, agreement: compare(c.strike.correct(ledgers)), Fault: c.strike.report(statuses),
	}
	r.Agree = r.agreement == equal
	for i, ledger := range ledgers {
		r.View = max(r.View, statuses[i].View)
		r.Heads = append(r.Heads, ledger.Head)
	}
	return r, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// verdict is an error unless everything went as it must.
func (r *demoReport) verdict() error {
	var errs []error
	if r.Finalized != r.Vertices {
		errs = append(errs, fmt.Errorf("%d of %d vertices were not finalised", r.Vertices-r.Finalized, r.Vertices))
	}
	switch r.agreement {
	case differ:
		errs = append(errs, errors.New("the ledgers in the folders differ"))
	case prefixes:
		shortest, longest := lengths(r.ledgers)
		errs = append(errs, fmt.Errorf("the ledgers agree up to sequence %d, but not all go on to %d", shortest, longest))
	}
	return errors.Join(errs...)
}

// advise says what to do about ledgers that are not equal.
func (r *demoReport) advise(err error, dir string) error {
	switch r.agreement {
	case differ:
		return hint(err, "this must never happen: report it, with the folders in %s", dir)
	case prefixes:
		return hint(err, "nothing contradicts: the run ended before every replica had executed everything; run it again, with a longer --timeout if that ended it")
	}
	return err
}

// noOps is how many vertices of the ledger are second copies, such as a new
// leader proposes that did not know the first; 0 if that is not known.
func (r *demoReport) noOps() uint64 {
	if r.Fault != nil && r.Fault.Replica == 0 {
		return 0
	}
	ledger, s := r.ledgers[0], r.statuses[0]
	if ledger.Seq != s.Sequence {
		return 0 // it went on while it was stopped
	}
	return ledger.Vertices - s.Vertices
}

// write prints the report as one JSON object, or as a table for people.
func (r *demoReport) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "replica\tview\tsequence\tledger head\tvertices")
	for i, ledger := range r.ledgers {
		fmt.Fprintf(table, "%d\t%d\t%d\t%.16s\t%d\n", i, r.statuses[i].View, ledger.Seq, ledger.Head.Hex(), ledger.Vertices)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if err := r.Fault.write(w); err != nil {
		return err
	}
	if noOps := r.noOps(); noOps > 0 {
		fmt.Fprintf(w, "\n%d of these vertices are second copies, executed as no-ops\n", noOps)
	}
	_, err := fmt.Fprintf(w, "\n%d of %d vertices final in %.2f s: %.0f vertices/s\nfinality p50 %.1f ms, p99 %.1f ms, max %.1f ms\n%s\n",
		r.Finalized, r.Vertices, r.ElapsedSeconds, r.VerticesPerSecond, r.FinalityMS.P50, r.FinalityMS.P99, r.FinalityMS.Max, r.agreement)
	return err
}
