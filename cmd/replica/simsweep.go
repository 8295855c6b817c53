package main

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cretoai/consensus/testkit/sim"
)

// sweep is a range of seeds and what came of each; those after the first
// violation are not simulated.
type sweep struct {
	results []*sim.Result // by seed, nil if not simulated
	elapsed time.Duration
}

// simulate runs seeds on several cores, each run on one.
func simulate(ctx context.Context, o simOptions, narration io.Writer) (*sweep, error) {
	s := &sweep{results: make([]*sim.Result, o.seeds)}
	var next, done atomic.Int64
	var failed atomic.Bool
	errs := make([]error, o.jobs)
	begin := time.Now()
	shown := progress{"simulating", "seeds", "simulated", o.seeds}.show(narration, func() int { return int(done.Load()) })
	var workers sync.WaitGroup
	for w := range o.jobs {
		workers.Go(func() {
			for !failed.Load() && errs[w] == nil {
				i := next.Add(1) - 1
				if i >= int64(o.seeds) {
					return
				}
				s.results[i], errs[w] = sim.Run(ctx, o.config(o.from+uint64(i)))
				if errs[w] != nil || s.results[i].Err != nil {
					failed.Store(true)
					return
				}
				s.results[i].Story = nil // nobody reads it, and a hundred thousand are a gigabyte
				done.Add(1)
			}
		})
	}
	workers.Wait()
	shown()
	s.elapsed = time.Since(begin)
	return s, errors.Join(errs...)
}

// simulateSteps runs one seed and writes every step of it.
func simulateSteps(ctx context.Context, o simOptions, out io.Writer) (*sweep, error) {
	cfg := o.config(o.from)
	cfg.Trace = out
	begin := time.Now()
	r, err := sim.Run(ctx, cfg)
	return &sweep{[]*sim.Result{r}, time.Since(begin)}, err
}

// violation is the result of the lowest seed that violated something, nil if
// none did.
func (s *sweep) violation() *sim.Result {
	for _, r := range s.results {
		if r != nil && r.Err != nil {
			return r
		}
	}
	return nil
}
