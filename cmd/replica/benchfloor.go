package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/cretoai/consensus/cmd/replica/floor"
	"github.com/cretoai/consensus/cmd/replica/workload"
	"github.com/cretoai/consensus/replica/nodeconfig"
)

// measureFloor measures the floor, under the same load.
func (o benchOptions) measureFloor(narration io.Writer) measure {
	return func(ctx context.Context, round int) (*workload.Result, error) {
		dir, err := o.folder("replica-floor-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		f, err := floor.Start(ctx, floor.Config{
			Replicas: o.replicas, Scheme: o.scheme, Depth: o.depth, TLS: o.floorTLS, Unanimous: o.floorSteps == 2,
			Sync: o.walSync == nodeconfig.WALSyncAlways, Dir: dir,
		})
		if err != nil {
			return nil, err
		}
		o.load.Series = 0
		result, err := o.run(ctx, f, o.profilesOf("floor", round), narration)
		return result, errors.Join(err, f.Stop())
	}
}
