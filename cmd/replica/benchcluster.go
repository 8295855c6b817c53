package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/cretoai/consensus/cmd/replica/home"
	"github.com/cretoai/consensus/cmd/replica/local"
	"github.com/cretoai/consensus/cmd/replica/workload"
	"github.com/cretoai/consensus/messages"
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
		start := localOptions(o.replicas, o.scheme, filepath.Join(dir, "net"), o.verbose, narration)
		start.RequireVertexSignatures, start.OptimisticMode, start.Tune = o.creator.sign, o.optimistic, o.tune
		crash := o.newCrash()
		start.Faulty = crash.hit
		t, err := local.StartTarget(ctx, start)
		if err != nil {
			return nil, err
		}
		o.load.Usage = func() workload.Usage { return usageOf(t, dir) }
		result, err := o.runCluster(ctx, t, crash, o.profilesOf("replicas", round), narration)
		if err == nil {
			err = crash.finish()
		}
		if err == nil {
			err = t.Agree(ctx)
		}
		return result, errors.Join(err, t.Stop())
	}
}

// runCluster puts the load on a cluster of this process, directly or through its APIs.
func (o benchOptions) runCluster(ctx context.Context, t *local.Target, crash *crash, profile string, narration io.Writer) (result *workload.Result, err error) {
	target := &benchTarget{by: t}
	if o.creator.sign { // before there are batches, which end when nothing is sent
		chain := chainOf{t.Genesis.Hash(), t.Genesis.Scheme, t.Replicas[0].CurrentSequence()}
		if target.supply, err = o.presign(ctx, chain, narration); err != nil {
			return nil, err
		}
	}
	if o.http {
		var stop func() error
		if target.by, stop, err = o.openHTTP(ctx, t); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	if target.replicas, target.by = crash.of(t, target.by); crash != nil {
		o.load.Opened = crash.opened
	}
	return o.run(ctx, target, profile, narration)
}

// folder makes a temporary folder on a disk.
func (o benchOptions) folder(pattern string) (string, error) {
	parent, err := local.Parent(o.dir, o.allowTmpfs)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(parent, pattern)
	if err != nil {
		return "", fmt.Errorf("make the folder to measure in: %w", err)
	}
	return dir, nil
}

// tune says what the replicas are to be measured with.
func (o benchOptions) tune(_ int, _ *home.Home, c *replica.Config) ([]replica.Option, error) {
	c.PipelineDepth, c.LedgerRetain = o.depth, messages.Seq(o.retain)
	c.MaxPendingVertices = max(c.MaxPendingVertices, o.load.Outstanding*5/4)
	if o.maxPending > 0 {
		c.MaxPendingVertices = o.maxPending
	}
	if o.walSync == nodeconfig.WALSyncNever {
		c.WALSync = storage.SyncNever
	}
	return nil, nil
}
