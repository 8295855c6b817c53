package main

import (
	"context"
	"path/filepath"

	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/cmd/replica/home"
	"github.com/cretoai/consensus/cmd/replica/local"
	"github.com/cretoai/consensus/replica"
)

// replicas is a cluster as "replica bench" measures one.
type replicas struct{ *local.Target }

// scheme is what the replicas sign with.
const scheme = "ml-dsa-87"

func startReplicas(ctx context.Context, dir string, o options, optimistic bool) (cluster, error) {
	t, err := local.StartTarget(ctx, local.Options{
		Replicas: o.replicas, Scheme: scheme, Dir: filepath.Join(dir, "net"), Log: zerolog.Nop(), Version: "bench", OptimisticMode: optimistic,
		Tune: func(_ int, _ *home.Home, c *replica.Config) ([]replica.Option, error) {
			c.MaxPendingVertices = max(c.MaxPendingVertices, o.load.Outstanding*5/4)
			if o.depth > 0 {
				c.PipelineDepth = o.depth
			}
			return nil, nil
		},
	})
	if err != nil {
		return nil, err
	}
	return replicas{t}, nil
}

// Agree implements cluster.
func (r replicas) Agree(ctx context.Context) (vertices uint64, err error) {
	if err := r.Target.Agree(ctx); err != nil {
		return 0, err
	}
	return r.Statuses()[0].Vertices, nil
}
