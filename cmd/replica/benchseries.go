package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"text/tabwriter"

	"github.com/cretoai/consensus/cmd/replica/local"
	"github.com/cretoai/consensus/cmd/replica/workload"
)

// usageOf is what a cluster of this process holds.
func usageOf(t *local.Target, dir string) workload.Usage {
	u := workload.Usage{MemoryBytes: workload.Memory(), DiskBytes: sizeOf(dir)}
	for _, r := range t.Replicas {
		u.View = max(u.View, uint64(r.CurrentView()))
	}
	return u
}

// sizeOf adds up the sizes of the files in a folder, those that vanish meanwhile
// left out.
func sizeOf(dir string) (bytes int64) {
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += info.Size()
		} else if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	})
	if err != nil {
		return 0 // not known
	}
	return bytes
}

// writeSeries prints the intervals of each round, if there are any.
func (r *benchReport) writeSeries(w io.Writer) error {
	for i, round := range r.Rounds {
		series := round.Cluster.Series
		if len(series) == 0 {
			continue
		}
		fmt.Fprintf(w, "\nround %d\n", i+1)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(table, "until, s\tvertices/s\tp50, ms\tp99, ms\tmax, ms\tmemory, MB\tdisk, MB\tview\t")
		for _, part := range series {
			fmt.Fprintf(table, "%.1f\t%.0f\t%.2f\t%.2f\t%.2f\t%.0f\t%.0f\t%d\t\n", part.Seconds, part.VerticesPerSecond,
				part.Finality.P50, part.Finality.P99, part.Finality.Max, float64(part.Usage.MemoryBytes)/1e6, float64(part.Usage.DiskBytes)/1e6, part.Usage.View)
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}
