package workload

import (
	"context"
	"fmt"
	"time"
)

// pollInterval is how often a cluster is asked whether it is where it should be,
// before and after the load.
const pollInterval = 10 * time.Millisecond

// Poll waits until a goal is reached. The error names it if ctx ends first.
func Poll(ctx context.Context, goal string, reached func() bool) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !reached() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", goal, context.Cause(ctx))
		case <-tick.C:
		}
	}
	return nil
}
