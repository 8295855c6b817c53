package replica

import (
	"context"
	"errors"
	"fmt"
)

// Stop ends the replica: connections close, what waited for the disk gets there,
// callers still waiting get a NotFinalError for ErrStopped, and from now on who proposes
// or reads gets ErrStopped. When it returns nil, nothing of the replica runs any more and its folder
// is free.
//
// ctx bounds the waiting. If it ends first, the error says for what; the replica
// ends on its own as soon as it can, and its folder stays locked: nobody can start
// on it what the old life may still write to. Call Stop again to wait on, and to
// have the folder freed: each call waits as long as its own ctx. An application or
// an actor of yours that never returns from a call keeps the folder until the
// process ends. Once the replica has ended, every call returns the same: nil, or
// what went wrong when its disk and its network were closed.
func (r *Replica) Stop(ctx context.Context) error {
	r.readers.close()
	select {
	case r.stopping <- struct{}{}:
	default:
		select {
		case r.stopping <- struct{}{}:
		case <-ctx.Done():
			return fmt.Errorf("wait for another Stop: %w", context.Cause(ctx))
		}
	}
	defer func() { <-r.stopping }()
	if r.ended {
		return r.stopErr
	}
	err := r.tree.Stop(ctx)
	if !r.tree.Ended() {
		return err
	}
	if waiting := r.readers.await(ctx); waiting != nil {
		return errors.Join(err, waiting)
	}
	r.ended, r.stopErr = true, errors.Join(err, r.close())
	return r.stopErr
}
