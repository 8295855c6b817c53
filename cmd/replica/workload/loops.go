package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// closedLoop starts the submitters that keep the vertices outstanding: as many
// groups as there are, the last one smaller.
func (r *run) closedLoop(ctx context.Context, all *sync.WaitGroup, fail func(error)) {
	submitters := (r.o.Outstanding + r.group - 1) / r.group
	left := r.o.Outstanding
	for i := range submitters {
		n := min(r.group, left)
		left -= n
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 0))
			for k := 0; !r.over.Load(); k++ {
				payloads := r.payloads(random, n)
				due := time.Now()
				err := r.submit(ctx, r.door(i, submitters, k), payloads, func(int) time.Time { return due })
				if errors.Is(err, ErrExhausted) {
					r.record.exhaust(time.Now())
					return
				}
				if err != nil {
					fail(err)
					return
				}
			}
		})
	}
}

// paceMin is the shortest pause of an open loop. At rates above its inverse
// vertices that fell due meanwhile are submitted together, and the pause counts
// in their latency.
const paceMin = 500 * time.Microsecond

// openLoop submits at the rate, and never waits for an answer. It gives up when as many
// vertices wait as fall due while the end of a measurement would wait for them: their
// number would only grow, with the memory they take.
func (r *run) openLoop(ctx context.Context, all *sync.WaitGroup, fail func(error)) {
	begin := time.Now()
	random := rand.New(rand.NewPCG(0, 0))
	dueAt := func(i int) time.Time { return begin.Add(time.Duration(float64(i) / r.o.Rate * float64(time.Second))) }
	submitted, groups := 0, 0
	var waiting atomic.Int64
	waitingMax := int64(max(r.o.Rate*r.patience().Seconds(), 1))
	for !r.over.Load() && ctx.Err() == nil {
		due := 0
		for now := time.Now(); !dueAt(submitted + due).After(now); {
			due++
		}
		for left := due; left > 0; groups++ {
			n := evenPart(left, r.group)
			payloads, door, first := r.payloads(random, n), r.door(groups, 1, 0), submitted
			if behind := waiting.Add(int64(n)); behind > waitingMax {
				fail(fmt.Errorf("%d vertices are not final: %v/s are more than the cluster carries; ask for fewer with --rate", behind, r.o.Rate))
				return
			}
			all.Go(func() {
				defer waiting.Add(-int64(n))
				if err := r.submit(ctx, door, payloads, func(i int) time.Time { return dueAt(first + i) }); errors.Is(err, ErrExhausted) {
					r.record.exhaust(time.Now())
				} else if err != nil {
					fail(err)
				}
			})
			submitted += n
			left -= n
		}
		r.pause(ctx, max(time.Until(dueAt(submitted)), paceMin))
	}
}

// evenPart is the first of the fewest groups of nearly equal size, none larger
// than the largest, that n make: no door gets the small ones.
func evenPart(n, largest int) int {
	groups := (n + largest - 1) / largest
	return (n + groups - 1) / groups
}

// pause waits, unless the run is over.
func (r *run) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.ending:
	case <-ctx.Done():
	}
}
