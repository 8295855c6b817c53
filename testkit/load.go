package testkit

import (
	"context"
	"fmt"
	"sync"

	"github.com/cretoai/consensus/replica"
)

// Load has vertices proposed at a replica all the time, each caller one after
// the other, until stop is called. All that was proposed becomes final.
func (c *Cluster) Load(i, callers int) (stop func()) {
	c.t.Helper()
	r := c.running(i)
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
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
				payload := fmt.Appendf(nil, "caller %d, vertex %d", caller, n)
				if _, err := r.Propose(ctx, replica.Vertex{Payload: payload}); err != nil {
					c.t.Errorf("replica %d under load: %v", i, err)
					return
				}
			}
		})
	}
	return func() {
		close(ending)
		group.Wait()
		cancel()
	}
}

// Metric is the value of a replica's counter or gauge with the labels given as
// names and values in turn.
func (c *Cluster) Metric(i int, name string, labels ...string) float64 {
	c.t.Helper()
	families, err := c.running(i).Metrics().Gather()
	if err != nil {
		c.t.Fatal(err)
	}
	want := make(map[string]string)
	for k := 0; k+1 < len(labels); k += 2 {
		want[labels[k]] = labels[k+1]
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			found := len(m.GetLabel()) == len(want)
			for _, l := range m.GetLabel() {
				found = found && want[l.GetName()] == l.GetValue()
			}
			if found {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	c.t.Fatalf("replica %d has no metric %s %v", i, name, labels)
	return 0
}
