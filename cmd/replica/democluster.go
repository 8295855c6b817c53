package main

import (
	"context"
	"fmt"
	"io"

	"github.com/cretoai/consensus/cmd/replica/home"
	"github.com/cretoai/consensus/cmd/replica/local"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/nodeconfig"
)

// demoCluster is a cluster of this process, a member of which may turn faulty.
type demoCluster struct {
	*local.Cluster
	strike *strike // nil without a fault
}

// startDemoCluster makes the demo's network in dir and starts it.
func startDemoCluster(ctx context.Context, o demoOptions, dir string, narration io.Writer) (c *demoCluster, err error) {
	c = &demoCluster{}
	start := localOptions(o.replicas, o.scheme, dir, o.verbose, narration)
	start.Faulty = func(i int) bool { return c.strike.hit(i) }
	start.Tune = func(i int, h *home.Home, _ *replica.Config) ([]replica.Option, error) {
		if i == 0 {
			var err error
			if c.strike, err = newStrike(o, h.Genesis); err != nil {
				return nil, err
			}
		}
		return c.strike.options(i, h), nil
	}
	c.Cluster, err = local.Start(ctx, start)
	return c, err
}

// localOptions are what all clusters of this process are started with. The
// narration is told, and given the logs.
func localOptions(replicas int, scheme, dir string, verbose bool, narration io.Writer) local.Options {
	level := nodeconfig.Log{Level: "error", Format: "console"}
	if verbose {
		level.Level = "info"
	}
	fmt.Fprintf(narration, "starting %d replicas with %s keys in %s\n", replicas, scheme, dir)
	return local.Options{Replicas: replicas, Scheme: scheme, Dir: dir, Log: newLog(level, narration), Version: softwareVersion()}
}
