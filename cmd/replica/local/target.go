package local

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/cmd/replica/home"
	"github.com/cretoai/consensus/cmd/replica/workload"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/metrics"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/replica"
)

// Target is a cluster of this process under load.
type Target struct {
	*Cluster
	frames, bytes atomic.Int64
}

// StartTarget starts a cluster that counts what it sends.
func StartTarget(ctx context.Context, o Options) (*Target, error) {
	t := &Target{}
	tune := o.Tune
	o.Tune = func(i int, h *home.Home, c *replica.Config) ([]replica.Option, error) {
		options := []replica.Option{replica.WithTransportWrapper(func(inner cluster.Transport) cluster.Transport {
			return countedTransport{inner, t}
		})}
		if tune == nil {
			return options, nil
		}
		more, err := tune(i, h, c)
		return append(options, more...), err
	}
	c, err := Start(ctx, o)
	t.Cluster = c
	return t, err
}

// countedTransport counts what a replica sends.
type countedTransport struct {
	cluster.Transport
	t *Target
}

// Send implements cluster.Transport.
func (c countedTransport) Send(to messages.Index, lane cluster.Lane, frame []byte) {
	c.t.frames.Add(1)
	c.t.bytes.Add(int64(len(frame)))
	c.Transport.Send(to, lane, frame)
}

// Doors implements workload.Target.
func (t *Target) Doors() int { return len(t.Replicas) }

// Leader implements workload.Target.
func (t *Target) Leader() int {
	for i, r := range t.Replicas {
		if r.IsLeader() {
			return i
		}
	}
	return 0 // the view is being changed; whoever is asked passes vertices on
}

// Submit implements workload.Target.
func (t *Target) Submit(ctx context.Context, door int, payloads [][]byte) ([]uint64, error) {
	vertices := make([]replica.Vertex, len(payloads))
	for i, p := range payloads {
		vertices[i].Payload = p
	}
	return t.Propose(ctx, door, vertices)
}

// Propose has vertices finalised that are more than payloads, signed ones for example.
// It returns the sequence of each.
func (t *Target) Propose(ctx context.Context, door int, vertices []replica.Vertex) ([]uint64, error) {
	receipts, err := t.Replicas[door].ProposeAll(ctx, vertices)
	if err != nil {
		return nil, err
	}
	sequences := make([]uint64, len(receipts))
	for i, r := range receipts {
		if r.Outcome != pbft.Fresh {
			return nil, fmt.Errorf("vertex %v was a no-op: %v", r.Vertex, r.Outcome)
		}
		sequences[i] = uint64(r.Seq)
	}
	return sequences, nil
}

// Count implements workload.Target.
func (t *Target) Count() (workload.Counters, error) {
	var sum workload.Counters
	for _, r := range t.Replicas {
		totals, err := metrics.TotalsOf(r.Metrics())
		if err != nil {
			return workload.Counters{}, err
		}
		AddTotals(&sum, totals)
	}
	sum.Messages, sum.NetworkBytes = float64(t.frames.Load()), float64(t.bytes.Load())
	sum.CPUSeconds = workload.CPUSeconds()
	return sum, nil
}

// AddTotals adds what one more replica has spent. All execute the same sequences.
func AddTotals(sum *workload.Counters, t metrics.Totals) {
	sum.Sequences = max(sum.Sequences, t.Sequences)
	sum.Signatures += t.Signatures
	sum.Verifications += t.Verifications
	sum.Flushes += t.Flushes
	sum.FlushSeconds += t.FlushSeconds
	sum.JournalBytes += t.FlushBytes
	sum.NetworkBytes += t.SentBytes
	sum.ViewChanges = max(sum.ViewChanges, t.ViewChanges)
	sum.CPUSeconds += t.ProcessCPUSeconds
	sum.CreatorVerifications += t.CreatorVerifications
	sum.CreatorKeys += t.CreatorExpansions
}

// Agree waits until all have executed everything and compares their ledgers: a
// figure of a cluster that disagrees with itself is worth nothing.
func (t *Target) Agree(ctx context.Context) error {
	if err := t.AwaitRest(ctx); err != nil {
		return err
	}
	var first *replica.Status
	for i, s := range t.Statuses() {
		if t.faulty(i) {
			continue
		}
		if first == nil {
			first = &s
		}
		if s.LedgerHead != first.LedgerHead || s.Vertices != first.Vertices {
			return fmt.Errorf("replica %d has another ledger than replica %d after sequence %d", i, first.Replica, s.Sequence)
		}
	}
	return nil
}
