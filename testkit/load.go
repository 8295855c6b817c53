package testkit

import (
	"context"
	"fmt"
	"sync"

	"github.com/cretoai/consensus/metrics"
	"github.com/cretoai/consensus/replica"
)

// Load has vertices proposed at a replica all the time, each caller one after
// the other, until stop is called, or the test ends. All that was proposed becomes
// final, or the test fails; so does a replica that is killed under load.
func (c *Cluster) Load(i, callers int) (stop func()) {
	c.t.Helper()
	r := c.running(i)
	ending := make(chan struct{})
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-ending:
					return
				default:
				}
				if err := c.burden(r, fmt.Appendf(nil, "caller %d, vertex %d", caller, n)); err != nil {
					if c.t.Context().Err() == nil {
						c.t.Errorf("replica %d under load: %v", i, err)
					}
					return
				}
			}
		})
	}
	var once sync.Once
	stop = func() {
		once.Do(func() { close(ending) })
		group.Wait()
	}
	c.t.Cleanup(stop)
	return stop
}

func (c *Cluster) burden(r *replica.Replica, payload []byte) error {
	ctx, cancel := context.WithTimeout(c.t.Context(), c.o.patience)
	defer cancel()
	_, err := r.Propose(ctx, replica.Vertex{Payload: payload})
	return err
}

// Metric is the value of a replica's counter or gauge with the labels given as
// names and values in turn. The prefix that all have may be left out:
//
//	c.Metric(0, "current_view")
//	c.Metric(0, "actor_restarts_total", "actor", "executor")
//
// What there is, and what it counts, says GET /metrics of any replica, and metrics.go
// in package metrics. Counters begin at 0 with each start. A histogram has no one
// value: read it from Replica(i).Metrics().
func (c *Cluster) Metric(i int, name string, labels ...string) float64 {
	c.t.Helper()
	value, err := metrics.Value(c.running(i).Metrics(), name, labels...)
	if err != nil {
		c.t.Fatalf("replica %d: %v", i, err)
	}
	return value
}
