package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cretoai/consensus/cmd/replica/local"
	"github.com/cretoai/consensus/cmd/replica/workload"
)

// run measures all systems, round by round, and prints the report.
func run(ctx context.Context, o options, out, narration io.Writer) error {
	report := newReport(o)
	for round := range o.rounds {
		for i, s := range o.systems {
			fmt.Fprintf(narration, "round %d of %d: %s, n=%d\n", round+1, o.rounds, s.Title, s.Members)
			result, err := measure(ctx, s, o)
			if err != nil {
				return fmt.Errorf("%s, n=%d: %w", s.Title, s.Members, err)
			}
			report.Systems[i].Rounds = append(report.Systems[i].Rounds, result)
		}
	}
	report.sum()
	return report.write(out, o.format)
}

// measure starts a system, puts it under load, compares what its members applied with
// what was answered, and stops it.
func measure(ctx context.Context, s system, o options) (result *workload.Result, err error) {
	parent, err := local.Parent(o.dir, o.allowTmpfs)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "bench-")
	if err != nil {
		return nil, fmt.Errorf("make the folder to measure in: %w", err)
	}
	defer os.RemoveAll(dir)
	workload.ForgetPeak()
	c, err := s.start(ctx, filepath.Join(dir, s.Name), o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	load, answered := o.load, 0
	load.Progress = func(vertices int) { answered = vertices } // the last call has them all
	if result, err = workload.Run(ctx, c, load); err != nil {
		return nil, err
	}
	result.PeakMemoryBytes = workload.PeakMemory()
	applied, err := c.Agree(ctx)
	if err == nil && applied != uint64(answered) {
		err = fmt.Errorf("%d payloads were answered, and each member has applied %d", answered, applied)
	}
	return result, err
}
