package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cretoai/consensus/cmd/replica/local"
	"github.com/cretoai/consensus/replica"
)

// crash stops the leader of a cluster of this process in the middle of a
// measurement. Nothing is submitted at its door, at no time: whose own replica stops
// waits for nothing any more, and would only tell of that.
type crash struct {
	after  time.Duration // from when the window opens
	target *local.Target
	victim int

	down  atomic.Bool
	timer *time.Timer
	err   chan error // what came of it
}

// newCrash is nil without a crash.
func (o benchOptions) newCrash() *crash {
	if o.crashLeader == 0 {
		return nil
	}
	return &crash{after: o.crashLeader, err: make(chan error, 1)}
}

// hit reports whether replica i is the one that has stopped.
func (c *crash) hit(i int) bool { return c != nil && c.down.Load() && i == c.victim }

// of chooses the victim, and gives the ways around it.
func (c *crash) of(t *local.Target, by proposer) (replicas, proposer) {
	if c == nil {
		return t, by
	}
	c.target, c.victim = t, t.Leader()
	return sparing{t, c.victim}, sparingProposer{by, c.victim}
}

// opened begins to count.
func (c *crash) opened() {
	c.timer = time.AfterFunc(c.after, c.happen)
}

func (c *crash) happen() {
	r := c.target.Replicas[c.victim]
	if !r.IsLeader() {
		c.err <- fmt.Errorf("replica %d was to stop as the leader, and leads no more", c.victim)
		return
	}
	c.down.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	c.err <- r.Stop(ctx)
}

// finish waits for the end of a crash that has begun.
func (c *crash) finish() error {
	if c == nil || c.timer == nil {
		return nil
	}
	if c.timer.Stop() {
		return errors.New("the measurement was over before the leader was to stop")
	}
	return <-c.err
}

// sparing are replicas of which one has no door.
type sparing struct {
	*local.Target
	victim int
}

func (s sparing) Doors() int { return s.Target.Doors() - 1 }

// around is the replica behind a door.
func around(door, victim int) int {
	if door >= victim {
		return door + 1
	}
	return door
}

// sparingProposer proposes at the doors there are.
type sparingProposer struct {
	proposer
	victim int
}

func (s sparingProposer) Propose(ctx context.Context, door int, vertices []replica.Vertex) ([]uint64, error) {
	return s.proposer.Propose(ctx, around(door, s.victim), vertices)
}
