package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/cmd/replica/workload"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/metrics"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/nodeconfig"
	"github.com/cretoai/consensus/storage"
)

// progressCounter passes a count from the load to the progress shown.
type progressCounter struct{ n atomic.Int64 }

func (c *progressCounter) set(n int)          { c.n.Store(int64(n)) }
func (c *progressCounter) upTo(total int) int { return min(int(c.n.Load()), total) }

// measureCluster measures a cluster of this process.
func (o benchOptions) measureCluster(narration io.Writer) measure {
	return func(ctx context.Context, round int) (*workload.Result, error) {
		dir, err := o.folder("replica-bench-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		t := &clusterTarget{}
		c, err := startDemoCluster(ctx, o.cluster(t), filepath.Join(dir, "net"), narration)
		if err != nil {
			return nil, err
		}
		t.demoCluster = c
		result, err := o.run(ctx, t, o.profilesOf("replicas", round), narration)
		if err == nil {
			err = t.agree(ctx)
		}
		return result, errors.Join(err, c.stop())
	}
}

// folder makes a temporary folder on a disk.
func (o benchOptions) folder(pattern string) (string, error) {
	parent, err := demoParent(demoOptions{dir: o.dir, allowTmpfs: o.allowTmpfs})
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(parent, pattern)
	if err != nil {
		return "", fmt.Errorf("make the folder to measure in: %w", err)
	}
	return dir, nil
}

// cluster says how to start the replicas, with t counting what they send.
func (o benchOptions) cluster(t *clusterTarget) demoOptions {
	return demoOptions{
		replicas: o.replicas, scheme: o.scheme, verbose: o.verbose,
		tune: func(c *replica.Config) []replica.Option {
			c.PipelineDepth = o.depth
			c.MaxPendingVertices = max(c.MaxPendingVertices, o.load.Outstanding*5/4)
			if o.maxPending > 0 {
				c.MaxPendingVertices = o.maxPending
			}
			if o.walSync == nodeconfig.WALSyncNever {
				c.WALSync = storage.SyncNever
			}
			return []replica.Option{replica.WithTransportWrapper(func(inner cluster.Transport) cluster.Transport {
				return countedTransport{inner, t}
			})}
		},
	}
}

// clusterTarget is a cluster of this process under load.
type clusterTarget struct {
	*demoCluster
	frames, bytes atomic.Int64
}

// countedTransport counts what a replica sends.
type countedTransport struct {
	cluster.Transport
	t *clusterTarget
}

// Send implements cluster.Transport.
func (c countedTransport) Send(to messages.Index, lane cluster.Lane, frame []byte) {
	c.t.frames.Add(1)
	c.t.bytes.Add(int64(len(frame)))
	c.Transport.Send(to, lane, frame)
}

// Doors implements workload.Target.
func (t *clusterTarget) Doors() int { return len(t.replicas) }

// Leader implements workload.Target.
func (t *clusterTarget) Leader() int {
	for i, r := range t.replicas {
		if r.IsLeader() {
			return i
		}
	}
	return 0 // the view is being changed; whoever is asked passes vertices on
}

// Submit implements workload.Target.
func (t *clusterTarget) Submit(ctx context.Context, door int, payloads [][]byte) ([]uint64, error) {
	vertices := make([]replica.Vertex, len(payloads))
	for i, p := range payloads {
		vertices[i].Payload = p
	}
	receipts, err := t.replicas[door].ProposeAll(ctx, vertices)
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
func (t *clusterTarget) Count() (workload.Counters, error) {
	var sum workload.Counters
	for _, r := range t.replicas {
		totals, err := metrics.TotalsOf(r.Metrics())
		if err != nil {
			return workload.Counters{}, err
		}
		addTotals(&sum, totals)
	}
	sum.Messages, sum.NetworkBytes = float64(t.frames.Load()), float64(t.bytes.Load())
	sum.CPUSeconds = workload.CPUSeconds()
	return sum, nil
}

// addTotals adds what one more replica has spent. All execute the same sequences.
func addTotals(sum *workload.Counters, t metrics.Totals) {
	sum.Sequences = max(sum.Sequences, t.Sequences)
	sum.Signatures += t.Signatures
	sum.Verifications += t.Verifications
	sum.Flushes += t.Flushes
	sum.FlushSeconds += t.FlushSeconds
	sum.JournalBytes += t.FlushBytes
	sum.NetworkBytes += t.SentBytes
	sum.ViewChanges = max(sum.ViewChanges, t.ViewChanges)
	sum.CPUSeconds += t.ProcessCPUSeconds
}

// agree waits until all have executed everything and compares their ledgers: a
// figure of a cluster that disagrees with itself is worth nothing.
func (t *clusterTarget) agree(ctx context.Context) error {
	if err := t.awaitRest(ctx); err != nil {
		return err
	}
	statuses := t.statuses()
	for i, s := range statuses {
		if s.LedgerHead != statuses[0].LedgerHead || s.Vertices != statuses[0].Vertices {
			return fmt.Errorf("replica %d has another ledger than replica 0 after sequence %d", i, s.Sequence)
		}
	}
	return nil
}
