package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
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

	views   []messages.View
	ledgers []*replica.LedgerSummary
}

// quantiles of a duration, in milliseconds.
type quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// newReport reads the stopped replicas' folders.
func newReport(o demoOptions, l *load, c *demoCluster, views []messages.View) (*demoReport, error) {
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
		View: slices.Max(views), views: views, ledgers: ledgers, Agree: agree(ledgers),
	}
	for _, ledger := range ledgers {
		r.Heads = append(r.Heads, ledger.Head)
	}
	return r, nil
}

// agree reports whether all ledgers are as long and end in the same head, which
// covers everything before it.
func agree(ledgers []*replica.LedgerSummary) bool {
	return !slices.ContainsFunc(ledgers, func(l *replica.LedgerSummary) bool { return *l != *ledgers[0] })
}

// readLedgers recomputes every head from its folder, all at once.
func (c *demoCluster) readLedgers() ([]*replica.LedgerSummary, error) {
	ledgers, errs := make([]*replica.LedgerSummary, len(c.homes)), make([]error, len(c.homes))
	var all sync.WaitGroup
	for i, h := range c.homes {
		all.Go(func() {
			var err error
			if ledgers[i], err = replica.ReadLedger(h.config.Storage.Path, c.genesis, messages.Index(i), nil); err != nil {
				errs[i] = fmt.Errorf("read the ledger of replica %d: %w", i, err)
			}
		})
	}
	all.Wait()
	return ledgers, errors.Join(errs...)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// verdict is an error unless everything went as it must.
func (r *demoReport) verdict() error {
	var errs []error
	if r.Finalized != r.Vertices {
		errs = append(errs, fmt.Errorf("%d of %d vertices were not finalised", r.Vertices-r.Finalized, r.Vertices))
	}
	if !r.Agree {
		errs = append(errs, errors.New("the ledgers in the folders differ"))
	}
	return errors.Join(errs...)
}

// write prints the report as one JSON object, or as a table for people.
func (r *demoReport) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "replica\tview\tsequence\tledger head\tvertices")
	for i, ledger := range r.ledgers {
		fmt.Fprintf(table, "%d\t%d\t%d\t%.16s\t%d\n", i, r.views[i], ledger.Seq, ledger.Head.Hex(), ledger.Vertices)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if noOps := int(r.ledgers[0].Vertices) - r.Finalized; noOps > 0 {
		// Sent to the leader again before the first copy's receipt was back.
		fmt.Fprintf(w, "\n%d of these vertices are second copies, executed as no-ops\n", noOps)
	}
	heads := "all heads agree"
	if !r.Agree {
		heads = "THE HEADS DIFFER"
	}
	_, err := fmt.Fprintf(w, "\n%d of %d vertices final in %.2f s: %.0f vertices/s\nfinality p50 %.1f ms, p99 %.1f ms, max %.1f ms\n%s\n",
		r.Finalized, r.Vertices, r.ElapsedSeconds, r.VerticesPerSecond, r.FinalityMS.P50, r.FinalityMS.P99, r.FinalityMS.Max, heads)
	return err
}
